//! The commands, a file each.

pub mod certify;
mod credentials;
mod decide;
pub mod demo;
mod doctor;
mod explained;
mod find;
mod guide;
mod init;
pub mod log;
mod operators;
mod outcome;
mod profile;
mod reconcile;
mod reports;
pub mod rules;
mod sandbox;
mod serve;
mod show;
mod sync;
mod terminal;

use crate::cli::{Cli, Command};
use crate::installation::Installation;
use crate::out::{Failure, Out};

/// Runs a command to its exit status.
pub async fn run(cli: Cli, out: Out) -> Result<u8, Failure> {
    let config = cli.config;
    match cli.command {
        Command::Demo(args) => demo::run(args, out).await,
        Command::Sandbox(args) => sandbox::run(args, out).await,
        Command::Init(args) => init::run(args, out).await,
        Command::Guide { page } => guide::run(page.as_deref(), out),
        Command::Profile(crate::cli::ProfileCommand::Template) => profile::template(out),
        Command::Credentials(args) => credentials::run(&config, args, out),
        Command::Rules(args) => rules::run(&config, args, out).await,
        Command::Operators(args) => {
            operators::run(&Installation::open(&config).await?, args.command, out).await
        }
        Command::Doctor(args) => doctor::run(&config, &args, out).await,
        Command::Profile(args) => profile::run(&Installation::open(&config).await?, args, out).await,
        Command::Sync(args) => sync::run(&Installation::open(&config).await?, &args, out).await,
        Command::Serve => serve::run(Installation::open(&config).await?, out).await,
        Command::Reports(args) => reports::run(&Installation::open(&config).await?, &args, out).await,
        Command::Show(args) => show::show(&Installation::open(&config).await?, &args, out).await,
        Command::Trail(args) => show::trail(&Installation::open(&config).await?, &args, out).await,
        Command::Replay(args) => decide::replay(&Installation::open(&config).await?, args, out).await,
        Command::Resolve(args) => decide::resolve(&Installation::open(&config).await?, args, out).await,
        Command::Exclude(args) => decide::exclude(&Installation::open(&config).await?, args, out).await,
        Command::Reverse(args) => decide::reverse(&Installation::open(&config).await?, args, out).await,
        Command::Reconcile(args) => reconcile::run(&Installation::open(&config).await?, args, out).await,
        Command::Log(args) => log::run(&config, args, out).await,
    }
}
