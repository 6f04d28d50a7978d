//! (in the making)
use crate::{cli::*, installation::Installation, out::{Failure, Out}};
pub async fn run(_: &Installation, _: LogCommand, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
