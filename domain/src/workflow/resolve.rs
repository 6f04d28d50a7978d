//! Step 3: settle what is in doubt, before anything new is sent (law 4).

use super::desk::{Desk, Loaded, WorkflowError};
use super::roster::Roster;
use super::settle::Shown;
use crate::ids::{Reference, ReportId};
use crate::journal::{Actor, SystemActor};
use crate::ports::Ports;
use crate::report::{Command, DocumentState, Doubt, Proof};

/// What the step came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Found in QAD and adopted.
    pub adopted: usize,
    /// Proven absent after the quarantine: planned again.
    pub absent: usize,
    /// Still in doubt: within the quarantine, or QAD did not say.
    pub waiting: usize,
    /// For a person to settle.
    pub incidents: usize,
}

impl<P: Ports> Desk<'_, P> {
    /// Looks up every document whose outcome nobody knows.
    pub async fn resolve(&self, roster: &Roster) -> Result<Resolved, WorkflowError> {
        let mut resolved = Resolved::default();
        for report in roster.select(super::roster::Brief::in_flight) {
            if self.ports.stopping() {
                break;
            }
            match self.resolve_report(report, &mut resolved).await {
                Err(WorkflowError::Journal(error)) if error.is_conflict() => resolved.waiting += 1,
                other => other?,
            }
        }
        Ok(resolved)
    }

    async fn resolve_report(&self, id: ReportId, resolved: &mut Resolved) -> Result<(), WorkflowError> {
        let mut loaded = self.load(id).await?;
        let in_flight: Vec<Reference> = loaded.report.dossier().map_or_else(Vec::new, |dossier| {
            let flying = |state: &DocumentState| {
                matches!(
                    state,
                    DocumentState::Sending { .. } | DocumentState::InDoubt { .. }
                )
            };
            dossier
                .documents
                .iter()
                .filter(|file| flying(&file.state))
                .map(|file| file.document.reference)
                .collect()
        });
        for reference in in_flight {
            loaded = self.resolve_document(id, loaded, reference, resolved).await?;
        }
        Ok(())
    }

    async fn resolve_document(
        &self,
        id: ReportId,
        mut loaded: Loaded,
        reference: Reference,
        resolved: &mut Resolved,
    ) -> Result<Loaded, WorkflowError> {
        let resolver = Actor::System {
            part: SystemActor::Resolver,
        };
        let Some(file) = loaded
            .report
            .dossier()
            .and_then(|dossier| dossier.file(reference))
            .cloned()
        else {
            return Ok(loaded);
        };
        let now = self.now();
        if let DocumentState::Sending { owner, .. } = file.state {
            // Whoever declared the intent is not at it in this cycle: it ended, or it will find that we wrote first.
            let command = Command::RecordDoubt {
                reference,
                doubt: Doubt::Abandoned { owner },
                since: now.clone(),
            };
            (loaded, _) = self.record(id, loaded, resolver.clone(), command).await?;
        }
        let since = match loaded
            .report
            .dossier()
            .and_then(|d| d.file(reference))
            .map(|f| &f.state)
        {
            Some(DocumentState::InDoubt { since, .. }) => since.clone(),
            _ => return Ok(loaded),
        };
        let over = now.millis_since(&since) >= quarantine_millis(self.connection.quarantine);
        let mut shown = self.look(id, &loaded.report, &file.document).await;
        if over && matches!(shown, Shown::Absent) {
            // What follows is that it may be sent again. The canary vouches for a question like this one and not for this
            // very answer: a single one that came back empty must not be enough.
            shown = self.look(id, &loaded.report, &file.document).await;
        }
        self.ports.passing("looked");
        match &shown {
            Shown::Absent if over => {
                if let Some(DocumentState::InDoubt {
                    doubt:
                        doubt @ (Doubt::Unread { key: Some(_), .. }
                        | Doubt::Differs { .. }
                        | Doubt::Duplicated { .. }),
                    ..
                }) = loaded
                    .report
                    .dossier()
                    .and_then(|d| d.file(reference))
                    .map(|f| &f.state)
                {
                    // QAD showed it before and does not now: that is not absence, and a person must look.
                    tracing::warn!(report = %id, %reference, doubt = doubt.describe(), "a document seen before is not shown now");
                    resolved.incidents += 1;
                    return Ok(loaded);
                }
                let why = format!(
                    "the look-up found nothing, its canary was found right after, and {} s have passed since the request was given up",
                    now.millis_since(&since) / 1_000
                );
                let (after, _) = self
                    .record(id, loaded, resolver, Command::RecordFailed { reference, why })
                    .await?;
                resolved.absent += 1;
                Ok(after)
            }
            Shown::Absent | Shown::Unproven(_) => {
                resolved.waiting += 1;
                Ok(loaded)
            }
            Shown::Agrees { .. } | Shown::Incident(_) | Shown::Unread(_) => {
                let known = loaded.clone();
                let after = self
                    .record_shown(
                        id,
                        loaded,
                        &file.document,
                        &shown,
                        Proof::Adopted,
                        Vec::new(),
                        &since,
                        SystemActor::Resolver,
                    )
                    .await?
                    .unwrap_or(known);
                match shown {
                    Shown::Agrees { .. } => resolved.adopted += 1,
                    Shown::Incident(_) => resolved.incidents += 1,
                    _ => resolved.waiting += 1,
                }
                Ok(after)
            }
        }
    }
}

fn quarantine_millis(quarantine: std::time::Duration) -> u64 {
    u64::try_from(quarantine.as_millis()).unwrap_or(u64::MAX)
}
