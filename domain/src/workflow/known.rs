//! Which documents in QAD the log explains. Folded from the events of every connection in the log, because references
//! name no connection: what one posts, another one with the same workspace sees.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ids::Reference;
use crate::journal::{CodecError, JournalError};
use crate::ports::Recorded;
use crate::posting::{DocumentKey, Sighting};

/// What the log knows of one reference.
#[derive(Debug, Default)]
struct Entry {
    /// An intent is on record and no outcome.
    in_flight: bool,
    /// Where it stood at some time, as posted, reversed since, or explained by a person.
    keys: Vec<DocumentKey>,
}

/// The documents of the log, by reference.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<Reference, Entry>);

#[derive(Deserialize)]
struct Data {
    facts: Facts,
}
#[derive(Deserialize)]
struct Facts {
    reference: Option<Reference>,
    document: Option<Named>,
    key: Option<DocumentKey>,
    #[serde(default)]
    evidence: Vec<(Reference, DocumentKey)>,
}
#[derive(Deserialize)]
struct Named {
    reference: Reference,
}

impl Known {
    /// Folds an event in; whatever tells of no document is passed over unread.
    pub(super) fn apply(&mut self, recorded: &Recorded) -> Result<(), JournalError> {
        let kind = recorded.event.kind.as_str();
        let telling = [
            "PostingStarted",
            "PostingInDoubt",
            "PostingFailed",
            "DocumentPosted",
            "DocumentRefused",
            "LedgerDocumentExplained",
            "ProfileVerified",
        ];
        if !telling.contains(&kind) {
            return Ok(());
        }
        let Data { facts } =
            serde_json::from_slice(&recorded.event.data).map_err(|source| JournalError::Codec {
                stream: recorded.stream.clone(),
                revision: recorded.revision.0,
                source: CodecError::Json {
                    kind: kind.to_owned(),
                    doing: "read",
                    source,
                },
            })?;
        // A certification's documents stand in another workspace, unless one was made a copy of the other.
        for (reference, key) in facts.evidence {
            self.0.entry(reference).or_default().stood(key);
        }
        let Some(reference) = facts.document.map(|named| named.reference).or(facts.reference) else {
            return Ok(());
        };
        let entry = self.0.entry(reference).or_default();
        match kind {
            "PostingStarted" | "PostingInDoubt" => entry.in_flight = true,
            "PostingFailed" | "DocumentRefused" => entry.in_flight = false,
            "DocumentPosted" => {
                entry.in_flight = false;
                facts.key.into_iter().for_each(|key| entry.stood(key));
            }
            _ => facts.key.into_iter().for_each(|key| entry.stood(key)),
        }
        Ok(())
    }

    /// Does the log explain it: as posted or reversed there, as explained by a person, or as being sent or in doubt under
    /// its reference? A reversed one beside one of the same reference that the log knows is the other half of a duplicate
    /// that was settled. A reversed one of a reference that the log does not know is *not* explained: it holds no money,
    /// but a decision that the log has lost.
    pub fn explains(&self, sighting: &Sighting) -> bool {
        self.is_in_flight(sighting.reference) || self.settles(sighting)
    }

    /// Does the log explain it for good, with nothing left to find out?
    pub fn settles(&self, sighting: &Sighting) -> bool {
        let stood = self.stood_at(sighting.reference);
        stood.contains(&sighting.key) || (sighting.reversed && !stood.is_empty())
    }

    /// Is the document being sent, or in doubt?
    pub fn is_in_flight(&self, reference: Reference) -> bool {
        self.0.get(&reference).is_some_and(|entry| entry.in_flight)
    }

    /// Where the log has the document as posted, reversed since, or explained.
    pub fn stood_at(&self, reference: Reference) -> &[DocumentKey] {
        self.0
            .get(&reference)
            .map(|entry| entry.keys.as_slice())
            .unwrap_or_default()
    }
}

