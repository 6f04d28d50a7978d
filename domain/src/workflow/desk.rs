//! The desk at which every step works: it loads a report, decides, and appends at the revision it read.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::roster::Roster;
use crate::ids::{
    ConnectionId, ConnectionName, CycleId, Email, EventId, InstanceId, Label, PolicyId, ReportId, SubjectId,
    Workspace,
};
use crate::journal::{Actor, Cause, Draft, Journal, JournalError, Reader, Stamp, Streams, SystemActor};
use crate::ports::{Clock, Entropy, Expected, Log, LogError, Ports, Revision, SealError, Sealer, StreamName};
use crate::report::{Command, Payload, Refusal, Report, ReportEvent, decide};
use crate::rules::{RuleSetVersion, RulesRefusal};
use crate::time::{Moment, local_date};

/// One Expensify account and its policies, tied to one QAD workspace, as the workflow needs to know it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Minted once.
    pub id: ConnectionId,
    /// Only a label.
    pub name: ConnectionName,
    /// Its policies.
    pub policies: Vec<PolicyId>,
    /// The label under which Expensify remembers what was exported.
    pub label: Label,
    /// Approvals before this day were keyed by hand.
    pub go_live: NaiveDate,
    /// Every date we derive is of this zone.
    pub zone: Tz,
    /// QAD's workspace.
    pub workspace: Workspace,
    /// How long a request that was given up may still arrive (law 4): longer than the life of an abandoned request.
    pub quarantine: Duration,
    /// How long after what is posted was held against both systems it is held against them again.
    pub recheck: Duration,
    /// The build that writes.
    pub build: String,
}

/// Why a step could not go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// The log, the sealer, or what they hold.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The report does not allow it.
    #[error("report {report}: {refusal}")]
    Refused {
        /// Which report.
        report: ReportId,
        /// Why.
        refusal: Refusal,
    },
    /// Others keep writing to the stream.
    #[error(
        "stream {0} is written to faster than it can be read: another instance is at work on it; the next cycle goes on"
    )]
    Contended(StreamName),
    /// No rule set is in force: nothing can be mapped.
    #[error(
        "no rule set is in force: propose one, backtest it, have it approved and activate it (`tieout guide rules`)"
    )]
    NoRules,
    /// The rule set in force cannot be read by this build.
    #[error("{version} is in force, and this build refuses it: {}; bring a set into force that it reads, or go back to the build before", faults.join("; "))]
    RulesUnreadable {
        /// Which.
        version: RuleSetVersion,
        /// Why.
        faults: Vec<String>,
    },
    /// The rule sets do not allow it.
    #[error(transparent)]
    RulesRefused(RulesRefusal),
    /// What was appended is not what stands in the log.
    #[error(
        "the intent of report {report} was appended and does not stand in the log as ours: nothing was sent; check the log with `tieout log verify`"
    )]
    NotOurs {
        /// Which report.
        report: ReportId,
    },
}
impl From<LogError> for WorkflowError {
    fn from(error: LogError) -> Self {
        Self::Journal(error.into())
    }
}
impl From<SealError> for WorkflowError {
    fn from(error: SealError) -> Self {
        Self::Journal(error.into())
    }
}

/// A report as loaded: its state, and where its stream ends.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// State.
    pub report: Report,
    /// The last revision; `None` if the stream does not exist.
    pub head: Option<Revision>,
    /// The id of the last event, where this desk appended it.
    pub appended: Option<EventId>,
}
impl Loaded {
    pub(super) fn expected(&self) -> Expected {
        self.head.map_or(Expected::NoStream, Expected::At)
    }
}

/// How often a decision is made anew because somebody else wrote first.
const ATTEMPTS_AGAINST_OTHERS: u32 = 8;

/// Loads, decides, appends: for one connection, one cause and one run of the program.
pub struct Desk<'a, P: Ports> {
    /// The world.
    pub ports: &'a P,
    /// The connection.
    pub connection: &'a Connection,
    /// This run of the program.
    pub instance: InstanceId,
    /// What gives rise to what is written here.
    pub cause: Cause,
    pub(super) journal: Journal<'a, P::Log, P::Clock, P::Entropy, P::Sealer>,
    pub(super) streams: Streams,
}

impl<'a, P: Ports> Desk<'a, P> {
    /// A desk for a cycle.
    pub fn for_cycle(ports: &'a P, connection: &'a Connection, instance: InstanceId) -> Self {
        let cycle = CycleId(ports.entropy().uuid());
        Self::new(ports, connection, instance, Cause::Cycle { cycle })
    }

