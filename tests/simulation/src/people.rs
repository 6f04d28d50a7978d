//! What people do: the commands of the command line, given while the program is at work or after it, by somebody who looks
//! before he speaks.

use std::collections::BTreeSet;
use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tieout_domain::ids::{PersonName, Reference, ReportId, Voucher};
use tieout_domain::journal::Actor;
use tieout_domain::ports::{Clock as _, Ports as _};
use tieout_domain::posting::DocumentKey;
use tieout_domain::report::{
    AfterReversal, Command, Decision, DocumentState, Exclusion, Report, Stage as Reached,
};
use tieout_domain::time::Moment;
use tieout_domain::workflow::{Desk, Left, Looking, Obstacle, ReconcileError, Roster, Word, person};

use crate::expensify::expenses_of;
use crate::plan::Decide;
use crate::ports::World;
use crate::run::{MOST_POLLS, connection};
use crate::stage::{Process, Stage};

const WHY: &str = "the plan says so";

/// Runs something to its end that no gate stops.
pub(crate) fn to_the_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("it hangs")
}

/// The world of a person at the command line, who is not cut by what is to happen at the gates.
fn quiet_world(stage: &Stage) -> World {
    let mut process = Process::auditor();
    process.secrets = stage.lock().secrets;
    World {
        stage: stage.clone(),
        process,
    }
}

fn somebody() -> Actor {
    person(PersonName::new("Controller").unwrap())
}

/// `tieout profile certify`: opens posting.
pub(crate) fn certify(stage: &Stage) {
    let world = quiet_world(stage);
    let connection = connection(stage);
    let desk = Desk::for_command(&world, &connection, world.process.id, "profile certify");
    to_the_end(desk.certify(somebody(), "contract 1".to_owned(), Vec::new())).expect("it is recorded");
}

/// A person gives a command, and is told off where it may not be.
pub(crate) fn command(stage: &Stage, decide: Decide) {
    let (Decide::Rewind(place)
    | Decide::Exclude(place)
    | Decide::Adopt(place)
    | Decide::Absent(place)
    | Decide::ReverseAgain(place)
    | Decide::ReverseForGood(place)) = decide;
    let Some(id) = stage.lock().expensify.reports.get(place).map(|report| report.id) else {
        return;
    };
    let world = quiet_world(stage);
    let connection = connection(stage);
    let desk = Desk::for_command(&world, &connection, world.process.id, "decide");
    let report = to_the_end(desk.load(id)).expect("it can be read").report;
    let said = match decide {
        Decide::ReverseAgain(_) | Decide::ReverseForGood(_) => {
            let then = if matches!(decide, Decide::ReverseAgain(_)) {
                AfterReversal::PlannedAgain
            } else {
                AfterReversal::Excluded
            };
            let Some(reference) = shown_reversed(stage, &report) else {
                return;
            };
            to_the_end(desk.reverse(id, somebody(), reference, "2026/EXPINV/999", then, WHY))
                .map(|reversed| format!("{} events, {} released", reversed.events, reversed.released.len()))
        }
        _ => to_the_end(desk.act(id, somebody(), |report| {
            wanted(
                stage,
                (world.clock().moment(), connection.quarantine),
                decide,
                id,
                report,
            )
        }))
        .map(|(_, events)| format!("{events} events")),
    };
    let words = said.unwrap_or_else(|error| error.to_string());
    stage.lock().note(&format!("{decide:?}: {words}"));
}

