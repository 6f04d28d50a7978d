//! Everything that outlives a process: both systems, the log, time; and the gates that every call of a port passes.
//!
//! A gate is where a run can be cut: it counts, lets happen what the plan says for that count, and may keep the process
//! from ever going on. All awaits of the workflow end in ports, so that the gates are its await points.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, Duration, TimeZone, Utc};
use futures::FutureExt;
use tieout_domain::ids::{EventId, InstanceId, Reference, ReportId};
use tieout_domain::ports::{Expected, Log, NewEvent, Position, Recorded};
use tieout_domain::posting::{Document, DocumentKey, Sighting};
use tieout_domain::report::{DocumentFile, DocumentState, ReportFacts};
use tieout_domain::time::Steady;
use tieout_memory::MemoryLog;
use uuid::Uuid;

use crate::beside::Beside;
use crate::expensify::{Expensify, There};
use crate::plan::{Call, Decide, Edit, Fault, How, Plan, What};
use crate::qad::{Qad, Twist};

/// How long a request that was given up may still arrive, as the workflow is told.
pub const QUARANTINE: std::time::Duration = std::time::Duration::from_secs(900);
/// How long one truly may: the rest is for a process that stands still between its last look and its send, which is
/// assumed to be shorter than this rest (guide, guarantee).
const LIFE_OF_A_REQUEST: u64 = 720_000;
/// See [`LIFE_OF_A_REQUEST`]: a process that stood still longer right before a send finds its connection gone.
const STILL_BEFORE_A_SEND: u64 = 150_000;
/// What a client waits for an answer.
const TIME_OUT: u64 = 30_000;
/// What passes at a gate.
const TICK: u64 = 20;

/// What a process is told at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    Crash,
    Reboot,
    Restore,
    Switch,
    Suspend(u32),
    Decide(Decide),
}

/// One run of the program, as the systems see it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) id: InstanceId,
    /// Nothing goes wrong for it, and its gates are not counted: a person, an auditor, the time after the faults.
    pub(crate) quiet: bool,
    /// A person's command: what goes wrong for it is that it is interrupted.
    pub(crate) person: bool,
    /// Which secrets it has.
    pub(crate) secrets: u32,
    /// When its cycle began, in true time.
    pub(crate) began: u64,
}

/// The reports of a listing: how many expenses each has, and what it comes to. `None` once one was shown twice and
/// otherwise the second time: which of them counts is nobody's to say.
pub(crate) type Shown = Option<BTreeMap<ReportId, (u64, i64)>>;

/// What both systems told a process in its present cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    began: u64,
    /// QAD showed its masters.
    pub(crate) chart: bool,
    /// QAD showed the contract that was certified.
    pub(crate) contract: bool,
    /// A listing of the source failed, was cut, or had a line that is no report.
    pub(crate) listed_badly: bool,
    /// The log did not take what was to be written, or did not say that it took it.
    pub(crate) log_failed: bool,
    /// The connection was in recovery when the masters were asked for, which is before anything is posted.
    pub(crate) in_recovery: bool,
    /// What the poll was shown, and what the recheck.
    pub(crate) polled: Shown,
    /// See there.
    pub(crate) rechecked: Shown,
    /// The recheck has begun.
    pub(crate) rechecking: bool,
    /// Marking jobs that were asked for.
    pub(crate) marking: usize,
    /// Reports that they printed.
    pub(crate) printed: BTreeSet<ReportId>,
    /// What the last look-up of each report showed.
    pub(crate) looked: BTreeMap<ReportId, Vec<Sighting>>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            began: 0,
            chart: false,
            contract: false,
            listed_badly: false,
            log_failed: false,
            in_recovery: false,
            polled: Some(BTreeMap::new()),
            rechecked: Some(BTreeMap::new()),
            rechecking: false,
            marking: 0,
            printed: BTreeSet::new(),
            looked: BTreeMap::new(),
        }
    }
}

impl Told {
    /// A listing shows a report.
    pub(crate) fn shows(&mut self, facts: &ReportFacts) {
        let shown = if self.rechecking {
            &mut self.rechecked
        } else {
            &mut self.polled
        };
        let counts = (facts.lines.len() as u64, facts.total.get().unwrap());
        let before = shown
            .as_mut()
            .and_then(|shown| shown.insert(facts.report, counts));
        if before.is_some_and(|before| before != counts) {
            *shown = None;
        }
    }
}

/// A document that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) reference: Reference,
    /// The log was put back to before it.
    pub(crate) forgotten: bool,
}

