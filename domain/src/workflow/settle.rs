//! What a look-up by reference says of one document, and what follows from it: adopt, incident, or absent. Shared by
//! the post step (before and after the send) and by the resolve step.

use super::desk::{Desk, Loaded, WorkflowError};
use crate::ids::ReportId;
use crate::journal::{Actor, SystemActor};
use crate::ports::{Ledger, LookUp, Ports};
use crate::posting::{Difference, Document, DocumentKey, Sighting, differences};
use crate::report::{Command, DocumentState, Doubt, Proof, Report};
use crate::time::Moment;

/// What QAD shows of a document.
pub(super) enum Shown {
    /// One document bears the reference and agrees in every line.
    Agrees {
        key: DocumentKey,
        date: chrono::NaiveDate,
    },
    /// Something is there that is not simply ours: an incident.
    Incident(Doubt),
    /// One bears the reference, and could not be read back.
    Unread(Doubt),
    /// Nothing bears it; proven under canary.
    Absent,
    /// QAD did not say.
    Unproven(String),
}

impl<P: Ports> Desk<'_, P> {
    /// Looks a document up by its report (every kind and generation at once) and reads back what is found.
    pub(super) async fn look(&self, id: ReportId, report: &Report, document: &Document) -> Shown {
        let sightings = match self.ports.ledger().look_up(id).await {
            Ok(LookUp::Absent) => return Shown::Absent,
            Ok(LookUp::Found(sightings)) => sightings,
            Err(error) => return Shown::Unproven(error.to_string()),
        };
        // What the log explains is no news: other documents of the report that stand where it says, or were reversed
        // and followed by this generation.
        let unexplained: Vec<Sighting> = sightings
            .into_iter()
            .filter(|sighting| !explained(report, document, sighting))
            .collect();
        match of(report, document, &unexplained) {
            Of::Nothing => Shown::Absent,
            Of::One(sighting) => self.read(document, sighting).await,
            Of::Several => Shown::Incident(Doubt::Duplicated {
                sightings: unexplained,
            }),
        }
    }

    async fn read(&self, document: &Document, sighting: &Sighting) -> Shown {
        match self
            .ports
            .ledger()
            .read_back(document.reference, &sighting.key)
            .await
        {
            Ok(held) => {
                let mut found = differences(document, &held);
                if sighting.reversed || held.reversed {
                    found.push(Difference {
                        field: "state".into(),
                        sent: "posted".into(),
                        held: "reversed".into(),
                    });
                }
                if found.is_empty() {
                    Shown::Agrees {
                        key: held.key,
                        date: held.date,
                    }
                } else {
                    Shown::Incident(Doubt::Differs {
                        key: sighting.key.clone(),
                        differences: found,
                    })
                }
            }
            Err(error) => Shown::Unread(Doubt::Unread {
                key: Some(sighting.key.clone()),
                detail: error.to_string(),
            }),
        }
    }

    /// Records that a document stands, or what is in the way; `None` where QAD shows nothing, or does not say.
    #[allow(clippy::too_many_arguments, reason = "each is a part of what is recorded")]
    pub(super) async fn record_shown(
        &self,
        id: ReportId,
        loaded: Loaded,
        document: &Document,
        shown: &Shown,
        proof: Proof,
        warnings: Vec<String>,
        since: &Moment,
        part: SystemActor,
    ) -> Result<Option<Loaded>, WorkflowError> {
        let reference = document.reference;
        let command = match shown {
            Shown::Agrees { key, date } => Command::RecordPosted {
                reference,
                key: key.clone(),
                date: *date,
                proof,
                warnings,
            },
            Shown::Incident(doubt) | Shown::Unread(doubt) => Command::RecordDoubt {
                reference,
                doubt: doubt.clone(),
                since: since.clone(),
            },
            Shown::Absent | Shown::Unproven(_) => return Ok(None),
        };
        let (loaded, _) = self.record(id, loaded, Actor::System { part }, command).await?;
        Ok(Some(loaded))
    }
}

