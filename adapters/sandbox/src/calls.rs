//! What was called: kept to prove call budgets, and to show a user what a cycle costs.
//!
//! A call keeps its operation and its outcome, never its body: bodies bear secrets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One call that reached a stand-in, refused ones included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it arrived, by the stand-in's clock.
    pub at: DateTime<Utc>,
    /// The stand-in: `expensify` or `qad`.
    pub server: &'static str,
    /// The operation, by the names the server's fault rules use.
    pub operation: String,
    /// Who called (a user or partner id, never a secret); empty when nobody was named.
    pub caller: String,
    /// The HTTP status answered; 0 when the connection was dropped without an answer.
    pub status: u16,
    /// The code in the body, where the server has one there (Expensify's `responseCode` other than 200).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Refused by the limiter.
    pub throttled: bool,
    /// The fault that struck it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// The list of calls of a stand-in, oldest first. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: Vec<Call>,
    /// How many calls [`Calls::clear`] has forgotten: tickets count from the start.
    forgotten: usize,
}

/// A call on record whose outcome may still come.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(usize);

impl Calls {
    /// Keeps a call. A server whose calls may outlive their client records them on arrival, with status 0, and
    /// [settles](Calls::settle) them when the answer is known.
    pub fn record(&self, call: Call) -> Ticket {
        let mut kept = self.lock();
        kept.calls.push(call);
        Ticket(kept.forgotten + kept.calls.len() - 1)
    }

    /// Sets the outcome of a recorded call (unless it was forgotten meanwhile).
    pub fn settle(&self, ticket: Ticket, status: u16, code: Option<i64>) {
        let mut kept = self.lock();
        let index = ticket.0.checked_sub(kept.forgotten);
        if let Some(call) = index.and_then(|index| kept.calls.get_mut(index)) {
            call.status = status;
            call.code = code;
        }
    }

    /// Every call since the start or the last [`Calls::clear`].
    pub fn all(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Calls by operation.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.lock().calls.iter() {
            *counts.entry(call.operation.clone()).or_insert(0) += 1;
        }
        counts
    }

    /// How many calls of `operation` there were.
    pub fn count(&self, operation: &str) -> usize {
        self.lock()
            .calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// How many calls the limiter refused.
    pub fn throttled(&self) -> usize {
        self.lock().calls.iter().filter(|call| call.throttled).count()
    }

    /// Forgets every call.
    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.forgotten += kept.calls.len();
        kept.calls.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str) -> Call {
        Call {
            at: DateTime::UNIX_EPOCH,
            server: "expensify",
            operation: operation.to_owned(),
            caller: String::new(),
            status: 0,
            code: None,
            throttled: false,
            fault: None,
        }
    }

    #[test]
    fn an_outcome_finds_its_call_even_when_others_were_forgotten() {
        let calls = Calls::default();
        let lost = calls.record(call("export"));
        calls.clear();
        let kept = calls.record(call("download"));
        calls.settle(lost, 500, None);
        calls.settle(kept, 200, Some(404));
        assert_eq!(
            calls
                .all()
                .iter()
                .map(|call| (call.status, call.code))
                .collect::<Vec<_>>(),
            [(200, Some(404))]
        );
        assert_eq!((calls.count("export"), calls.count("download")), (0, 1));
    }
}
