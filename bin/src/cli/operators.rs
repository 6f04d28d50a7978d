//! The command line of operators, and what every command that an operator signs takes.

use clap::{Args, Subcommand};

/// `tieout operators`.
#[derive(Debug, Args)]
pub struct OperatorsArgs {
    /// What to do; without it, lists them.
    #[command(subcommand)]
    pub command: Option<OperatorsCommand>,
}

/// What to do about operators.
#[derive(Debug, Subcommand)]
pub enum OperatorsCommand {
    /// Enrol an operator: make a key, sealed under a passphrase of the operator's own, and record its public half.
    ///
    /// The passphrase comes from --passphrase-stdin, else from TIEOUT_OPERATOR_PASSPHRASE; else it is asked twice. The
    /// operator types it, from their own user of the operating system: that user is recorded.
    Add {
        /// The operator's name; it is given once.
        name: String,
        /// Read the passphrase from standard input.
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// Give an operator another key, after a lost passphrase for instance. The old one signs no more; everybody sees it.
    ///
    /// The new passphrase comes from --passphrase-stdin, else from TIEOUT_OPERATOR_NEW_PASSPHRASE; else it is asked twice.
    ReplaceKey {
        /// The operator.
        name: String,
        /// Who vouches and why.
        #[command(flatten)]
        change: ChangeArgs,
        /// Read the new passphrase from standard input.
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// End an operator: the name signs no more, is never given again, and its key leaves the vault.
    Retire {
        /// The operator.
        name: String,
        /// Who vouches and why.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Sign in as an operator and change nothing: is it the right passphrase, the key in force, the right user?
    Check(SignInArgs),
}

/// A change of an operator.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Why: it stands in the log for good.
    #[arg(long)]
    pub why: String,
    /// The operator who vouches for it with a signature: another one, or the same with the old passphrase (from
    /// TIEOUT_OPERATOR_PASSPHRASE; else it is asked). Without it, the change is recorded as vouched for by nobody.
    #[arg(long, value_name = "NAME")]
    pub signed_by: Option<String>,
    /// Go on though the one who vouches was enrolled by another user of the operating system; that is recorded.
    #[arg(long, requires = "signed_by")]
    pub other_os_user: bool,
}

/// Who signs.
#[derive(Debug, Clone, Default, Args)]
pub struct SignInArgs {
    /// The operator who signs; without it, the one whom this user of the operating system enrolled, if that is one alone.
    /// The passphrase comes from TIEOUT_OPERATOR_PASSPHRASE; else it is asked.
    #[arg(long, env = "TIEOUT_OPERATOR", value_name = "NAME")]
    pub operator: Option<String>,
    /// Go on though the operator was enrolled by another user of the operating system; that is recorded.
    #[arg(long)]
    pub other_os_user: bool,
}
