//! The world of whoever may look and must not touch (law 8): everything of the real one, but that nothing is sent to QAD and
//! no flag is set in Expensify, whatever is called.

use crate::chart::ChartReading;
use crate::ids::{Label, PolicyId, Reference, ReportId};
use crate::ports::{
    Ledger, LedgerError, ListingQuery, LookUp, Ports, PostAnswer, Source, SourceCalls, SourceError,
};
use crate::posting::{Document, DocumentKey, LedgerDocument, Sighting};

const WHY: &str = "this command only looks: nothing is sent from here";

/// A world to look at. A desk over it writes to the log, and to nothing else.
pub struct Looking<'a, P: Ports> {
    ports: &'a P,
    source: Listing<'a, P::Source>,
    ledger: Reading<'a, P::Ledger>,
}

impl<'a, P: Ports> Looking<'a, P> {
    /// Of a world in which more could be done.
    pub fn at(ports: &'a P) -> Self {
        Self {
            ports,
            source: Listing(ports.source()),
            ledger: Reading(ports.ledger()),
        }
    }
}

impl<'a, P: Ports> Ports for Looking<'a, P> {
    type Log = P::Log;
    type Source = Listing<'a, P::Source>;
    type Ledger = Reading<'a, P::Ledger>;
    type Clock = P::Clock;
    type Entropy = P::Entropy;
    type Sealer = P::Sealer;

    fn log(&self) -> &P::Log {
        self.ports.log()
    }
    fn source(&self) -> &Self::Source {
        &self.source
    }
    fn ledger(&self) -> &Self::Ledger {
        &self.ledger
    }
    fn clock(&self) -> &P::Clock {
        self.ports.clock()
    }
    fn entropy(&self) -> &P::Entropy {
        self.ports.entropy()
    }
    fn sealer(&self) -> &P::Sealer {
        self.ports.sealer()
    }
    fn passing(&self, point: &'static str) {
        self.ports.passing(point);
    }
    fn stopping(&self) -> bool {
        self.ports.stopping()
    }
}

/// Expensify, to be listed only.
pub struct Listing<'a, S>(&'a S);

impl<S: Source> Source for Listing<'_, S> {
    type Lines = S::Lines;

    async fn list(&self, query: &ListingQuery) -> Result<Self::Lines, SourceError> {
        self.0.list(query).await
    }
    async fn mark(
        &self,
        _policies: &[PolicyId],
        _reports: &[ReportId],
        _label: &Label,
    ) -> Result<Self::Lines, SourceError> {
        Err(SourceError::NotSent {
            detail: WHY.to_owned(),
        })
    }
    fn take_calls(&self) -> SourceCalls {
        self.0.take_calls()
    }
}

/// QAD, to be read only.
pub struct Reading<'a, L>(&'a L);

impl<L: Ledger> Ledger for Reading<'_, L> {
    async fn read_chart(&self) -> Result<ChartReading, LedgerError> {
        self.0.read_chart().await
    }
    async fn contract_hash(&self) -> Result<String, LedgerError> {
        self.0.contract_hash().await
    }
    async fn look_up(&self, report: ReportId) -> Result<LookUp, LedgerError> {
        self.0.look_up(report).await
    }
    async fn list_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
        self.0.list_ours().await
    }
    async fn post(&self, _document: &Document) -> PostAnswer {
        PostAnswer::NeverArrived {
            detail: WHY.to_owned(),
        }
    }
    async fn read_back(
        &self,
        reference: Reference,
        key: &DocumentKey,
    ) -> Result<LedgerDocument, LedgerError> {
        self.0.read_back(reference, key).await
    }
}