/// What the person asks for, having looked.
fn wanted(
    stage: &Stage,
    (now, quarantine): (Moment, Duration),
    decide: Decide,
    id: ReportId,
    report: &Report,
) -> Option<Command> {
    match decide {
        Decide::Rewind(_) => Some(Command::Rewind {
            to: None,
            why: WHY.to_owned(),
        }),
        Decide::Exclude(_) => Some(Command::Exclude(Exclusion::Decided {
            reason: WHY.to_owned(),
            ledger_reference: None,
        })),
        Decide::Adopt(_) => {
            let reference = doubtful(report)?;
            let state = stage.lock();
            let mut standing = state
                .qad
                .of(id)
                .filter(|held| held.stands() && held.sent.reference == reference);
            let (held, alone) = (standing.next()?, standing.next().is_none());
            alone.then(|| Command::Settle {
                reference,
                decision: Decision::Adopt {
                    key: held.held.key.clone(),
                    date: held.held.date,
                },
                why: WHY.to_owned(),
            })
        }
        Decide::Absent(_) => {
            let reference = doubtful(report)?;
            let state = stage.lock();
            let there = state
                .qad
                .of(id)
                .any(|held| held.stands() && held.sent.reference == reference);
            // What is on its way he cannot see.
            (!there).then(|| Command::Settle {
                reference,
                decision: Decision::Absent { now, quarantine },
                why: WHY.to_owned(),
            })
        }
        Decide::ReverseAgain(_) | Decide::ReverseForGood(_) => None,
    }
}

fn doubtful(report: &Report) -> Option<Reference> {
    report
        .dossier()?
        .documents
        .iter()
        .find(|file| matches!(file.state, DocumentState::InDoubt { .. }))
        .map(|file| file.document.reference)
}

/// A document that the log has as posted and QAD shows as reversed.
fn shown_reversed(stage: &Stage, report: &Report) -> Option<Reference> {
    let state = stage.lock();
    report.dossier()?.documents.iter().find_map(|file| {
        let DocumentState::Posted { key, .. } = &file.state else {
            return None;
        };
        let mut held = state.qad.documents.iter();
        held.any(|held| held.held.key == *key && held.held.reversed)
            .then_some(file.document.reference)
    })
}

/// Is the connection in recovery?
pub(crate) fn in_recovery(stage: &Stage) -> bool {
    let world = quiet_world(stage);
    let connection = connection(stage);
    let desk = Desk::for_command(&world, &connection, world.process.id, "doctor");
    let recovery = to_the_end(desk.recovery()).expect("the log can be read");
    recovery.open().is_some()
}

/// A document that was adopted although it carries other expenses than its report does now is reversed in QAD and posted
/// again as its report is: what the guide says of differences in money.
fn correct(stage: &Stage, place: usize, key: &DocumentKey) {
    {
        let mut state = stage.lock();
        let now = expenses_of(&state.expensify.reports[place].facts);
        let mut documents = state.qad.documents.iter_mut();
        let Some(held) = documents.find(|held| held.held.key == *key) else {
            return;
        };
        let carries = held.expenses();
        if carries
            .iter()
            .all(|(expense, cents)| now.get(expense) == Some(cents))
        {
            return;
        }
        held.held.reversed = true;
        held.tampered = true;
    }
    command(stage, Decide::ReverseAgain(place));
}

/// Where QAD holds a reference twice, all but one are reversed, those first that were not sent from here: what the guide
/// says to do first.
fn take_away_seconds(stage: &Stage) {
    let mut state = stage.lock();
    let documents = &mut state.qad.documents;
    let mut standing: BTreeSet<Reference> = documents
        .iter()
        .filter(|held| held.stands() && !held.foreign)
        .map(|held| held.sent.reference)
        .collect();
    for held in documents.iter_mut().filter(|held| held.stands() && held.foreign) {
        held.held.reversed = !standing.insert(held.sent.reference);
    }
}

/// A document that carries an expense which travels in another report by now: that report is left out; where it stands in
/// part already, the document is reversed instead. What the guide says to do before a word on such a document.
fn keep_apart(stage: &Stage, reference: Reference, key: &DocumentKey) {
    let elsewhere: Vec<usize> = {
        let state = stage.lock();
        let mut documents = state.qad.documents.iter();
        let Some(held) = documents.find(|held| held.held.key == *key && held.stands()) else {
            return;
        };
        let carries = held.expenses();
        let reports = state.expensify.reports.iter().enumerate();
        reports
            .filter(|(_, report)| report.id != reference.report)
            .filter(|(_, report)| expenses_of(&report.facts).keys().any(|e| carries.contains_key(e)))
            .map(|(place, _)| place)
            .collect()
    };
    for place in elsewhere {
        command(stage, Decide::Exclude(place));
        let id = stage.lock().expensify.reports[place].id;
        let touches = crate::law::report_in(&stage.lock().log, id)
            .stage()
            .touches_the_ledger();
        let mut state = stage.lock();
        if let Some(held) = state.qad.documents.iter_mut().find(|held| held.held.key == *key) {
            held.held.reversed |= touches;
            held.tampered |= touches;
        }
    }
}

