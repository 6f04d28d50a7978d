//! The world of a decision that needs nothing but the log: no credentials are asked for, and there is nobody to send
//! anything to (law 8).

use std::sync::Arc;

use futures::stream::Empty;
use tieout_domain::chart::ChartReading;
use tieout_domain::ids::{Label, PolicyId, Reference, ReportId};
use tieout_domain::ports::{
    Ledger, LedgerError, Listed, ListingQuery, LookUp, Ports, PostAnswer, Source, SourceCalls, SourceError,
};
use tieout_domain::posting::{Document, DocumentKey, LedgerDocument, Sighting};
use tieout_store::Store;
use tieout_vault::People;

use crate::installation::Installation;
use crate::ports::{CrashPoint, SystemClock, SystemEntropy};

/// The log, time, chance and people; and two systems that nobody can reach from here.
pub struct WithoutEffects<'a> {
    log: Arc<Store>,
    clock: SystemClock,
    entropy: SystemEntropy,
    people: &'a People,
    crash: CrashPoint,
    outside: OutOfReach,
}

impl<'a> WithoutEffects<'a> {
    /// Of an installation.
    pub fn of(installation: &'a Installation) -> Self {
        Self {
            log: Arc::clone(&installation.log),
            clock: installation.clock.clone(),
            entropy: SystemEntropy,
            people: installation.people(),
            crash: CrashPoint::from_environment(),
            outside: OutOfReach,
        }
    }
}

impl Ports for WithoutEffects<'_> {
    type Log = Store;
    type Source = OutOfReach;
    type Ledger = OutOfReach;
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Sealer = People;

    fn log(&self) -> &Store {
        &self.log
    }
    fn source(&self) -> &OutOfReach {
        &self.outside
    }
    fn ledger(&self) -> &OutOfReach {
        &self.outside
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn sealer(&self) -> &People {
        self.people
    }
    fn passing(&self, point: &'static str) {
        self.crash.passing(point);
    }
}

/// Expensify and QAD, as a decision sees them: not at all.
pub struct OutOfReach;

const WHY: &str = "this command works on the log alone";

fn no_source<T>(job: &'static str) -> Result<T, SourceError> {
    Err(SourceError::Unanswered {
        job,
        detail: WHY.to_owned(),
    })
}

fn no_ledger<T>(what: &str) -> Result<T, LedgerError> {
    Err(LedgerError::Unanswered {
        what: what.to_owned(),
        detail: WHY.to_owned(),
    })
}

impl Source for OutOfReach {
    type Lines = Empty<Result<Listed, SourceError>>;

    async fn list(&self, _query: &ListingQuery) -> Result<Self::Lines, SourceError> {
        no_source("export")
    }
    async fn mark(
        &self,
        _policies: &[PolicyId],
        _reports: &[ReportId],
        _label: &Label,
    ) -> Result<Self::Lines, SourceError> {
        no_source("mark")
    }
    fn take_calls(&self) -> SourceCalls {
        SourceCalls::default()
    }
}

impl Ledger for OutOfReach {
    async fn read_chart(&self) -> Result<ChartReading, LedgerError> {
        no_ledger("the chart")
    }
    async fn contract_hash(&self) -> Result<String, LedgerError> {
        no_ledger("the metadata")
    }
    async fn look_up(&self, _report: ReportId) -> Result<LookUp, LedgerError> {
        no_ledger("the look-up")
    }
    async fn list_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
        no_ledger("the listing")
    }
    async fn post(&self, _document: &Document) -> PostAnswer {
        PostAnswer::NeverArrived {
            detail: WHY.to_owned(),
        }
    }
    async fn read_back(
        &self,
        _reference: Reference,
        _key: &DocumentKey,
    ) -> Result<LedgerDocument, LedgerError> {
        no_ledger("the reading")
    }
}
