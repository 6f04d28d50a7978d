//! What people do: the commands of the command line, given while the program is at work or after it, by somebody who looks
//! before he speaks.

use std::collections::BTreeSet;
use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tieout_domain::ids::{PersonName, Reference, ReportId, Voucher};
use tieout_domain::journal::Actor;
use tieout_domain::ports::{Clock as _, Log as _, Ports as _, Position, Recorded};
use tieout_domain::posting::DocumentKey;
use tieout_domain::report::{
    AfterReversal, Command, Decision, DocumentState, Exclusion, Report, Stage as Reached,
};
use tieout_domain::time::Moment;
use tieout_domain::workflow::{
    Desk, Left, Looking, Obstacle, ReconcileError, Reversed, Roster, Word, person,
};

use crate::expensify::expenses_of;
use crate::plan::{Decide, How};
use crate::ports::World;
use crate::run::{MOST_POLLS, another_cycle, connection};
use crate::stage::{Process, Stage, now};
use crate::told::healed_truly;

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
pub(crate) fn quiet_world(stage: &Stage) -> World {
    let mut process = Process::auditor();
    process.secrets = stage.lock().secrets;
    World {
        stage: stage.clone(),
        process,
    }
}

/// The world of a person whose command may be interrupted.
fn persons_world(stage: &Stage) -> World {
    let mut world = quiet_world(stage);
    world.process.person = true;
    world
}

/// A command that was killed, and whether its person gives it again.
struct Killed {
    again: bool,
}

/// Runs a person's command to its end, or until it is killed.
fn given<T>(stage: &Stage, command: impl Future<Output = T>) -> Result<T, Killed> {
    let mut command = Box::pin(command);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(value) = command.as_mut().poll(&mut context) {
            return Ok(value);
        }
        let interrupted = stage.lock().interrupted.take();
        match interrupted {
            Some(How::Killed) => return Err(Killed { again: false }),
            Some(How::GivenAgain) => return Err(Killed { again: true }),
            Some(How::Overtaken) => another_cycle(stage),
            None => {}
        }
    }
    panic!("it hangs")
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
    while matches!(once(stage, decide), Err(Killed { again: true })) {}
}

/// The same, again until it comes to its end.
fn insist(stage: &Stage, decide: Decide) {
    while once(stage, decide).is_err() {}
}

fn once(stage: &Stage, decide: Decide) -> Result<(), Killed> {
    let (Decide::Rewind(place)
    | Decide::Exclude(place)
    | Decide::Adopt(place)
    | Decide::Absent(place)
    | Decide::ReverseAgain(place)
    | Decide::ReverseForGood(place)) = decide;
    let Some(id) = stage.lock().expensify.reports.get(place).map(|report| report.id) else {
        return Ok(());
    };
    let world = persons_world(stage);
    let connection = connection(stage);
    let desk = Desk::for_command(&world, &connection, world.process.id, "decide");
    let said = match decide {
        Decide::ReverseAgain(_) | Decide::ReverseForGood(_) => {
            let report = to_the_end(
                Desk::for_command(&quiet_world(stage), &connection, world.process.id, "decide").load(id),
            );
            let then = if matches!(decide, Decide::ReverseAgain(_)) {
                AfterReversal::PlannedAgain
            } else {
                AfterReversal::Excluded
            };
            let Some(reference) = shown_reversed(stage, &report.expect("it can be read").report) else {
                return Ok(());
            };
            let since = now(stage.lock().log.head()).expect("memory does not fail");
            given(
                stage,
                desk.reverse(id, somebody(), reference, "2026/EXPINV/999", then, WHY),
            )?
            .map(|reversed| {
                released_all(stage, id, since, &reversed);
                format!("{} events, {} released", reversed.events, reversed.released.len())
            })
        }
        _ => given(
            stage,
            desk.act(id, somebody(), |report| {
                let now = world.clock().moment();
                wanted(stage, (now, connection.quarantine), decide, id, report)
            }),
        )?
        .map(|(_, events)| format!("{events} events")),
    };
    let words = said.unwrap_or_else(|error| error.to_string());
    stage.lock().note(&format!("{decide:?}: {words}"));
    Ok(())
}

