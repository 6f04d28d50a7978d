//! The log in memory: for tests and for what-if. It keeps nothing, and obeys the same suite as the real ones.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tieout_domain::ids::EventId;
use tieout_domain::ports::{
    Appended, Expected, Leaf, Log, LogError, NewEvent, PaceBook, PaceRule, Page, Position, Recorded,
    Revision, SENDS_KEPT, StreamName, check_append,
};
use tokio::sync::watch;

/// A log in memory, shared by its clones: dropping all but one and going on with that is what a restart is to a file.
/// It uses no threads and no time, so that a simulation can own both.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<Recorded>,
    /// The index of each event of a stream, by revision.
    streams: BTreeMap<StreamName, Vec<usize>>,
    ids: BTreeMap<EventId, usize>,
    pace: BTreeMap<String, VecDeque<i64>>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                count: watch::Sender::new(0),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PLACE: &str = "memory";

fn failed(detail: impl Into<String>) -> LogError {
    LogError::Failed {
        place: PLACE.to_owned(),
        detail: detail.into(),
    }
}

impl State {
    fn append(
        &mut self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        check_append(PLACE, stream, &events)?;
        if let Some(appended) = self.already_there(stream, expected, &events) {
            return Ok(appended);
        }
        let length = self.streams.get(stream).map_or(0, Vec::len);
        let head = length.checked_sub(1).map(revision);
        if !expected.holds(head) {
            return Err(LogError::Conflict {
                stream: stream.clone(),
                expected,
                actual: head,
            });
        }
        if let Some(taken) = events.iter().find(|event| self.ids.contains_key(&event.id)) {
            return Err(LogError::Refused {
                place: PLACE.to_owned(),
                stream: stream.clone(),
                detail: format!("the id {} stands at another place already", taken.id),
            });
        }
        let of_stream = self.streams.entry(stream.clone()).or_default();
        for event in events {
            let index = self.events.len();
            self.ids.insert(event.id, index);
            self.events.push(Recorded {
                stream: stream.clone(),
                revision: revision(of_stream.len()),
                position: position_of(index),
                event,
            });
            of_stream.push(index);
        }
        self.events
            .last()
            .map(where_it_stands)
            .ok_or_else(|| failed("an append of nothing"))
    }

    fn already_there(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: &[NewEvent],
    ) -> Option<Appended> {
        let standing = |event: &NewEvent| {
            self.ids
                .get(&event.id)
                .and_then(|index| self.events.get(*index))
                .filter(|found| found.stream == *stream)
        };
        let start = standing(events.first()?)?.revision;
        if expected.first().is_some_and(|wanted| wanted != start) {
            return None;
        }
        let mut last = None;
        for (revision, event) in (start.0..).zip(events) {
            last = Some(standing(event).filter(|found| found.revision.0 == revision)?);
        }
        last.map(where_it_stands)
    }
}

fn where_it_stands(event: &Recorded) -> Appended {
    Appended {
        revision: event.revision,
    }
}

/// One more than the rank, so that nobody takes the one for the other.
fn position_of(index: usize) -> Position {
    Position(rank(index).saturating_add(1), 0)
}

fn rank(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}

fn revision(index: usize) -> Revision {
    Revision(rank(index))
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn page<'a>(events: impl Iterator<Item = &'a Recorded>, limit: usize) -> Vec<Recorded> {
    let mut page = Page::new(limit);
    for event in events {
        if !page.has_room_for(event.event.data.len().saturating_add(event.event.metadata.len())) {
            break;
        }
        page.add(event.clone());
    }
    page.into_events()
}

/// Pages end early at about 4 MiB, as those of the other engines do: an empty page is the end.
impl Log for MemoryLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let (appended, count) = {
            let mut state = self.state();
            (state.append(stream, expected, events)?, state.events.len())
        };
        self.shared.count.send_if_modified(|known| {
            let grown = count > *known;
            *known = count.max(*known);
            grown
        });
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let state = self.state();
        let Some(of_stream) = state.streams.get(stream) else {
            return Ok(Vec::new());
        };
        Ok(page(
            of_stream
                .iter()
                .skip(index(from.0))
                .filter_map(|at| state.events.get(*at)),
            limit,
        ))
    }

    fn ends_where_there_is_room(&self) -> bool {
        true
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        let state = self.state();
        Ok(page(
            state
                .events
                .iter()
                .skip(after.map_or(0, |position| index(position.0))),
            limit,
        ))
    }

    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        let known = Some(position) <= self.head().await?;
        Ok(position.0.checked_sub(1).filter(|_| known).map(Leaf))
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        Ok(self.state().events.last().map(|event| event.position))
    }

    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        let mut count = self.shared.count.subscribe();
        let enough = position.map_or(0, |position| index(position.0));
        // The sender lives as long as `self`.
        count
            .wait_for(|count| *count > enough)
            .await
            .map(drop)
            .map_err(|_| failed("it is gone"))
    }
}

impl PaceBook for MemoryLog {
    async fn reserve(&self, account: &str, rule: PaceRule) -> Result<i64, LogError> {
        let mut state = self.state();
        let sends = state.pace.entry(account.to_owned()).or_default();
        let at = rule(sends.make_contiguous());
        sends.push_back(at);
        while sends.len() > SENDS_KEPT {
            sends.pop_front();
        }
        Ok(at)
    }
}
