//! Does a report, as it is now, expect a document that QAD shows and the log does not explain? Pure: what keeps it from being
//! looked for under an intent of its report.

use std::collections::BTreeSet;

use super::known::Known;
use super::obstacle::Obstacle;
use super::recovery::Held;
use crate::ids::{Reference, TransactionId};
use crate::posting::{DocumentKey, Sighting};
use crate::report::{DocumentState, Reason, Report, Stage};

/// A document that is not explained for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// As QAD shows it.
    pub sighting: Sighting,
    /// Why.
    pub obstacle: Obstacle,
}

/// What QAD shows, and what the log knows of it.
#[derive(Clone, Copy)]
pub(super) struct Listing<'a> {
    pub(super) held: &'a Held,
    pub(super) known: &'a Known,
}

impl Listing<'_> {
    /// Seconds of what the log has elsewhere are that; the others have `why` in the way.
    pub(super) fn seconds(&self, sightings: &[Sighting], why: &Obstacle) -> Vec<Left> {
        let left = |sighting: &Sighting| Left {
            sighting: sighting.clone(),
            obstacle: self.second(sighting).unwrap_or_else(|| why.clone()),
        };
        sightings.iter().map(left).collect()
    }

    fn second(&self, sighting: &Sighting) -> Option<Obstacle> {
        let stood = self.known.stood_at(sighting.reference);
        // Where it stands now, if it does: an earlier place of it may be reversed.
        let standing = |key: &&DocumentKey| {
            self.held
                .shown
                .iter()
                .any(|one| one.key == **key && !one.reversed)
        };
        let stands = stood.iter().find(standing).or(stood.first())?;
        Some(Obstacle::Second {
            stands: stands.clone(),
        })
    }

    /// What keeps each of a report's unexplained documents from being looked for under an intent of the report as it is
    /// now. Empty where nothing does.
    pub(super) fn obstacles(&self, report: &Report, sightings: &[Sighting]) -> Vec<Left> {
        let of = |sighting: &Sighting| {
            // The reversed half of a duplicate goes with the one that stands: the look-up makes an incident of both.
            let other_half = |one: &&Sighting| !one.reversed && one.reference == sighting.reference;
            if sighting.reversed && sightings.iter().any(|one| other_half(&one)) {
                return None;
            }
            let obstacle = self.second(sighting).or_else(|| unfit(report, sighting))?;
            Some(Left {
                sighting: sighting.clone(),
                obstacle,
            })
        };
        sightings.iter().filter_map(of).collect()
    }
}

/// The same obstacle for each.
pub(super) fn all(sightings: &[Sighting], obstacle: &Obstacle) -> Vec<Left> {
    let left = |sighting: &Sighting| Left {
        sighting: sighting.clone(),
        obstacle: obstacle.clone(),
    };
    sightings.iter().map(left).collect()
}

