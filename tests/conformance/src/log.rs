//! The suite of the [`Log`]: what each engine must do alike.
//!
//! An engine enters with a [`LogPlace`], somewhere a log can be opened more than once:
//!
//! ```ignore
//! tieout_conformance::log_contract!(memory, MemoryPlace::new());
//! ```
//!
//! Each test gets a place of its own with an empty log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is tests"
)]

mod appending;
mod following;
mod keeping;
mod reading;
mod retrying;

use std::future::Future;
use std::time::Duration;

use tieout_domain::ids::EventId;
use tieout_domain::ports::{
    Appended, Expected, Log, LogError, NewEvent, Page, Recorded, Revision, StreamName,
};
use uuid::Uuid;

pub use appending::*;
pub use following::*;
pub use keeping::*;
pub use reading::*;
pub use retrying::*;

/// Somewhere a log is, and can be opened; opening it again after the last handle is gone is a restart.
pub trait LogPlace: Send + Sync {
    /// The engine under test.
    type Log: Log + 'static;
    /// Opens the log.
    fn open(&self) -> impl Future<Output = Self::Log> + Send;
}

/// Makes a module of tests, one for each sentence of the suite, each with a fresh place.
#[macro_export]
macro_rules! log_contract {
    ($name:ident, $place:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the place may be named from outside")]
            use super::*;
            $crate::log_contract!(@tests $place;
                an_empty_log_has_nothing
                events_come_back_in_order_as_they_were_appended
                an_append_is_all_or_none
                an_append_of_nothing_is_refused
                an_append_that_is_too_large_is_refused
                a_large_batch_is_one_append
                no_stream_is_only_for_the_first
                at_is_only_for_the_head
                any_appends_at_the_end
                a_conflict_says_where_the_stream_is
                of_64_writers_one_wins
                writers_of_different_streams_do_not_disturb_each_other
                a_retry_is_answered_as_the_first_time
                a_retry_is_recognised_whatever_was_expected
                a_retry_of_a_part_is_a_conflict
                an_id_is_used_once_in_an_append
                pages_of_a_stream_join_without_gap
                pages_of_everything_join_without_gap
                leaves_are_dense_and_positions_increase
                an_event_has_one_place
                ranks_hold_over_thousands_of_events
                catch_up_never_skips
                a_page_of_large_events_ends_early_and_goes_on
                first_pages_of_several_streams_are_those_of_each
                waiting_ends_with_an_append
                waiting_for_what_is_there_ends_at_once
                reopening_keeps_everything
                any_bytes_survive
                strange_names_are_names
            );
        }
    };
    (@tests $place:expr; $($test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                $crate::log::$test($place).await;
            }
        )*
    };
}

// ── words of the suite ─────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName(name.to_owned())
}

pub(crate) fn event(data: impl AsRef<[u8]>) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::now_v7()),
        kind: "Noted".to_owned(),
        data: data.as_ref().to_vec(),
        metadata: b"{}".to_vec(),
    }
}

pub(crate) fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|n| event(n.to_string())).collect()
}

pub(crate) async fn add(log: &impl Log, name: &str, expected: Expected, events: &[NewEvent]) -> Appended {
    log.append(&stream(name), expected, events.to_vec())
        .await
        .expect("the append goes through")
}

pub(crate) async fn whole_stream(log: &impl Log, name: &str) -> Vec<Recorded> {
    let mut read = Vec::new();
    let mut ended = false;
    loop {
        let page = log
            .read_stream(&stream(name), Revision(read.len() as u64), 7)
            .await
            .expect("the stream is readable");
        if page.is_empty() {
            return read;
        }
        assert!(page.len() <= 7, "a page holds no more than was asked for");
        assert!(!ended, "what the engine vouches for as the last page is the last");
        ended = log.ends_where_there_is_room() && Page::had_room(&page, 7);
        read.extend(page);
    }
}

pub(crate) async fn everything(log: &impl Log, page_size: usize) -> Vec<Recorded> {
    let mut read: Vec<Recorded> = Vec::new();
    loop {
        let page = log
            .read_all(read.last().map(|e| e.position), page_size)
            .await
            .expect("the log is readable");
        if page.is_empty() {
            return read;
        }
        assert!(page.len() <= page_size, "a page holds no more than was asked for");
        read.extend(page);
    }
}

pub(crate) fn contents(recorded: &[Recorded]) -> Vec<NewEvent> {
    recorded.iter().map(|r| r.event.clone()).collect()
}

#[track_caller]
pub(crate) fn conflict(answer: Result<Appended, LogError>) -> Option<Revision> {
    match answer {
        Err(LogError::Conflict { actual, .. }) => actual,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .unwrap_or_else(|_| panic!("{what} hangs"))
}
