//! The command line of rule sets.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::SignInArgs;

/// `tieout rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check a rule set: every fault, every ambiguity with a line that shows it, what QAD's chart would refuse, and what no
    /// rule covers; everything at once, each with its place in the file and its remedy.
    ///
    /// Ends with 0 where nothing is found that certainly rejects something: warnings and remarks alone are 0. Ends with 1
    /// where there is an error, with 2 on wrong usage, with 3 where Expensify was asked and gave no answer.
    Check(CheckArgs),
    /// Try a rule set on history, without any effect: which reports come out otherwise, and where the money moves.
    Backtest(BacktestArgs),
    /// The life of a rule set.
    #[command(flatten)]
    Life(RulesLifeCommand),
}

/// `tieout rules backtest`.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// What to try: a file, the beginning of a hash, or `active`; without it, the connection's rule file.
    #[arg(value_name = "FILE|HASH|active")]
    pub rules: Option<String>,
    /// The connection, where there is more than one.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// Only reports approved on this day or later, in the connection's zone.
    #[arg(long, value_name = "DATE")]
    pub from: Option<chrono::NaiveDate>,
    /// Only reports approved on this day or earlier, in the connection's zone.
    #[arg(long, value_name = "DATE")]
    pub to: Option<chrono::NaiveDate>,
    /// QAD's codes as they were when each report was judged, or as they are now. Periods are always as open as they were.
    #[arg(long, value_enum, default_value = "then")]
    pub chart: ChartChoice,
    /// Record the result for a rule set that was proposed: that is what an approval signs.
    #[arg(long)]
    pub record: bool,
    /// Write the movements into this file, a row for each currency, period and code. It is replaced.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write every report that comes out otherwise into this file, a row for each. It is replaced.
    #[arg(long, value_name = "FILE")]
    pub csv_reports: Option<PathBuf>,
    /// Write all of it into this file as one page for a browser, which needs nothing else. It is replaced.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Name at most so many of the reports that come out otherwise: 20 on a terminal, all with --json.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// Under which chart history is mapped again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChartChoice {
    /// As it was when each report was judged.
    Then,
    /// As it is now.
    Now,
}

/// `tieout rules check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A file; without it, each connection's. A file alone is checked where nothing is installed, too.
    pub file: Option<PathBuf>,
    /// The connection whose chart and policies the file is held against, and, without a file, whose file is checked.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// Also hold it against QAD's chart as the log has it: codes that are unknown, inactive or never posted to, and cost
    /// centres that accounts require or forbid. Asks no system.
    #[arg(long)]
    pub chart: bool,
    /// Also ask Expensify for each policy's categories, tags and members, and name those that no rule covers, and those
    /// who have no supplier.
    #[arg(long)]
    pub coverage: bool,
    /// How to say it: for people, as one JSON document (as `--json`), or as SARIF 2.1.0 for a review tool.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// How findings are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Words.
    Plain,
    /// One JSON document.
    Json,
    /// One SARIF log.
    Sarif,
}

/// The life of a rule set: proposed, backtested, approved by somebody else, active.
#[derive(Debug, Subcommand)]
pub enum RulesLifeCommand {
    /// List the rule sets of a connection: where each is in its life, and which one is in force.
    List {
        /// The connection, where there is more than one.
        #[arg(long, short = 'c', value_name = "NAME")]
        connection: Option<String>,
    },
    /// Everything that ever happened to the rule sets of a connection: who, when, why, and whether each signature holds.
    History {
        /// The connection, where there is more than one.
        #[arg(long, short = 'c', value_name = "NAME")]
        connection: Option<String>,
    },
    /// Print a rule set as it was proposed, or is in force.
    Show {
        /// Its hash, or the beginning of it; without it, the set in force.
        hash: Option<String>,
        /// The connection, where there is more than one.
        #[arg(long, short = 'c', value_name = "NAME")]
        connection: Option<String>,
    },
    /// Which rules and settings two rule sets do not share. Each is a file, the beginning of a hash, or `active`.
    Diff {
        /// The one before.
        before: String,
        /// The one after.
        after: String,
        /// The connection, where there is more than one.
        #[arg(long, short = 'c', value_name = "NAME")]
        connection: Option<String>,
    },
    /// Propose a rule file: its content goes into the log, signed, and waits for its backtest.
    Propose {
        /// The file; without it, the connection's.
        file: Option<PathBuf>,
        /// What for: it stands in the log for good.
        #[arg(long)]
        why: String,
        /// Who signs, for which connection.
        #[command(flatten)]
        signed: SignedFor,
    },
    /// Approve a rule set as its last backtest showed it. Nobody approves what they proposed themselves, unless this
    /// installation is one person's (`rules mode`).
    Approve {
        /// Its hash, or the beginning of it.
        hash: String,
        /// Why: it stands in the log for good.
        #[arg(long)]
        why: String,
        /// The address under which you submit expenses in Expensify: your own reports, mapped under this set, bear a flag.
        #[arg(
            long,
            value_name = "EMAIL",
            conflicts_with = "submits_nothing",
            required_unless_present = "submits_nothing"
        )]
        submits_as: Option<String>,
        /// You submit no expenses.
        #[arg(long)]
        submits_nothing: bool,
        /// The backtest you looked at (`rules list --json`, `statement`); without it, the last one, which is shown.
        #[arg(long, value_name = "HASH")]
        statement: Option<String>,
        /// Who signs, for which connection.
        #[command(flatten)]
        signed: SignedFor,
    },
    /// Decline a rule set that is not in force; its author takes it back so, too.
    Decline {
        /// Its hash, or the beginning of it.
        hash: String,
        /// Why: it stands in the log for good.
        #[arg(long)]
        why: String,
        /// Who signs, for which connection.
        #[command(flatten)]
        signed: SignedFor,
    },
    /// Bring an approved rule set into force with the first cycle from an instant on. Names the rejected reports that it
    /// would map.
    Activate {
        /// Its hash, or the beginning of it.
        hash: String,
        /// From this instant on, e.g. `2026-12-01T00:00:00-05:00`; without it, the next cycle.
        #[arg(long, value_name = "INSTANT")]
        from: Option<chrono::DateTime<chrono::FixedOffset>>,
        /// Take the reports that were rejected under the set before back and map them again.
        #[arg(long)]
        replay: bool,
        /// Who signs, for which connection.
        #[command(flatten)]
        signed: SignedFor,
    },
    /// How many people it takes to bring a rule set into force: two, unless this is an installation of one.
    Mode {
        /// One or two.
        mode: Mode,
        /// Why: it stands in the log for good.
        #[arg(long)]
        why: String,
        /// Who signs, for which connection.
        #[command(flatten)]
        signed: SignedFor,
    },
}

/// Who signs, for which connection.
#[derive(Debug, Args)]
pub struct SignedFor {
    /// The connection, where there is more than one.
    #[arg(long, short = 'c', value_name = "NAME")]
    pub connection: Option<String>,
    /// Who.
    #[command(flatten)]
    pub who: SignInArgs,
}

/// How many people it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// An author, and somebody else who approves.
    TwoPeople,
    /// The author may approve; the log says so each time.
    OnePerson,
}