/// What those sightings of a report that the log does not explain are for one document of it.
#[derive(Debug, PartialEq, Eq)]
enum Of<'a> {
    /// There are none.
    Nothing,
    /// One bears its reference.
    One(&'a Sighting),
    /// One stands that is not its own, or more than one is.
    Several,
}

/// What else the report is to bring to QAD is judged by a look of its own: beside a document that is there, it is no
/// stranger, as it is where the log was put back to before both. Beside one that is not there it is: whoever made it may
/// have posted what this one would post again.
fn of<'a>(report: &Report, document: &Document, unexplained: &'a [Sighting]) -> Of<'a> {
    let (own, others): (Vec<_>, Vec<_>) = unexplained
        .iter()
        .partition(|sighting| sighting.reference == document.reference);
    match own.as_slice() {
        [] if others.is_empty() => Of::Nothing,
        [one] if others.iter().all(|other| awaited(report, other)) => Of::One(one),
        _ => Of::Several,
    }
}

/// Is a sighting of a document that the report is still to bring to QAD?
fn awaited(report: &Report, sighting: &Sighting) -> bool {
    let file = report
        .dossier()
        .and_then(|dossier| dossier.file(sighting.reference));
    !sighting.reversed
        && file.is_some_and(|file| {
            !matches!(
                file.state,
                DocumentState::Posted { .. } | DocumentState::Reversed { .. }
            )
        })
}

