//! The ports, over the stage: each call passes a gate, may go wrong as the plan says, and is checked at the moment of
//! its effect.

use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tieout_domain::chart::{ChartReading, MasterRead};
use tieout_domain::ids::{Email, Label, PolicyId, Reference, ReportId, SubjectId};
use tieout_domain::ports::{
    Appended, Clock, Entropy, Expected, Leaf, Ledger, LedgerError, Listed, ListingQuery, Log, LogError,
    LookUp, NewEvent, Opened, Ports, Position, PostAnswer, Recorded, Revision, SealError, Sealer, Selection,
    Source, SourceCalls, SourceError, StreamName,
};
use tieout_domain::posting::{Document, DocumentKey, LedgerDocument, Sighting};
use tieout_domain::report::Payload;
use tieout_domain::time::Steady;
use uuid::Uuid;

use crate::law;
use crate::plan::{Call, Fault};
use crate::qad::{Qad, Twist};
use crate::stage::{Process, Sent, Stage, State};
use crate::under::Under;

/// The world of one process.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) process: Process,
}

impl World {
    fn fault(&self, call: Call) -> Option<Fault> {
        self.stage.lock().strike(&self.process, call)
    }
    fn refused(&self) -> bool {
        self.process.secrets != self.stage.lock().secrets
    }
    fn log_now(&self) -> Under {
        Under::of(&self.stage)
    }
    fn timed_out(&self) {
        self.stage.lock().time_out();
    }
}

impl Ports for World {
    type Log = Self;
    type Source = Self;
    type Ledger = Self;
    type Clock = Self;
    type Entropy = Self;
    type Sealer = Unsealed;

    fn log(&self) -> &Self {
        self
    }
    fn source(&self) -> &Self {
        self
    }
    fn ledger(&self) -> &Self {
        self
    }
    fn clock(&self) -> &Self {
        self
    }
    fn entropy(&self) -> &Self {
        self
    }
    fn sealer(&self) -> &Unsealed {
        &Unsealed
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<Utc> {
        self.stage.lock().wall()
    }
    fn steady(&self) -> Steady {
        self.stage.lock().steady()
    }
    async fn sleep(&self, duration: std::time::Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap();
        self.stage.lock().pass(millis);
        self.stage.gate(&self.process, "sleep").await;
    }
}

impl Entropy for World {
    fn uuid(&self) -> Uuid {
        self.stage.lock().uuid()
    }
    fn salt(&self) -> [u8; 16] {
        self.stage.lock().uuid().into_bytes()
    }
}

/// Seals nothing: what is sealed is not this crate's subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsealed;

impl Sealer for Unsealed {
    fn subject_for(&self, _person: &Email) -> Result<SubjectId, SealError> {
        Ok(SubjectId(Uuid::from_u128(5)))
    }
    fn seal(&self, _subject: SubjectId, plain: &[u8], _context: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plain.to_vec())
    }
    fn open(&self, _subject: SubjectId, sealed: &[u8], _context: &[u8]) -> Result<Opened, SealError> {
        Ok(Opened::Plain(sealed.to_vec()))
    }
}

// ── the log ──

fn log_failed(detail: &str) -> LogError {
    LogError::Failed {
        place: "simulation".to_owned(),
        detail: detail.to_owned(),
    }
}

