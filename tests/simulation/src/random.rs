//! Larger runs from a seed: many faults, deaths, turns, edits and decisions at once. A seed makes a plan, and the plan is
//! what is shrunk, printed and kept, because seeds do not shrink.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::engine::Engine;
use crate::exhaustive::run_all;
use crate::plan::{
    Call, Decide, Edit, Happening, How, Interruption, LineSpec, Plan, ReportSpec, Strike, What,
};
use crate::run::Outcome;
use crate::wire::Struck;

/// How often each call is made in a run of some cycles, at most: where a strike may fall.
const REACH: [(Call, u32, u64); 12] = [
    (Call::Append, 120, 10),
    (Call::Read, 300, 6),
    (Call::List, 10, 8),
    (Call::Line, 25, 5),
    (Call::Mark, 6, 10),
    (Call::MarkLine, 15, 3),
    (Call::Chart, 8, 5),
    (Call::Contract, 8, 4),
    (Call::LookUp, 30, 14),
    (Call::ListOurs, 8, 5),
    (Call::ReadBack, 12, 8),
    (Call::Post, 10, 22),
];

/// The plan of a seed.
pub fn plan(seed: u64) -> Plan {
    let mut dice = Dice::new(seed);
    let reports: Vec<ReportSpec> = (0..2 + dice.below(4)).map(|_| report(&mut dice)).collect();
    let cycles = 3 + u32::try_from(dice.below(5)).unwrap();
    let gates = u64::from(cycles) * (30 + 25 * reports.len() as u64);
    let strikes = (0..dice.below(12)).filter_map(|_| strike(&mut dice)).collect();
    let mut happenings: Vec<Happening> = (0..dice.below(10))
        .map(|_| Happening {
            at: gate(&mut dice, gates),
            what: what(&mut dice, reports.len()),
        })
        .collect();
    // In every fifth run the two instances take turns all the time.
    if dice.per_mille(200) {
        happenings.extend((0..10 + dice.below(30)).map(|_| Happening {
            at: gate(&mut dice, gates),
            what: What::Switch,
        }));
    }
    // In every twelfth the log is put back to a copy.
    if dice.per_mille(80) {
        let (one, other) = (gate(&mut dice, gates), gate(&mut dice, gates));
        let (first, last) = (one.min(other), one.max(other));
        happenings.push(Happening {
            at: first,
            what: What::Backup,
        });
        happenings.push(Happening {
            at: last,
            what: What::Restore,
        });
    }
    happenings.sort_by_key(|happening| happening.at);
    // In every third, people are interrupted.
    let interruptions = if dice.per_mille(333) {
        let interruption = |dice: &mut Dice| Interruption {
            at: u32::try_from(dice.below(80)).unwrap(),
            how: [How::Killed, How::GivenAgain, How::Overtaken][dice.index(3)],
        };
        (0..1 + dice.below(4)).map(|_| interruption(&mut dice)).collect()
    } else {
        Vec::new()
    };
    Plan {
        reports,
        strikes,
        happenings,
        interruptions,
        cycles,
    }
}

fn gate(dice: &mut Dice, gates: u64) -> u32 {
    u32::try_from(dice.below(gates)).unwrap()
}

fn report(dice: &mut Dice) -> ReportSpec {
    let lines = (0..1 + dice.below(3))
        .map(|_| LineSpec {
            cents: i64::try_from(dice.below(60_000)).unwrap() - 10_000,
            card: dice.per_mille(350),
            uncoded: dice.per_mille(40),
        })
        .collect();
    ReportSpec {
        lines,
        reimbursed: dice.per_mille(200),
    }
}

fn strike(dice: &mut Dice) -> Option<Strike> {
    let total = REACH.iter().map(|(_, _, weight)| weight).sum();
    let mut at = dice.below(total);
    for (call, reach, weight) in REACH {
        if at < weight {
            return Some(Strike {
                call,
                nth: u32::try_from(dice.below(u64::from(reach))).unwrap(),
                fault: dice.pick(call.faults())?,
            });
        }
        at -= weight;
    }
    None
}

