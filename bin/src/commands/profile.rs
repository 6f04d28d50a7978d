//! (in the making)
use crate::{cli::*, installation::Installation, out::{Failure, Out}};
pub fn template(_: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
pub async fn run(_: &Installation, _: ProfileCommand, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
