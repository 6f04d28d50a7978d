//! Faults on a switch: a queue of rules, each of which makes chosen calls go wrong in one way.
//!
//! The kinds differ by server, so the queue is generic over them: `Faults<expensify::FaultKind>`,
//! `Faults<qad::FaultKind>`. What a kind means is the server's business; when it strikes is decided here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One rule: let `after` matching calls pass, then strike the next `times` of them with `kind`.
///
/// As JSON: `{"operation": "export", "after": 1, "times": 2, "kind": {"slow": {"ms": 50}}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule<K> {
    /// The operation struck; none, any operation. Names are listed by each server. A trailing `*` matches any ending,
    /// so that `post:*` is every post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Matching calls that pass unharmed first.
    #[serde(default)]
    pub after: u32,
    /// Matching calls that are struck then.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub kind: K,
}

fn once() -> u32 {
    1
}

impl<K> FaultRule<K> {
    /// Strikes the next call of `operation`, once.
    pub fn next(operation: impl Into<String>, kind: K) -> Self {
        Self {
            operation: Some(operation.into()),
            after: 0,
            times: 1,
            kind,
        }
    }

    /// Strikes the next call, whatever it is, once.
    pub fn next_call(kind: K) -> Self {
        Self {
            operation: None,
            after: 0,
            times: 1,
            kind,
        }
    }

    /// The same rule, once `calls` matching calls have passed.
    pub fn after(self, calls: u32) -> Self {
        Self { after: calls, ..self }
    }

    /// The same rule, for `calls` matching calls.
    pub fn times(self, calls: u32) -> Self {
        Self { times: calls, ..self }
    }

    fn matches(&self, operation: &str) -> bool {
        match self.operation.as_deref() {
            None => true,
            Some(pattern) => match pattern.strip_suffix('*') {
                Some(beginning) => operation.starts_with(beginning),
                None => pattern == operation,
            },
        }
    }
}

/// The queue of a stand-in. Clones share it.
#[derive(Debug)]
pub struct Faults<K> {
    rules: Arc<Mutex<Vec<FaultRule<K>>>>,
}

impl<K> Clone for Faults<K> {
    fn clone(&self) -> Self {
        Self {
            rules: Arc::clone(&self.rules),
        }
    }
}

impl<K> Default for Faults<K> {
    fn default() -> Self {
        Self {
            rules: Arc::default(),
        }
    }
}

impl<K: Clone> Faults<K> {
    /// Adds a rule behind those already there.
    pub fn add(&self, rule: FaultRule<K>) {
        if rule.times > 0 {
            self.lock().push(rule);
        }
    }

    /// The rules that have not struck their last.
    pub fn pending(&self) -> Vec<FaultRule<K>> {
        self.lock().clone()
    }

    /// Forgets every rule.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Tells the queue that `operation` is called, and what is to go wrong, if anything.
    ///
    /// Every matching rule that still lets calls pass counts this one; the first that no longer does strikes. So a call
    /// suffers one fault at most, and two rules for one operation follow one another.
    pub fn strike(&self, operation: &str) -> Option<K> {
        self.strike_any(&[operation.to_owned()])
    }

    /// The same for an operation that has several names (a browse has its meaning and its id): a rule for any of them
    /// matches, once.
    pub fn strike_any(&self, names: &[String]) -> Option<K> {
        let mut rules = self.lock();
        let mut struck = None;
        for rule in rules
            .iter_mut()
            .filter(|rule| names.iter().any(|name| rule.matches(name)))
        {
            if rule.after > 0 {
                rule.after -= 1;
            } else if struck.is_none() {
                rule.times = rule.times.saturating_sub(1);
                struck = Some(rule.kind.clone());
            }
        }
        rules.retain(|rule| rule.times > 0);
        struck
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FaultRule<K>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_waits_strikes_and_is_spent() {
        let faults = Faults::default();
        faults.add(FaultRule::next("export", 'x').after(1).times(2));
        let struck: Vec<_> = (0..4).map(|_| faults.strike("export")).collect();
        assert_eq!(struck, [None, Some('x'), Some('x'), None]);
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn other_operations_are_neither_struck_nor_counted() {
        let faults = Faults::default();
        faults.add(FaultRule::next("export", 'x'));
        assert_eq!(faults.strike("download"), None);
        assert_eq!(faults.strike("export"), Some('x'));
    }

    #[test]
    fn two_rules_for_one_operation_follow_one_another() {
        let faults = Faults::default();
        faults.add(FaultRule::next("post:*", 'a'));
        faults.add(FaultRule::next_call('b'));
        assert_eq!(faults.strike("post:journal"), Some('a'));
        assert_eq!(faults.strike("post:journal"), Some('b'));
    }

    #[test]
    fn an_operation_with_two_names_is_counted_once() {
        let faults = Faults::default();
        faults.add(FaultRule::next("browse:*", 'x').after(1));
        faults.add(FaultRule::next("browse:urn:1", 'y').after(1));
        let names = ["browse:accounts".to_owned(), "browse:urn:1".to_owned()];
        let struck: Vec<_> = (0..4).map(|_| faults.strike_any(&names)).collect();
        assert_eq!(struck, [None, Some('x'), Some('y'), None]);
    }

    #[test]
    fn a_rule_reads_from_json_with_its_defaults() {
        let rule: FaultRule<String> = serde_json::from_str(r#"{"kind":"late"}"#).unwrap();
        assert_eq!(rule, FaultRule::next_call("late".to_owned()));
    }
}