fn what(dice: &mut Dice, reports: usize) -> What {
    match dice.below(100) {
        0..25 => What::Crash,
        25..33 => What::Reboot {
            off: [0, 7_200, -600][dice.index(3)],
        },
        33..53 => What::Switch,
        53..60 => What::Suspend {
            cycles: 1 + u32::try_from(dice.below(5)).unwrap(),
        },
        60..64 => What::Pause {
            seconds: u32::try_from(dice.below(2_000)).unwrap(),
        },
        64..69 => What::ClockSet {
            seconds: [7_200, -7_200, 60][dice.index(3)],
        },
        69..90 => What::Edit(edit(dice, reports)),
        _ => {
            let place = dice.index(reports);
            What::Decide(
                [
                    Decide::Rewind(place),
                    Decide::Exclude(place),
                    Decide::Adopt(place),
                    Decide::Absent(place),
                    Decide::ReverseAgain(place),
                    Decide::ReverseForGood(place),
                ][dice.index(6)],
            )
        }
    }
}

fn edit(dice: &mut Dice, reports: usize) -> Edit {
    let place = dice.index(reports);
    [
        Edit::Amount(place),
        Edit::Unapprove(place),
        Edit::Approve(place),
        Edit::Delete(place),
        Edit::Reimburse(place),
        Edit::Move {
            from: place,
            to: dice.index(reports),
        },
        Edit::ClosePeriods,
        Edit::OpenPeriods,
        Edit::CloseAccount,
        Edit::OpenAccount,
        Edit::OtherRules,
        Edit::RotateSecrets,
        Edit::Reverse(place),
        Edit::Tamper(place),
        Edit::Elsewhere(place),
        Edit::Duplicate(place),
    ][dice.index(16)]
}

/// What running seeds came to.
#[derive(Debug, Default)]
pub struct Seeds {
    /// Runs.
    pub runs: usize,
    /// Faults that struck in them.
    pub struck: u64,
    /// What struck on the wire to the engine.
    pub wire: Struck,
    /// How many reports ended in which stage.
    pub stages: BTreeMap<String, u64>,
    /// Seeds that broke a law, with the plan they shrink to and what it breaks.
    pub broken: Vec<(u64, Plan, Vec<String>)>,
}

/// Runs so many seeds on every core, over memory.
pub fn seeds(from: u64, count: u64) -> Seeds {
    seeds_over(Engine::Memory, from, count)
}

/// The same over any engine.
pub fn seeds_over(engine: Engine, from: u64, count: u64) -> Seeds {
    let mut seeds = Seeds::default();
    // Not all at once: plans of a hundred thousand seeds would fill the memory.
    for first in (from..from + count).step_by(5_000) {
        let last = (first + 5_000).min(from + count);
        let plans: Vec<Plan> = (first..last).map(plan).collect();
        let sum = Mutex::new(&mut seeds);
        run_all(engine, &plans, |at, plan, outcome| {
            let mut sum = sum.lock().unwrap();
            sum.runs += 1;
            sum.struck += u64::from(outcome.struck);
            crate::wire::add(&mut sum.wire, &outcome.wire);
            for (stage, count) in &outcome.stages {
                *sum.stages.entry(stage.clone()).or_default() += u64::from(*count);
            }
            if !outcome.violations.is_empty() {
                sum.broken
                    .push((first + at as u64, plan.clone(), outcome.violations));
            }
        });
    }
    seeds.broken.sort_by_key(|(seed, ..)| *seed);
    for (_, plan, what) in seeds.broken.iter_mut().take(5) {
        let shrunk = shrink(engine, plan);
        let again = engine.run(&shrunk).violations;
        // What hangs on the moment may not come again: the seed's own plan and words say more then.
        if !again.is_empty() {
            (*plan, *what) = (shrunk, again);
        }
    }
    seeds
}

