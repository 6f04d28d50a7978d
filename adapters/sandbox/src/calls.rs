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
    kept: Arc<Mutex<Vec<Call>>>,
}

impl Calls {
    /// Keeps a call.
    pub fn record(&self, call: Call) {
        self.lock().push(call);
    }

    /// Every call since the start or the last [`Calls::clear`].
    pub fn all(&self) -> Vec<Call> {
        self.lock().clone()
    }

    /// Calls by operation.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.lock().iter() {
            *counts.entry(call.operation.clone()).or_insert(0) += 1;
        }
        counts
    }

    /// How many calls of `operation` there were.
    pub fn count(&self, operation: &str) -> usize {
        self.lock()
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// How many calls the limiter refused.
    pub fn throttled(&self) -> usize {
        self.lock().iter().filter(|call| call.throttled).count()
    }

    /// Forgets every call.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Call>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