/// A reversal that came to its end released what its document carried, and said so.
fn released_all(stage: &Stage, id: ReportId, since: Option<Position>, reversed: &Reversed) {
    let spent = crate::law::spent_claims(stage, id);
    let person = serde_json::to_value(somebody()).expect("an actor");
    let of_the_person = |recorded: &Recorded| {
        let envelope: serde_json::Value = serde_json::from_slice(&recorded.event.metadata).expect("metadata");
        envelope["actor"] == person
    };
    let mut state = stage.lock();
    let released = state.events_after(since).into_iter();
    let released = released
        .filter(|recorded| recorded.event.kind == "ExpenseReleased" && of_the_person(recorded))
        .count();
    if released != reversed.released.len() {
        let said = reversed.released.len();
        state.broken(format!(
            "a reversal says that {said} expenses are released, and the log shows {released}"
        ));
    }
    if !spent.is_empty() {
        state.broken(format!(
            "a document of {id} was reversed, and {spent:?} stay claimed"
        ));
    }
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
    insist(stage, Decide::ReverseAgain(place));
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
        insist(stage, Decide::Exclude(place));
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
    let world = persons_world(stage);
    let connection = connection(stage);
    let looking = Looking::at(&world);
    let desk = Desk::for_command(&looking, &connection, world.process.id, "reconcile --ledger");
    take_away_seconds(stage);
    let mut roster = desk.roster();
    let mut left = reconciled(stage, &desk, &mut roster);
    // Somebody else was at it.
    if left.iter().any(|left| left.obstacle == Obstacle::Busy) {
        left = reconciled(stage, &desk, &mut roster);
    }
    if stage.lock().untouched && !left.is_empty() {
        let words = format!("nobody touched anything, and reconciling leaves {left:?}");
        stage.lock().broken(words);
    }
    for Left { sighting, obstacle } in &left {
        let (reference, key) = (sighting.reference, sighting.key.clone());
        // What is in doubt is adopted first, and then corrected.
        if !matches!(obstacle, Obstacle::Incident { .. } | Obstacle::InDoubt { .. }) {
            keep_apart(stage, reference, &key);
        }
        refused_for_another(stage, &desk, &mut roster, reference, &key);
        explained(stage, &desk, &mut roster, reference, key);
    }
    if !left.is_empty() {
        reconciled(stage, &desk, &mut roster);
    }
}

/// The command, given again until it comes to its end.
fn reconciled(stage: &Stage, desk: &Desk<'_, Looking<'_, World>>, roster: &mut Roster) -> Vec<Left> {
    loop {
        let since = now(stage.lock().log.head()).expect("memory does not fail");
        let given = given(stage, async {
            let healed = desk.heal(roster, |_, _| {}).await?;
            healed_truly(stage, since, &healed);
            let concluded = desk.conclude(roster, &healed).await?;
            Ok::<_, ReconcileError>((healed.adopted.len(), concluded.left))
        });
        match given {
            Ok(Ok((adopted, left))) => {
                let words = format!("reconciled: {adopted} adopted, left {left:?}");
                stage.lock().note(&words);
                return left;
            }
            // Nothing goes wrong any more, so that nothing may be in its way.
            Ok(Err(error)) => {
                stage.lock().broken(format!("reconcile fails: {error}"));
                return Vec::new();
            }
            // Whoever is killed knows nothing of what he knew.
            Err(Killed { .. }) => *roster = desk.roster(),
        }
    }
}

/// A person's word on a document, given again until it comes to its end.
fn explained(
    stage: &Stage,
    desk: &Desk<'_, Looking<'_, World>>,
    roster: &mut Roster,
    reference: Reference,
    key: DocumentKey,
) {
    let open = |stage: &Stage| {
        !matches!(
            crate::law::report_in(&stage.lock().log, reference.report).stage(),
            Reached::Unseen | Reached::Excluded { .. }
        )
    };
    let (word, before) = loop {
        let before = open(stage);
        let word = desk.accept(roster, somebody(), reference, key.clone(), WHY.to_owned());
        match given(stage, word) {
            Ok(word) => break (word, before),
            Err(Killed { .. }) => *roster = desk.roster(),
        }
    };
    match word {
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
                insist(stage, Decide::Adopt(place));
                correct(stage, place, &key);
            }
        }
    }
}
