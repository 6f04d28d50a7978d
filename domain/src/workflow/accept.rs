//! A person's word on a document in QAD that the log cannot explain otherwise.

use super::desk::{Desk, WorkflowError};
use super::fit::expenses;
use super::ledger_events::LedgerEvent;
use super::looking::Looking;
use super::reconcile::ReconcileError;
use super::roster::Roster;
use crate::ids::Reference;
use crate::journal::Actor;
use crate::ports::{Ledger, LookUp, Ports};
use crate::posting::{DocumentKey, Sighting};
use crate::report::{Command, Exclusion, Stage};

/// What became of a person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It is on record.
    Recorded {
        /// Its report was left out with it.
        excluded: bool,
        /// How many expenses of the report are held for it, so that no other report posts them; `None` where the log
        /// knows nothing of the report, and so of its expenses.
        claimed: Option<usize>,
    },
    /// The log explains the document already.
    Known,
}

impl<P: Ports> Desk<'_, Looking<'_, P>> {
    /// Takes down a person's word on a document that the log cannot explain otherwise. Refused where QAD does not show it,
    /// or where it is a matter of `tieout resolve`.
    pub async fn accept(
        &self,
        roster: &mut Roster,
        actor: Actor,
        reference: Reference,
        key: DocumentKey,
        why: String,
    ) -> Result<Word, ReconcileError> {
        let id = reference.report;
        let shown = match self.ports.ledger().look_up(id).await? {
            LookUp::Found(sightings) => sightings,
            LookUp::Absent => Vec::new(),
        };
        let Some(sighting) = shown
            .iter()
            .find(|one| one.reference == reference && one.key == key)
        else {
            let there: Vec<String> = shown
                .iter()
                .map(|one| format!("{} as {}", one.reference, one.key))
                .collect();
            let there = if there.is_empty() {
                "none of that report".to_owned()
            } else {
                there.join(" and ")
            };
            return Err(ReconcileError::Contradicted(format!(
                "QAD shows no document {key} with the reference {reference} (it shows {there}): nothing was recorded"
            )));
        };
        roster
            .catch_up(self.ports.log())
            .await
            .map_err(WorkflowError::from)?;
        if roster.known().settles(sighting) {
            return Ok(Word::Known);
        }
        if roster.known().is_in_flight(reference) {
            return Err(ReconcileError::Contradicted(format!(
                "document {reference} is in doubt: settle it with `tieout resolve {id} --adopt {key}`; nothing was recorded"
            )));
        }
        let loaded = self.load(id).await?;
        // First its expenses, then the report, and the word last: killed in between, the same command does the rest.
        let expenses = expenses(&loaded.report);
        let claimed = match loaded.report.stage() {
            Stage::Unseen => None,
            _ if sighting.reversed => Some(0),
            _ => {
                let taken = self.claim(id, &loaded.report, &expenses).await?;
                Some(expenses.len().saturating_sub(taken.len()))
            }
        };
        // A report is left out with the word that explains the last document of it that stands.
        let stands_unexplained = |one: &&Sighting| !one.reversed && !roster.known().settles(one);
        let last = !shown
            .iter()
            .filter(stands_unexplained)
            .any(|one| one.reference != reference || one.key != key);
        let exclusion = Exclusion::Decided {
            reason: why.clone(),
            ledger_reference: Some(key.to_string()),
        };
        let (_, excluded) = self
            .act(id, actor.clone(), |report| {
                let open = !matches!(report.stage(), Stage::Unseen | Stage::Excluded { .. });
                (open && last && !report.stage().touches_the_ledger())
                    .then(|| Command::Exclude(exclusion.clone()))
            })
            .await?;
        let event = LedgerEvent::LedgerDocumentExplained { reference, key, why };
        self.explain(actor, event).await?;
        Ok(Word::Recorded {
            excluded: excluded > 0,
            claimed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::world::{now, poller};
    use crate::report::ReportEvent;
    use crate::report::tests::samples::*;
    use crate::workflow::testing::Plant;

    fn at(voucher: u64) -> Sighting {
        shown_at(i1(), voucher)
    }

    fn reversed_at(voucher: u64) -> Sighting {
        Sighting {
            reversed: true,
            ..at(voucher)
        }
    }

    /// A person's word on the first of these, all of which QAD shows of a report with this life.
    fn word(life: &[ReportEvent], shows: &[Sighting]) -> Word {
        let mut plant = Plant::of(life);
        plant.ledger.shows = shows.to_vec();
        let Sighting { reference, key, .. } = shows[0].clone();
        let world = Looking::at(&plant);
        let desk = Desk::for_command(&world, &plant.connection, owner(), "reconcile --ledger");
        let mut roster = plant.roster();
        let word = now(desk.accept(&mut roster, poller().actor, reference, key, "seen".into())).unwrap();
        let kept = plant.count("LedgerDocumentExplained");
        assert_eq!(kept, usize::from(word != Word::Known));
        word
    }

    fn recorded(excluded: bool, claimed: Option<usize>) -> Word {
        Word::Recorded { excluded, claimed }
    }

    #[test]
    fn a_report_is_left_out_with_the_word_on_its_last_document_and_its_expenses_are_held() {
        let open = [discovered(), mapped_one()];
        assert_eq!(word(&open, &[at(1)]), recorded(true, Some(1)));
        assert_eq!(
            word(&open, &[at(1), at(2)]),
            recorded(false, Some(1)),
            "another one stands"
        );
        assert_eq!(
            word(&open, &[at(1), reversed_at(2)]),
            recorded(true, Some(1)),
            "the other one is reversed"
        );
    }

    #[test]
    fn what_is_reversed_carries_no_expense_and_its_report_is_left_out_with_the_word() {
        let open = [discovered(), mapped_one()];
        assert_eq!(word(&open, &[reversed_at(1)]), recorded(true, Some(0)));
    }

    #[test]
    fn of_a_report_that_is_not_on_record_nothing_is_held_and_nothing_left_out() {
        assert_eq!(word(&[], &[at(1)]), recorded(false, None));
    }

    #[test]
    fn what_the_log_explains_needs_no_word_and_what_stands_keeps_its_report() {
        assert_eq!(word(&both_posted(), &[at(4_711)]), Word::Known);
        assert_eq!(
            word(&both_posted(), &[at(1), at(4_711)]),
            recorded(false, Some(2))
        );
    }
}
