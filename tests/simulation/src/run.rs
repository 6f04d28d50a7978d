//! One run of a plan: cycles of two instances over the stage, on one thread, until everything is well again and nothing
//! moves any more; then the audit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use chrono::NaiveDate;
use tieout_domain::ids::{ConnectionId, ConnectionName, InstanceId, Label, PolicyId, Workspace};
use tieout_domain::journal::Cause;
use tieout_domain::journal::Streams;
use tieout_domain::ports::{Log as _, Position};
use tieout_domain::workflow::{Brief, Connection, CycleOutcome, Desk, Roster, WorkflowError, run_cycle};
use uuid::Uuid;

use crate::audit::audit;
use crate::beside::Beside;
use crate::expensify::POLICY;
use crate::foretold::foretell;
use crate::people;
use crate::plan::{Call, Plan};
use crate::ports::World;
use crate::recovery;
use crate::rules;
use crate::stage::{Process, QUARANTINE, Signal, Stage, now};
use crate::told::told_truly;
use crate::wire::Struck;

/// The one connection.
pub(crate) const CONNECTION: ConnectionId = ConnectionId(Uuid::from_u128(0xC0));
/// Its streams.
pub const STREAMS: Streams = Streams(CONNECTION);

/// Between two cycles.
const EVERY: u64 = 300_000;
/// What is posted is held against both systems again after this long: often enough to happen in every run.
const RECHECK: std::time::Duration = std::time::Duration::from_secs(600);
/// Cycles after the faults, at most: doubt ends within a quarantine, so that few are needed.
const MOST_CYCLES: u32 = 16;
/// Polls of a future without a gate passed: more is a hang.
pub(crate) const MOST_POLLS: u32 = 100_000;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Every law that was broken, in words.
    pub violations: Vec<String>,
    /// Gates passed before everything was well again.
    pub gates: u32,
    /// Calls of each kind made before that.
    pub calls: std::collections::BTreeMap<crate::plan::Call, u32>,
    /// Gates that people's commands passed.
    pub people_gates: u32,
    /// Faults that struck.
    pub struck: u32,
    /// Hash of the trace.
    pub hash: u64,
    /// The trace, where it was asked for.
    pub trace: Vec<String>,
    /// How many reports ended in which stage.
    pub stages: std::collections::BTreeMap<String, u32>,
    /// What struck on the wire to the engine, where there is one.
    pub wire: Struck,
}

type Cycle = Pin<Box<dyn Future<Output = (Cause, Roster, Result<CycleOutcome, WorkflowError>)> + Send>>;

impl Process {
    /// Somebody whom nothing befalls.
    pub(crate) fn auditor() -> Self {
        Self {
            id: InstanceId(Uuid::from_u128(0xA)),
            quiet: true,
            person: false,
            secrets: 0,
            began: 0,
        }
    }
}

pub(crate) fn connection() -> Connection {
    Connection {
        id: CONNECTION,
        name: ConnectionName::new("acme").unwrap(),
        policies: vec![PolicyId::new(POLICY).unwrap()],
        label: Label::new("tieout-acme").unwrap(),
        go_live: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
        zone: chrono_tz::America::New_York,
        workspace: Workspace::new("10USA_10USACO").unwrap(),
        quarantine: QUARANTINE,
        build: "simulation".to_owned(),
        recheck: RECHECK,
    }
}

/// A process of the program: it lives over cycles until it dies, and keeps its roster as `serve` does.
struct Instance {
    process: Process,
    roster: Option<Roster>,
    cycle: Option<Cycle>,
    /// Where the log ended when the cycle began.
    since: Option<Position>,
}

impl Instance {
    fn new(stage: &Stage, quiet: bool) -> Self {
        let mut state = stage.lock();
        Self {
            process: Process {
                id: InstanceId(state.uuid()),
                quiet,
                person: false,
                secrets: state.secrets,
                began: 0,
            },
            roster: None,
            cycle: None,
            since: None,
        }
    }

    fn begin(&mut self, stage: &Stage) {
        {
            let state = stage.lock();
            self.process.began = state.now;
            self.since = now(state.log.head()).expect("memory does not fail");
        }
        let world = World {
            stage: stage.clone(),
            process: self.process.clone(),
        };
        let connection = connection();
        let roster = self.roster.take();
        let wanted = stage.lock().rules;
        self.cycle = Some(Box::pin(async move {
            let desk = Desk::for_cycle(&world, &connection, world.process.id);
            let mut roster = roster.unwrap_or_else(|| desk.roster());
            let outcome = match rules::bring(&desk, &mut roster, wanted).await {
                Ok(()) => run_cycle(&desk, &mut roster, |_| {}).await,
                Err(error) => Err(error),
            };
            (desk.cause.clone(), roster, outcome)
        }));
    }