    /// A desk for a command of a person.
    pub fn for_command(ports: &'a P, connection: &'a Connection, instance: InstanceId, name: &str) -> Self {
        Self::new(
            ports,
            connection,
            instance,
            Cause::Command {
                name: name.to_owned(),
            },
        )
    }

    fn new(ports: &'a P, connection: &'a Connection, instance: InstanceId, cause: Cause) -> Self {
        let journal = Journal::new(
            ports.log(),
            ports.clock(),
            ports.entropy(),
            ports.sealer(),
            &connection.build,
        );
        Self {
            ports,
            connection,
            instance,
            cause,
            journal,
            streams: Streams(connection.id),
        }
    }

    /// An empty roster of the connection.
    pub fn roster(&self) -> Roster {
        Roster::new(self.streams)
    }

    /// A reader of the log.
    pub fn reader(&self) -> Reader<'a, P::Log, P::Sealer> {
        Reader {
            log: self.ports.log(),
            sealer: self.ports.sealer(),
        }
    }

    /// Now, by both clocks.
    pub fn now(&self) -> Moment {
        self.ports.clock().moment()
    }

    /// Today in the connection's zone.
    pub fn today(&self) -> NaiveDate {
        local_date(self.ports.clock().now(), self.connection.zone)
    }

    pub(super) fn stamp(&self, part: SystemActor) -> Stamp {
        Stamp {
            actor: Actor::System { part },
            cause: self.cause.clone(),
        }
    }

    /// Loads a report.
    pub async fn load(&self, report: ReportId) -> Result<Loaded, WorkflowError> {
        let (entries, head) = self
            .journal
            .read::<ReportEvent>(&self.streams.report(report))
            .await?;
        Ok(Loaded {
            report: Report::fold(entries.iter().map(|entry| &entry.event)),
            head,
            appended: None,
        })
    }

    /// Decides a command about a loaded report and appends what it makes happen, at the revision that was read.
    /// Returns the report after it, and how many events that were.
    pub async fn record(
        &self,
        id: ReportId,
        loaded: Loaded,
        actor: Actor,
        command: Command,
    ) -> Result<(Loaded, usize), WorkflowError> {
        let events = decide(&loaded.report, command)
            .map_err(|refusal| WorkflowError::Refused { report: id, refusal })?;
        if events.is_empty() {
            return Ok((loaded, 0));
        }
        let count = events.len();
        let subject = self.subject(id, &loaded.report, &events)?;
        let drafts = events
            .iter()
            .map(|event| Draft {
                event: event.clone(),
                effective_at: self.effective(event),
                subject,
            })
            .collect();
        let stamp = Stamp {
            actor,
            cause: self.cause.clone(),
        };
        let (ids, appended) = self
            .journal
            .append(&self.streams.report(id), loaded.expected(), &stamp, drafts)
            .await?;
        let report = events.iter().fold(loaded.report, Report::evolve);
        Ok((
            Loaded {
                report,
                head: Some(appended.revision),
                appended: ids.last().copied(),
            },
            count,
        ))
    }

    /// Loads a report, lets `decide_on` choose a command from its state, and records it; begins again where somebody
    /// else wrote first. `None` means that there is nothing to do.
    pub async fn act(
        &self,
        id: ReportId,
        actor: Actor,
        mut decide_on: impl FnMut(&Report) -> Option<Command> + Send,
    ) -> Result<(Loaded, usize), WorkflowError> {
        for _ in 0..ATTEMPTS_AGAINST_OTHERS {
            let loaded = self.load(id).await?;
            let Some(command) = decide_on(&loaded.report) else {
                return Ok((loaded, 0));
            };
            match self.record(id, loaded, actor.clone(), command).await {
                Err(WorkflowError::Journal(error)) if error.is_conflict() => {}
                other => return other,
            }
        }
        Err(WorkflowError::Contended(self.streams.report(id)))
    }

    /// Whose key seals the personal parts of a report's events: its submitter's. A source that names none gives the
    /// report a person of its own.
    fn subject(
        &self,
        id: ReportId,
        report: &Report,
        events: &[ReportEvent],
    ) -> Result<Option<SubjectId>, SealError> {
        let new = events.iter().find_map(|event| match event {
            ReportEvent::Discovered { payload, .. } | ReportEvent::Revised { payload, .. } => {
                Some(payload.as_ref())
            }
            _ => None,
        });
        let payload: Option<&Payload> =
            new.or_else(|| report.capture().map(|capture| capture.payload.as_ref()));
        let Some(personal) = payload.and_then(|payload| payload.personal.known()) else {
            return Ok(None);
        };
        let email =
            Email::new(&personal.submitter).or_else(|_| Email::new(&format!("{id}@submitter.invalid")));
        match email {
            Ok(email) => self.ports.sealer().subject_for(&email).map(Some),
            Err(error) => Err(SealError {
                doing: "sealed",
                detail: error.to_string(),
            }),
        }
    }

    /// When an event took effect in the business (design §4).
    fn effective(&self, event: &ReportEvent) -> DateTime<Utc> {
        let now = self.ports.clock().now();
        match event {
            ReportEvent::Discovered { payload, .. } | ReportEvent::Revised { payload, .. } => {
                let approved = &payload.facts.approved;
                approved
                    .instant()
                    .or_else(|| {
                        approved
                            .date_in(self.connection.zone)
                            .map(|date| self.start_of(date))
                    })
                    .unwrap_or(now)
            }
            ReportEvent::DocumentPosted { date, .. } => self.start_of(*date),
            _ => now,
        }
    }

    /// The first instant of a day in the connection's zone; where clocks are set forward at midnight, the first that is.
    pub(super) fn start_of(&self, date: NaiveDate) -> DateTime<Utc> {
        let zone = self.connection.zone;
        (0..4)
            .filter_map(|hour| NaiveTime::from_hms_opt(hour, 0, 0))
            .find_map(|time| zone.from_local_datetime(&date.and_time(time)).earliest())
            .map_or_else(
                || date.and_time(NaiveTime::MIN).and_utc(),
                |instant| instant.with_timezone(&Utc),
            )
    }

    /// Does what this desk appended last stand in the log as ours? An intent is read back before it is acted on (law 3).
    pub(super) async fn stands(&self, report: ReportId, loaded: &Loaded) -> Result<bool, WorkflowError> {
        let (Some(head), Some(id)) = (loaded.head, loaded.appended) else {
            return Ok(false);
        };
        let found = self
            .ports
            .log()
            .read_stream(&self.streams.report(report), head, 1)
            .await?;
        Ok(found
            .first()
            .is_some_and(|recorded| recorded.revision == head && recorded.event.id == id))
    }
}

