//! The `tieout` program, as a library, so that the tests of the whole can set an installation up as the program does.
//!
//! `cli` says what can be asked; each command is a file in `commands`; `installation` opens what they work on;
//! `operator` says who signs.

pub mod cli;
pub mod commands;
pub mod config;
mod helpers;
pub mod installation;
pub mod operator;
pub mod out;
pub mod ports;
pub mod tenure;
pub mod views;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::out::{DONE, Failure, Out, USAGE};

/// Reads the command line, runs the command, and ends with its status.
pub fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; anything else is wrong usage.
            let asked = !error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if asked { DONE } else { USAGE });
        }
    };
    let out = Out { json: cli.json };
    let status = match start(cli, out) {
        Ok(status) => status,
        Err(Failure::Closed) => DONE,
        Err(failure) => {
            let _ = out.aside(&format!("tieout: {failure}"));
            failure.status()
        }
    };
    ExitCode::from(status)
}

fn start(cli: cli::Cli, out: Out) -> Result<u8, Failure> {
    let filter =
        EnvFilter::try_new(&cli.log).map_err(|e| Failure::Usage(format!("--log `{}`: {e}", cli.log)))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(out.shows_progress())
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|e| Failure::Usage(format!("the log cannot be set up: {e}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Outside(format!("the runtime cannot start: {e}")))?;
    runtime.block_on(commands::run(cli, out))
}