impl Log for World {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        self.stage.gate(&self.process, "append").await;
        let fault = self.fault(Call::Append);
        law::about_to_write(&self.stage, &self.process, &events, fault.is_some());
        match fault {
            Some(Fault::Full) => {
                return Err(LogError::Full {
                    place: "simulation".to_owned(),
                    detail: "no room".to_owned(),
                });
            }
            Some(Fault::NotDone) => return Err(log_failed("nothing was written")),
            _ => {}
        }
        let kinds: Vec<String> = events.iter().map(|event| event.kind.clone()).collect();
        let failed: Vec<NewEvent> = events
            .iter()
            .filter(|event| ["PostingFailed", "DocumentRefused"].contains(&event.kind.as_str()))
            .cloned()
            .collect();
        let posted: Vec<NewEvent> = events
            .iter()
            .filter(|event| event.kind == "DocumentPosted")
            .cloned()
            .collect();
        let answer = self.log_now().append(stream, expected, events).await;
        {
            let mut state = self.stage.lock();
            let what = match &answer {
                Ok(appended) => format!(
                    "appended {} {} at {}",
                    stream,
                    kinds.join(" "),
                    appended.revision.0
                ),
                Err(error) => format!("not appended {} {}: {error}", stream, kinds.join(" ")),
            };
            state.note(&what);
        }
        if answer.is_ok() {
            failed
                .iter()
                .for_each(|event| law::said_to_have_failed(&self.stage, event));
            posted
                .iter()
                .for_each(|event| law::taken_for_ours(&self.stage, &self.process, event));
        }
        self.stage.gate(&self.process, "appended").await;
        match fault {
            Some(Fault::LostAnswer) => Err(log_failed("the answer was lost")),
            _ => answer,
        }
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        self.stage.gate(&self.process, "read").await;
        match self.fault(Call::Read) {
            Some(_) => Err(log_failed("it could not be read")),
            None => self.log_now().read_stream(stream, from, limit).await,
        }
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        self.stage.gate(&self.process, "read all").await;
        match self.fault(Call::Read) {
            Some(_) => Err(log_failed("it could not be read")),
            None => self.log_now().read_all(after, limit).await,
        }
    }

    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        self.log_now().leaf(position).await
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.stage.gate(&self.process, "head").await;
        self.log_now().head().await
    }

    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        self.log_now().wait_beyond(position).await
    }
}

// ── the source ──

fn unanswered(job: &'static str) -> SourceError {
    SourceError::Unanswered {
        job,
        detail: "no answer".to_owned(),
    }
}

fn refused_by_source(fault: Option<Fault>, refused: bool, job: &'static str) -> Option<SourceError> {
    match fault {
        _ if refused => Some(SourceError::Unauthorised {
            detail: "the secret was rotated".to_owned(),
        }),
        Some(Fault::Unauthorised) => Some(SourceError::Unauthorised {
            detail: "refused".to_owned(),
        }),
        Some(Fault::NeverArrived) => Some(SourceError::Unreachable {
            detail: "no connection".to_owned(),
        }),
        Some(Fault::Throttled) => Some(SourceError::Throttled { job, attempts: 5 }),
        Some(Fault::NotDone) => Some(unanswered(job)),
        _ => None,
    }
}

impl World {
    /// A download of these, line by line.
    fn download(
        &self,
        payloads: Vec<Payload>,
        call: Call,
    ) -> BoxStream<'static, Result<Listed, SourceError>> {
        let world = self.clone();
        let lines = payloads.into_iter().enumerate();
        stream::unfold(
            (world, lines, false),
            move |(world, mut lines, ended)| async move {
                if ended {
                    return None;
                }
                let (index, payload) = lines.next()?;
                world.stage.gate(&world.process, "line").await;
                let fault = world.fault(call);
                if call == Call::Line && fault.is_some() {
                    world.stage.lock().told(&world.process).listed_badly = true;
                }
                let line = match fault {
                    Some(Fault::Truncated) => Err(SourceError::Truncated {
                        detail: format!("it ends after {index} lines"),
                    }),
                    Some(Fault::Unreadable) => Ok(Listed::Unreadable {
                        line: index as u64 + 1,
                        text: "{\"reportID\":\"".to_owned(),
                        why: "no JSON".to_owned(),
                    }),
                    _ => Ok(Listed::Report(Box::new(payload))),
                };
                if let Ok(Listed::Report(payload)) = &line {
                    let mut state = world.stage.lock();
                    let told = state.told(&world.process);
                    match call {
                        Call::Line => told.shows(&payload.facts),
                        _ => drop(told.printed.insert(payload.facts.report)),
                    }
                }
                let ended = line.is_err();
                Some((line, (world, lines, ended)))
            },
        )
        .boxed()
    }

    fn printed(state: &mut State, ids: &[ReportId]) -> Vec<Payload> {
        let mut payloads = Vec::new();
        for id in ids {
            let salt = state.uuid().into_bytes();
            payloads.extend(state.expensify.print(*id, salt));
        }
        payloads
    }
}

impl Source for World {
    type Lines = BoxStream<'static, Result<Listed, SourceError>>;

    async fn list(&self, query: &ListingQuery) -> Result<Self::Lines, SourceError> {
        self.stage.gate(&self.process, "list").await;
        let fault = self.fault(Call::List);
        // A poll leaves out what bears the label, or asks by name; a recheck asks for whole windows.
        let whole = query.without_label.is_none() && matches!(query.selection, Selection::Window { .. });
        self.stage.lock().told(&self.process).rechecking |= whole;
        if let Some(error) = refused_by_source(fault, self.refused(), "listing") {
            self.stage.lock().told(&self.process).listed_badly = true;
            return Err(error);
        }
        let payloads = {
            let mut state = self.stage.lock();
            let shown = state.expensify.shown(query);
            Self::printed(&mut state, &shown)
        };
        Ok(self.download(payloads, Call::Line))
    }

