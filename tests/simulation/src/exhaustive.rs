//! Small worlds, walked whole: cut at every gate, struck by every fault at every call, and by both; with a second
//! instance at every gate, with everything that people do at every gate; the smallest also with two faults in one run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dice::Dice;
use crate::engine::Engine;
use crate::plan::{Call, Decide, Edit, Fault, How, Plan, What, carded, owed, report};
use crate::run::{Outcome, run};
use crate::wire::Struck;

/// A small world.
pub struct SmallWorld {
    /// Its name.
    pub name: &'static str,
    /// The run in which nothing goes wrong.
    pub quiet: Plan,
    /// Is it small enough for two faults in one run?
    pub smallest: bool,
}

const ONE_INVOICE: &str = "one invoice";
const TWO_DOCUMENTS: &str = "an invoice and a journal";
const SHARING: &str = "two that share an expense in time";

/// The worlds in which a log is put back, and people are interrupted.
const RECOVERED: [&str; 2] = [TWO_DOCUMENTS, SHARING];

/// The worlds.
pub fn worlds() -> Vec<SmallWorld> {
    let world = |name, reports: Vec<crate::plan::ReportSpec>, smallest| SmallWorld {
        name,
        quiet: Plan::quiet(reports),
        smallest,
    };
    let reimbursed = crate::plan::ReportSpec {
        reimbursed: true,
        ..report([owed(9_900)])
    };
    let uncoded = crate::plan::LineSpec {
        uncoded: true,
        ..owed(500)
    };
    vec![
        world(ONE_INVOICE, vec![report([owed(21_250)])], true),
        world("one credit note", vec![report([owed(-4_200)])], true),
        world("one journal, paid at the source", vec![reimbursed], true),
        world(TWO_DOCUMENTS, vec![report([owed(21_250), carded(4_000)])], false),
        world(
            "one good, one rejected",
            vec![report([owed(100)]), report([uncoded])],
            false,
        ),
        world(
            SHARING,
            vec![report([owed(100), owed(200)]), report([owed(300)])],
            false,
        ),
    ]
}

/// What is judged by an answer and a look-up after it: each way in which a post goes wrong, times each way in which one of
/// the look-ups and readings after it does.
pub fn judged() -> Vec<Plan> {
    let quiet = Plan::quiet(vec![report([owed(21_250), carded(4_000)])]);
    let mut plans = Vec::new();
    for fault in Call::Post.faults() {
        let posted = quiet.struck(Call::Post, 0, *fault);
        for call in [Call::LookUp, Call::ReadBack] {
            for (nth, after) in (0..8).flat_map(|nth| call.faults().iter().map(move |after| (nth, *after))) {
                plans.push(posted.struck(call, nth, after));
            }
        }
    }
    plans
}

/// Some of what a log that is put back and people who are interrupted come to: every other plan of those walks.
pub fn recovered() -> Vec<Plan> {
    let worlds = worlds().into_iter();
    worlds
        .filter(|world| RECOVERED.contains(&world.name))
        .flat_map(|world| [Walk::Restored, Walk::Interrupted].map(|walk| plans(&world, walk)))
        .flatten()
        .step_by(2)
        .collect()
}

/// How a world was walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Walk {
    /// A death at every gate, and a reboot with the wall clock right, ahead and behind.
    Deaths,
    /// The same, while a request that was given up is still on its way.
    DeathsInDoubt,
    /// Every fault at every call.
    Faults,
    /// Every fault at every call, times a death at every gate.
    FaultsTimesDeaths,
    /// Two faults in one run.
    FaultPairs,
    /// The second instance's whole cycle at every gate.
    Second,
    /// The same under every fault at every call.
    SecondTimesFaults,
    /// Suspended at every gate while another instance ends a quarantine.
    Suspended,
    /// Every edit of a system at every gate.
    Edits,
    /// Every edit of a system at every gate, and the second instance, which sees it, right after.
    EditsSeen,
    /// Every decision of a person at every gate, under every way a post goes wrong.
    Decisions,
    /// A log put back, at every fourth gate, to a copy made at every fourth gate before.
    Restored,
    /// A person who records a reversal, or reconciles a log that was put back, and is killed or overtaken at every gate of
    /// the command.
    Interrupted,
}