/// The expenses that a report carries to QAD: those on its documents; before it has any, all of them.
pub(super) fn expenses(report: &Report) -> BTreeSet<TransactionId> {
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
pub(super) fn beside(sightings: &[Sighting], obstacles: Vec<Left>) -> Vec<Left> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::samples::*;
    use crate::report::{AfterReversal, ReportEvent};

    fn shown(reference: Reference) -> Sighting {
        Sighting {
            reference,
            key: key(reference),
            reversed: false,
        }
    }

    fn code(life: &[ReportEvent], sighting: &Sighting) -> Option<&'static str> {
        unfit(&Report::fold(life), sighting).map(|obstacle| obstacle.code())
    }

    #[test]
    fn what_the_report_plans_is_looked_for_and_so_is_what_qad_refused_beside_it() {
        assert_eq!(code(&two_planned(), &shown(i1())), None);
        assert_eq!(code(&partly_posted(), &shown(j1())), None);
    }

    #[test]
    fn what_the_report_does_not_plan_is_told_and_never_looked_for() {
        let one = vec![discovered(), mapped_one()];
        assert_eq!(code(&one, &shown(j1())), Some("other_kind"));
        assert_eq!(code(&one, &shown(next(i1()))), Some("other_generation"));
        assert_eq!(code(&both_posted(), &shown(i1())), Some("second_document"));
        let gone = Sighting {
            reversed: true,
            ..shown(i1())
        };
        assert_eq!(code(&one, &gone), Some("reversed"));
        assert_eq!(code(&[discovered(), rejected()], &gone), Some("reversed"));
    }

    #[test]
    fn the_reversed_half_of_a_duplicate_goes_with_the_one_that_stands() {
        let half = Sighting {
            key: DocumentKey {
                voucher: crate::ids::Voucher(1),
                ..key(i1())
            },
            reversed: true,
            ..shown(i1())
        };
        let (held, known) = (Held::default(), Known::default());
        let listing = Listing {
            held: &held,
            known: &known,
        };
        let report = Report::fold(&[discovered(), mapped_one()]);
        assert_eq!(listing.obstacles(&report, &[half.clone(), shown(i1())]), []);
        let alone = listing.obstacles(&report, std::slice::from_ref(&half));
        assert_eq!(alone[0].obstacle, Obstacle::Reversed);
    }

    #[test]
    fn a_report_without_documents_says_why_it_has_none() {
        for (life, why) in [
            (vec![discovered(), rejected()], "rejected"),
            (vec![discovered(), held()], "held"),
            (vec![discovered(), ReportEvent::Excluded(by_hand())], "left out"),
        ] {
            let Some(Obstacle::MapsOtherwise { why: told }) = unfit(&Report::fold(&life), &shown(i1()))
            else {
                panic!("{why}")
            };
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn after_a_recorded_reversal_the_next_generation_is_the_one_looked_for() {
        let mut life = both_posted();
        life.push(reversed(i1(), AfterReversal::PlannedAgain));
        assert_eq!(code(&life, &shown(next(i1()))), None);
    }

    #[test]
    fn one_document_that_cannot_be_looked_for_keeps_the_others_of_its_report() {
        let sightings = [shown(i1()), shown(next(j1()))];
        let obstacle = Left {
            sighting: sightings[1].clone(),
            obstacle: Obstacle::OtherGeneration { expected: j1() },
        };
        let left = beside(&sightings, vec![obstacle]);
        let told: Vec<_> = left
            .iter()
            .map(|left| (left.sighting.reference, left.obstacle.code()))
            .collect();
        assert_eq!(told, [(next(j1()), "other_generation"), (i1(), "beside_another")]);
    }

    #[test]
    fn what_keeps_a_report_as_a_whole_is_told_of_each_of_its_documents() {
        let sightings = [shown(i1()), shown(j1())];
        let told = all(&sightings, &Obstacle::NotAtSource);
        let of = |sighting: &Sighting| Left {
            sighting: sighting.clone(),
            obstacle: Obstacle::NotAtSource,
        };
        assert_eq!(told, [of(&sightings[0]), of(&sightings[1])]);
    }

    #[test]
    fn the_expenses_held_are_those_on_documents_and_all_where_there_are_none() {
        let all = expenses(&Report::fold(&[discovered()]));
        assert_eq!(all.len(), payload().facts.lines.len());
        let documented = expenses(&Report::fold(&two_planned()));
        assert!(!documented.is_empty());
        assert!(expenses(&Report::default()).is_empty());
    }

    #[test]
    fn every_obstacle_says_what_to_do_and_names_the_document() {
        let sighting = shown(i1());
        for obstacle in [
            Obstacle::NotAtSource,
            Obstacle::MapsOtherwise {
                why: "it is held".into(),
            },
            Obstacle::OtherGeneration { expected: next(i1()) },
            Obstacle::Reversed,
        ] {
            let remedy = obstacle.remedy(&sighting, "acme-us");
            let command = format!("--accept {}={}", i1(), key(i1()));
            assert!(remedy.contains(&command), "{remedy}");
            assert!(remedy.contains("--connection acme-us"), "{remedy}");
        }
        let incident = Obstacle::Incident {
            doubt: "it differs".into(),
        };
        let remedy = incident.remedy(&sighting, "acme-us");
        assert!(
            remedy.contains("tieout resolve") && remedy.contains("--adopt 2026/EXPINV/4711"),
            "{remedy}"
        );
    }

    #[test]
    fn of_two_documents_the_one_that_stands_where_the_log_has_it_is_named_to_the_other() {
        let at = |voucher: u64| DocumentKey {
            voucher: crate::ids::Voucher(voucher),
            ..key(i1())
        };
        let sighting = |voucher: u64, reversed: bool| Sighting {
            key: at(voucher),
            reversed,
            ..shown(i1())
        };
        let why = Obstacle::NotAtSource;
        let told = |held: Vec<Sighting>, known: &Known| {
            let held = Held {
                shown: held,
                ..Held::default()
            };
            let listing = Listing { held: &held, known };
            let left = listing.seconds(&[sighting(3, false)], &why);
            assert_eq!(left[0].sighting, sighting(3, false));
            left[0].obstacle.clone()
        };
        let second = |voucher| Obstacle::Second { stands: at(voucher) };
        assert_eq!(told(Vec::new(), &Known::default()), why);
        let posted = |voucher| match document_posted(i1()) {
            ReportEvent::DocumentPosted {
                reference,
                date,
                proof,
                warnings,
                why,
                ..
            } => ReportEvent::DocumentPosted {
                reference,
                key: at(voucher),
                date,
                proof,
                warnings,
                why,
            },
            other => panic!("{other:?}"),
        };
        let known = crate::workflow::known::tests::known(&[posted(1), posted(2)]);
        let both = |one, other| vec![sighting(1, one), sighting(2, other), sighting(3, false)];
        assert_eq!(told(both(true, false), &known), second(2), "where it stands now");
        assert_eq!(told(both(false, true), &known), second(1));
        assert_eq!(
            told(both(true, true), &known),
            second(1),
            "where it stood first, at least"
        );
    }

    #[test]
    fn every_obstacle_is_told_in_words_of_its_own() {
        let all = [
            Obstacle::NotAtSource,
            Obstacle::UnreadableAtSource,
            Obstacle::MapsOtherwise { why: "held".into() },
            Obstacle::OtherKind {
                maps_to: vec![i1(), j1()],
            },
            Obstacle::OtherGeneration { expected: next(i1()) },
            Obstacle::Second { stands: key(i1()) },
            Obstacle::Reversed,
            Obstacle::BesideAnother,
            Obstacle::ExpenseElsewhere {
                taken: vec![(transaction(1), report_id())],
            },
            Obstacle::Incident {
                doubt: "differs".into(),
            },
            Obstacle::Busy,
            Obstacle::Fresh,
        ];
        let words: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        let codes: BTreeSet<&str> = all.iter().map(Obstacle::code).collect();
        assert_eq!((words.len(), codes.len()), (all.len(), all.len()));
        assert!(all[3].to_string().contains(&format!("{} and {}", i1(), j1())));
        assert!(all[8].to_string().contains(&report_id().to_string()));
    }
}
