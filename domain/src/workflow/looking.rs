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
///
/// What must not send is a matter of such a desk alone:
///
/// ```
/// use tieout_domain::{ports::Ports, workflow::{Desk, Looking, Roster}};
/// async fn heal<P: Ports>(desk: &Desk<'_, Looking<'_, P>>, roster: &mut Roster) {
///     let _ = desk.heal(roster, |_, _| ()).await;
/// }
/// ```
///
/// and not of one that could post:
///
/// ```compile_fail
/// use tieout_domain::{ports::Ports, workflow::{Desk, Roster}};
/// async fn heal<P: Ports>(desk: &Desk<'_, P>, roster: &mut Roster) {
///     let _ = desk.heal(roster, |_, _| ()).await;
/// }
/// ```
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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Waker};

    use futures::stream::Empty;

    use super::*;
    use crate::ports::Listed;
    use crate::report::tests::samples::{discovered, i1, invoice, label};
    use crate::workflow::testing::Plant;

    /// A world in which everything that is sent is counted.
    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Ledger for Counting {
        async fn read_chart(&self) -> Result<ChartReading, LedgerError> {
            unreachable!("not asked here")
        }
        async fn contract_hash(&self) -> Result<String, LedgerError> {
            Ok("the contract".to_owned())
        }
        async fn look_up(&self, _report: ReportId) -> Result<LookUp, LedgerError> {
            Ok(LookUp::Absent)
        }
        async fn list_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
            Ok(Vec::new())
        }
        async fn post(&self, _document: &Document) -> PostAnswer {
            self.0.fetch_add(1, Ordering::SeqCst);
            PostAnswer::Unknown {
                detail: String::new(),
            }
        }
        async fn read_back(
            &self,
            _reference: Reference,
            _key: &DocumentKey,
        ) -> Result<LedgerDocument, LedgerError> {
            unreachable!("not asked here")
        }
    }

    impl Source for Counting {
        type Lines = Empty<Result<Listed, SourceError>>;

        async fn list(&self, _query: &ListingQuery) -> Result<Self::Lines, SourceError> {
            Ok(futures::stream::empty())
        }
        async fn mark(
            &self,
            _policies: &[PolicyId],
            _reports: &[ReportId],
            _label: &Label,
        ) -> Result<Self::Lines, SourceError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(futures::stream::empty())
        }
        fn take_calls(&self) -> SourceCalls {
            SourceCalls {
                exports: 7,
                ..SourceCalls::default()
            }
        }
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("nothing here waits"),
        }
    }

    #[test]
    fn whoever_only_looks_sends_nothing_and_says_so() {
        let world = Counting::default();
        let (ledger, source) = (Reading(&world), Listing(&world));
        assert!(matches!(
            now(ledger.post(&invoice())),
            PostAnswer::NeverArrived { .. }
        ));
        assert!(matches!(
            now(source.mark(&[], &[i1().report], &label())),
            Err(SourceError::NotSent { .. })
        ));
        assert_eq!(world.0.load(Ordering::SeqCst), 0);
        assert!(matches!(now(ledger.look_up(i1().report)), Ok(LookUp::Absent)));
        assert_eq!(now(ledger.contract_hash()).unwrap(), "the contract");
        assert_eq!(
            source.take_calls().exports,
            7,
            "what listing costs is still counted"
        );
    }

    #[test]
    fn what_happens_at_a_point_of_the_workflow_happens_to_whoever_only_looks_too() {
        let plant = Plant::of(&[]).where_at("looked", |plant| plant.keep(&[discovered()]));
        let looking = Looking::at(&plant);
        looking.passing("sent");
        assert_eq!(plant.count("Discovered"), 0);
        looking.passing("looked");
        assert_eq!(plant.count("Discovered"), 1);
    }
}
