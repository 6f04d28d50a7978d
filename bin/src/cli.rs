//! The command line (design §8). What is not in this build is not in it either.

mod operators;
mod rules;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::operators::{ChangeArgs, OperatorsArgs, OperatorsCommand, SignInArgs};
pub use self::rules::{
    BacktestArgs, ChartChoice, CheckArgs, Format, Mode, RulesCommand, RulesLifeCommand, SignedFor,
};

/// Moves approved employee spend from Expensify into QAD's ledger, so that the two tie out.
#[derive(Debug, Parser)]
#[command(name = "tieout", version, about, max_term_width = 110)]
pub struct Cli {
    /// One JSON document on standard output; logs go to standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// The configuration.
    #[arg(
        long,
        global = true,
        env = "TIEOUT_CONFIG",
        default_value = "tieout.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// How much to log on standard error, e.g. `info`, `tieout=debug`, `trace`.
    #[arg(
        long,
        global = true,
        env = "TIEOUT_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start both stand-ins, run a month of a manufacturer's spend through, print the tie-out. Needs no configuration.
    Demo(DemoArgs),
    /// Start only the stand-in servers for Expensify and QAD, on this machine.
    Sandbox(SandboxArgs),
    /// Make a new installation: configuration, log, vault, rule set and profile templates.
    Init(InitArgs),
    /// Put credentials into the vault, or rotate them or the vault's key.
    Credentials(CredentialsArgs),
    /// The people who sign what they decide, each with a key of their own: list, enrol, replace a key, retire.
    Operators(OperatorsArgs),
    /// Look at everything, change nothing: each line with its fix, and how many reports going live would take.
    Doctor(ConnectionArg),
    /// The QAD profile: check and certify it.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Run one cycle.
    Sync(SyncArgs),
    /// Run each connection on its schedule until told to stop (SIGTERM, SIGINT).
    Serve,
    /// The work list.
    Reports(ReportsArgs),
    /// One report: its state, documents and reasons.
    Show(ReportArg),
    /// One report's whole trail, with every why.
    Trail(ReportArg),
    /// Take a report back to an earlier step, to go on from there.
    Replay(ReplayArgs),
    /// Settle a document in doubt that only a person can settle.
    Resolve(ResolveArgs),
    /// Leave a report out, with the reason on record.
    Exclude(ExcludeArgs),
    /// Record that a posted document was reversed in QAD; its correction posts under the next reference.
    Reverse(ReverseArgs),
    /// Hold QAD's documents against the log, and bring a log that is older than QAD up to it. Sends nothing to QAD.
    Reconcile(ReconcileArgs),
    /// Rule sets.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// The log: rebuild the views, verify, copy.
    #[command(subcommand)]
    Log(LogCommand),
    /// The operator's guide.
    Guide {
        /// A page; without it, the list of pages.
        page: Option<String>,
    },
}

/// Which connection.
#[derive(Debug, Args)]
pub struct ConnectionArg {
    /// Name of the connection; without it, all of them.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
}

/// `tieout demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Shrink the rate limits (on both sides) sixtyfold; says so.
    #[arg(long)]
    pub fast: bool,
    /// The month that is made up.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Keep the installation in this folder (it must not exist yet), to look around with the other commands.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// `tieout sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Port of the stand-in Expensify; 0 for any free one.
    #[arg(long, default_value_t = 8801)]
    pub expensify_port: u16,
    /// Port of the stand-in QAD; 0 for any free one.
    #[arg(long, default_value_t = 8802)]
    pub qad_port: u16,
    /// A fault, as `SERVER:OPERATION:KIND[:TIMES]`, e.g. `qad:post:supplier_invoice:drop_after:2`; repeatable.
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// The month that is made up.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Shrink the rate limits by this factor.
    #[arg(long, default_value_t = 1)]
    pub shrink_limits: u32,
    /// Also write a ready configuration, rule set and profile for it into this folder (it must not exist yet).
    #[arg(long, value_name = "DIR")]
    pub write_config: Option<PathBuf>,
}