/// The shared state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) expensify: Expensify,
    pub(crate) qad: Qad,
    /// The log; where an engine is under the workflow, its model.
    pub(crate) log: MemoryLog,
    pub(crate) engine: Option<Beside>,
    pub(crate) backup: Vec<Recorded>,
    pub(crate) chaos: bool,
    pub(crate) gates: u32,
    pub(crate) counts: BTreeMap<Call, u32>,
    strikes: BTreeMap<(Call, u32), Fault>,
    happenings: BTreeMap<u32, Vec<What>>,
    pub(crate) signals: VecDeque<Signal>,
    /// Gates that people's commands passed.
    pub(crate) people_gates: u32,
    interruptions: BTreeMap<u32, How>,
    /// What befalls the command at work.
    pub(crate) interrupted: Option<How>,
    /// How often a command was overtaken.
    pub(crate) overtaken: u32,
    wakers: Vec<Waker>,
    /// Milliseconds since the run began; no one can set it.
    pub(crate) now: u64,
    wall_off: i64,
    boot: u32,
    booted: u64,
    ids: u128,
    pub(crate) rules: usize,
    pub(crate) secrets: u32,
    pub(crate) sends: Vec<Sent>,
    told: BTreeMap<InstanceId, Told>,
    pub(crate) restored: bool,
    /// Nobody else writes to the log while a cycle runs, and every event is kept.
    pub(crate) alone: bool,
    /// Nobody changes either system, and QAD stores and refuses as it is asked to.
    pub(crate) untouched: bool,
    /// Documents that a person explained.
    pub(crate) explained: BTreeSet<DocumentKey>,
    pub(crate) violations: Vec<String>,
    pub(crate) struck: u32,
    hash: u64,
    pub(crate) trace: Option<Vec<String>>,
}

/// A handle on the shared state.
#[derive(Debug, Clone)]
pub(crate) struct Stage(Arc<Mutex<State>>);

