//! One report's documents, adopted by the path of law 3: capture, map, claims, intent, look, and adopted only where
//! everything agrees. The desk is one over [`Looking`]: nothing can be sent from it.

use std::collections::BTreeSet;

use super::desk::{Desk, Loaded, WorkflowError};
use super::fit::{all, beside, expenses};
use super::in_force::InForce;
use super::looking::Looking;
use super::map::with_claims;
use super::obstacle::Obstacle;
use super::reconcile::{Adopted, Healed, Now, RECONCILER};
use super::settle::Shown;
use crate::ids::{Reference, ReportId};
use crate::journal::SystemActor;
use crate::ports::Ports;
use crate::posting::Sighting;
use crate::report::{Command, MapOutcome, MaterialHash, Payload, Proof, StageName};

impl<P: Ports> Desk<'_, Looking<'_, P>> {
    /// Adopts a report's unexplained documents, or says what keeps them: all of them, or none.
    pub(super) async fn heal_report(
        &self,
        id: ReportId,
        sightings: &[Sighting],
        payload: Payload,
        now: &Now<'_>,
        healed: &mut Healed,
    ) -> Result<(), WorkflowError> {
        let (loaded, seen) = self.capture(id, payload).await?;
        let mut loaded = self.map_as_captured(id, loaded, now.in_force).await?;
        // The claims come first, whatever becomes of the documents: no other report may carry these expenses to QAD.
        let stands = sightings.iter().any(|one| !one.reversed);
        let taken = if stands {
            self.claim(id, &loaded.report, &expenses(&loaded.report)).await?
        } else {
            Vec::new()
        };
        let obstacles = now.listing.obstacles(&loaded.report, sightings);
        if !obstacles.is_empty() {
            healed.leave(beside(sightings, obstacles));
            return Ok(());
        }
        if !taken.is_empty() {
            healed.leave(all(sightings, &Obstacle::ExpenseElsewhere { taken }));
            return Ok(());
        }
        let references: BTreeSet<Reference> = sightings.iter().map(|one| one.reference).collect();
        for reference in references {
            let own: Vec<Sighting> = sightings
                .iter()
                .filter(|one| one.reference == reference)
                .cloned()
                .collect();
            let Some(intent) = self.intent(&loaded, reference, &seen, now.in_force) else {
                let why = "the missing document comes out otherwise now".to_owned();
                healed.leave(all(&own, &Obstacle::MapsOtherwise { why }));
                continue;
            };
            loaded = match self.record(id, loaded.clone(), RECONCILER, intent).await {
                Ok((loaded, _)) => loaded,
                Err(WorkflowError::Refused { refusal, .. }) => {
                    let why = refusal.to_string();
                    healed.leave(all(&own, &Obstacle::MapsOtherwise { why }));
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !self.stands(id, &loaded).await? {
                return Err(WorkflowError::NotOurs { report: id });
            }
            self.ports.passing("intent");
            loaded = self.adopt(id, loaded, reference, &own, healed).await?;
        }
        Ok(())
    }

    /// Captures a report as the source shows it; with the hash it shows, under the report's own salt.
    async fn capture(
        &self,
        id: ReportId,
        payload: Payload,
    ) -> Result<(Loaded, Option<MaterialHash>), WorkflowError> {
        let salt_of = |payload: &Payload| payload.personal.known().map(|personal| personal.salt.clone());
        let fresh = salt_of(&payload).unwrap_or_default();
        let mut seen = None;
        let (loaded, _) = self
            .act(id, RECONCILER, |report| {
                let own = report.capture().and_then(|capture| salt_of(&capture.payload));
                seen = Some(payload.material_hash(own.as_deref().unwrap_or(&fresh)));
                Some(Command::Observe(Box::new(payload.clone())))
            })
            .await?;
        Ok((loaded, seen))
    }

    /// Maps an open report under what is in force now. One that QAD refused is judged anew: QAD shows it, after all.
    async fn map_as_captured(
        &self,
        id: ReportId,
        loaded: Loaded,
        in_force: InForce<'_>,
    ) -> Result<Loaded, WorkflowError> {
        let open = [
            StageName::Discovered,
            StageName::Mapped,
            StageName::Rejected,
            StageName::Held,
        ];
        if !open.contains(&loaded.report.stage().name()) {
            return Ok(loaded);
        }
        let claimed = self.claimed_elsewhere(id, &loaded.report).await?;
        let Some(outcome) = self.outcome(&loaded.report, in_force) else {
            return Ok(loaded);
        };
        let command = Command::Map(with_claims(outcome, &claimed, &self.basis(in_force)));
        Ok(self.record(id, loaded, RECONCILER, command).await?.0)
    }

    /// The intent to find a document: as it is planned, or, beside one that stands, as the rules make it now.
    fn intent(
        &self,
        loaded: &Loaded,
        reference: Reference,
        seen: &Option<MaterialHash>,
        in_force: InForce<'_>,
    ) -> Option<Command> {
        if !loaded.report.stage().touches_the_ledger() {
            return Some(Command::StartPosting {
                reference,
                owner: self.instance,
                in_force: self.basis(in_force),
                seen: seen.clone(),
            });
        }
        let MapOutcome::Mapped(mapping) = self.outcome(&loaded.report, in_force)? else {
            return None;
        };
        let document = mapping
            .documents
            .into_iter()
            .find(|document| document.reference == reference)?;
        Some(Command::StartRecoded {
            document,
            owner: self.instance,
            seen: seen.clone(),
        })
    }

    /// Looks for a document whose intent is on record. Found, once and equal: adopted. Nothing is sent, whatever is shown.
    async fn adopt(
        &self,
        id: ReportId,
        loaded: Loaded,
        reference: Reference,
        own: &[Sighting],
        healed: &mut Healed,
    ) -> Result<Loaded, WorkflowError> {
        let Some(document) = loaded
            .report
            .dossier()
            .and_then(|dossier| dossier.file(reference))
            .map(|file| file.document.clone())
        else {
            return Ok(loaded);
        };
        let shown = self.look(id, &loaded.report, &document).await;
        self.ports.passing("looked");
        match &shown {
            Shown::Agrees { key, .. } => healed.adopted.push(Adopted {
                reference,
                key: key.clone(),
            }),
            Shown::Incident(doubt) => {
                let doubt = doubt.describe();
                healed.leave(all(own, &Obstacle::Incident { doubt }));
            }
            Shown::Unread(doubt) => {
                let doubt = doubt.describe();
                healed.leave(all(own, &Obstacle::InDoubt { doubt }));
            }
            Shown::Absent | Shown::Unproven(_) => {
                let detail = match &shown {
                    Shown::Unproven(detail) => detail.as_str(),
                    _ => "the look-up does not show what the listing did",
                };
                let why = format!("nothing was sent: recovery only looks, and {detail}");
                healed.leave(all(
                    own,
                    &Obstacle::InDoubt {
                        doubt: detail.to_owned(),
                    },
                ));
                let command = Command::RecordFailed { reference, why };
                return Ok(self.record(id, loaded, RECONCILER, command).await?.0);
            }
        }
        let since = self.now();
        let known = loaded.clone();
        let after = self
            .record_shown(
                id,
                loaded,
                &document,
                &shown,
                Proof::Adopted,
                Vec::new(),
                &since,
                SystemActor::Reconciler,
            )
            .await?;
        Ok(after.unwrap_or(known))
    }
}
