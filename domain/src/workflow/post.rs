//! Step 5: claim the expenses, write the intent, look, send once, read the document back, record the outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::desk::{Desk, Loaded, WorkflowError};
use super::in_force::{Heads, InForce};
use super::map::{claimed, with_claims};
use super::roster::Roster;
use super::settle::Shown;
use crate::ids::{Reference, ReportId, TransactionId};
use crate::journal::{Actor, SystemActor};
use crate::ports::{Ledger, Ports};
use crate::posting::Document;
use crate::report::{
    Basis, Command, DocumentState, MapOutcome, MaterialHash, Proof, Refusal, Stage, StageName,
};

/// What the step came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    /// Documents that QAD confirmed, read back and found to agree.
    pub confirmed: usize,
    /// Documents found before sending, and adopted.
    pub adopted: usize,
    /// Documents QAD refused.
    pub refused: usize,
    /// Documents whose outcome nobody knows.
    pub in_doubt: usize,
    /// Documents that provably never arrived.
    pub failed: usize,
    /// Reports not posted because this cycle's poll did not show them as they were mapped.
    pub not_seen: usize,
    /// Those among them of which a document stands already: a person must undo the edit at the source, or reverse it.
    pub half: Vec<ReportId>,
}

pub(super) const POSTER: Actor = Actor::System {
    part: SystemActor::Poster,
};