/// A word on a document that QAD does not show is refused, and leaves nothing on record.
fn refused_for_another(
    stage: &Stage,
    desk: &Desk<'_, Looking<'_, World>>,
    roster: &mut Roster,
    reference: Reference,
    key: &DocumentKey,
) {
    let another = DocumentKey {
        voucher: Voucher(key.voucher.0 + 9_000),
        ..key.clone()
    };
    let events = |stage: &Stage| stage.lock().events().len();
    let before = events(stage);
    let word = desk.accept(roster, somebody(), reference, another.clone(), WHY.to_owned());
    if to_the_end(word).is_ok() || events(stage) != before {
        stage.lock().broken(format!(
            "a word on {another}, which QAD does not show, was taken down"
        ));
    }
}

/// `tieout reconcile --ledger`; a person's word on each document that only a person can explain; and the command again.
pub(crate) fn reconcile(stage: &Stage) {
    let world = quiet_world(stage);
    let connection = connection(stage);
    let looking = Looking::at(&world);
    let desk = Desk::for_command(&looking, &connection, world.process.id, "reconcile --ledger");
    take_away_seconds(stage);
    let mut roster = desk.roster();
    let once = |roster: &mut Roster| {
        let reconciled = to_the_end(async {
            let healed = desk.heal(roster, |_, _| {}).await?;
            let concluded = desk.conclude(roster, &healed).await?;
            Ok::<_, ReconcileError>((healed.adopted.len(), concluded.left))
        });
        match reconciled {
            Ok((adopted, left)) => {
                let words = format!("reconciled: {adopted} adopted, left {left:?}");
                stage.lock().note(&words);
                left
            }
            // Nothing goes wrong any more, so that nothing may be in its way.
            Err(error) => {
                stage.lock().broken(format!("reconcile fails: {error}"));
                Vec::new()
            }
        }
    };
    let left = once(&mut roster);
    for Left { sighting, obstacle } in &left {
        let (reference, key) = (sighting.reference, sighting.key.clone());
        // What is in doubt is adopted first, and then corrected.
        if !matches!(obstacle, Obstacle::Incident { .. } | Obstacle::InDoubt { .. }) {
            keep_apart(stage, reference, &key);
        }
        refused_for_another(stage, &desk, &mut roster, reference, &key);
        let open = |stage: &Stage| {
            !matches!(
                crate::law::report_in(&stage.lock().log, reference.report).stage(),
                Reached::Unseen | Reached::Excluded { .. }
            )
        };
        let before = open(stage);
        let word = desk.accept(&mut roster, somebody(), reference, key.clone(), WHY.to_owned());
        match to_the_end(word) {
            Ok(word) => {
                stage.lock().explained.insert(key);
                let left_out = before && !open(stage);
                if matches!(word, Word::Recorded { excluded, .. } if excluded != left_out) {
                    stage.lock().broken(format!(
                        "{word:?} is said of {reference}, and it was left out: {left_out}"
                    ));
                }
            }
            // What is in doubt is a matter of `resolve`.
            Err(error) => {
                stage.lock().note(&format!("not accepted: {error}"));
                let place = {
                    let state = stage.lock();
                    let mut reports = state.expensify.reports.iter();
                    reports.position(|report| report.id == reference.report)
                };
                if let Some(place) = place {
                    command(stage, Decide::Adopt(place));
                    correct(stage, place, &key);
                }
            }
        }
    }
    if !left.is_empty() {
        once(&mut roster);
    }
}
