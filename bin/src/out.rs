//! What the program says: through handles, so that a closed pipe ends it quietly; one JSON document or words for people.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Exit status 0: done.
pub const DONE: u8 = 0;
/// Exit status 1: something needs a person.
pub const PERSON: u8 = 1;
/// Exit status 2: wrong usage or configuration.
pub const USAGE: u8 = 2;
/// Exit status 3: an outside system failed.
pub const OUTSIDE: u8 = 3;

/// Why a command ended before it was done.
#[derive(Debug)]
pub enum Failure {
    /// Something needs a person.
    Person(String),
    /// Wrong usage or configuration.
    Usage(String),
    /// An outside system failed: Expensify, QAD, the disk.
    Outside(String),
    /// Whoever read our output is gone.
    Closed,
}
impl Failure {
    /// The exit status it ends with.
    pub fn status(&self) -> u8 {
        match self {
            Self::Person(_) => PERSON,
            Self::Usage(_) => USAGE,
            Self::Outside(_) => OUTSIDE,
            Self::Closed => DONE,
        }
    }
}
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(text) | Self::Usage(text) | Self::Outside(text) => f.write_str(text),
            Self::Closed => f.write_str("the output was closed"),
        }
    }
}
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::Outside(error.to_string())
        }
    }
}
impl From<tieout_domain::ports::LogError> for Failure {
    fn from(error: tieout_domain::ports::LogError) -> Self {
        use tieout_domain::ports::LogError as E;
        match error {
            E::Unusable { .. } => Self::Usage(error.to_string()),
            _ => Self::Outside(error.to_string()),
        }
    }
}
impl From<tieout_domain::journal::JournalError> for Failure {
    fn from(error: tieout_domain::journal::JournalError) -> Self {
        match error {
            tieout_domain::journal::JournalError::Log(error) => error.into(),
            other => Self::Outside(other.to_string()),
        }
    }
}
impl From<tieout_domain::workflow::WorkflowError> for Failure {
    fn from(error: tieout_domain::workflow::WorkflowError) -> Self {
        use tieout_domain::workflow::WorkflowError as E;
        match error {
            E::Journal(error) => error.into(),
            E::Refused { .. } => Self::Person(error.to_string()),
            E::NoRules | E::RulesRefused(_) => Self::Person(error.to_string()),
            E::RulesUnreadable { .. } => Self::Usage(error.to_string()),
            E::Contended(_) | E::NotOurs { .. } => Self::Outside(error.to_string()),
        }
    }
}
impl From<tieout_domain::ports::SourceError> for Failure {
    fn from(error: tieout_domain::ports::SourceError) -> Self {
        Self::Outside(error.to_string())
    }
}
impl From<tieout_domain::ports::LedgerError> for Failure {
    fn from(error: tieout_domain::ports::LedgerError) -> Self {
        Self::Outside(error.to_string())
    }
}

/// Where a command's result goes.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// One stable JSON document on standard output instead of words.
    pub json: bool,
}
impl Out {
    /// Writes words to standard output, unless JSON was asked for.
    pub fn words(self, text: &str) -> Result<(), Failure> {
        if self.json {
            Ok(())
        } else {
            line(&mut io::stdout().lock(), text)
        }
    }

    /// Writes words to standard error: what is not the result.
    pub fn aside(self, text: &str) -> Result<(), Failure> {
        match line(&mut io::stderr().lock(), text) {
            // Nobody reads it, and the result may still be wanted.
            Err(Failure::Closed) | Ok(()) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Writes the result as JSON, where that was asked for; as it is made, so that a long one need not be held.
    pub fn document<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let mut to = io::BufWriter::new(io::stdout().lock());
        serde_json::to_writer_pretty(&mut to, value).map_err(|e| match e.io_error_kind() {
            Some(io::ErrorKind::BrokenPipe) => Failure::Closed,
            _ => Failure::Outside(format!("the result cannot be written as JSON: {e}")),
        })?;
        to.write_all(b"\n")?;
        to.flush()?;
        Ok(())
    }

    /// Is there a person at a terminal who sees progress?
    pub fn shows_progress(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }
}

fn line(to: &mut impl Write, text: &str) -> Result<(), Failure> {
    to.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()?;
    Ok(())
}