/// What walking came to.
#[derive(Debug, Default)]
pub struct Covered {
    /// Which log is under the workflow.
    pub engine: Engine,
    /// Of so many plans of a walk one is run, drawn by lot, always the same; 0 and 1 are every plan.
    pub every: u64,
    /// What struck on the wire to the engine.
    pub wire: Struck,
    /// Runs, by world and walk.
    pub runs: BTreeMap<(&'static str, Walk), usize>,
    /// Gates of the quiet run, by world.
    pub gates: BTreeMap<&'static str, u32>,
    /// Faults at calls of the quiet run, by world.
    pub faults: BTreeMap<&'static str, usize>,
    /// Plans that broke a law, with what they broke.
    pub broken: Vec<(Plan, Vec<String>)>,
}

impl Covered {
    /// All runs.
    pub fn total(&self) -> usize {
        self.runs.values().sum()
    }
}

/// Runs plans on every core; each run is on one thread.
pub fn run_all(engine: Engine, plans: &[Plan], each: impl Fn(usize, &Plan, Outcome) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(plan) = plans.get(at) else { return };
                    each(at, plan, engine.run(plan));
                }
            });
        }
    });
}

/// Every fault at every call that a run made.
pub fn every_fault(outcome: &Outcome) -> Vec<(Call, u32, Fault)> {
    let of_call = |(call, count): (&Call, &u32)| {
        let call = *call;
        (0..*count)
            .flat_map(move |nth| call.faults().iter().map(move |fault| (call, nth, *fault)))
            .collect::<Vec<_>>()
    };
    outcome.calls.iter().flat_map(of_call).collect()
}

const EDITS: [Edit; 15] = [
    Edit::Amount(0),
    Edit::Unapprove(0),
    Edit::Delete(0),
    Edit::Reimburse(0),
    Edit::Move { from: 0, to: 1 },
    Edit::ClosePeriods,
    Edit::OpenPeriods,
    Edit::CloseAccount,
    Edit::OpenAccount,
    Edit::OtherRules,
    Edit::RotateSecrets,
    Edit::Reverse(0),
    Edit::Tamper(0),
    Edit::Elsewhere(0),
    Edit::Duplicate(0),
];

const DECISIONS: [Decide; 6] = [
    Decide::Rewind(0),
    Decide::Exclude(0),
    Decide::Adopt(0),
    Decide::Absent(0),
    Decide::ReverseAgain(0),
    Decide::ReverseForGood(0),
];