impl Stage {
    pub(crate) fn of(plan: &Plan, traced: bool, engine: Option<Beside>) -> Self {
        let strikes = plan
            .strikes
            .iter()
            .map(|strike| ((strike.call, strike.nth), strike.fault));
        Self(Arc::new(Mutex::new(State {
            expensify: Expensify::of(&plan.reports),
            qad: Qad::empty(),
            log: MemoryLog::new(),
            engine,
            backup: Vec::new(),
            chaos: true,
            gates: 0,
            counts: BTreeMap::new(),
            strikes: strikes.collect(),
            happenings: plan.by_gate(),
            signals: VecDeque::new(),
            people_gates: 0,
            interruptions: plan.interruptions.iter().map(|one| (one.at, one.how)).collect(),
            interrupted: None,
            overtaken: 0,
            wakers: Vec::new(),
            now: 0,
            wall_off: 0,
            boot: 1,
            booted: 0,
            ids: 0,
            rules: 0,
            secrets: 0,
            sends: Vec::new(),
            told: BTreeMap::new(),
            restored: false,
            alone: plan.leaves_the_log_alone(),
            untouched: plan.leaves_the_systems_alone(),
            explained: BTreeSet::new(),
            violations: Vec::new(),
            struck: 0,
            hash: 0xCBF2_9CE4_8422_2325,
            trace: traced.then(Vec::new),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("one thread")
    }

    /// Passes a gate.
    pub(crate) fn gate<'a>(&'a self, process: &'a Process, name: &'static str) -> Gate<'a> {
        Gate {
            stage: self,
            process,
            name,
            counted: false,
        }
    }

    /// Lets everybody at a gate go on.
    pub(crate) fn go_on(&self) {
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// See [`Stage::gate`].
pub(crate) struct Gate<'a> {
    stage: &'a Stage,
    process: &'a Process,
    name: &'static str,
    counted: bool,
}

impl Future for Gate<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let stage = self.stage;
        let mut state = stage.lock();
        if self.process.quiet {
            if self.counted {
                return Poll::Ready(());
            }
            self.counted = true;
            state.pass(TICK);
            if self.process.person && state.interrupt(self.name) {
                return Poll::Pending;
            }
            return Poll::Ready(());
        }
        if state.signals.is_empty() && !self.counted {
            self.counted = true;
            state.pass(TICK);
            state.note(self.name);
            state.happen(self.name);
        }
        if state.signals.is_empty() {
            Poll::Ready(())
        } else {
            state.wakers.push(context.waker().clone());
            Poll::Pending
        }
    }
}

impl State {
    /// Writes a line of the trace.
    pub(crate) fn note(&mut self, what: &str) {
        for byte in what.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9} {what}", self.now));
        }
    }

    /// The hash of the trace so far.
    pub(crate) fn trace_hash(&self) -> u64 {
        self.hash
    }

    /// A law is broken.
    pub(crate) fn broken(&mut self, what: String) {
        self.note(&format!("BROKEN {what}"));
        self.violations.push(what);
    }

    /// Time passes; what is due arrives.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += millis;
        for document in self.qad.arrivals(self.now) {
            self.note(&format!("a request given up arrives: {}", document.reference));
            self.store(&document, Twist::None);
        }
    }

    /// A caller waits in vain.
    pub(crate) fn time_out(&mut self) {
        self.pass(TIME_OUT);
    }

    pub(crate) fn wall(&self) -> DateTime<Utc> {
        let start = Utc.with_ymd_and_hms(2026, 11, 5, 12, 0, 0).unwrap();
        start + Duration::milliseconds(i64::try_from(self.now).unwrap() + self.wall_off)
    }

    pub(crate) fn steady(&self) -> Steady {
        Steady {
            epoch: format!("boot-{}", self.boot),
            millis: self.now - self.booted,
        }
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + self.ids)
    }

    /// The wall clock is set right.
    pub(crate) fn set_right(&mut self) {
        self.wall_off = 0;
    }

    /// The machine comes up again.
    pub(crate) fn reboot(&mut self) {
        self.pass(60_000);
        self.boot += 1;
        self.booted = self.now;
    }

    /// What a process was told in its present cycle.
    pub(crate) fn told(&mut self, process: &Process) -> &mut Told {
        let told = self.told.entry(process.id).or_default();
        if told.began != process.began {
            *told = Told {
                began: process.began,
                ..Told::default()
            };
        }
        told
    }

    /// Does this call go wrong?
    pub(crate) fn strike(&mut self, process: &Process, call: Call) -> Option<Fault> {
        if process.quiet || !self.chaos {
            return None;
        }
        let count = self.counts.entry(call).or_default();
        let nth = *count;
        *count += 1;
        let fault = self.strikes.get(&(call, nth)).copied()?;
        self.struck += 1;
        self.note(&format!("FAULT {call:?} {nth}: {fault:?}"));
        Some(fault)
    }

    /// A person's command passes a gate: does something befall it there?
    fn interrupt(&mut self, gate: &str) -> bool {
        let at = self.people_gates;
        self.people_gates += 1;
        self.interrupted = self.interruptions.remove(&at);
        if let Some(how) = self.interrupted {
            self.note(&format!("AT {at} of people's commands ({gate}) {how:?}"));
        }
        self.interrupted.is_some()
    }

    fn happen(&mut self, gate: &str) {
        if !self.chaos {
            return;
        }
        let at = self.gates;
        self.gates += 1;
        for what in self.happenings.remove(&at).unwrap_or_default() {
            self.note(&format!("AT {at} ({gate}) {what:?}"));
            match what {
                What::Crash => self.signals.push_back(Signal::Crash),
                What::Reboot { off } => {
                    self.wall_off += off * 1_000;
                    self.signals.push_back(Signal::Reboot);
                }
                What::Restore => self.signals.push_back(Signal::Restore),
                What::Switch => self.signals.push_back(Signal::Switch),
                What::Suspend { cycles } => self.signals.push_back(Signal::Suspend(cycles)),
                What::Decide(decide) => self.signals.push_back(Signal::Decide(decide)),
                What::Pause { seconds } => self.pass(u64::from(seconds) * 1_000),
                What::ClockSet { seconds } => self.wall_off += seconds * 1_000,
                What::Edit(edit) => self.edit(edit),
                What::Backup => self.backup = self.events(),
            }
        }
    }

    fn edit(&mut self, edit: Edit) {
        let now = self.now;
        let source = &mut self.expensify;
        match edit {
            Edit::Amount(place) => source.edit(place, now, |report| {
                if let Some(line) = report.facts.lines.first_mut() {
                    let more = tieout_domain::money::Hundredths::Of(line.amount.get().unwrap() + 100);
                    line.amount = more.clone();
                    line.converted_amount = more;
                }
            }),
            Edit::Unapprove(place) => source.edit(place, now, |report| {
                if report.there == There::Shown {
                    report.there = There::Open;
                }
            }),
            Edit::Approve(place) => source.edit(place, now, |report| {
                if report.there == There::Open {
                    report.there = There::Shown;
                }
            }),
            Edit::Delete(place) => source.edit(place, now, |report| report.there = There::Deleted),
            Edit::Reimburse(place) => source.edit(place, now, |report| {
                report.facts.status = tieout_domain::report::SourceStatus::Reimbursed;
                report.facts.reimbursed = tieout_domain::time::SourceTime::new("2026-11-05 12:00:00");
            }),
            Edit::Move { from, to } => source.move_expense(from, to, now),
            Edit::ClosePeriods => self.qad.periods_open = false,
            Edit::OpenPeriods => self.qad.periods_open = true,
            Edit::CloseAccount => self.qad.account_active = false,
            Edit::OpenAccount => self.qad.account_active = true,
            Edit::OtherRules => self.rules = 1 - self.rules,
            Edit::RotateSecrets => self.secrets += 1,
            Edit::Reverse(place) => {
                if let Some(held) = self.standing_of(place) {
                    held.held.reversed = true;
                    held.tampered = true;
                }
            }
            Edit::Elsewhere(place) => {
                let Some(id) = self.expensify.reports.get(place).map(|report| report.id) else {
                    return;
                };
                let report = crate::law::report_in(&self.log, id);
                let files = report
                    .dossier()
                    .map(|dossier| dossier.documents.as_slice())
                    .unwrap_or_default();
                let planned = |file: &&DocumentFile| file.state == DocumentState::Planned;
                let under_way = |file: &DocumentFile| {
                    matches!(
                        file.state,
                        DocumentState::Sending { .. } | DocumentState::InDoubt { .. }
                    )
                };
                if let Some(file) = files
                    .iter()
                    .find(planned)
                    .filter(|_| !files.iter().any(under_way))
                {
                    self.qad.made_elsewhere(&file.document);
                }
            }
            Edit::Duplicate(place) => {
                if let Some(sent) = self.standing_of(place).map(|held| held.sent.clone()) {
                    self.qad.made_elsewhere(&sent);
                }
            }
            Edit::Tamper(place) => {
                if let Some(held) = self.standing_of(place) {
                    held.tampered = true;
                    held.held.date = held.held.date.checked_add_days(chrono::Days::new(1)).unwrap();
                }
            }
        }
    }

    fn standing_of(&mut self, place: usize) -> Option<&mut crate::qad::Held> {
        let report = self.expensify.reports.get(place)?.id;
        self.qad.first_standing(report)
    }

    /// QAD stores a document, and what must never be is looked for at that moment.
    pub(crate) fn store(&mut self, document: &Document, twist: Twist) -> DocumentKey {
        let reference = document.reference;
        let expenses = crate::qad::expenses_in(document);
        let mut wrong = Vec::new();
        for held in self.qad.documents.iter().filter(|held| held.stands()) {
            let key = &held.held.key;
            if held.sent.reference == reference {
                wrong.push(format!("{reference} stands already as {key} and is stored again"));
            }
            for twice in held
                .expenses()
                .keys()
                .filter(|expense| expenses.contains_key(*expense))
            {
                wrong.push(format!(
                    "expense {twice} stands already in {key} and is stored again with {reference}"
                ));
            }
        }
        wrong.into_iter().for_each(|what| self.broken(what));
        let key = self.qad.store(document, twist);
        self.note(&format!("stored {reference} as {key} ({twist:?})"));
        key
    }

    /// Sends a request that its sender gives up.
    pub(crate) fn send_late(&mut self, document: &Document, fault: Fault) {
        let life = if fault == Fault::Zombie {
            LIFE_OF_A_REQUEST
        } else {
            TIME_OUT + 60_000
        };
        let due = self.now + life;
        self.qad.send_later(document, due);
    }

    /// Did a process stand still right before a send for longer than is assumed?
    pub(crate) fn stood_still(since: u64, now: u64) -> bool {
        now.saturating_sub(since) > STILL_BEFORE_A_SEND
    }

    /// Everything in the log.
    pub(crate) fn events(&self) -> Vec<Recorded> {
        self.events_after(None)
    }

    /// Every event after a place among all.
    pub(crate) fn events_after(&self, since: Option<Position>) -> Vec<Recorded> {
        let mut events: Vec<Recorded> = Vec::new();
        loop {
            let after = events.last().map(|event| event.position).or(since);
            let page = now(self.log.read_all(after, 10_000)).expect("memory does not fail");
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    /// Puts the log back as it was when it was last copied away.
    pub(crate) fn restore(&mut self) {
        let log = MemoryLog::new();
        for event in &self.backup {
            let new = NewEvent {
                id: EventId(event.event.id.0),
                ..event.event.clone()
            };
            now(log.append(&event.stream, Expected::Any, vec![new])).expect("memory does not fail");
        }
        self.log = log;
        if let Some(wrong) = self
            .engine
            .as_ref()
            .and_then(|engine| engine.restore(&self.backup))
        {
            self.broken(wrong);
        }
        self.restored = true;
        self.sends.iter_mut().for_each(|sent| sent.forgotten = true);
        // Nobody restores a log while a request of a moment ago is still on its way (guide, guarantee).
        self.pass(2 * LIFE_OF_A_REQUEST);
    }
}

/// The result of a future that never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    Box::pin(future).now_or_never().expect("memory does not wait")
}
