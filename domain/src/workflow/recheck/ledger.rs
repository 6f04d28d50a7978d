//! QAD again: every document of ours must still stand where it was posted, and the younger ones as they were posted.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Days, Utc};

use super::super::roster::{Brief, Roster};
use super::{Desk, Rechecked, WorkflowError};
use crate::ids::{Reference, ReportId};
use crate::ports::{Clock, Ledger, LedgerError, LookUp, Ports};
use crate::posting::{Difference, Document, DocumentKey, Sighting, differences};
use crate::report::{CaseName, Command, DocumentState, Proof, Report, ReportEvent};

/// How long after its posting a document is read back line by line. Its lines can be changed while its period is open,
/// and a month is closed within a fortnight of its end in most houses: 31 + 14 days. That a document was reversed or is
/// gone shows in the listing at any age, and one with an open case is read back until the case is closed.
const READ_BACK_FOR: Days = Days::new(45);

/// After so many documents in a row that QAD does not show when it is asked for them, it is not asked for more: it is down.
const IN_A_ROW: usize = 5;

/// A document that the log says is posted.
struct Standing {
    document: Arc<Document>,
    key: DocumentKey,
    /// When it was recorded as posted.
    since: DateTime<Utc>,
    /// Has it an open case?
    drifted: bool,
    /// A person said that it stands: what differed was accepted with that word, and its lines are not compared.
    decided: bool,
}

