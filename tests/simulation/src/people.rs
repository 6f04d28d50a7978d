//! What people do: the commands of the command line, given while the program is at work or after it, by somebody who looks
//! before he speaks.

use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tieout_domain::ids::{PersonName, Reference, ReportId};
use tieout_domain::journal::Actor;
use tieout_domain::ports::{Clock as _, Log as _, Ports as _, Position, Recorded};
use tieout_domain::report::{AfterReversal, Command, Decision, DocumentState, Exclusion, Report};
use tieout_domain::time::Moment;
use tieout_domain::workflow::{Desk, Reversed, person};

use crate::plan::{Decide, How};
use crate::ports::World;
use crate::run::{MOST_POLLS, another_cycle, connection};
use crate::stage::{Process, Stage, now};

pub(crate) const WHY: &str = "the plan says so";

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
pub(crate) fn persons_world(stage: &Stage) -> World {
    let mut world = quiet_world(stage);
    world.process.person = true;
    world
}

/// A command that was killed, and whether its person gives it again.
pub(crate) struct Killed {
    pub(crate) again: bool,
}

/// Runs a person's command to its end, or until it is killed.
pub(crate) fn given<T>(stage: &Stage, command: impl Future<Output = T>) -> Result<T, Killed> {
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
            Some(How::Overtaken) => {
                stage.lock().overtaken += 1;
                another_cycle(stage);
            }
            None => {}
        }
    }
    panic!("it hangs")
}

pub(crate) fn somebody() -> Actor {
    person(PersonName::new("Controller").unwrap())
}

/// `tieout profile certify`: opens posting.
pub(crate) fn certify(stage: &Stage) {
    let world = quiet_world(stage);
    let connection = connection();
    let desk = Desk::for_command(&world, &connection, world.process.id, "profile certify");
    to_the_end(desk.certify(somebody(), "contract 1".to_owned(), Vec::new())).expect("it is recorded");
}

/// A person gives a command, and is told off where it may not be.
pub(crate) fn command(stage: &Stage, decide: Decide) {
    while matches!(once(stage, decide), Err(Killed { again: true })) {}
}

/// The same, again until it comes to its end.
pub(crate) fn insist(stage: &Stage, decide: Decide) {
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
    let connection = connection();
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
