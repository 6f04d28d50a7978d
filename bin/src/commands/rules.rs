//! `tieout rules`: rule sets, from a file that somebody wrote to the set in force.

mod backtest;
mod check;
mod life;
mod place;
mod put_in_force;

use std::path::Path;

pub(super) use self::check::{Charted, chart_of, cover};
pub use self::put_in_force::put_in_force;
use crate::cli::RulesCommand;
use crate::installation::Installation;
use crate::out::{Failure, Out};

/// Does what was asked of the rule sets.
pub async fn run(config: &Path, command: RulesCommand, out: Out) -> Result<u8, Failure> {
    match command {
        RulesCommand::Check(args) => check::run(config, args, out).await,
        RulesCommand::Backtest(args) => backtest::run(&Installation::open(config).await?, args, out).await,
        RulesCommand::Life(command) => life::run(&Installation::open(config).await?, command, out).await,
    }
}
