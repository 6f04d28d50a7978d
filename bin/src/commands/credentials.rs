//! (in the making)
use crate::{cli::*, installation::Installation, out::{Failure, Out}};
pub fn run(_: &std::path::Path, _: CredentialsArgs, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