/// `tieout init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Name of the first connection.
    #[arg(long, default_value = "main")]
    pub name: String,
    /// Folder of the installation.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Derive the vault's key from a passphrase (asked, or from TIEOUT_PASSPHRASE) instead of making a key file.
    #[arg(long)]
    pub passphrase: bool,
    /// Where the log is to be: a file, or a cluster, `esdb://n1:2113,n2:2113,n3:2113?tls=true`. A cluster's user and password
    /// come from TIEOUT_STORE_USER and TIEOUT_STORE_PASSWORD, and are kept in the new vault.
    #[arg(long, default_value = "sqlite:tieout.db", value_name = "URL")]
    pub store: String,
}

/// Which system's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// partnerUserID and partnerUserSecret.
    Expensify,
    /// Client id, user and password.
    Qad,
    /// User and password of the cluster that keeps the log, if it asks for them.
    Store,
    /// The key that opens the vault.
    Key,
}

/// `tieout credentials`.
#[derive(Debug, Args)]
pub struct CredentialsArgs {
    /// Whose credentials; without it, lists what the vault holds.
    pub system: Option<System>,
    /// The connection they are for.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// partnerUserID (expensify) or user name (qad, store); asked where it is not given.
    #[arg(long, env = "TIEOUT_USER")]
    pub user: Option<String>,
    /// Client id (qad).
    #[arg(long, env = "TIEOUT_CLIENT_ID")]
    pub client_id: Option<String>,
    /// Read the secret from standard input; else from TIEOUT_SECRET; else it is asked without echo.
    #[arg(long)]
    pub secret_stdin: bool,
    /// The new key file (key).
    #[arg(long, value_name = "FILE")]
    pub new_key_file: Option<PathBuf>,
}

/// `tieout profile`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Print the commented template a profile begins with.
    Template,
    /// Compare the profile with the installation's own metadata; changes nothing.
    Check(ConnectionArg),
    /// Post one test document of each kind in a NON-PRODUCTION workspace, read each back line by line, and open posting.
    Certify(CertifyArgs),
}

/// `tieout profile certify`.
#[derive(Debug, Args)]
pub struct CertifyArgs {
    /// The connection.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// The non-production workspace to post the test documents in.
    #[arg(long)]
    pub workspace: String,
    /// A supplier there.
    #[arg(long)]
    pub supplier: String,
    /// An expense account there.
    #[arg(long)]
    pub account: String,
    /// A second account there, for the journal's other side.
    #[arg(long)]
    pub clearing: String,
    /// A cost centre there.
    #[arg(long)]
    pub cost_centre: String,
    /// The supplier's currency.
    #[arg(long)]
    pub currency: String,
    /// Posting date; today in the connection's zone without it.
    #[arg(long)]
    pub date: Option<chrono::NaiveDate>,
    /// Who certifies.
    #[arg(long = "as", env = "TIEOUT_PERSON", value_name = "PERSON")]
    pub person: String,
}

/// `tieout sync`.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Name of the connection; without it, all of them.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// Show the exact documents of the whole population, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: under this rule file; without it, under the set in force.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub rules: Option<PathBuf>,
}

/// `tieout reports`.
#[derive(Debug, Args)]
pub struct ReportsArgs {
    /// Only these states, e.g. `rejected,held,in_doubt`; `case` for those with an open case after posting,
    /// `approved_by_submitter` for those whose rules their own submitter approved.
    #[arg(long, value_delimiter = ',', value_name = "STATE")]
    pub state: Vec<String>,
    /// Name of the connection; without it, all of them.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
}

/// Which report.
#[derive(Debug, Args)]
pub struct ReportArg {
    /// Report id, as Expensify shows it (`R00…`) or in decimal.
    pub report: String,
    /// The connection, where more than one has it.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
}

/// A decision of a person.
#[derive(Debug, Args)]
pub struct Decision {
    /// Report id.
    pub report: String,
    /// The connection, where more than one has it.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// Why: it stands in the trail for good.
    #[arg(long)]
    pub why: String,
    /// Who decides.
    #[arg(long = "as", env = "TIEOUT_PERSON", value_name = "PERSON")]
    pub person: String,
}

