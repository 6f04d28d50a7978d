//! Which rules are worth asking about a line: thousands of lines meet hundreds of rules.

use std::collections::BTreeMap;

use super::set::Rule;
use super::view::{Field, LineView};

/// Finds the few rules that can match a line at all: each is filed under one field for which it names values, that for
/// which it names the fewest.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    by_value: BTreeMap<Field, BTreeMap<String, Vec<usize>>>,
    other: Vec<usize>,
}
impl Index {
    /// Of rules by their place in the set.
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            // Half of all lines are reimbursable or not, and most are of one policy and currency.
            let telling =
                |field: &&Field| !matches!(field, Field::Reimbursable | Field::Policy | Field::Currency);
            let named = rule
                .when
                .fields()
                .filter(telling)
                .filter_map(|field| Some((field, rule.when.named(field)?)));
            match named.min_by_key(|(_, values)| values.len()) {
                Some((field, values)) => {
                    let by_value = index.by_value.entry(field.clone()).or_default();
                    values
                        .iter()
                        .for_each(|value| by_value.entry(value.clone()).or_default().push(at));
                }
                None => index.other.push(at),
            }
        }
        index
    }

    /// Rules that may match a line; all others do not.
    pub(super) fn candidates<'a>(&'a self, line: &LineView<'_>) -> impl Iterator<Item = usize> + 'a {
        let mut found: Vec<usize> = self
            .by_value
            .iter()
            .filter_map(|(field, by_value)| by_value.get(line.value(field).as_ref()))
            .flatten()
            .chain(&self.other)
            .copied()
            .collect();
        // In the set's own order, so that of rules that agree the same one is named whatever led to it.
        found.sort_unstable();
        found.into_iter()
    }
}