    async fn mark(
        &self,
        _policies: &[PolicyId],
        reports: &[ReportId],
        label: &Label,
    ) -> Result<Self::Lines, SourceError> {
        self.stage.gate(&self.process, "mark").await;
        self.stage.lock().told(&self.process).marking += 1;
        let fault = self.fault(Call::Mark);
        if let Some(error) = refused_by_source(fault, self.refused(), "marking") {
            return Err(error);
        }
        law::about_to_mark(&self.stage, reports);
        let payloads = {
            let mut state = self.stage.lock();
            let query = ListingQuery {
                policies: Vec::new(),
                selection: Selection::Reports(reports.to_vec()),
                without_label: None,
                states: tieout_domain::ports::SourceStates::Approved,
            };
            let shown = state.expensify.shown(&query);
            for report in &mut state.expensify.reports {
                if shown.contains(&report.id) {
                    report.labels.insert(label.clone());
                }
            }
            state.note(&format!("marked {} of {}", shown.len(), reports.len()));
            Self::printed(&mut state, &shown)
        };
        self.stage.gate(&self.process, "marked").await;
        match fault {
            Some(Fault::LostAnswer) => {
                self.timed_out();
                Err(unanswered("marking"))
            }
            Some(Fault::PrintsNothing) => Ok(self.download(Vec::new(), Call::MarkLine)),
            _ => Ok(self.download(payloads, Call::MarkLine)),
        }
    }

    fn take_calls(&self) -> SourceCalls {
        SourceCalls::default()
    }
}

// ── the ledger ──

impl World {
    fn cannot_ask(&self, fault: Option<Fault>, what: &str) -> Option<LedgerError> {
        match fault {
            _ if self.refused() => Some(LedgerError::Unauthorised {
                detail: "the password was changed".to_owned(),
            }),
            Some(Fault::Unauthorised) => Some(LedgerError::Unauthorised {
                detail: "refused".to_owned(),
            }),
            Some(Fault::CanarySilent) => Some(LedgerError::CanarySilent {
                what: what.to_owned(),
                canary: "CANARY".to_owned(),
            }),
            Some(Fault::NotDone) => {
                self.timed_out();
                Some(LedgerError::Unanswered {
                    what: what.to_owned(),
                    detail: "no answer".to_owned(),
                })
            }
            _ => None,
        }
    }
}

impl Ledger for World {
    async fn read_chart(&self) -> Result<ChartReading, LedgerError> {
        self.stage.gate(&self.process, "chart").await;
        let in_recovery = law::in_recovery(&self.stage);
        self.stage.lock().told(&self.process).in_recovery = in_recovery;
        let fault = self.fault(Call::Chart);
        if let Some(error) = self.cannot_ask(fault, "the masters") {
            return Err(error);
        }
        let mut reading = self.stage.lock().qad.chart();
        if fault == Some(Fault::MasterSilent) {
            reading.accounts = MasterRead::Failed("its canary was silent".to_owned());
        }
        self.stage.lock().told(&self.process).chart = true;
        Ok(reading)
    }

    async fn contract_hash(&self) -> Result<String, LedgerError> {
        self.stage.gate(&self.process, "contract").await;
        let fault = self.fault(Call::Contract);
        if let Some(error) = self.cannot_ask(fault, "the metadata") {
            return Err(error);
        }
        let contract = self.stage.lock().qad.contract;
        self.stage.lock().told(&self.process).contract = fault != Some(Fault::Changed);
        Ok(if fault == Some(Fault::Changed) {
            "another contract".to_owned()
        } else {
            format!("contract {contract}")
        })
    }

    async fn look_up(&self, report: ReportId) -> Result<LookUp, LedgerError> {
        self.stage.gate(&self.process, "look up").await;
        let fault = self.fault(Call::LookUp);
        if let Some(error) = self.cannot_ask(fault, "the look-up") {
            return Err(error);
        }
        let found = {
            let mut state = self.stage.lock();
            let found = Qad::sightings(state.qad.of(report));
            state.told(&self.process).looked.insert(report, found.clone());
            found
        };
        Ok(if found.is_empty() {
            LookUp::Absent
        } else {
            LookUp::Found(found)
        })
    }