impl<P: Ports> Desk<'_, P> {
    /// Is what this desk appended last still the end of the stream?
    pub(super) async fn stands_last(&self, report: ReportId, loaded: &Loaded) -> Result<bool, WorkflowError> {
        let Some(head) = loaded.head else { return Ok(false) };
        let stream = self.streams.report(report);
        let after = self.ports.log().read_stream(&stream, head.next(), 1).await?;
        Ok(after.is_empty())
    }
}

/// A person who gives a command, as an actor.
pub fn person(name: crate::ids::PersonName) -> Actor {
    Actor::Person { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::world::now;
    use crate::report::tests::samples::*;
    use crate::time::SourceTime;
    use crate::workflow::testing::Plant;

    #[test]
    fn a_capture_takes_effect_when_it_was_approved_and_a_document_as_its_posting_date_begins() {
        let plant = Plant::of(&[]);
        let desk = plant.desk();
        assert_eq!(desk.effective(&discovered()), instant("2026-11-06T10:00:00Z"));
        let mut dated = edited();
        dated.facts.approved = SourceTime::new("2026-11-05");
        assert_eq!(
            desk.effective(&revised(dated)),
            instant("2026-11-05T05:00:00Z"),
            "at midnight in New York, where no time of day came"
        );
        assert_eq!(
            desk.effective(&document_posted(i1())),
            instant("2026-11-06T05:00:00Z")
        );
        assert_eq!(
            desk.effective(&rejected()),
            instant("2026-11-07T06:00:00Z"),
            "now"
        );
    }

    #[test]
    fn what_was_appended_stands_only_where_the_log_has_it_at_its_place_under_its_id() {
        let plant = Plant::of(&[discovered()]);
        let desk = plant.desk();
        let loaded = now(desk.load(report_id())).unwrap();
        assert!(
            !now(desk.stands(report_id(), &loaded)).unwrap(),
            "nothing was appended"
        );
        let actor = Actor::System {
            part: SystemActor::Poller,
        };
        let (loaded, _) = now(desk.record(report_id(), loaded, actor, Command::Withdraw)).unwrap();
        assert!(now(desk.stands(report_id(), &loaded)).unwrap());
        plant
            .world
            .damage(|events| events[1].event.id = EventId(uuid::Uuid::nil()));
        assert!(
            !now(desk.stands(report_id(), &loaded)).unwrap(),
            "another event stands there"
        );
    }
}