/// `tieout replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Who and why.
    #[command(flatten)]
    pub decision: Decision,
    /// The step to go back to (see `tieout trail`); without it, the last capture.
    #[arg(long, value_name = "STEP")]
    pub to: Option<u32>,
}

/// `tieout resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// Who and why.
    #[command(flatten)]
    pub decision: Decision,
    /// The document in QAD is ours: its voucher, as `YEAR/DAYBOOK/VOUCHER`.
    #[arg(
        long,
        value_name = "VOUCHER",
        conflicts_with = "absent",
        required_unless_present = "absent"
    )]
    pub adopt: Option<String>,
    /// QAD has no document of ours: it may be sent again.
    #[arg(long)]
    pub absent: bool,
    /// The document, where more than one is in doubt.
    #[arg(long)]
    pub reference: Option<String>,
}

/// `tieout exclude`.
#[derive(Debug, Args)]
pub struct ExcludeArgs {
    /// Who and why.
    #[command(flatten)]
    pub decision: Decision,
    /// Where it stands in the ledger instead, if it was keyed by hand.
    #[arg(long, value_name = "REFERENCE")]
    pub ledger_reference: Option<String>,
}

/// `tieout reverse`.
#[derive(Debug, Args)]
pub struct ReverseArgs {
    /// Who and why.
    #[command(flatten)]
    pub decision: Decision,
    /// Where the reversal stands in QAD, e.g. `2026/EXPINV/4800`.
    #[arg(long, value_name = "LEDGER_REFERENCE")]
    pub by: String,
    /// The report is to be posted again, as it then is, under the next reference.
    #[arg(long, conflicts_with = "leave_out", required_unless_present = "leave_out")]
    pub again: bool,
    /// What the document carried is not to be posted again.
    #[arg(long)]
    pub leave_out: bool,
    /// The document, where more than one of the report is reversed.
    #[arg(long)]
    pub reference: Option<String>,
}

/// `tieout reconcile`.
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// Name of the connection; without it, all of them.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// Adopt every document of ours in QAD that the log does not explain, tell the rest, and end recovery where none is left.
    #[arg(long, required = true)]
    pub ledger: bool,
    /// A person's word that a document is explained, though the log cannot: its reference and its voucher, as
    /// `REFERENCE=YEAR/DAYBOOK/VOUCHER`; repeatable.
    #[arg(long, value_name = "REFERENCE=VOUCHER", requires_all = ["why", "person"])]
    pub accept: Vec<String>,
    /// What it is: it stands in the log for good.
    #[arg(long)]
    pub why: Option<String>,
    /// Who says so.
    #[arg(long = "as", env = "TIEOUT_PERSON", value_name = "PERSON")]
    pub person: Option<String>,
}

/// `tieout log`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Drop the views and fold them from the log again.
    Rebuild,
    /// Check the file, the numbering of streams and leaves.
    Verify,
    /// Back the log up into a new file, while the program runs (`log copy FILE`), or move it to another engine
    /// (`log copy --to URL`).
    ///
    /// With --to, every event is copied with its stream, number, id and bytes, in the same order; then both logs are read
    /// in full and compared event by event, and the target records that it was moved. Stop every writer first. It can be
    /// interrupted, and goes on where it was when it is run again.
    Copy(CopyArgs),
}

/// `tieout log copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// A backup: the new file; it must not exist.
    #[arg(value_name = "FILE", required_unless_present = "to", conflicts_with = "to")]
    pub backup: Option<PathBuf>,
    /// A move: where the log is, `sqlite:PATH` or `esdb://…`; without it, what `[store] url` says. A path starts from the
    /// configuration's folder, as there.
    #[arg(long, value_name = "URL", requires = "to")]
    pub from: Option<String>,
    /// A move: where the log is to be, written as `[store] url` will name it. A log is begun there where there is none.
    #[arg(long, value_name = "URL", requires = "person")]
    pub to: Option<String>,
    /// A move: who gives the command; it stands in the log for good.
    #[arg(long = "as", env = "TIEOUT_PERSON", value_name = "PERSON")]
    pub person: Option<String>,
}
