//! Step 3: settle what is in doubt, before anything new is sent (law 4).

use std::collections::BTreeSet;
use std::time::Duration;

use super::desk::{Desk, Loaded, WorkflowError};
use super::duplicate::worse;
use super::roster::Roster;
use super::settle::Shown;
use crate::ids::{Reference, ReportId};
use crate::journal::{Actor, SystemActor};
use crate::ports::Ports;
use crate::report::{Command, DocumentFile, DocumentState, Doubt, Proof};
use crate::time::Moment;

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
                other => drop(other?),
            }
        }
        Ok(resolved)
    }

    /// The step of a cycle, whose roster is that of the log: looks up those documents in doubt that are due (see
    /// [`delay_after`](super::delay_after)); a process that has just begun, all.
    pub async fn resolve_due(&self, roster: &mut Roster) -> Result<Resolved, WorkflowError> {
        let flying = flying(roster);
        roster
            .looks()
            .keep(|report, reference| flying.contains(&(report, reference)));
        self.look_up_due(roster).await
    }

    /// The same between two cycles, for what was in doubt when the last one ended. What other instances are at by now is
    /// left to them.
    pub async fn resolve_between(&self, roster: &mut Roster) -> Result<Resolved, WorkflowError> {
        self.look_up_due(roster).await
    }

    async fn look_up_due(&self, roster: &mut Roster) -> Result<Resolved, WorkflowError> {
        let mut resolved = Resolved::default();
        let flying = flying(roster);
        let reports: BTreeSet<ReportId> = flying.iter().map(|(report, _)| *report).collect();
        for report in reports {
            if self.ports.stopping() {
                break;
            }
            let now = self.now();
            let own: Vec<Reference> = flying
                .iter()
                .filter(|(of, _)| *of == report)
                .map(|(_, reference)| *reference)
                .collect();
            let looked = roster.looked();
            let due = |reference: &Reference| {
                looked
                    .due_in(report, *reference, &now, self.connection.quarantine)
                    .is_zero()
            };
            if !own.iter().any(due) {
                let incidents = own
                    .iter()
                    .filter(|reference| looked.is_incident(report, **reference))
                    .count();
                resolved.incidents += incidents;
                resolved.waiting += own.len() - incidents;
                continue;
            }
            let before = resolved.incidents;
            match self.resolve_report(report, &mut resolved).await {
                Err(WorkflowError::Journal(error)) if error.is_conflict() => {
                    resolved.waiting += 1;
                    for reference in own {
                        roster
                            .looks()
                            .note(report, reference, now.clone(), now.clone(), false);
                    }
                }
                other => {
                    let loaded = other?;
                    for reference in own {
                        roster.looks().settle(report, reference, now.clone());
                    }
                    // One that was seen before and is shown no more is for a person too, and its doubt does not say so.
                    let told = resolved.incidents > before;
                    for (reference, since, incident) in still_in_doubt(&loaded) {
                        let incident = incident || told;
                        roster
                            .looks()
                            .note(report, reference, since, now.clone(), incident);
                    }
                }
            }
        }
        Ok(resolved)
    }

    /// How long until a document in doubt is due to be looked up; `None` while nothing is in doubt.
    pub fn next_look(&self, roster: &Roster) -> Option<Duration> {
        let now = self.now();
        flying(roster)
            .into_iter()
            .map(|(report, reference)| {
                roster
                    .looked()
                    .due_in(report, reference, &now, self.connection.quarantine)
            })
            .min()
    }

    async fn resolve_report(&self, id: ReportId, resolved: &mut Resolved) -> Result<Loaded, WorkflowError> {
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
        Ok(loaded)
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
        let (mut since, known) = match loaded
            .report
            .dossier()
            .and_then(|d| d.file(reference))
            .map(|f| &f.state)
        {
            Some(DocumentState::InDoubt { since, doubt, .. }) => (since.clone(), doubt.clone()),
            _ => return Ok(loaded),
        };
        if now.was_set_back_since(&since) {
            let command = Command::RecordDoubt {
                reference,
                doubt: known.clone(),
                since: now.clone(),
            };
            (loaded, _) = self.record(id, loaded, resolver.clone(), command).await?;
            since = now.clone();
        }
        let over = now.millis_since(&since) >= quarantine_millis(self.connection.quarantine);
        let mut shown = self.look(id, &loaded.report, &file.document).await;
        if over && matches!(shown, Shown::Absent) {
            // What follows is that it may be sent again. The canary vouches for a question like this one and not for this
            // very answer: a single one that came back empty must not be enough.
            shown = self.look(id, &loaded.report, &file.document).await;
        }
        self.ports.passing("looked");
        if known.is_incident() {
            // Only a person settles it, whatever is shown now: what a look-up finds may only make it worse.
            resolved.incidents += 1;
            let Some(doubt) = worse(&known, &shown) else {
                return Ok(loaded);
            };
            let command = Command::RecordDoubt {
                reference,
                doubt,
                since,
            };
            return Ok(self.record(id, loaded, resolver, command).await?.0);
        }
        match &shown {
            Shown::Absent if over => {
                if matches!(known, Doubt::Unread { key: Some(_), .. }) {
                    // QAD showed it before and does not now: that is not absence, and a person must look.
                    tracing::warn!(report = %id, %reference, doubt = known.describe(), "a document seen before is not shown now");
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

fn flying(roster: &Roster) -> BTreeSet<(ReportId, Reference)> {
    roster
        .iter()
        .flat_map(|(report, brief)| brief.flying().map(move |reference| (report, reference)))
        .collect()
}

/// The documents of a report that are still in doubt: since when, and whether only a person settles them.
fn still_in_doubt(loaded: &Loaded) -> Vec<(Reference, Moment, bool)> {
    let doubt = |file: &DocumentFile| match &file.state {
        DocumentState::InDoubt { since, doubt, .. } => {
            Some((file.document.reference, since.clone(), doubt.is_incident()))
        }
        _ => None,
    };
    loaded.report.dossier().map_or_else(Vec::new, |dossier| {
        dossier.documents.iter().filter_map(doubt).collect()
    })
}

fn quarantine_millis(quarantine: std::time::Duration) -> u64 {
    u64::try_from(quarantine.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::journal::tests::world::now;
    use crate::report::ReportEvent;
    use crate::report::tests::samples::*;
    use crate::workflow::testing::Plant;

    fn sent() -> Vec<ReportEvent> {
        [two_planned(), vec![started(i1())]].concat()
    }

    fn doubtful(doubt: Doubt) -> Plant {
        Plant::of(&[sent(), vec![in_doubt(i1(), doubt)]].concat())
    }

    fn seen_and_unread() -> Doubt {
        Doubt::Unread {
            key: Some(key(i1())),
            detail: "503".into(),
        }
    }

    /// So long after the document came into doubt.
    fn after(plant: Plant, quarantine: u64) -> Plant {
        plant.world.wall.1.store(60_000 + quarantine, Ordering::SeqCst);
        plant
    }

    fn waiting() -> Resolved {
        Resolved {
            waiting: 1,
            ..Resolved::default()
        }
    }

    fn for_a_person() -> Resolved {
        Resolved {
            incidents: 1,
            ..Resolved::default()
        }
    }

    /// What two looks in a row come to; the second is not due yet, and says what the first one found.
    fn twice(plant: &Plant) -> [Resolved; 2] {
        let mut roster = plant.roster();
        let desk = plant.desk();
        [0, 1].map(|_| now(desk.resolve_due(&mut roster)).unwrap())
    }

    #[test]
    fn what_qad_does_not_show_waits_until_its_quarantine_has_ended() {
        let fifteen_minutes = 900_000;
        let early = after(doubtful(unknown()), fifteen_minutes - 1);
        assert_eq!(twice(&early), [waiting(), waiting()]);
        assert_eq!(early.count("PostingFailed"), 0);
        let ended = after(doubtful(unknown()), fifteen_minutes);
        let absent = Resolved {
            absent: 1,
            ..Resolved::default()
        };
        assert_eq!(twice(&ended)[0], absent);
        assert_eq!(ended.count("PostingFailed"), 1);
    }

    #[test]
    fn what_was_seen_and_is_not_shown_after_the_quarantine_is_for_a_person_and_stays_so() {
        let seen = after(doubtful(seen_and_unread()), 900_000);
        assert_eq!(twice(&seen), [for_a_person(), for_a_person()]);
        assert_eq!(seen.count("PostingFailed"), 0, "that is no absence");
    }

    #[test]
    fn what_only_a_person_settles_is_counted_as_that_at_every_look() {
        assert_eq!(twice(&doubtful(differs(i1()))), [for_a_person(), for_a_person()]);
    }

    #[test]
    fn two_under_the_reference_are_for_a_person() {
        let mut plant = Plant::of(&sent());
        plant.ledger.shows = vec![shown_at(i1(), 1), shown_at(i1(), 2)];
        assert_eq!(twice(&plant)[0], for_a_person());
    }

    #[test]
    fn one_that_is_shown_and_cannot_be_read_back_waits() {
        let mut plant = Plant::of(&sent());
        plant.ledger.shows = vec![shown_at(i1(), 4_711)];
        assert_eq!(twice(&plant)[0], waiting());
    }

    #[test]
    fn where_another_instance_wrote_first_the_document_waits_for_what_it_comes_to() {
        let overtaken = || {
            let plant = Plant::of(&sent());
            plant.overtaken_by(in_doubt(i1(), unknown()));
            plant
        };
        let plant = overtaken();
        assert_eq!(now(plant.desk().resolve(&plant.roster())).unwrap(), waiting());
        assert_eq!(twice(&overtaken())[0], waiting());
    }
}
