//! The way out of recovery as people go it: `tieout reconcile --ledger`, what the guide says to do about each document that
//! is left, and a person's word on it.

use std::collections::BTreeSet;

use tieout_domain::ids::{Reference, Voucher};
use tieout_domain::ports::Log as _;
use tieout_domain::posting::DocumentKey;
use tieout_domain::report::Stage as Reached;
use tieout_domain::workflow::{Desk, Left, Looking, Obstacle, ReconcileError, Roster, Word};

use crate::expensify::expenses_of;
use crate::people::{Killed, WHY, given, insist, persons_world, quiet_world, somebody, to_the_end};
use crate::plan::Decide;
use crate::ports::World;
use crate::run::connection;
use crate::stage::{Stage, now};
use crate::told::healed_truly;

/// Is the connection in recovery?
pub(crate) fn in_recovery(stage: &Stage) -> bool {
    let world = quiet_world(stage);
    let connection = connection();
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
    let connection = connection();
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
            let overtaken = stage.lock().overtaken;
            let healed = desk.heal(roster, |_, _| {}).await?;
            // Whoever came between may have settled some of it.
            if stage.lock().overtaken == overtaken {
                healed_truly(stage, since, &healed);
            }
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
