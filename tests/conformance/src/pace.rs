//! The suite of the [`PaceBook`], for the engines that have one. It lives in the place of a log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is tests"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use tieout_domain::ports::{Expected, Leaf, Log, PaceBook};

use crate::log::{LogPlace, add, events, everything};

/// Makes a module of tests, one for each sentence of the suite, each with a fresh place.
#[macro_export]
macro_rules! pace_contract {
    ($name:ident, $place:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the place may be named from outside")]
            use super::*;
            $crate::pace_contract!(@tests $place;
                a_rule_sees_the_last_sends_oldest_first
                at_most_20_sends_are_kept
                reservations_are_one_after_the_other
                accounts_are_apart
                pacing_is_not_in_the_log
                pacing_survives_a_restart
            );
        }
    };
    (@tests $place:expr; $($test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                $crate::pace::$test($place).await;
            }
        )*
    };
}

async fn reserve(book: &impl PaceBook, account: &str, at: i64) -> Vec<i64> {
    let (told, tell) = std::sync::mpsc::sync_channel(64);
    let rule = Box::new(move |sends: &[i64]| {
        let _ = told.send(sends.to_vec());
        at
    });
    assert_eq!(book.reserve(account, rule).await.unwrap(), at);
    // Where somebody else was faster, it was asked again: what it saw last counts.
    tell.try_iter().last().unwrap()
}

/// The rule is shown what was reserved before, oldest first, also where instants go backwards.
pub async fn a_rule_sees_the_last_sends_oldest_first<P: LogPlace<Log: PaceBook>>(place: P) {
    let book = place.open().await;
    assert_eq!(reserve(&book, "acme", 100).await, [0_i64; 0]);
    assert_eq!(reserve(&book, "acme", 300).await, [100]);
    assert_eq!(reserve(&book, "acme", -200).await, [100, 300]);
    assert_eq!(reserve(&book, "acme", 400).await, [100, 300, -200]);
}

/// The book does not grow.
pub async fn at_most_20_sends_are_kept<P: LogPlace<Log: PaceBook>>(place: P) {
    let book = place.open().await;
    for at in 0..50 {
        let from = (at - 20).max(0);
        assert_eq!(reserve(&book, "acme", at).await, (from..at).collect::<Vec<_>>());
    }
}

/// Of 64 at once each sees the others that came before it: no two get the same turn.
pub async fn reservations_are_one_after_the_other<P: LogPlace<Log: PaceBook>>(place: P) {
    let book = Arc::new(place.open().await);
    let turns = (0..64).map(|_| {
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            let rule = Box::new(|sends: &[i64]| sends.iter().max().map_or(0, |last| last + 1));
            book.reserve("acme", rule).await.unwrap()
        })
    });
    let turns: BTreeSet<i64> = join_all(turns).await.into_iter().map(Result::unwrap).collect();
    assert!(turns.into_iter().eq(0..64));
}

/// One account's sends are not another's.
pub async fn accounts_are_apart<P: LogPlace<Log: PaceBook>>(place: P) {
    let book = place.open().await;
    reserve(&book, "acme", 1).await;
    assert_eq!(reserve(&book, "Acme", 2).await, [0_i64; 0]);
    assert_eq!(reserve(&book, "acme", 3).await, [1]);
}

/// Reserving appends nothing.
pub async fn pacing_is_not_in_the_log<P: LogPlace<Log: PaceBook>>(place: P) {
    let log = place.open().await;
    reserve(&log, "acme", 1).await;
    assert_eq!(log.head().await.unwrap(), None);
    add(&log, "report-1", Expected::NoStream, &events(1)).await;
    let all = everything(&log, 10).await;
    assert_eq!(all.len(), 1);
    assert_eq!(log.leaf(all[0].position).await.unwrap(), Some(Leaf(0)));
}

/// A restart of the program does not give it a fresh allowance.
pub async fn pacing_survives_a_restart<P: LogPlace<Log: PaceBook>>(place: P) {
    reserve(&place.open().await, "acme", 7).await;
    assert_eq!(reserve(&place.open().await, "acme", 8).await, [7]);
}
