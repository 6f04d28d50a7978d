//! The way out of recovery: each document in QAD that the log does not explain is adopted by the path of law 3 (claims,
//! intent, look, and adopted only where everything agrees), or told to a person. A desk that does this is one over
//! [`Looking`]: nothing can be sent from it.

use std::collections::BTreeMap;

use futures::StreamExt;

use super::desk::{Desk, WorkflowError};
use super::fit::{Left, Listing, all, expenses};
use super::in_force::{Heads, InForce};
use super::looking::Looking;
use super::obstacle::Obstacle;
use super::resolve::Resolved;
use super::roster::Roster;
use crate::ids::{Reference, ReportId};
use crate::journal::{Actor, SystemActor};
use crate::ports::{LedgerError, Listed, ListingQuery, Ports, Selection, Source, SourceError, SourceStates};
use crate::posting::{DocumentKey, Sighting};
use crate::report::{DocumentState, Payload};

/// The most reports one job lists by id (contract expensify §12).
const BATCH: usize = 100;

pub(super) const RECONCILER: Actor = Actor::System {
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

/// What is in force and was seen while one reconciliation goes on.
pub(super) struct Now<'a> {
    pub(super) in_force: InForce<'a>,
    pub(super) listing: Listing<'a>,
}

impl<P: Ports> Desk<'_, Looking<'_, P>> {
    /// Adopts what can be adopted. Asks Expensify for each report that is concerned, whether or not it bears our label.
    /// `progress` is told how many of how many reports are done.
    pub async fn heal(
        &self,
        roster: &mut Roster,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Healed, ReconcileError> {
        roster
            .catch_up(self.ports.log())
            .await
            .map_err(WorkflowError::from)?;
        let (rules, rules_head) = self.some_rules_in_force().await?;
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
                rules: &rules,
                chart: &chart.chart,
                heads: Heads {
                    rules: rules_head,
                    chart: chart.head,
                },
            },
            listing: Listing {
                held: &held,
                known: roster.known(),
            },
        };
        let reports: Vec<ReportId> = by_report.keys().copied().collect();
        let mut done = 0;
        for batch in reports.chunks(BATCH) {
            let (mut payloads, unreadable) = self.fetch(batch).await?;
            for report in batch {
                progress(done, reports.len());
                done += 1;
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
                        healed.leave(now.listing.seconds(sightings, &why));
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

    /// The reports of a batch as the source shows them, and whether it shows a line that cannot be read.
    async fn fetch(&self, batch: &[ReportId]) -> Result<(BTreeMap<ReportId, Payload>, bool), SourceError> {
        let query = ListingQuery {
            policies: self.connection.policies.clone(),
            selection: Selection::Reports(batch.to_vec()),
            without_label: None,
            // Closed ones too: what was posted may have been closed since.
            states: SourceStates::AlsoClosed,
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
            self.claim(id, &loaded.report, &expenses(&loaded.report)).await?;
        }
        Ok(())
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
    pub(super) fn leave(&mut self, left: Vec<Left>) {
        self.left.extend(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::world::now;
    use crate::report::tests::samples::*;
    use crate::report::{Doubt, ReportEvent};
    use crate::workflow::testing::Plant;

    fn at(voucher: u64) -> Sighting {
        shown_at(i1(), voucher)
    }

    /// A connection whose report had this life, and whose QAD shows these.
    fn plant(life: &[ReportEvent], shows: &[Sighting]) -> Plant {
        let mut plant = Plant::of(life);
        plant.ledger.shows = shows.to_vec();
        plant
    }

    /// What is left after the second half, where the first half left this.
    fn concluded(plant: &Plant, left: Vec<Left>) -> Vec<Obstacle> {
        let healed = Healed {
            left,
            ..Healed::default()
        };
        let world = Looking::at(plant);
        let desk = Desk::for_command(&world, &plant.connection, owner(), "reconcile --ledger");
        let concluded = now(desk.conclude(&mut plant.roster(), &healed)).unwrap();
        concluded.left.into_iter().map(|left| left.obstacle).collect()
    }

    #[test]
    fn each_document_is_left_for_what_was_in_its_own_way() {
        let (one, other) = (at(1), at(2));
        let both = plant(&[discovered()], &[one.clone(), other.clone()]);
        let left = |sighting: &Sighting, obstacle| Left {
            sighting: sighting.clone(),
            obstacle,
        };
        let told = vec![
            left(&other, Obstacle::Reversed),
            left(&one, Obstacle::NotAtSource),
        ];
        assert_eq!(
            concluded(&both, told),
            [Obstacle::NotAtSource, Obstacle::Reversed]
        );
    }

    #[test]
    fn what_came_up_since_the_first_half_is_fresh() {
        let news = plant(&[discovered()], &[at(1)]);
        assert_eq!(concluded(&news, Vec::new()), [Obstacle::Fresh]);
        let beside = Left {
            sighting: at(2),
            obstacle: Obstacle::Reversed,
        };
        assert_eq!(concluded(&news, vec![beside]), [Obstacle::Fresh]);
    }

    #[test]
    fn what_is_not_settled_says_whether_it_waits_for_a_look_up_or_for_a_person() {
        let sent = [two_planned(), vec![started(i1())]].concat();
        let told = |life: &[ReportEvent]| concluded(&plant(life, &[at(1)]), Vec::new());
        let being_sent = Obstacle::InDoubt {
            doubt: "it is being sent".to_owned(),
        };
        assert_eq!(told(&sent), [being_sent]);
        let doubtful = |doubt: Doubt| [sent.clone(), vec![in_doubt(i1(), doubt)]].concat();
        let waits = Obstacle::InDoubt {
            doubt: unknown().describe(),
        };
        assert_eq!(told(&doubtful(unknown())), [waits]);
        let for_a_person = Obstacle::Incident {
            doubt: differs(i1()).describe(),
        };
        assert_eq!(told(&doubtful(differs(i1()))), [for_a_person]);
    }

    #[test]
    fn recovery_ends_only_where_nothing_is_left() {
        let posted = plant(&both_posted(), &[at(4_711)]);
        assert_eq!(concluded(&posted, Vec::new()), []);
    }

    /// How many expenses are held for a report that Expensify no longer shows.
    fn held_though_gone(reversed: bool) -> usize {
        let plant = Plant::of(&[discovered(), mapped_one()]);
        let world = Looking::at(&plant);
        let desk = Desk::for_command(&world, &plant.connection, owner(), "reconcile --ledger");
        let sighting = Sighting { reversed, ..at(1) };
        now(desk.claim_as_known(report_id(), &[sighting])).unwrap();
        plant.count("ExpenseClaimed")
    }

    #[test]
    fn the_expenses_of_what_stands_in_qad_are_held_though_expensify_shows_the_report_no_more() {
        assert_eq!(held_though_gone(false), 1);
        assert_eq!(held_though_gone(true), 0, "what was reversed carries none");
    }
}
