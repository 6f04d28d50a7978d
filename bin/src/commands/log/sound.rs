//! Is a log sound: is every event readable, and no number missing?

use std::collections::BTreeMap;

use tieout_domain::ports::{Leaf, Log, LogError, Recorded, StreamName};
use tieout_store::{Store, Verified};

/// Events read at a time.
const PAGE: usize = 2_048;

/// Reads the whole log: a file as its engine does, down to the sum of each event; a cluster's event by event.
///
/// # Errors
/// [`LogError::Unusable`] with what is wrong.
pub async fn verify(store: &Store) -> Result<Verified, LogError> {
    match store.sqlite() {
        Some(file) => file.verify().await,
        None => walk(store, &store.place()).await,
    }
}

/// Reads every event in total order: positions increase, the events of each stream are numbered from 0 without a gap, and
/// the last one's rank is what was counted.
async fn walk(log: &impl Log, place: &str) -> Result<Verified, LogError> {
    let unusable = |detail: String| LogError::Unusable {
        place: place.to_owned(),
        detail,
    };
    let mut next: BTreeMap<StreamName, u64> = BTreeMap::new();
    let mut events: u64 = 0;
    let mut after = None;
    loop {
        let page = log.read_all(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        let end = last.position;
        for Recorded {
            stream,
            revision,
            position,
            ..
        } in page
        {
            if after.is_some_and(|after| position <= after) {
                return Err(unusable(format!(
                    "event {revision:?} of {stream} stands before the one that it follows"
                )));
            }
            let wanted = next.entry(stream.clone()).or_insert(0);
            if revision.0 != *wanted {
                return Err(unusable(format!(
                    "event {} of {stream} stands where {wanted} should: events are missing",
                    revision.0
                )));
            }
            *wanted = wanted.saturating_add(1);
            events = events.saturating_add(1);
            after = Some(position);
        }
        after = Some(end);
    }
    if let Some(end) = after {
        let counted = events.saturating_sub(1);
        let leaf = log.leaf(end).await?;
        if leaf != Some(Leaf(counted)) {
            return Err(unusable(format!(
                "the last event has rank {counted}, and the log says {leaf:?}: delete the stream of its ranks on the server (the one that ends in `~leaves`), it is made again"
            )));
        }
    }
    Ok(Verified {
        events,
        streams: next.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tieout_domain::ids::EventId;
    use tieout_domain::ports::{Expected, NewEvent};
    use tieout_memory::MemoryLog;

    #[tokio::test]
    async fn a_log_is_counted_event_by_event() {
        let log = MemoryLog::new();
        for number in 0..5_000_u128 {
            let event = NewEvent {
                id: EventId(uuid::Uuid::from_u128(number)),
                kind: "Noted".into(),
                data: Vec::new(),
                metadata: Vec::new(),
            };
            let stream = StreamName(format!("report-{}", number % 7));
            log.append(&stream, Expected::Any, vec![event]).await.unwrap();
        }
        let found = walk(&log, "memory").await.unwrap();
        assert_eq!((found.events, found.streams), (5_000, 7));
        let none = walk(&MemoryLog::new(), "memory").await.unwrap();
        assert_eq!((none.events, none.streams), (0, 0));
    }
}