impl<P: Ports> Desk<'_, P> {
    /// Posts every mapped report that this cycle's complete poll showed unchanged. One document after the other.
    pub async fn post(
        &self,
        roster: &Roster,
        in_force: InForce<'_>,
        seen: &BTreeMap<ReportId, MaterialHash>,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Posted, WorkflowError> {
        let mut posted = Posted::default();
        let ready = roster.select(|brief| {
            let stage = matches!(
                brief.stage,
                StageName::Mapped | StageName::Posting | StageName::PartlyPosted
            );
            stage && brief.lacks_a_document() && !brief.in_flight()
        });
        let basis = self.basis(in_force);
        let all = ready.len();
        for (done, report) in ready.into_iter().enumerate() {
            progress(done, all);
            if self.ports.stopping() {
                return Ok(posted);
            }
            match self
                .post_report(report, &basis, in_force, seen, &mut posted)
                .await
            {
                // Another instance is at it: its outcome is in the log, and the next cycle reads it.
                Err(WorkflowError::Journal(error)) if error.is_conflict() => {
                    tracing::info!(%report, "another instance wrote to the report first; left to it");
                }
                other => other?,
            }
        }
        progress(all, all);
        Ok(posted)
    }

    async fn post_report(
        &self,
        id: ReportId,
        basis: &Basis,
        in_force: InForce<'_>,
        seen: &BTreeMap<ReportId, MaterialHash>,
        posted: &mut Posted,
    ) -> Result<(), WorkflowError> {
        let mut loaded = self.load(id).await?;
        let Some(dossier) = loaded.report.dossier() else {
            return Ok(());
        };
        // Another instance has come between: it is at a document of this report, or left one in doubt. Beside that nothing
        // of it is sent, because a look would take the other document, which the log cannot explain yet, for a stranger.
        let under_way = |state: &DocumentState| {
            matches!(
                state,
                DocumentState::Sending { .. } | DocumentState::InDoubt { .. }
            )
        };
        if dossier.documents.iter().any(|file| under_way(&file.state)) {
            return Ok(());
        }
        if seen.get(&id) != Some(&dossier.capture.material_hash) {
            posted.not_seen += 1;
            if loaded.report.stage().touches_the_ledger() {
                posted.half.push(id);
            }
            return Ok(());
        }
        let intents = if loaded.report.stage().touches_the_ledger() {
            self.recoded(&loaded, in_force, seen.get(&id))
        } else if dossier.mapping.basis == *basis {
            let intent = |reference| Command::StartPosting {
                reference,
                owner: self.instance,
                in_force: basis.clone(),
                seen: seen.get(&id).cloned(),
            };
            let planned = dossier
                .documents
                .iter()
                .filter(|file| file.state == DocumentState::Planned);
            planned
                .map(|file| (file.document.reference, intent(file.document.reference)))
                .collect()
        } else {
            posted.not_seen += 1;
            return Ok(());
        };
        if intents.is_empty() {
            return Ok(());
        }
        let transactions: BTreeSet<TransactionId> = dossier
            .documents
            .iter()
            .filter(|file| !matches!(file.state, DocumentState::Reversed { .. }))
            .flat_map(|file| file.document.transactions())
            .cloned()
            .collect();

        let taken = self.claim(id, &loaded.report, &transactions).await?;
        self.ports.passing("claimed");
        if !taken.is_empty() {
            let reasons: Vec<_> = taken
                .iter()
                .map(|(transaction, owner)| claimed(transaction, *owner))
                .collect();
            if let (Stage::Mapped(_), Some(outcome)) =
                (loaded.report.stage(), self.outcome(&loaded.report, in_force))
            {
                self.record(
                    id,
                    loaded,
                    POSTER,
                    Command::Map(with_claims(outcome, &reasons, basis)),
                )
                .await?;
            }
            return Ok(());
        }
        for (reference, intent) in intents {
            loaded = self
                .post_document(id, loaded, reference, intent, in_force.heads, posted)
                .await?;
            // What is refused or in doubt stops the report: the rest of it waits for that.
            let goes_on = loaded
                .report
                .dossier()
                .and_then(|dossier| dossier.file(reference))
                .is_some_and(|file| matches!(file.state, DocumentState::Posted { .. }));
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// The missing documents of a report that stands in QAD in part, as the rules and the chart make them now. One that
    /// QAD refused is tried again only where it came out otherwise.
    fn recoded(
        &self,
        loaded: &Loaded,
        in_force: InForce<'_>,
        seen: Option<&MaterialHash>,
    ) -> Vec<(Reference, Command)> {
        let (Some(dossier), Some(MapOutcome::Mapped(mapping))) =
            (loaded.report.dossier(), self.outcome(&loaded.report, in_force))
        else {
            return Vec::new();
        };
        let again = |document: Arc<Document>| {
            let file = dossier.file(document.reference)?;
            let wanted = match file.state {
                DocumentState::Planned => true,
                DocumentState::Refused { .. } => file.document != document,
                _ => false,
            };
            let same_expenses = file.document.transactions() == document.transactions();
            (wanted && same_expenses).then(|| {
                let reference = document.reference;
                (
                    reference,
                    Command::StartRecoded {
                        document,
                        owner: self.instance,
                        seen: seen.cloned(),
                    },
                )
            })
        };
        mapping.documents.into_iter().filter_map(again).collect()
    }

    async fn post_document(
        &self,
        id: ReportId,
        loaded: Loaded,
        reference: Reference,
        intent: Command,
        heads: Heads,
        posted: &mut Posted,
    ) -> Result<Loaded, WorkflowError> {
        let untouched = loaded.clone();
        let loaded = match self.record(id, loaded, POSTER, intent).await {
            Ok((loaded, _)) => loaded,
            Err(WorkflowError::Refused {
                refusal: Refusal::Stale { .. } | Refusal::NotSeenAsMapped,
                ..
            }) => {
                posted.not_seen += 1;
                return Ok(untouched);
            }
            Err(error) => return Err(error),
        };
        if !self.stands(id, &loaded).await? {
            return Err(WorkflowError::NotOurs { report: id });
        }
        let declared = self.now();
        self.ports.passing("intent");
        let Some(document) = loaded
            .report
            .dossier()
            .and_then(|d| d.file(reference))
            .map(|file| file.document.clone())
        else {
            return Ok(loaded);
        };

        if !self.still_in_force(heads).await? {
            posted.failed += 1;
            let why =
                "nothing was sent: other rules or another chart came into force before the intent was written"
                    .to_owned();
            let command = Command::RecordFailed { reference, why };
            return Ok(self.record(id, loaded, POSTER, command).await?.0);
        }
        let before = self.look(id, &loaded.report, &document).await;
        self.ports.passing("looked");
        match &before {
            Shown::Absent => {}
            Shown::Unproven(detail) => {
                posted.failed += 1;
                let why = format!("nothing was sent: the look-up before sending proved nothing: {detail}");
                return Ok(self
                    .record(id, loaded, POSTER, Command::RecordFailed { reference, why })
                    .await?
                    .0);
            }
            Shown::Agrees { .. } | Shown::Incident(_) | Shown::Unread(_) => {
                if matches!(before, Shown::Agrees { .. }) {
                    posted.adopted += 1
                } else {
                    posted.in_doubt += 1
                }
                let since = self.now();
                let known = loaded.clone();
                let after = self
                    .record_shown(
                        id,
                        loaded,
                        &document,
                        &before,
                        Proof::Adopted,
                        Vec::new(),
                        &since,
                        SystemActor::Poster,
                    )
                    .await?;
                return Ok(after.unwrap_or(known));
            }
        }

        // Whoever took over meanwhile counts the quarantine from when it did: nothing may be sent after that, nor after a
        // pause so long (a suspended machine, say) that somebody could have.
        let paused = self.now().millis_since(&declared) > half(self.connection.quarantine);
        if paused || !self.stands_last(id, &loaded).await? {
            posted.failed += 1;
            let why =
                "nothing was sent: the intent was taken over, or was too old when the look-up came back"
                    .to_owned();
            let command = Command::RecordFailed { reference, why };
            return Ok(self.record(id, loaded, POSTER, command).await?.0);
        }

        let answer = self.ports.ledger().post(&document).await;
        // The quarantine counts from when the request is given up, not from when its outcome is judged.
        let given_up = self.now();
        self.ports.passing("sent");
        self.judge(id, loaded, &document, answer, given_up, posted).await
    }
}

fn half(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis() / 2).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::journal::tests::world::now;
    use crate::posting::tests::world::{Case, carded, owed, report};
    use crate::report::tests::samples::*;
    use crate::report::{Attempt, Doubt, ReportEvent};
    use crate::workflow::testing::{Plant, rules_in_force};

    /// What was sent of the invoice where this happened once the look-up before sending had come back.
    fn sent_though(happens: impl Fn(&Plant) + Send + Sync + 'static) -> Vec<Reference> {
        let plant = Plant::of(&two_planned()).where_at("looked", happens);
        let desk = plant.desk();
        let intent = Command::StartPosting {
            reference: i1(),
            owner: owner(),
            in_force: basis(1),
            seen: Some(payload().material_hash(SALT)),
        };
        let loaded = now(desk.load(report_id())).unwrap();
        let (heads, mut posted) = (Heads::default(), Posted::default());
        // Where another instance wrote to the report, that nothing was sent cannot be recorded either.
        let _ = now(desk.post_document(report_id(), loaded, i1(), intent, heads, &mut posted));
        drop(desk);
        plant.ledger.sent.into_inner().unwrap()
    }

    #[test]
    fn nothing_is_sent_later_than_half_a_quarantine_after_its_intent() {
        // The quarantine is 15 minutes.
        let pause = |millis| move |plant: &Plant| plant.world.wall.1.store(millis, Ordering::SeqCst);
        assert_eq!(sent_though(pause(450_000)), [i1()]);
        assert_eq!(sent_though(pause(450_001)), []);
    }

    #[test]
    fn nothing_is_sent_once_another_instance_wrote_behind_the_intent() {
        let abandoned = || in_doubt(i1(), Doubt::Abandoned { owner: owner() });
        assert_eq!(sent_though(move |plant| plant.keep(&[abandoned()])), []);
    }

    /// A report that stands in part: its invoice is posted as the rules make it, and QAD refused its journal.
    fn in_part(case: &Case) -> Vec<ReportEvent> {
        let mapping = case.mapped();
        let payload = Arc::new(case.payload.clone());
        let start = |document: &Arc<Document>| ReportEvent::PostingStarted {
            document: Arc::clone(document),
            attempt: Attempt(1),
            owner: owner(),
            material_hash: payload.material_hash(SALT),
        };
        let started = mapping.documents.iter().map(start).collect::<Vec<_>>();
        let [invoice, journal] = started.as_slice() else {
            panic!("{started:?}")
        };
        vec![
            discovered_as(payload.clone()),
            ReportEvent::Mapped(Arc::new(mapping.clone())),
            invoice.clone(),
            document_posted(i1()),
            journal.clone(),
            refused(j1()),
        ]
    }

    /// The documents that are sent again of a report that stands in part, under the rules of another case.
    fn sent_again(life: &[ReportEvent], under: &Case) -> Vec<Reference> {
        let plant = Plant::of(life);
        let (rules, chart) = (rules_in_force(&under.rules), under.chart());
        let in_force = InForce {
            rules: &rules,
            chart: &chart,
            heads: Heads::default(),
        };
        let desk = plant.desk();
        let loaded = now(desk.load(report_id())).unwrap();
        let intents = desk.recoded(&loaded, in_force, None);
        intents.into_iter().map(|(reference, _)| reference).collect()
    }

    #[test]
    fn what_qad_refused_beside_what_stands_is_sent_again_only_where_it_comes_out_otherwise() {
        let case = report(vec![owed(5_000), carded(4_500)]);
        let life = in_part(&case);
        assert_eq!(sent_again(&life, &case), []);
        let other_clearing = case.ruled("clearing = \"2161\"", "clearing = \"2160\"");
        assert_eq!(sent_again(&life, &other_clearing), [j1()]);
    }
}