/// Every plan of a walk over a world.
pub fn plans(world: &SmallWorld, walk: Walk) -> Vec<Plan> {
    let quiet = &world.quiet;
    let base = run(quiet);
    let gates = 0..base.gates;
    let faults = every_fault(&base);
    let struck = || {
        faults
            .iter()
            .map(|(call, nth, fault)| quiet.struck(*call, *nth, *fault))
    };
    let deaths = [
        What::Crash,
        What::Reboot { off: 0 },
        What::Reboot { off: 7_200 },
        What::Reboot { off: -600 },
    ];
    match walk {
        Walk::Deaths => gates
            .flat_map(|at| deaths.clone().map(|what| quiet.with(at, what)))
            .collect(),
        Walk::DeathsInDoubt => [Fault::Zombie, Fault::Late, Fault::LostAnswer, Fault::NotDone]
            .into_iter()
            .flat_map(|fault| {
                let plan = quiet.struck(Call::Post, 0, fault);
                gates
                    .clone()
                    .flat_map(|at| deaths.clone().map(|what| plan.with(at, what)))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Walk::Faults => struck().collect(),
        // A fault changes how the run goes on: its own gates are cut, not those of the quiet run.
        Walk::FaultsTimesDeaths => struck()
            .flat_map(|plan| {
                (0..run(&plan).gates)
                    .map(move |at| plan.with(at, What::Crash))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Walk::FaultPairs => struck()
            .flat_map(|plan| {
                let first = plan.strikes[0];
                let later = every_fault(&run(&plan));
                later
                    .into_iter()
                    .filter(|(call, nth, fault)| (*call, *nth, *fault) > (first.call, first.nth, first.fault))
                    .map(move |(call, nth, fault)| plan.struck(call, nth, fault))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Walk::Second => gates.map(|at| quiet.with(at, What::Switch)).collect(),
        Walk::SecondTimesFaults => struck()
            .flat_map(|plan| {
                gates
                    .clone()
                    .map(move |at| plan.with(at, What::Switch))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Walk::Suspended => gates
            .flat_map(|at| {
                let alone = quiet.with(at, What::Suspend { cycles: 5 });
                let on_its_way = alone.struck(Call::Post, 0, Fault::Zombie);
                let lost = alone.struck(Call::Post, 0, Fault::LostAnswer);
                [alone, on_its_way, lost]
            })
            .collect(),
        Walk::Edits => gates
            .flat_map(|at| EDITS.map(|edit| quiet.with(at, What::Edit(edit))))
            .collect(),
        Walk::EditsSeen => gates
            .flat_map(|at| EDITS.map(|edit| quiet.with(at, What::Edit(edit)).with(at, What::Switch)))
            .collect(),
        Walk::Decisions => {
            let posts = faults
                .iter()
                .filter(|(call, nth, _)| *call == Call::Post && *nth == 0);
            posts
                .flat_map(|(call, nth, fault)| {
                    let plan = quiet.struck(*call, *nth, *fault);
                    gates
                        .clone()
                        .flat_map(|at| DECISIONS.map(|decide| plan.with(at, What::Decide(decide))))
                        .collect::<Vec<_>>()
                })
                .collect()
        }
        Walk::Restored => gates
            .clone()
            .step_by(4)
            .flat_map(|at| {
                let copied = quiet.with(at, What::Backup);
                let later = (at..base.gates).step_by(4).skip(1);
                later
                    .map(move |later| copied.with(later, What::Restore))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Walk::Interrupted => reversals(quiet)
            .into_iter()
            .chain(recoveries(quiet))
            .flat_map(|plan| {
                let gates = 0..run(&plan).people_gates;
                let interrupted = move |at| HOWS.map(|how| plan.interrupted(at, how));
                gates.flat_map(interrupted).collect::<Vec<_>>()
            })
            .collect(),
    }
}

const HOWS: [How; 3] = [How::Killed, How::GivenAgain, How::Overtaken];

/// The first report's document is reversed in QAD, and a person says what is to follow, once everything is posted; with its
/// first expense moving to a report that is approved only then, and without.
fn reversals(quiet: &Plan) -> Vec<Plan> {
    let late = quiet.with(0, What::Edit(Edit::Unapprove(1)));
    let posted = run(&Plan {
        cycles: 1,
        ..late.clone()
    });
    let at = posted.gates + 1;
    let mut plans = Vec::new();
    for decide in [Decide::ReverseAgain(0), Decide::ReverseForGood(0)] {
        let reversed = Plan {
            cycles: 3,
            ..late.with(at, What::Edit(Edit::Reverse(0)))
        }
        .with(at, What::Decide(decide));
        let moved = reversed
            .with(at, What::Edit(Edit::Move { from: 0, to: 1 }))
            .with(at, What::Edit(Edit::Approve(1)));
        plans.extend([reversed, moved]);
    }
    plans
}

/// The log is put back to before a document was posted: to before everything, and to the middle of posting; what was posted
/// stands as it was, or was changed or reversed since, or the source was changed.
fn recoveries(quiet: &Plan) -> Vec<Plan> {
    let gates = run(quiet).gates;
    let plan = |copied: u32, edit: Option<Edit>| {
        let copied = quiet.with(copied, What::Backup);
        let edited = edit.map_or(copied.clone(), |edit| copied.with(gates - 2, What::Edit(edit)));
        edited.with(gates - 1, What::Restore)
    };
    vec![
        plan(1, None),
        plan(1, Some(Edit::Tamper(0))),
        plan(1, Some(Edit::Reverse(0))),
        plan(1, Some(Edit::Amount(0))),
        plan(1, Some(Edit::Delete(0))),
        plan(gates / 3, None),
    ]
}

/// All walks.
pub const WALKS: [Walk; 13] = [
    Walk::Deaths,
    Walk::DeathsInDoubt,
    Walk::Faults,
    Walk::FaultsTimesDeaths,
    Walk::FaultPairs,
    Walk::Second,
    Walk::SecondTimesFaults,
    Walk::Suspended,
    Walk::Edits,
    Walk::EditsSeen,
    Walk::Decisions,
    Walk::Restored,
    Walk::Interrupted,
];

/// How much is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// Every walk over every world.
    Whole,
    /// The products over those worlds that differ in them, so that it takes less than five minutes; every other walk over
    /// every world.
    Ci,
    /// No products: what a test in debug has time for, and a hunt for a breakage begins with.
    Hunt,
}

impl Breadth {
    fn takes(self, world: &SmallWorld, walk: Walk) -> bool {
        let product = matches!(walk, Walk::FaultsTimesDeaths | Walk::SecondTimesFaults);
        match (self, walk) {
            (_, Walk::FaultPairs) if !world.smallest => false,
            (Self::Whole, _) => true,
            (Self::Hunt | Self::Ci, Walk::Restored | Walk::Interrupted) => RECOVERED.contains(&world.name),
            (Self::Hunt, _) => !product && walk != Walk::FaultPairs,
            (Self::Ci, Walk::FaultPairs) => world.name == ONE_INVOICE,
            (Self::Ci, Walk::FaultsTimesDeaths | Walk::SecondTimesFaults | Walk::Decisions) => {
                world.name == TWO_DOCUMENTS
            }
            (Self::Ci, _) => true,
        }
    }
}

/// Walks the worlds on both cores, and tells of each walk: world, walk, runs, and how many of them broke a law.
/// How they are walked, and what came before, is in `covered`.
pub fn walk_all(
    breadth: Breadth,
    mut covered: Covered,
    mut tell: impl FnMut(&str, String, usize, usize),
) -> Covered {
    for world in worlds() {
        for walk in WALKS.into_iter().filter(|walk| breadth.takes(&world, *walk)) {
            let before = covered.broken.len();
            let runs = walk_one(&world, walk, &mut covered);
            tell(
                world.name,
                format!("{walk:?}"),
                runs,
                covered.broken.len() - before,
            );
        }
    }
    covered
}

/// Walks until a law is broken, and says which.
pub fn first_violation(breadth: Breadth) -> Option<String> {
    for world in worlds() {
        for walk in WALKS.into_iter().filter(|walk| breadth.takes(&world, *walk)) {
            let mut covered = Covered::default();
            walk_one(&world, walk, &mut covered);
            if let Some((_, what)) = covered.broken.first() {
                let count = covered.broken.len();
                return Some(format!(
                    "{walk:?} of {}, {count} runs: {}",
                    world.name,
                    what.first()?
                ));
            }
        }
    }
    None
}

/// Walks one world in one way; returns how many runs that were.
pub fn walk_one(world: &SmallWorld, walk: Walk, covered: &mut Covered) -> usize {
    let base = run(&world.quiet);
    covered.gates.insert(world.name, base.gates);
    covered.faults.insert(world.name, every_fault(&base).len());
    let mut plans = plans(world, walk);
    let mut lots = Dice::new(walk as u64);
    plans.retain(|_| lots.below(covered.every) == 0);
    let broken = Mutex::new(Vec::new());
    let wire = Mutex::new(&mut covered.wire);
    run_all(covered.engine, &plans, |at, plan, outcome| {
        crate::wire::add(&mut wire.lock().unwrap(), &outcome.wire);
        if !outcome.violations.is_empty() {
            broken
                .lock()
                .unwrap()
                .push((at, plan.clone(), outcome.violations));
        }
    });
    let mut broken = broken.into_inner().unwrap();
    broken.sort_by_key(|(at, ..)| *at);
    covered.runs.insert((world.name, walk), plans.len());
    covered
        .broken
        .extend(broken.into_iter().map(|(_, plan, what)| (plan, what)));
    plans.len()
}
