//! Who works a connection, in a build that knows no cluster: nobody asks.

use std::time::Duration;

use tieout_domain::ports::LogError;

/// There is none.
#[derive(Debug)]
pub enum Lease {}

/// How long the holder may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// When the term ends, on the asker's steady clock.
    pub until: Duration,
}

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// Whoever asked.
    Mine(Tenure),
    /// Somebody else.
    Theirs {
        /// Which instance.
        owner: String,
        /// On which machine.
        host: String,
        /// How long until it may be taken.
        free_in: Duration,
    },
}

impl Lease {
    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub async fn ask(
        &mut self,
        _owner: &str,
        _host: &str,
        _term: Duration,
        _steady: impl Fn() -> Duration,
    ) -> Result<LeaseState, LogError> {
        match *self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub async fn release(&mut self, _owner: &str) -> Result<(), LogError> {
        match *self {}
    }
}
