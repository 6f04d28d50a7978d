//! Ports for the tests: a clock that only sleeping moves, chance that counts, a pace book in memory.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tieout_domain::ids::{PolicyId, ReportId};
use tieout_domain::ports::{
    Clock, Entropy, Listed, ListingQuery, LogError, PaceBook, Selection, SourceError, SourceStates,
};
use tieout_domain::report::Payload;
use tieout_domain::time::Steady;
use tieout_expensify::{Credentials, ExpensifyClient, Limits, Lines, Settings};

/// No text of these may show anywhere but on the wire.
pub const USER_ID: &str = "aa_etl_acme_example";
pub const USER_SECRET: &str = "s3cr3t/+&=%\"do-not-show";

pub type Client = ExpensifyClient<Hand, Counting, Book>;

/// Time that passes only by sleeping.
pub struct Hand(Mutex<DateTime<Utc>>);
impl Hand {
    pub fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(text.parse().unwrap())))
    }
}
impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
    fn steady(&self) -> Steady {
        Steady {
            epoch: "test".into(),
            millis: u64::try_from(self.now().timestamp_millis()).unwrap(),
        }
    }
    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += TimeDelta::from_std(duration).unwrap();
    }
}

/// Chance that is large, so that a jittered wait is seldom nothing, and never the same twice.
#[derive(Default)]
pub struct Counting(AtomicU64);
impl Entropy for Counting {
    fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }
    fn salt(&self) -> [u8; 16] {
        let drawn = self
            .0
            .fetch_add(7_919, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut salt = [0x5a; 16];
        salt[..8].copy_from_slice(&drawn.to_be_bytes());
        salt
    }
}

/// The last starts of every account.
#[derive(Default)]
pub struct Book(pub Mutex<Vec<(String, i64)>>);
impl PaceBook for Book {
    async fn reserve(&self, account: &str, rule: tieout_domain::ports::PaceRule) -> Result<i64, LogError> {
        let mut kept = self.0.lock().unwrap();
        let of_account: Vec<i64> = kept
            .iter()
            .filter(|(name, _)| name == account)
            .map(|(_, at)| *at)
            .collect();
        let start = rule(&of_account[of_account.len().saturating_sub(20)..]);
        kept.push((account.to_owned(), start));
        Ok(start)
    }
}

pub fn settings() -> Settings {
    Settings::new(Limits::production())
}

pub fn client(url: &str, settings: Settings, clock: &Arc<Hand>, book: &Arc<Book>) -> Client {
    let credentials = Credentials::new(USER_ID.into(), USER_SECRET.into()).unwrap();
    ExpensifyClient::new(
        url,
        credentials,
        settings,
        Arc::clone(clock),
        Arc::default(),
        Arc::clone(book),
    )
    .unwrap()
}

pub fn policy() -> PolicyId {
    PolicyId::new("0123456789ABCDEF").unwrap()
}

pub fn report(decimal: u64) -> ReportId {
    ReportId::from_decimal(decimal).unwrap()
}

pub fn since(date: &str) -> ListingQuery {
    let selection = Selection::Window {
        approved_from: date.parse().unwrap(),
        until: None,
    };
    ListingQuery {
        policies: vec![policy()],
        selection,
        without_label: None,
        states: SourceStates::Approved,
    }
}

/// The reports of a listing, the lines that could not be read, and the error it ended with.
pub async fn drained(mut lines: Lines) -> (Vec<Payload>, Vec<String>, Option<SourceError>) {
    use futures::StreamExt;
    let (mut reports, mut unreadable, mut error) = (Vec::new(), Vec::new(), None);
    while let Some(item) = lines.next().await {
        match item {
            Ok(Listed::Report(payload)) => reports.push(*payload),
            Ok(Listed::Unreadable { text, .. }) => unreadable.push(text),
            Err(last) => error = Some(last),
        }
    }
    (reports, unreadable, error)
}

pub fn ids(reports: &[Payload]) -> Vec<u64> {
    reports
        .iter()
        .map(|payload| payload.facts.report.decimal())
        .collect()
}
