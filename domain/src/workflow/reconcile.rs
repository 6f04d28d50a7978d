//! The way out of recovery: each document in QAD that the log does not explain is adopted by the path of law 3 (claims,
//! intent, look, and adopted only where everything agrees), or told to a person. A desk that does this is one over
//! [`Looking`]: nothing can be sent from it.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::desk::{Desk, Loaded, WorkflowError};
use super::ledger_events::LedgerEvent;
use super::looking::Looking;
use super::map::{InForce, with_claims};
use super::obstacle::Obstacle;
use super::recovery::Held;
use super::resolve::Resolved;
use super::roster::Roster;
use super::settle::Shown;
use crate::ids::{Reference, ReportId, TransactionId};
use crate::journal::{Actor, SystemActor};
use crate::ports::{
    Ledger, LedgerError, Listed, ListingQuery, LookUp, Ports, Selection, Source, SourceError,
};
use crate::posting::{DocumentKey, Sighting};
use crate::report::{
    Command, DocumentState, Exclusion, MaterialHash, Payload, Proof, Reason, Report, Stage, StageName,
};

/// The most reports one job lists by id (contract expensify §12).
const BATCH: usize = 100;

const RECONCILER: Actor = Actor::System {
    part: SystemActor::Reconciler,
};

/// Why a reconciliation ended early. What it recorded until then stands, and the next one goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
    /// A person's word that QAD does not bear out, or that belongs elsewhere.
    #[error("{0}")]
    Contradicted(String),
}

/// A document that was adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// Its reference.
    pub reference: Reference,
    /// Where it stands.
    pub key: DocumentKey,
}

/// A document that is not explained for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// As QAD shows it.
    pub sighting: Sighting,
    /// Why.
    pub obstacle: Obstacle,
}

/// What the first half of a reconciliation came to.
#[derive(Debug, Default)]
pub struct Healed {
    /// What was found in doubt and settled, before anything else.
    pub resolved: Resolved,
    /// What was adopted.
    pub adopted: Vec<Adopted>,
    /// What could not be.
    pub left: Vec<Left>,
}

/// What the second half of a reconciliation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concluded {
    /// How many documents QAD shows with our references.
    pub documents: usize,
    /// Those that are not explained for good.
    pub left: Vec<Left>,
    /// The connection was in recovery, and this ended it.
    pub closed: bool,
}

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

/// What is in force and was seen while one reconciliation goes on.
struct Now<'a> {
    in_force: InForce<'a>,
    held: &'a Held,
    roster: &'a Roster,
}

impl<P: Ports> Desk<'_, Looking<'_, P>> {
    /// Adopts what can be adopted. Asks Expensify for each report that is concerned, whether or not it bears our label.
    pub async fn heal(&self, roster: &mut Roster) -> Result<Healed, ReconcileError> {
        roster
            .catch_up(self.ports.log())
            .await
            .map_err(WorkflowError::from)?;
        let version = self.rules_in_force().await?;
        let chart = self.refresh_chart().await?;
        chart.refreshed?;
        let mut healed = Healed {
            resolved: self.resolve(roster).await?,
            ..Healed::default()
        };
        let held = self.hold_against_the_log(roster).await??;
        self.see(&held.unexplained).await?;

        let mut by_report: BTreeMap<ReportId, Vec<Sighting>> = BTreeMap::new();
        for sighting in &held.unexplained {
            by_report
                .entry(sighting.reference.report)
                .or_default()
                .push(sighting.clone());
        }
        let now = Now {
            in_force: InForce {
                rules: &version,
                chart: &chart.chart,
            },
            held: &held,
            roster,
        };
        let reports: Vec<ReportId> = by_report.keys().copied().collect();
        for batch in reports.chunks(BATCH) {
            let (mut payloads, unreadable) = self.fetch(batch).await?;
            for report in batch {
                let Some(sightings) = by_report.get(report) else {
                    continue;
                };
                let result = match payloads.remove(report) {
                    Some(payload) => {
                        self.heal_report(*report, sightings, payload, &now, &mut healed)
                            .await
                    }
                    None => {
                        let why = if unreadable {
                            Obstacle::UnreadableAtSource
                        } else {
                            Obstacle::NotAtSource
                        };
                        healed.leave(seconds(&now, sightings, &why));
                        self.claim_as_known(*report, sightings).await
                    }
                };
                match result {
                    Err(WorkflowError::Journal(error)) if error.is_conflict() => {
                        healed.leave(all(sightings, &Obstacle::Busy));
                    }
                    other => other?,
                }
                self.ports.passing("healed");
            }
        }
        Ok(healed)
    }

