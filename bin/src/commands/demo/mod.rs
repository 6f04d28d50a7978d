//! `tieout demo`: a month of a made-up manufacturer's spend, from the stand-in Expensify to the stand-in QAD, until it
//! ties out.

pub mod ends;
pub mod stage;

use crate::cli::DemoArgs;
use crate::out::{Failure, Out};

/// Runs the demo.
pub async fn run(_args: DemoArgs, _out: Out) -> Result<u8, Failure> {
    Err(Failure::Usage("being built".into()))
}
