//! (in the making)
use crate::{cli::*, installation::Installation, out::{Failure, Out}};
pub async fn show(_: &Installation, _: &ReportArg, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
pub async fn trail(_: &Installation, _: &ReportArg, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