    /// One cycle that no gate stops; how many documents it left in doubt, if it came to its end.
    fn whole_cycle(&mut self, stage: &Stage) -> Option<usize> {
        self.begin(stage);
        let mut in_doubt = None;
        while self.cycle.is_some() {
            in_doubt = poll(self, stage).left_in_doubt;
        }
        in_doubt
    }

    /// What `serve` does until the next cycle: it looks for what is in doubt whenever that is due, and asks the source
    /// nothing.
    fn until_the_next_cycle(&mut self, stage: &Stage) {
        let doubtful = |roster: &Roster| !roster.select(Brief::in_flight).is_empty();
        if !self.roster.as_ref().is_some_and(doubtful) {
            return stage.lock().pass(EVERY);
        }
        let world = World {
            stage: stage.clone(),
            process: self.process.clone(),
        };
        let connection = connection();
        let desk = Desk::for_cycle(&world, &connection, world.process.id);
        let mut left = EVERY;
        if let Some(roster) = &mut self.roster {
            let listings = stage.lock().counts.get(&Call::List).copied();
            let due = |roster: &Roster| {
                let wait = desk.next_look(roster)?;
                u64::try_from(wait.as_millis()).ok()
            };
            while let Some(wait) = due(roster).filter(|wait| *wait <= left) {
                stage.lock().pass(wait);
                left -= wait;
                let looked = people::to_the_end(desk.resolve_between(roster));
                let mut state = stage.lock();
                if let Err(error) = looked {
                    state.broken(format!("a look between two cycles fails: {error}"));
                    break;
                }
                if state.counts.get(&Call::List).copied() != listings {
                    state.broken("a look between two cycles lists the source".to_owned());
                }
                drop(state);
                if due(roster) == Some(0) {
                    stage
                        .lock()
                        .broken("a document was due to be looked up, and still is".to_owned());
                    break;
                }
            }
            if due(roster).is_none() && left == EVERY {
                stage
                    .lock()
                    .broken("something is in doubt, and nobody will look for it".to_owned());
            }
        }
        stage.lock().pass(left);
    }

    /// The process dies: what it was at, and what it knew, are gone.
    fn die(&mut self, stage: &Stage) {
        *self = Self::new(stage, self.process.quiet);
    }
}

/// Another instance begins a cycle, and ends it.
pub(crate) fn another_cycle(stage: &Stage) {
    Instance::new(stage, true).whole_cycle(stage);
}

struct Driver {
    stage: Stage,
    instances: [Instance; 2],
}

/// Runs a plan.
pub fn run(plan: &Plan) -> Outcome {
    carry_out(plan, false, None)
}

/// Runs a plan and keeps every line of its trace.
pub fn run_traced(plan: &Plan) -> Outcome {
    carry_out(plan, true, None)
}

/// Runs a plan over an engine, or else over memory alone.
pub(crate) fn carry_out(plan: &Plan, traced: bool, engine: Option<Beside>) -> Outcome {
    let stage = Stage::of(plan, traced, engine);
    people::certify(&stage);
    rules::begin(&stage);
    // The log is never put back to before it was certified.
    {
        let mut state = stage.lock();
        state.backup = state.events();
    }
    let mut driver = Driver {
        instances: [Instance::new(&stage, false), Instance::new(&stage, false)],
        stage,
    };
    for _ in 0..plan.cycles {
        driver.cycle();
        driver.stage.lock().pass(EVERY);
    }
    let stage = driver.stage;
    heal(&stage);
    come_to_rest(&stage);
    if recovery::in_recovery(&stage) {
        recovery::reconcile(&stage);
        come_to_rest(&stage);
    }
    let stages = audit(&stage);
    let mut state = stage.lock();
    Outcome {
        violations: std::mem::take(&mut state.violations),
        gates: state.gates,
        calls: state.counts.clone(),
        people_gates: state.people_gates,
        struck: state.struck,
        hash: state.trace_hash(),
        trace: state.trace.take().unwrap_or_default(),
        stages,
        wire: state.engine.as_ref().map(Beside::struck).unwrap_or_default(),
    }
}

impl Driver {
    /// The first instance's cycle, to its end or its death; the other one goes on where the plan says, and ends its own.
    fn cycle(&mut self) {
        self.instances[0].begin(&self.stage);
        let mut at_work = 0;
        let mut polls = 0;
        while self.instances.iter().any(|instance| instance.cycle.is_some()) {
            if self.instances[at_work].cycle.is_none() {
                at_work = 1 - at_work;
            }
            if poll(&mut self.instances[at_work], &self.stage).signalled {
                self.settle_signals(&mut at_work);
            }
            polls += 1;
            assert!(polls < MOST_POLLS, "the run hangs");
        }
    }

