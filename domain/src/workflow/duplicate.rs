//! A warning that the reference exists already is an incident, with every voucher that is known (contract qad §3, rule 5):
//! two documents may stand for one. Such a document is never taken for posted but by a person's word.

use super::desk::Desk;
use super::settle::Shown;
use crate::ids::{Reference, ReportId};
use crate::ports::Ports;
use crate::posting::{Document, DocumentKey, Sighting};
use crate::report::{Doubt, Report};

impl<P: Ports> Desk<'_, P> {
    /// Looks at once for what a warned send left in QAD, and says what is to be recorded of it.
    pub(super) async fn look_warned(
        &self,
        id: ReportId,
        report: &Report,
        document: &Document,
        echoed: Option<DocumentKey>,
        warning: String,
    ) -> Doubt {
        let shown = self.look(id, report, document).await;
        warned(document.reference, shown, echoed, warning)
    }
}

/// What a warning and a look-up after it amount to. The number that QAD echoed for ours counts as seen.
fn warned(reference: Reference, shown: Shown, echoed: Option<DocumentKey>, warning: String) -> Doubt {
    let one = match shown {
        Shown::Incident(Doubt::Duplicated { mut sightings }) => {
            if let Some(key) = echoed.filter(|key| sightings.iter().all(|one| one.key != *key)) {
                sightings.push(standing(reference, key));
            }
            return Doubt::Duplicated { sightings };
        }
        Shown::Agrees { key, .. }
        | Shown::Incident(Doubt::Differs { key, .. })
        | Shown::Unread(Doubt::Unread { key: Some(key), .. }) => Some(key),
        Shown::Incident(_) | Shown::Unread(_) | Shown::Absent | Shown::Unproven(_) => None,
    };
    match (one, echoed) {
        (Some(shown), Some(echoed)) if shown != echoed => Doubt::Duplicated {
            sightings: vec![standing(reference, shown), standing(reference, echoed)],
        },
        (shown, echoed) => Doubt::WarnedOfDuplicate {
            key: shown.or(echoed),
            warning,
        },
    }
}

fn standing(reference: Reference, key: DocumentKey) -> Sighting {
    Sighting {
        reference,
        key,
        reversed: false,
    }
}

/// A doubt that only a person settles, as a later look-up leaves it: what is seen may make it worse, never better.
/// `None` where it stays as it is.
pub(super) fn worse(known: &Doubt, shown: &Shown) -> Option<Doubt> {
    match (known, shown) {
        (
            Doubt::Duplicated { .. } | Doubt::WarnedOfDuplicate { .. },
            Shown::Incident(Doubt::Differs { .. }),
        ) => None,
        (_, Shown::Incident(found)) => Some(found.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Voucher;
    use crate::report::tests::samples::{day, differs, duplicated, i1, key, unknown};

    const WARNING: &str = "The reference already exists on another invoice for this supplier";

    fn at(voucher: u64) -> DocumentKey {
        DocumentKey {
            voucher: Voucher(voucher),
            ..key(i1())
        }
    }

    fn agrees(voucher: u64) -> Shown {
        Shown::Agrees {
            key: at(voucher),
            date: day("2026-11-06"),
        }
    }

    fn judged(shown: Shown, echoed: Option<u64>) -> Doubt {
        warned(i1(), shown, echoed.map(at), WARNING.into())
    }

    fn only(key: Option<u64>) -> Doubt {
        Doubt::WarnedOfDuplicate {
            key: key.map(at),
            warning: WARNING.into(),
        }
    }

    fn both(one: u64, other: u64) -> Doubt {
        Doubt::Duplicated {
            sightings: vec![standing(i1(), at(one)), standing(i1(), at(other))],
        }
    }

    #[test]
    fn both_vouchers_are_surfaced_where_both_are_known() {
        assert_eq!(
            judged(Shown::Incident(duplicated(i1())), Some(2)),
            duplicated(i1())
        );
        assert_eq!(judged(Shown::Incident(both(1, 2)), None), both(1, 2));
        assert_eq!(judged(Shown::Incident(both(1, 2)), Some(2)), both(1, 2));
        let Doubt::Duplicated { sightings } = judged(Shown::Incident(both(1, 2)), Some(3)) else {
            panic!("two are shown, and ours is a third");
        };
        let keys: Vec<_> = sightings.into_iter().map(|one| one.key).collect();
        assert_eq!(keys, [at(1), at(2), at(3)]);
        assert_eq!(
            judged(agrees(1), Some(2)),
            both(1, 2),
            "the one shown, and the one echoed"
        );
    }

    #[test]
    fn one_document_shown_after_a_warning_is_an_incident_all_the_same() {
        assert_eq!(judged(agrees(2), Some(2)), only(Some(2)));
        assert_eq!(judged(agrees(2), None), only(Some(2)));
        let differing = Shown::Incident(Doubt::Differs {
            key: at(2),
            differences: vec![],
        });
        assert_eq!(judged(differing, None), only(Some(2)));
    }

    #[test]
    fn a_look_up_that_shows_or_proves_nothing_does_not_take_the_warning_away() {
        assert_eq!(judged(Shown::Absent, Some(2)), only(Some(2)));
        assert_eq!(judged(Shown::Absent, None), only(None));
        assert_eq!(judged(Shown::Unproven("503".into()), None), only(None));
        for doubt in [only(Some(2)), only(None)] {
            assert!(doubt.is_incident());
            assert!(doubt.describe().contains(WARNING), "{}", doubt.describe());
        }
    }

    #[test]
    fn what_a_person_must_settle_is_never_settled_by_a_look_up() {
        for known in [duplicated(i1()), only(Some(2)), differs(i1())] {
            for shown in [agrees(2), Shown::Absent, Shown::Unproven("503".into())] {
                assert_eq!(worse(&known, &shown), None);
            }
        }
        assert_eq!(
            worse(&only(Some(2)), &Shown::Incident(both(1, 2))),
            Some(both(1, 2))
        );
        assert_eq!(worse(&both(1, 2), &Shown::Incident(differs(i1()))), None);
        assert_ne!(worse(&unknown(), &Shown::Incident(differs(i1()))), None);
    }
}