/// Does the log explain a sighting that is not of this document?
fn explained(report: &Report, document: &Document, sighting: &Sighting) -> bool {
    if sighting.reference == document.reference {
        return false;
    }
    let stands = report
        .dossier()
        .and_then(|dossier| dossier.file(sighting.reference))
        .is_some_and(|file| matches!(&file.state, DocumentState::Posted { key, .. } if *key == sighting.key));
    let earlier = sighting.reference.kind == document.reference.kind
        && sighting.reference.generation < document.reference.generation;
    // A report whose payable was reversed may post a journal next: the reversal of another kind is on record too.
    let on_record = sighting.reference.generation < report.generation(sighting.reference.kind);
    stands || ((earlier || on_record) && sighting.reversed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Voucher;
    use crate::journal::tests::world::now;
    use crate::report::tests::samples::*;
    use crate::report::{AfterReversal, ReportEvent};
    use crate::workflow::testing::Plant;

    fn shown(reference: crate::ids::Reference, reversed: bool) -> Sighting {
        Sighting {
            reference,
            key: key(reference),
            reversed,
        }
    }

    fn tells(life: &[ReportEvent], document: &Document, sighting: &Sighting) -> bool {
        explained(&Report::fold(life), document, sighting)
    }

    /// What a look at the invoice of two planned documents says where QAD shows these.
    fn looked(shows: Vec<Sighting>) -> Shown {
        let mut plant = Plant::of(&two_planned());
        plant.ledger.shows = shows;
        let report = Report::fold(&two_planned());
        now(plant.desk().look(report_id(), &report, &invoice()))
    }

    #[test]
    fn where_qad_shows_only_what_the_log_explains_the_document_is_absent() {
        let life = [two_planned(), vec![started(j1()), document_posted(j1())]].concat();
        let mut plant = Plant::of(&life);
        plant.ledger.shows = vec![shown(j1(), false)];
        let look = now(plant.desk().look(report_id(), &Report::fold(&life), &invoice()));
        assert!(matches!(look, Shown::Absent));
    }

    #[test]
    fn the_one_document_that_bears_the_reference_is_read_back_before_anything_is_said_of_it() {
        let Shown::Unread(Doubt::Unread { key: at, .. }) = looked(vec![shown(i1(), false)]) else {
            panic!("it was not read")
        };
        assert_eq!(at, Some(key(i1())));
    }

    #[test]
    fn a_stranger_of_the_report_is_an_incident_alone_and_beside_the_document() {
        for shows in [
            vec![shown(j1(), false)],
            vec![shown(i1(), false), shown(next(j1()), false)],
        ] {
            let Shown::Incident(Doubt::Duplicated { sightings }) = looked(shows.clone()) else {
                panic!("no incident: {shows:?}")
            };
            assert_eq!(sightings, shows);
        }
    }

    #[test]
    fn the_other_document_of_the_report_is_explained_where_it_was_posted_and_nowhere_else() {
        let half = [two_planned(), vec![started(i1()), document_posted(i1())]].concat();
        assert!(tells(&half, &journal(), &shown(i1(), false)));
        let elsewhere = Sighting {
            key: crate::posting::DocumentKey {
                voucher: Voucher(1),
                ..key(i1())
            },
            ..shown(i1(), false)
        };
        assert!(!tells(&half, &journal(), &elsewhere));
        assert!(
            !tells(&two_planned(), &journal(), &shown(i1(), false)),
            "it was not sent"
        );
    }

    #[test]
    fn what_the_report_is_still_to_post_is_no_stranger_beside_a_document_that_is_there() {
        let report = Report::fold(&[two_planned(), vec![started(i1())]].concat());
        let (own, other) = (shown(i1(), false), shown(j1(), false));
        let both = [own.clone(), other.clone()];
        assert_eq!(of(&report, &invoice(), &both), Of::One(&own));
        assert_eq!(of(&report, &journal(), &both), Of::One(&other));
        assert_eq!(
            of(&report, &invoice(), std::slice::from_ref(&other)),
            Of::Several,
            "what this one would post may be in it"
        );
        let reversed = [own.clone(), shown(j1(), true)];
        assert_eq!(of(&report, &invoice(), &reversed), Of::Several);
    }

    #[test]
    fn what_the_report_is_not_to_post_is_a_stranger_and_so_is_a_second_one() {
        let one = Report::fold(&[discovered(), mapped_one()]);
        let own = shown(i1(), false);
        assert_eq!(of(&one, &invoice(), &[]), Of::Nothing);
        assert_eq!(of(&one, &invoice(), std::slice::from_ref(&own)), Of::One(&own));
        for stranger in [shown(j1(), false), shown(next(i1()), false), own.clone()] {
            let both = [own.clone(), stranger];
            assert_eq!(of(&one, &invoice(), &both), Of::Several);
        }
        let posted = Report::fold(&both_posted());
        let elsewhere = [own, shown(j1(), false)];
        assert_eq!(of(&posted, &invoice(), &elsewhere), Of::Several, "it was posted");
    }

    #[test]
    fn what_bears_the_document_s_own_reference_is_never_explained_away() {
        assert!(!tells(&both_posted(), &invoice(), &shown(i1(), false)));
        assert!(!tells(&both_posted(), &invoice(), &shown(i1(), true)));
    }

    #[test]
    fn an_earlier_generation_is_explained_once_it_is_reversed() {
        let again = Document {
            reference: next(i1()),
            ..invoice()
        };
        let one = vec![discovered(), mapped_one()];
        assert!(tells(&one, &again, &shown(i1(), true)));
        assert!(!tells(&one, &again, &shown(i1(), false)), "it stands");
        assert!(
            !tells(&one, &invoice(), &shown(next(i1()), true)),
            "a later one is none of ours yet"
        );
        assert!(
            !tells(&one, &again, &shown(j1(), true)),
            "no reversal of that kind is on record"
        );
    }

    #[test]
    fn a_reversed_document_of_the_other_kind_is_explained_by_the_reversal_on_record() {
        let life = [both_posted(), vec![reversed(j1(), AfterReversal::PlannedAgain)]].concat();
        assert!(tells(&life, &invoice(), &shown(j1(), true)));
        assert!(!tells(&life, &invoice(), &shown(j1(), false)));
        assert!(
            !tells(&life, &invoice(), &shown(next(j1()), true)),
            "the next one was not reversed"
        );
    }
}