    fn settle_signals(&mut self, at_work: &mut usize) {
        loop {
            let Some(signal) = self.stage.lock().signals.pop_front() else {
                break;
            };
            match signal {
                Signal::Crash => self.instances[*at_work].die(&self.stage),
                Signal::Reboot => {
                    self.stage.lock().reboot();
                    self.instances
                        .iter_mut()
                        .for_each(|instance| instance.die(&self.stage));
                }
                Signal::Restore => {
                    self.instances
                        .iter_mut()
                        .for_each(|instance| instance.die(&self.stage));
                    self.stage.lock().restore();
                }
                Signal::Switch => {
                    *at_work = 1 - *at_work;
                    if self.instances[*at_work].cycle.is_none() {
                        self.instances[*at_work].begin(&self.stage);
                    }
                }
                // Nothing happens at the other one's gates meanwhile, so that the process comes back to what it finds.
                Signal::Suspend(cycles) => {
                    let mut other = Instance::new(&self.stage, true);
                    for _ in 0..cycles {
                        other.whole_cycle(&self.stage);
                        self.stage.lock().pass(EVERY);
                    }
                }
                Signal::Decide(decide) => people::command(&self.stage, decide),
            }
        }
        self.stage.go_on();
    }
}

/// What a poll of a cycle came to.
#[derive(Default)]
struct Polled {
    /// It waits at a gate for what is to happen.
    signalled: bool,
    /// It ended well, with so many reports in doubt.
    left_in_doubt: Option<usize>,
}

/// Polls a cycle once.
fn poll(instance: &mut Instance, stage: &Stage) -> Polled {
    let Some(cycle) = &mut instance.cycle else {
        return Polled::default();
    };
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready((cause, roster, outcome)) = cycle.as_mut().poll(&mut context) else {
        return Polled {
            signalled: !stage.lock().signals.is_empty(),
            left_in_doubt: None,
        };
    };
    instance.roster = Some(roster);
    instance.cycle = None;
    if let Ok(outcome) = &outcome {
        told_truly(stage, &instance.process, &cause, instance.since, outcome);
    }
    let mut state = stage.lock();
    match outcome {
        Ok(cycle) => {
            state.note(&format!("cycle ends: {:?} shut {:?}", cycle.stages, cycle.shut));
            Polled {
                signalled: false,
                left_in_doubt: Some(cycle.in_doubt),
            }
        }
        Err(error) => {
            state.note(&format!("cycle fails: {error}"));
            // A refusal by the aggregate where nobody interfered is a defect of the workflow, not bad luck; and what another
            // instance wrote first is read again, not failed over.
            let defect = match &error {
                WorkflowError::Refused { .. } | WorkflowError::NotOurs { .. } => true,
                WorkflowError::Journal(error) => error.is_conflict(),
                _ => false,
            };
            if defect {
                state.broken(format!("a cycle ended with a defect: {error}"));
            }
            Polled::default()
        }
    }
}

/// The faults end: nothing goes wrong any more, what was closed for a while is open, and the processes are new ones.
fn heal(stage: &Stage) {
    let mut state = stage.lock();
    state.note("all is well again");
    state.chaos = false;
    state.signals.clear();
    state.qad.periods_open = true;
    state.qad.account_active = true;
    state.set_right();
}

fn come_to_rest(stage: &Stage) {
    if !settle(stage) {
        stage
            .lock()
            .broken(format!("it did not come to rest within {MOST_CYCLES} cycles"));
    }
}

/// Cycles until nothing moves any more: three that change nothing of any report, a recheck among them, or, where something is in doubt, as many
/// as it takes for a quarantine to end.
fn settle(stage: &Stage) -> bool {
    let mut instance = Instance::new(stage, true);
    let mut still = 0;
    // Not in every run: it takes as long as a cycle.
    let gates = stage.lock().gates;
    let mut foretold = gates.is_multiple_of(3).then(|| foretell(stage));
    for _ in 0..MOST_CYCLES {
        let before = events_of_reports(stage);
        let in_doubt = instance.whole_cycle(stage);
        if let Some(foretold) = foretold.take() {
            foretold.came_true(stage, &instance.process);
        }
        instance.until_the_next_cycle(stage);
        still = if events_of_reports(stage) == before {
            still + 1
        } else {
            0
        };
        let enough = if in_doubt == Some(0) { 3 } else { 6 };
        if still >= enough {
            return true;
        }
    }
    false
}

fn events_of_reports(stage: &Stage) -> usize {
    let events = stage.lock().events();
    events
        .iter()
        .filter(|event| STREAMS.report_of(&event.stream).is_some())
        .count()
}
