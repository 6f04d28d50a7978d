//! The engine under the workflow with its model beside it: every answer of the one is held against the other's.
//!
//! An append goes to the engine first, and to the model where the engine knows what became of it. Positions are the
//! engine's own, and are taken out of the comparison; what must be true of them is in [`Places`].

use std::sync::{Arc, Mutex, MutexGuard};

use tieout_domain::ports::{
    Appended, Expected, Leaf, Log as _, LogError, NewEvent, Position, Recorded, Revision, StreamName,
};
use tieout_memory::MemoryLog;

use crate::cluster::wait;
use crate::places::Places;
use crate::real::Real;
use crate::stage::now;
use crate::wire::{Struck, Wire};

/// A page may end before its limit where it holds so many events or bytes; the two ends need not be the same then.
const FULL_BY_COUNT: usize = 4_096;
/// See there.
const FULL_BY_BYTES: usize = 3 << 20;

/// An answer, and every way in which it is not the model's.
pub(crate) type Held<T> = (Result<T, LogError>, Vec<String>);

/// The engine of one run.
#[derive(Clone)]
pub(crate) struct Beside(Arc<Mutex<Inner>>);

struct Inner {
    log: Real,
    places: Places,
    /// Where there is one.
    wire: Option<Wire>,
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Beside").finish_non_exhaustive()
    }
}

impl Beside {
    /// An empty log.
    pub(crate) fn begin(log: Real, wire: Option<Wire>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            log,
            places: Places::default(),
            wire,
        })))
    }

    /// The log as it is by now: one that was put back is another.
    pub(crate) fn log(&self) -> Real {
        self.lock().log.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("one thread")
    }

    /// What struck on its wire so far.
    pub(crate) fn struck(&self) -> Struck {
        self.lock().wire.as_ref().map(Wire::struck).unwrap_or_default()
    }

    pub(crate) fn append(
        &self,
        model: &MemoryLog,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Held<Appended> {
        let mut inner = self.lock();
        let aimed = inner.wire.as_mut().and_then(Wire::aim);
        let answer = wait(inner.log.append(stream, expected, events.clone()));
        if let Some(wire) = inner.wire.as_mut() {
            wire.settle(aimed);
        }
        if let Err(error @ (LogError::Failed { .. } | LogError::Unusable { .. } | LogError::Full { .. })) =
            &answer
        {
            let wrong = format!("the engine fails at an append to {stream}: {error}");
            return (answer, vec![wrong]);
        }
        let wanted = now(model.append(stream, expected, events));
        let wrong = (!same_answer(&answer, &wanted)).then(|| {
            format!(
                "an append to {stream}, {expected:?}: the engine answers {answer:?}, the model {wanted:?}"
            )
        });
        (answer, wrong.into_iter().collect())
    }

    pub(crate) fn read_stream(
        &self,
        model: &MemoryLog,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Held<Vec<Recorded>> {
        let mut inner = self.lock();
        let answer = wait(inner.log.read_stream(stream, from, limit));
        let wanted = now(model.read_stream(stream, from, limit));
        let what = format!("{stream} from {} on", from.0);
        let wrong = inner.same_page(&what, &answer, &wanted.expect("memory does not fail"));
        (answer, wrong)
    }

    pub(crate) fn read_all(
        &self,
        model: &MemoryLog,
        after: Option<Position>,
        limit: usize,
    ) -> Held<Vec<Recorded>> {
        let mut inner = self.lock();
        let answer = wait(inner.log.read_all(after, limit));
        let wrong = match inner.places.of(after) {
            Ok(place) => {
                let wanted = now(model.read_all(place, limit)).expect("memory does not fail");
                inner.same_page(&format!("everything after {after:?}"), &answer, &wanted)
            }
            Err(wrong) => vec![wrong],
        };
        (answer, wrong)
    }

    pub(crate) fn head(&self, model: &MemoryLog) -> Held<Option<Position>> {
        let mut inner = self.lock();
        let answer = wait(inner.log.head());
        let wanted = now(model.head()).expect("memory does not fail");
        let wrong = match (&answer, wanted) {
            (Ok(Some(head)), Some(wanted)) => inner.places.see(*head, wanted),
            (Ok(None), None) => None,
            _ => Some(format!("the engine ends at {answer:?}, the model at {wanted:?}")),
        };
        (answer, wrong.into_iter().collect())
    }

    pub(crate) fn leaf(&self, model: &MemoryLog, position: Position) -> Held<Option<Leaf>> {
        let inner = self.lock();
        let answer = wait(inner.log.leaf(position));
        let wanted = inner.places.of(Some(position)).map(|place| {
            let place = place.expect("one for one");
            now(model.leaf(place)).expect("memory does not fail")
        });
        let wrong = match (&answer, wanted) {
            (_, Err(wrong)) => Some(wrong),
            (Ok(leaf), Ok(wanted)) if *leaf == wanted => None,
            (_, Ok(wanted)) => Some(format!(
                "the rank of {position:?} is {answer:?} to the engine, {wanted:?} to the model"
            )),
        };
        (answer, wrong.into_iter().collect())
    }

    /// The model's position of one of the engine's.
    pub(crate) fn place(&self, position: Option<Position>) -> Result<Option<Position>, String> {
        self.lock().places.of(position)
    }

    /// The engine says that something stands beyond a position, where the model says so.
    pub(crate) fn is_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        wait(self.lock().log.wait_beyond(position))
    }

    /// A log of another name with these events takes the place of this one; says what is wrong.
    pub(crate) fn restore(&self, events: &[Recorded]) -> Option<String> {
        let mut inner = self.lock();
        inner
            .put_back(events)
            .err()
            .map(|error| format!("the engine cannot be put back: {error}"))
    }
}