    async fn list_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
        self.stage.gate(&self.process, "list ours").await;
        let fault = self.fault(Call::ListOurs);
        if let Some(error) = self.cannot_ask(fault, "the listing") {
            return Err(error);
        }
        Ok(Qad::sightings(self.stage.lock().qad.documents.iter()))
    }

    async fn post(&self, document: &Document) -> PostAnswer {
        let before = self.stage.lock().now;
        self.stage.gate(&self.process, "post").await;
        let never = |detail: &str| PostAnswer::NeverArrived {
            detail: detail.to_owned(),
        };
        if State::stood_still(before, self.stage.lock().now) {
            return never("the connection was gone");
        }
        if self.refused() {
            return never("turned away");
        }
        law::about_to_send(&self.stage, &self.process, document);
        let fault = self.fault(Call::Post);
        if fault == Some(Fault::NeverArrived) {
            return never("no connection");
        }
        let answer = {
            let mut state = self.stage.lock();
            let sent = Sent {
                reference: document.reference,
                forgotten: false,
            };
            state.sends.push(sent);
            let objection = state.qad.objection(document);
            carry_out(&mut state, document, fault, objection)
        };
        self.stage.lock().note(&format!("answered {answer:?}"));
        self.stage.gate(&self.process, "posted").await;
        answer
    }

    async fn read_back(
        &self,
        _reference: Reference,
        key: &DocumentKey,
    ) -> Result<LedgerDocument, LedgerError> {
        self.stage.gate(&self.process, "read back").await;
        let fault = self.fault(Call::ReadBack);
        if let Some(error) = self.cannot_ask(fault, "the reading") {
            return Err(error);
        }
        let state = self.stage.lock();
        let found = state.qad.documents.iter().find(|held| held.held.key == *key);
        found
            .map(|held| held.held.clone())
            .ok_or(LedgerError::Unanswered {
                what: "the reading".to_owned(),
                detail: format!("there is no {key}"),
            })
    }
}

/// What QAD makes of a request, and what its sender hears.
fn carry_out(
    state: &mut State,
    document: &Document,
    fault: Option<Fault>,
    objection: Option<tieout_domain::ports::LedgerMessage>,
) -> PostAnswer {
    let unknown = |state: &mut State| {
        state.time_out();
        PostAnswer::Unknown {
            detail: "no answer".to_owned(),
        }
    };
    if fault == Some(Fault::NotDone) {
        return unknown(state);
    }
    // What QAD refuses is refused however the answer travels.
    let objection = objection.or_else(|| {
        (fault == Some(Fault::Refused)).then(|| tieout_domain::ports::LedgerMessage {
            field: "supplierCode".to_owned(),
            message: "the supplier is on hold".to_owned(),
            code: "1".to_owned(),
        })
    });
    if let Some(objection) = objection {
        return match fault {
            Some(Fault::LostAnswer | Fault::Late | Fault::Zombie) => unknown(state),
            _ => PostAnswer::Refused {
                messages: vec![objection],
            },
        };
    }
    if let Some(fault @ (Fault::Late | Fault::Zombie)) = fault {
        state.send_late(document, fault);
        return unknown(state);
    }
    let twist = match fault {
        Some(Fault::ShiftedDate) => Twist::Date,
        Some(Fault::DroppedField) => Twist::CostCentre,
        _ => Twist::None,
    };
    let key = state.store(document, twist);
    let earlier = state.qad.last_answer.replace(key.clone());
    let accepted = |key| PostAnswer::Accepted {
        key,
        warnings: Vec::new(),
    };
    match fault {
        Some(Fault::LostAnswer) => unknown(state),
        Some(Fault::RefusedThoughStored) => PostAnswer::Refused {
            messages: vec![tieout_domain::ports::LedgerMessage {
                field: "reference".to_owned(),
                message: "the reference exists already".to_owned(),
                code: "1".to_owned(),
            }],
        },
        Some(Fault::EarlierAnswer) => accepted(Some(earlier.unwrap_or(key))),
        Some(Fault::NoNumber) => accepted(None),
        Some(Fault::Warned) => PostAnswer::DuplicateWarned {
            key: Some(key),
            warning: "the reference exists already".to_owned(),
        },
        _ => accepted(Some(key)),
    }
}
