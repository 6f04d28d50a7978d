//! (in the making)
use crate::{cli::*, installation::Installation, out::{Failure, Out}};
pub async fn replay(_: &Installation, _: ReplayArgs, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
pub async fn resolve(_: &Installation, _: ResolveArgs, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
pub async fn exclude(_: &Installation, _: ExcludeArgs, _: Out) -> Result<u8, Failure> { Err(Failure::Usage("being built".into())) }