impl Inner {
    fn put_back(&mut self, events: &[Recorded]) -> Result<(), LogError> {
        self.log = self.log.another()?;
        self.places = Places::default();
        for run in events.chunk_by(|one, next| one.stream == next.stream) {
            let Some(first) = run.first() else { continue };
            let before = first.revision.0.checked_sub(1).map(Revision);
            let again = run.iter().map(|recorded| recorded.event.clone()).collect();
            wait(self.log.append(&first.stream, Expected::after(before), again))?;
        }
        Ok(())
    }

    /// Holds a page against the model's.
    fn same_page(
        &mut self,
        what: &str,
        answer: &Result<Vec<Recorded>, LogError>,
        wanted: &[Recorded],
    ) -> Vec<String> {
        let page = match answer {
            Ok(page) => page,
            Err(error) => return vec![format!("the engine fails at reading {what}: {error}")],
        };
        let mut wrong = Vec::new();
        for (one, other) in page.iter().zip(wanted) {
            if (&one.stream, one.revision, &one.event) != (&other.stream, other.revision, &other.event) {
                wrong.push(format!(
                    "reading {what}: the engine has {one:?}, the model {other:?}"
                ));
                return wrong;
            }
            wrong.extend(self.places.see(one.position, other.position));
        }
        let shorter = if page.len() < wanted.len() { page } else { wanted };
        if page.len() != wanted.len() && !is_full(shorter) {
            let (found, wanted) = (page.len(), wanted.len());
            wrong.push(format!(
                "reading {what}: the engine has {found} events, the model {wanted}"
            ));
        }
        wrong
    }
}

fn is_full(page: &[Recorded]) -> bool {
    let bytes = |recorded: &Recorded| recorded.event.data.len() + recorded.event.metadata.len();
    page.len() >= FULL_BY_COUNT || page.iter().map(bytes).sum::<usize>() >= FULL_BY_BYTES
}

/// Answers that know what became of the append; each engine says in its own words why it refuses.
fn same_answer(one: &Result<Appended, LogError>, other: &Result<Appended, LogError>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one == other,
        (
            Err(LogError::Conflict {
                stream,
                expected,
                actual,
            }),
            Err(LogError::Conflict {
                stream: wanted,
                expected: believed,
                actual: found,
            }),
        ) => (stream, expected, actual) == (wanted, believed, found),
        (Err(LogError::Refused { .. }), Err(LogError::Refused { .. })) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tieout_domain::ids::EventId;
    use uuid::Uuid;

    use super::*;
    use crate::cluster::Server;
    use crate::dice::Dice;

    fn stream() -> StreamName {
        StreamName("report-1".to_owned())
    }

    fn event(id: u128) -> Vec<NewEvent> {
        vec![NewEvent {
            id: EventId(Uuid::from_u128(id)),
            kind: "Seen".to_owned(),
            data: b"{}".to_vec(),
            metadata: b"{}".to_vec(),
        }]
    }

    /// Or the runs would prove nothing.
    #[test]
    fn what_the_engine_answers_otherwise_than_its_model_is_seen() {
        Server::lent(|server| {
            let engine = Beside::begin(
                Real::EventStore(server.log().unwrap()),
                Some(Wire::of(server.switches(), Dice::new(1))),
            );
            let model = MemoryLog::new();
            let (answer, wrong) = engine.append(&model, &stream(), Expected::NoStream, event(1));
            assert_eq!(answer.unwrap().revision, Revision(0));
            assert_eq!(wrong, Vec::<String>::new());
            let all = engine.read_all(&model, None, 10);
            assert_eq!((all.0.unwrap().len(), all.1), (1, Vec::new()));
            // Something that the engine does not have.
            now(model.append(&stream(), Expected::Any, event(2))).unwrap();
            assert_eq!(engine.read_stream(&model, &stream(), Revision(0), 10).1.len(), 1);
            assert_eq!(engine.read_all(&model, None, 10).1.len(), 1);
            assert_eq!(engine.head(&model).1.len(), 1);
            let at = Expected::At(Revision(0));
            assert_eq!(engine.append(&model, &stream(), at, event(3)).1.len(), 1);
            // And the engine has what the model has not.
            let other = MemoryLog::new();
            assert!(
                !engine
                    .read_stream(&other, &stream(), Revision(0), 10)
                    .1
                    .is_empty()
            );
            assert!(!engine.read_all(&model, Some(Position(7, 7)), 10).1.is_empty());
        });
    }
}