impl Entry {
    fn stood(&mut self, key: DocumentKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ids::{EventId, Voucher};
    use crate::journal::StoredEvent;
    use crate::ports::{NewEvent, Position, Revision, StreamName};
    use crate::report::AfterReversal;
    use crate::report::tests::samples::*;
    use crate::workflow::{ExpenseEvent, LedgerEvent};

    pub(in crate::workflow) fn known<E: StoredEvent>(events: &[E]) -> Known {
        let mut known = Known::default();
        for event in events {
            known.apply(&recorded(event)).unwrap();
        }
        known
    }

    fn recorded<E: StoredEvent>(event: &E) -> Recorded {
        Recorded {
            stream: StreamName("report-x-1".into()),
            revision: Revision(0),
            position: Position(0, 0),
            event: NewEvent {
                id: EventId(uuid::Uuid::nil()),
                kind: event.kind().to_owned(),
                data: format!(r#"{{"facts":{}}}"#, event.facts().unwrap()).into_bytes(),
                metadata: Vec::new(),
            },
        }
    }

    fn shown(reference: Reference, voucher: u64, reversed: bool) -> Sighting {
        Sighting {
            reference,
            key: DocumentKey {
                voucher: Voucher(voucher),
                ..key(reference)
            },
            reversed,
        }
    }

    fn there(reference: Reference) -> Sighting {
        Sighting {
            reference,
            key: key(reference),
            reversed: false,
        }
    }

    #[test]
    fn what_was_posted_is_explained_where_it_was_posted_and_nowhere_else() {
        let known = known(&both_posted());
        assert!(known.settles(&there(i1())) && known.settles(&there(j1())));
        assert!(
            !known.explains(&shown(i1(), 99, false)),
            "a second one of the same reference"
        );
        assert!(!known.explains(&there(next(i1()))), "another generation");
    }

    #[test]
    fn what_is_only_planned_or_was_refused_or_never_arrived_explains_nothing() {
        for after in [
            vec![],
            vec![started(i1()), refused(i1())],
            vec![started(i1()), failed(i1())],
        ] {
            let known = known(&[two_planned(), after].concat());
            assert!(!known.explains(&there(i1())));
        }
    }

    #[test]
    fn what_is_being_sent_or_in_doubt_explains_all_that_bears_its_reference_and_settles_none() {
        for after in [
            vec![started(i1())],
            vec![started(i1()), in_doubt(i1(), duplicated(i1()))],
        ] {
            let known = known(&[two_planned(), after].concat());
            for voucher in [1, 2] {
                let one = shown(i1(), voucher, false);
                assert!(known.explains(&one) && !known.settles(&one));
            }
            assert!(!known.explains(&there(j1())));
        }
    }

    #[test]
    fn a_reversed_document_stays_explained_and_the_reversed_half_of_a_duplicate_is() {
        let mut life = both_posted();
        life.push(reversed(i1(), AfterReversal::PlannedAgain));
        let known = known(&life);
        let gone = Sighting {
            reversed: true,
            ..there(i1())
        };
        assert!(known.settles(&gone) && known.settles(&shown(i1(), 99, true)));
        assert!(!known.explains(&shown(next(i1()), 5, true)), "a decision lost");
        assert!(!known.explains(&shown(next(i1()), 5, false)));
    }

    #[test]
    fn a_persons_word_explains_exactly_the_document_it_names() {
        let known = known(&[LedgerEvent::LedgerDocumentExplained {
            reference: i1(),
            key: key(i1()),
            why: "posted by the old installation".into(),
        }]);
        assert!(known.settles(&there(i1())));
        assert!(!known.explains(&shown(i1(), 99, false)) && !known.explains(&there(j1())));
    }

    #[test]
    fn what_tells_of_no_document_is_not_even_read() {
        let mut event = recorded(&ExpenseEvent::ExpenseClaimed {
            transaction: crate::ids::TransactionId::new("1").unwrap(),
            report: i1().report,
        });
        event.event.data = b"no json".to_vec();
        Known::default().apply(&event).unwrap();
    }
}
