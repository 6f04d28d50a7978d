//! What the tests of this room share: a desk in the world of one connection, all of it in memory and at a test's
//! command.

use std::sync::Mutex;
use std::time::Duration;

use futures::stream;

use super::desk::{Connection, Desk};
use super::roster::Roster;
use super::rules::RulesInForce;
use crate::chart::ChartReading;
use crate::ids::{ConnectionId, ConnectionName, Label, PolicyId, Reference, ReportId, Workspace};
use crate::journal::tests::world::{Count, Keys, MemoryLog, Wall, World, kim, now, poller};
use crate::journal::{Draft, Streams};
use crate::ports::{
    Expected, Ledger, LedgerError, Listed, ListingQuery, LookUp, Ports, PostAnswer, Source, SourceCalls,
    SourceError,
};
use crate::posting::{Document, DocumentKey, LedgerDocument, Sighting};
use crate::report::ReportEvent;
use crate::report::tests::samples::*;
use crate::rules::RuleSet;

/// These rules, as the third set in force.
pub(super) fn rules_in_force(text: &str) -> RulesInForce {
    RulesInForce::supposed(RuleSet::parse(text).unwrap(), 3)
}

/// What happens at a point of the workflow.
type Happening = (&'static str, Box<dyn Fn(&Plant) + Send + Sync>);

/// The world of one connection, on 7 November 2026 at one in the morning of its zone.
pub(super) struct Plant {
    pub(super) world: World,
    pub(super) connection: Connection,
    pub(super) source: Expensify,
    pub(super) ledger: Qad,
    happening: Option<Happening>,
}

impl Plant {
    /// One whose log has these events of the sample report.
    pub(super) fn of(life: &[ReportEvent]) -> Self {
        let plant = Self {
            world: World::at(["2026-11-07T06:00:00Z"]),
            connection: Connection {
                id: ConnectionId(uuid::Uuid::from_u128(42)),
                name: ConnectionName::new("acme-us").unwrap(),
                policies: vec![payload().facts.policy],
                label: label(),
                go_live: day("2026-11-01"),
                zone: chrono_tz::America::New_York,
                workspace: Workspace::new("10USA.10USACO").unwrap(),
                quarantine: Duration::from_secs(15 * 60),
                recheck: Duration::from_secs(24 * 60 * 60),
                build: "tieout 0.1.0 (test)".into(),
            },
            source: Expensify::default(),
            ledger: Qad::default(),
            happening: None,
        };
        plant.keep(life);
        plant
    }

    /// The same, in which something happens whenever the workflow passes a point.
    pub(super) fn where_at(
        mut self,
        point: &'static str,
        happens: impl Fn(&Self) + Send + Sync + 'static,
    ) -> Self {
        self.happening = Some((point, Box::new(happens)));
        self
    }

    /// Appends events of the sample report, as another instance would.
    pub(super) fn keep(&self, events: &[ReportEvent]) {
        if events.is_empty() {
            return;
        }
        let draft = |event: &ReportEvent| Draft {
            event: event.clone(),
            effective_at: instant("2026-11-07T06:00:00Z"),
            subject: Some(kim()),
        };
        let drafts = events.iter().map(draft).collect();
        let stream = Streams(self.connection.id).report(report_id());
        now(self
            .world
            .journal()
            .append(&stream, Expected::Any, &poller(), drafts))
        .unwrap();
    }

    /// Another instance appends this just before our next append.
    pub(super) fn overtaken_by(&self, event: ReportEvent) {
        self.keep(&[event]);
        *self.world.log.rival.lock().unwrap() = self.world.log.events.lock().unwrap().pop();
    }

    pub(super) fn desk(&self) -> Desk<'_, Self> {
        Desk::for_command(self, &self.connection, owner(), "test")
    }

    pub(super) fn roster(&self) -> Roster {
        let mut roster = self.desk().roster();
        now(roster.catch_up(&self.world.log)).unwrap();
        roster
    }

    /// How many events of this kind the log holds.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.world.kinds().get(kind).copied().unwrap_or_default()
    }
}

impl Ports for Plant {
    type Log = MemoryLog;
    type Source = Expensify;
    type Ledger = Qad;
    type Clock = Wall;
    type Entropy = Count;
    type Sealer = Keys;

    fn log(&self) -> &MemoryLog {
        &self.world.log
    }
    fn source(&self) -> &Expensify {
        &self.source
    }
    fn ledger(&self) -> &Qad {
        &self.ledger
    }
    fn clock(&self) -> &Wall {
        &self.world.wall
    }
    fn entropy(&self) -> &Count {
        &self.world.count
    }
    fn sealer(&self) -> &Keys {
        &self.world.keys
    }
    fn passing(&self, point: &'static str) {
        if let Some((at, happens)) = &self.happening
            && *at == point
        {
            happens(self);
        }
    }
}

/// It lists nothing, and prints nothing of what it is asked to mark.
#[derive(Default)]
pub(super) struct Expensify {
    /// The reports that were to be marked.
    pub(super) asked_to_mark: Mutex<Vec<ReportId>>,
}
impl Source for Expensify {
    type Lines = stream::Iter<std::vec::IntoIter<Result<Listed, SourceError>>>;

    async fn list(&self, _query: &ListingQuery) -> Result<Self::Lines, SourceError> {
        Ok(stream::iter(Vec::new()))
    }
    async fn mark(
        &self,
        _policies: &[PolicyId],
        reports: &[ReportId],
        _label: &Label,
    ) -> Result<Self::Lines, SourceError> {
        self.asked_to_mark.lock().unwrap().extend(reports);
        Ok(stream::iter(Vec::new()))
    }
    fn take_calls(&self) -> SourceCalls {
        SourceCalls::default()
    }
}

/// It shows documents and no more of them than where they stand; what is sent to it never arrives.
#[derive(Default)]
pub(super) struct Qad {
    pub(super) shows: Vec<Sighting>,
    /// The documents that were sent.
    pub(super) sent: Mutex<Vec<Reference>>,
}
impl Ledger for Qad {
    async fn read_chart(&self) -> Result<ChartReading, LedgerError> {
        Err(silent("its masters"))
    }
    async fn contract_hash(&self) -> Result<String, LedgerError> {
        Err(silent("its metadata"))
    }
    async fn look_up(&self, _report: ReportId) -> Result<LookUp, LedgerError> {
        Ok(if self.shows.is_empty() {
            LookUp::Absent
        } else {
            LookUp::Found(self.shows.clone())
        })
    }
    async fn list_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
        Ok(self.shows.clone())
    }
    async fn post(&self, document: &Document) -> PostAnswer {
        self.sent.lock().unwrap().push(document.reference);
        PostAnswer::NeverArrived {
            detail: "the connection was refused".into(),
        }
    }
    async fn read_back(
        &self,
        _reference: Reference,
        _key: &DocumentKey,
    ) -> Result<LedgerDocument, LedgerError> {
        Err(silent("a document"))
    }
}

fn silent(what: &str) -> LedgerError {
    LedgerError::Unanswered {
        what: what.into(),
        detail: "503".into(),
    }
}