    /// Holds QAD against the log once more. Where nothing is left, recovery ends.
    pub async fn conclude(&self, roster: &mut Roster, healed: &Healed) -> Result<Concluded, ReconcileError> {
        let held = self.hold_against_the_log(roster).await??;
        let mut left = Vec::new();
        for sighting in &held.shown {
            if roster.known().settles(sighting) {
                continue;
            }
            let told = healed.left.iter().find(|left| {
                left.sighting.reference == sighting.reference && left.sighting.key == sighting.key
            });
            let obstacle = match told {
                Some(left) => left.obstacle.clone(),
                None => self.doubt_of(sighting.reference).await?,
            };
            left.push(Left {
                sighting: sighting.clone(),
                obstacle,
            });
        }
        let closed = left.is_empty() && self.close_recovery(held.shown.len()).await?;
        Ok(Concluded {
            documents: held.shown.len(),
            left,
            closed,
        })
    }

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
                let taken = self.claim(id, &expenses).await?;
                Some(expenses.len().saturating_sub(taken.len()))
            }
        };
        let exclusion = Exclusion::Decided {
            reason: why.clone(),
            ledger_reference: Some(key.to_string()),
        };
        let (_, excluded) = self
            .act(id, actor.clone(), |report| {
                let clear = !matches!(report.stage(), Stage::Unseen | Stage::Excluded { .. });
                (clear && !report.stage().touches_the_ledger()).then(|| Command::Exclude(exclusion.clone()))
            })
            .await?;
        let event = LedgerEvent::LedgerDocumentExplained { reference, key, why };
        self.explain(actor, event).await?;
        Ok(Word::Recorded {
            excluded: excluded > 0,
            claimed,
        })
    }

    /// The reports of a batch as the source shows them, and whether it shows a line that cannot be read.
    async fn fetch(&self, batch: &[ReportId]) -> Result<(BTreeMap<ReportId, Payload>, bool), SourceError> {
        let query = ListingQuery {
            policies: self.connection.policies.clone(),
            selection: Selection::Reports(batch.to_vec()),
            without_label: None,
        };
        let mut lines = self.ports.source().list(&query).await?;
        let (mut payloads, mut unreadable) = (BTreeMap::new(), false);
        while let Some(line) = lines.next().await {
            match line? {
                Listed::Report(payload) => {
                    payloads.insert(payload.facts.report, *payload);
                }
                Listed::Unreadable { .. } => unreadable = true,
            }
        }
        Ok((payloads, unreadable))
    }

    /// Holds the expenses of a report that the source does not show, as far as the log knows them.
    async fn claim_as_known(&self, id: ReportId, sightings: &[Sighting]) -> Result<(), WorkflowError> {
        if sightings.iter().any(|one| !one.reversed) {
            let loaded = self.load(id).await?;
            self.claim(id, &expenses(&loaded.report)).await?;
        }
        Ok(())
    }

    async fn heal_report(
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
            self.claim(id, &expenses(&loaded.report)).await?
        } else {
            Vec::new()
        };
        let obstacles = obstacles(&loaded.report, sightings, now);
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
        let crate::report::MapOutcome::Mapped(mapping) = self.outcome(&loaded.report, in_force)? else {
            return None;
        };
        let document = mapping
            .documents
            .into_iter()
            .find(|document| document.reference == reference)?;
        Some(Command::StartRecoded {
            document: Box::new(document),
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

    /// What the log says of a document that is not settled.
    async fn doubt_of(&self, reference: Reference) -> Result<Obstacle, WorkflowError> {
        let loaded = self.load(reference.report).await?;
        let state = loaded
            .report
            .dossier()
            .and_then(|dossier| dossier.file(reference))
            .map(|file| &file.state);
        Ok(match state {
            Some(DocumentState::InDoubt { doubt, .. }) if doubt.is_incident() => Obstacle::Incident {
                doubt: doubt.describe(),
            },
            Some(DocumentState::InDoubt { doubt, .. }) => Obstacle::InDoubt {
                doubt: doubt.describe(),
            },
            Some(DocumentState::Sending { .. }) => Obstacle::InDoubt {
                doubt: "it is being sent".to_owned(),
            },
            _ => Obstacle::Fresh,
        })
    }
}

impl Healed {
    fn leave(&mut self, left: Vec<Left>) {
        self.left.extend(left);
    }
}

fn all(sightings: &[Sighting], obstacle: &Obstacle) -> Vec<Left> {
    let left = |sighting: &Sighting| Left {
        sighting: sighting.clone(),
        obstacle: obstacle.clone(),
    };
    sightings.iter().map(left).collect()
}

/// The expenses that a report carries to QAD: those on its documents; before it has any, all of them.
fn expenses(report: &Report) -> BTreeSet<TransactionId> {
    match (report.dossier(), report.capture()) {
        (Some(dossier), _) => {
            let documents = dossier.documents.iter();
            documents
                .flat_map(|file| file.document.transactions())
                .cloned()
                .collect()
        }
        (None, Some(capture)) => {
            let lines = capture.payload.facts.lines.iter();
            lines.map(|line| line.transaction.clone()).collect()
        }
        (None, None) => BTreeSet::new(),
    }
}

/// Seconds of what the log has elsewhere are that; the others have `why` in the way.
fn seconds(now: &Now<'_>, sightings: &[Sighting], why: &Obstacle) -> Vec<Left> {
    let left = |sighting: &Sighting| Left {
        sighting: sighting.clone(),
        obstacle: second(now, sighting).unwrap_or_else(|| why.clone()),
    };
    sightings.iter().map(left).collect()
}

fn second(now: &Now<'_>, sighting: &Sighting) -> Option<Obstacle> {
    let stood = now.roster.known().stood_at(sighting.reference);
    // Where it stands now, if it does: an earlier place of it may be reversed.
    let standing = |key: &&DocumentKey| now.held.shown.iter().any(|one| one.key == **key && !one.reversed);
    let stands = stood.iter().find(standing).or(stood.first())?;
    Some(Obstacle::Second {
        stands: stands.clone(),
    })
}

/// What keeps each of a report's unexplained documents from being looked for under an intent of the report as it is now.
/// Empty where nothing does.
fn obstacles(report: &Report, sightings: &[Sighting], now: &Now<'_>) -> Vec<Left> {
    let of = |sighting: &Sighting| {
        let obstacle = second(now, sighting).or_else(|| unfit(report, sighting))?;
        Some(Left {
            sighting: sighting.clone(),
            obstacle,
        })
    };
    sightings.iter().filter_map(of).collect()
}

/// Does a report as it is now expect this document? `None` where it does.
fn unfit(report: &Report, sighting: &Sighting) -> Option<Obstacle> {
    let said = |reasons: &[Reason]| {
        let list: Vec<String> = reasons.iter().map(|reason| reason.message.clone()).collect();
        list.join("; ")
    };
    let Some(dossier) = report.dossier() else {
        let why = match report.stage() {
            Stage::Rejected { reasons, .. } => format!("it is rejected ({})", said(reasons)),
            Stage::Held { reasons, .. } => format!("it is held ({})", said(reasons)),
            Stage::Excluded { .. } => "it is left out (`tieout replay` takes it in again)".to_owned(),
            other => format!("it is {}", other.name()),
        };
        return Some(if sighting.reversed {
            Obstacle::Reversed
        } else {
            Obstacle::MapsOtherwise { why }
        });
    };
    let reference = sighting.reference;
    match dossier.file(reference).map(|file| &file.state) {
        _ if sighting.reversed => Some(Obstacle::Reversed),
        Some(DocumentState::Planned | DocumentState::Refused { .. }) => None,
        Some(DocumentState::Posted { key, .. }) => Some(Obstacle::Second { stands: key.clone() }),
        Some(state) => Some(Obstacle::InDoubt {
            doubt: format!("the log has it as {}", state.name()),
        }),
        None => {
            let maps_to: Vec<Reference> = dossier
                .documents
                .iter()
                .map(|file| file.document.reference)
                .collect();
            Some(
                match maps_to.iter().find(|expected| expected.kind == reference.kind) {
                    Some(expected) => Obstacle::OtherGeneration { expected: *expected },
                    None => Obstacle::OtherKind { maps_to },
                },
            )
        }
    }
}

/// All or nothing for a report: where one of its documents cannot be looked for, the others wait for a person too.
fn beside(sightings: &[Sighting], obstacles: Vec<Left>) -> Vec<Left> {
    let mut left = obstacles;
    for sighting in sightings {
        if !left.iter().any(|one| one.sighting == *sighting) {
            left.push(Left {
                sighting: sighting.clone(),
                obstacle: Obstacle::BesideAnother,
            });
        }
    }
    left
}