impl<P: Ports> Desk<'_, P> {
    /// Holds every posted document against what QAD shows of it now.
    pub(super) async fn recheck_ledger(
        &self,
        roster: &Roster,
        rechecked: &mut Rechecked,
    ) -> Result<(), WorkflowError> {
        let listed = match self.ports.ledger().list_ours().await {
            Ok(sightings) => by_reference(sightings),
            Err(error) => {
                let why = format!("QAD's documents could not be listed: {error}");
                rechecked.failures.push(why);
                return Ok(());
            }
        };
        let read_from = self.ports.clock().now() - READ_BACK_FOR;
        let mut silent = 0;
        for id in roster.select(Brief::is_posted) {
            for standing in self.standing(id).await? {
                if self.ports.stopping() {
                    let why = "the program was told to stop before every document was held against QAD";
                    rechecked.failures.push(why.to_owned());
                    return Ok(());
                }
                rechecked.held.documents += 1;
                let reference = standing.document.reference;
                let lines = !standing.decided && (standing.since >= read_from || standing.drifted);
                match self.found(id, &standing, &listed, lines, rechecked).await {
                    Ok(found) => {
                        silent = 0;
                        let command = match (found.is_empty(), standing.drifted) {
                            (true, false) => continue,
                            (true, true) => Command::ConfirmDocument { reference },
                            (false, _) => Command::RaiseDocumentDrift {
                                reference,
                                differences: found,
                            },
                        };
                        let noted = self
                            .note(id, |report| {
                                stands(report, reference, &standing.key).then(|| command.clone())
                            })
                            .await?;
                        rechecked.held.add(noted);
                    }
                    Err(error) => {
                        silent += 1;
                        rechecked.held.unread.push((reference, error.to_string()));
                        if silent >= IN_A_ROW || matches!(error, LedgerError::Unauthorised { .. }) {
                            let why = format!("QAD stopped showing documents that it lists: {error}");
                            rechecked.failures.push(why);
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The posted documents of a report.
    async fn standing(&self, id: ReportId) -> Result<Vec<Standing>, WorkflowError> {
        let (entries, _) = self.journal.read::<ReportEvent>(&self.streams.report(id)).await?;
        let report = Report::fold(entries.iter().map(|entry| &entry.event));
        let since = |wanted: Reference| {
            entries.iter().rev().find_map(|entry| match &entry.event {
                ReportEvent::DocumentPosted { reference, .. } if *reference == wanted => {
                    Some(entry.envelope.recorded_at)
                }
                _ => None,
            })
        };
        let posted = |file: &crate::report::DocumentFile| match &file.state {
            DocumentState::Posted { key, proof, .. } => Some(Standing {
                document: Arc::clone(&file.document),
                key: key.clone(),
                since: since(file.document.reference)?,
                decided: *proof == Proof::Decided,
                drifted: report.has_case(CaseName::DocumentDrifted, Some(file.document.reference)),
            }),
            _ => None,
        };
        let documents = report.dossier().map(|dossier| dossier.documents.as_slice());
        Ok(documents.unwrap_or_default().iter().filter_map(posted).collect())
    }

    /// In what QAD differs from what was posted; empty where it does not. An error says nothing.
    async fn found(
        &self,
        id: ReportId,
        standing: &Standing,
        listed: &BTreeMap<Reference, Vec<Sighting>>,
        lines: bool,
        rechecked: &mut Rechecked,
    ) -> Result<Vec<Difference>, LedgerError> {
        let reference = standing.document.reference;
        let here = listed.get(&reference).map(Vec::as_slice).unwrap_or_default();
        let mut found = told(&standing.key, here);
        if !here.iter().any(|sighting| sighting.key == standing.key) {
            // A listing of everything is long. What it does not show is looked up on its own before anything is said.
            let sightings = match self.ports.ledger().look_up(id).await? {
                LookUp::Found(sightings) => sightings,
                LookUp::Absent => Vec::new(),
            };
            let here: Vec<Sighting> = sightings
                .into_iter()
                .filter(|sighting| sighting.reference == reference)
                .collect();
            found = told(&standing.key, &here);
        }
        if found.is_empty() && lines {
            let held = self.ports.ledger().read_back(reference, &standing.key).await?;
            rechecked.held.read_back += 1;
            found = differences(&standing.document, &held);
            if held.reversed {
                found.push(state("reversed"));
            }
        }
        Ok(found)
    }
}

fn by_reference(sightings: Vec<Sighting>) -> BTreeMap<Reference, Vec<Sighting>> {
    let mut by_reference: BTreeMap<Reference, Vec<Sighting>> = BTreeMap::new();
    for sighting in sightings {
        by_reference.entry(sighting.reference).or_default().push(sighting);
    }
    by_reference
}

fn stands(report: &Report, reference: Reference, key: &DocumentKey) -> bool {
    let file = report.dossier().and_then(|dossier| dossier.file(reference));
    file.is_some_and(|file| matches!(&file.state, DocumentState::Posted { key: at, .. } if at == key))
}

fn state(held: &str) -> Difference {
    Difference {
        field: "state".to_owned(),
        sent: "posted".to_owned(),
        held: held.to_owned(),
    }
}

/// What the documents that bear its reference say of one that was posted at a key.
fn told(key: &DocumentKey, here: &[Sighting]) -> Vec<Difference> {
    let others: Vec<String> = here
        .iter()
        .filter(|sighting| sighting.key != *key && !sighting.reversed)
        .map(|sighting| sighting.key.to_string())
        .collect();
    let mut found = Vec::new();
    match here.iter().find(|sighting| sighting.key == *key) {
        Some(at) if at.reversed => found.push(state("reversed")),
        Some(_) => {}
        None if others.is_empty() => found.push(state("nothing")),
        None => {}
    }
    if !others.is_empty() {
        let stands_too = here
            .iter()
            .any(|sighting| sighting.key == *key && !sighting.reversed);
        let mut vouchers = others;
        if stands_too {
            vouchers.insert(0, key.to_string());
        }
        found.push(Difference {
            field: "voucher".to_owned(),
            sent: key.to_string(),
            held: vouchers.join(" and "),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::AfterReversal;
    use crate::report::tests::samples::{both_posted, i1, j1, key, reversed, shown_at, two_planned};

    fn at(voucher: u64, reversed: bool) -> Sighting {
        Sighting {
            reversed,
            ..shown_at(i1(), voucher)
        }
    }

    fn words(here: &[Sighting]) -> Vec<String> {
        told(&key(i1()), here).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_qad_lists_is_told_apart_by_reference_and_two_of_one_reference_stay_together() {
        let journal = Sighting {
            reference: j1(),
            key: key(j1()),
            reversed: false,
        };
        let listed = vec![at(4_711, false), journal.clone(), at(4_800, true)];
        assert_eq!(
            by_reference(listed),
            BTreeMap::from([
                (i1(), vec![at(4_711, false), at(4_800, true)]),
                (j1(), vec![journal])
            ])
        );
    }

    #[test]
    fn a_document_stands_only_where_the_log_has_it_as_posted_now() {
        let stands =
            |life: &[ReportEvent], voucher| stands(&Report::fold(life), i1(), &at(voucher, false).key);
        assert!(stands(&both_posted(), 4_711));
        assert!(!stands(&both_posted(), 4_800), "at another voucher");
        assert!(!stands(&two_planned(), 4_711), "it was not sent");
        let reversed = [both_posted(), vec![reversed(i1(), AfterReversal::Excluded)]].concat();
        assert!(!stands(&reversed, 4_711), "it was reversed since");
    }

    #[test]
    fn what_stands_where_it_was_posted_is_no_drift_whatever_was_reversed_beside_it() {
        assert!(words(&[at(4_711, false)]).is_empty());
        assert!(words(&[at(4_711, false), at(4_700, true)]).is_empty());
    }

    #[test]
    fn what_is_reversed_gone_elsewhere_or_there_twice_is_said_with_both_values() {
        let both = |difference: &Difference| {
            (
                difference.field.clone(),
                difference.sent.clone(),
                difference.held.clone(),
            )
        };
        let one = |here: &[Sighting]| told(&key(i1()), here).iter().map(both).collect::<Vec<_>>();
        let said =
            |field: &str, sent: &str, held: &str| vec![(field.to_owned(), sent.to_owned(), held.to_owned())];
        assert_eq!(one(&[]), said("state", "posted", "nothing"));
        assert_eq!(one(&[at(4_700, true)]), said("state", "posted", "nothing"));
        assert_eq!(one(&[at(4_711, true)]), said("state", "posted", "reversed"));
        assert_eq!(
            one(&[at(4_800, false)]),
            said("voucher", "2026/EXPINV/4711", "2026/EXPINV/4800")
        );
        assert_eq!(
            one(&[at(4_711, false), at(4_800, false)]),
            said(
                "voucher",
                "2026/EXPINV/4711",
                "2026/EXPINV/4711 and 2026/EXPINV/4800"
            )
        );
    }
}