/// Runs seeds until one breaks a law, and says which.
pub fn first_violation(from: u64, count: u64) -> Option<String> {
    first_of(from..from + count)
}

/// The same with seeds whose log is put back to a copy, which are rare among all.
pub fn first_violation_restored(from: u64, count: usize) -> Option<String> {
    let restored = |seed: &u64| {
        let happenings = plan(*seed).happenings;
        happenings.iter().any(|one| one.what == What::Restore)
    };
    first_of((from..).filter(restored).take(count))
}

fn first_of(seeds: impl Iterator<Item = u64>) -> Option<String> {
    let seeds: Vec<u64> = seeds.collect();
    seeds.chunks(100).find_map(|seeds| {
        let plans: Vec<Plan> = seeds.iter().map(|seed| plan(*seed)).collect();
        let (at, what) = first_among(&plans)?;
        Some(format!("seed {}: {what}", seeds[at]))
    })
}

/// The first of these plans that breaks a law, and what.
pub(crate) fn first_among(plans: &[Plan]) -> Option<(usize, String)> {
    let found = Mutex::new(BTreeMap::new());
    run_all(Engine::Memory, plans, |at, _, outcome| {
        if let Some(what) = outcome.violations.into_iter().next() {
            found.lock().unwrap().insert(at, what);
        }
    });
    found.into_inner().unwrap().pop_first()
}

/// What a violation is about, without the numbers in it: shrinking must not wander to another defect.
fn nature(outcome: &Outcome) -> Option<String> {
    let first = outcome.violations.first()?;
    Some(first.chars().filter(|c| !c.is_ascii_digit()).take(60).collect())
}

/// Over an engine a failing run may wait for an answer at every call: its plan is shrunk no longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// Takes away whatever a failing plan fails without, until nothing more can be taken away.
pub fn shrink(engine: Engine, plan: &Plan) -> Plan {
    let Some(wanted) = nature(&engine.run(plan)) else {
        return plan.clone();
    };
    let began = Instant::now();
    let too_long = || engine != Engine::Memory && began.elapsed() > LONGEST;
    let still_fails = |plan: &Plan| nature(&engine.run(plan)).as_ref() == Some(&wanted);
    let mut smallest = plan.clone();
    loop {
        let next = smaller(&smallest)
            .into_iter()
            .find(|plan| !too_long() && still_fails(plan));
        match next {
            Some(plan) => smallest = plan,
            None => return smallest,
        }
    }
}

/// Plans with a little less in them.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut push = |change: &dyn Fn(&mut Plan)| {
        let mut less = plan.clone();
        change(&mut less);
        plans.push(less);
    };
    if plan.happenings.len() > 3 {
        push(&|plan| plan.happenings.truncate(plan.happenings.len() / 2));
        push(&|plan| drop(plan.happenings.drain(..plan.happenings.len() / 2)));
    }
    for at in 0..plan.happenings.len() {
        push(&|plan| {
            plan.happenings.remove(at);
        });
    }
    for at in 0..plan.strikes.len() {
        push(&|plan| {
            plan.strikes.remove(at);
        });
    }
    for at in 0..plan.interruptions.len() {
        push(&|plan| {
            plan.interruptions.remove(at);
        });
    }
    if plan.cycles > 1 {
        push(&|plan| plan.cycles -= 1);
    }
    // Only from the end: what happens to a report names it by its place.
    if plan.reports.len() > 1 {
        push(&|plan| drop(plan.reports.pop()));
    }
    for (place, report) in plan.reports.iter().enumerate() {
        for line in 0..report.lines.len() {
            if report.lines.len() > 1 {
                push(&|plan| {
                    plan.reports[place].lines.remove(line);
                });
            }
        }
    }
    plans
}
