//! A second implementation, as plain as can be: try every rule, count out every line. And the engine held against it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::cases;
use super::generated::{Draft, KEYS, account, alone, condition_on, file, put, shown};
use crate::rules::{RuleFault, RuleSet, Witness};

/// Does a rule in the making match a line? Written without the engine; `same` says when two texts are equal.
pub(super) fn matches(draft: &Draft, line: &Witness, same: fn(&str, &str) -> bool) -> bool {
    let parts = |text: &str| {
        text.split(':')
            .map(|part| part.trim().to_owned())
            .collect::<Vec<String>>()
    };
    let tag: Vec<String> = parts(&line.tag);
    let level = |at: usize| tag.get(at).cloned().unwrap_or_default();
    let one = |values: &[String], text: &str| values.iter().any(|value| same(value, text));
    draft.when.iter().all(|(key, values)| match *key {
        "category" => values.iter().any(|value| {
            let (have, wanted) = (parts(&line.category), parts(value));
            match wanted.split_last() {
                Some((star, parent)) if star == "*" => {
                    have.len() > parent.len() && parent.iter().zip(&have).all(|(a, b)| same(a, b))
                }
                _ => same(&have.join(":"), &wanted.join(":")),
            }
        }),
        "tag" => one(values, line.tag.trim_end_matches(':')),
        "tag_level_1" => one(values, &level(0)),
        "tag_level_2" => one(values, &level(1)),
        "merchant" => values.iter().any(|value| {
            let (value, have) = (value.to_lowercase(), line.merchant.to_lowercase());
            value
                .strip_suffix('*')
                .map_or(have == value, |beginning| have.starts_with(beginning))
        }),
        "reimbursable" => values[0] == line.reimbursable.to_string(),
        "amount_from" => values[0]
            .parse()
            .is_ok_and(|from: rust_decimal::Decimal| from <= line.amount),
        "amount_to" => values[0]
            .parse()
            .is_ok_and(|to: rust_decimal::Decimal| line.amount <= to),
        "employee" => line
            .employee
            .as_ref()
            .is_some_and(|who| values.iter().any(|v| v.eq_ignore_ascii_case(who.as_str()))),
        "field.Trip" => one(values, line.fields.get("Trip").map_or("", String::as_str)),
        "currency" => values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(&line.currency)),
        "policy" => one(values, &line.policy),
        "kind" => one(values, &line.kind),
        _ => one(values, &line.card_program),
    })
}

pub(super) fn equal(a: &str, b: &str) -> bool {
    a == b
}

/// Rules on a few fields only, so that every kind of line that they can tell apart can be counted out, and those lines.
pub(super) fn countable() -> impl Strategy<Value = (Vec<Draft>, Vec<Witness>)> {
    let fields = proptest::sample::subsequence((0..KEYS.len()).collect::<Vec<usize>>(), 1..=3);
    fields.prop_flat_map(|fields| {
        let mut lines = vec![Witness::default()];
        for values in fields
            .iter()
            .map(|at| KEYS[*at].0)
            .filter(|key| !is_told_by_another(key, &fields))
        {
            lines = lines
                .iter()
                .flat_map(|line| {
                    shown(values).iter().map(|value| {
                        let mut line = line.clone();
                        put(&mut line, values, value);
                        line
                    })
                })
                .collect();
        }
        let when = proptest::collection::vec(condition_on(fields), 1..4)
            .prop_map(|tests| tests.into_iter().collect());
        let draft = (when, 0u8..2).prop_map(|(when, account)| Draft {
            when,
            account: Some(account),
            cost_centre: None,
            project: None,
        });
        (proptest::collection::vec(draft, 1..6), Just(lines))
    })
}

/// The tag and its levels are one field of a line, and so are two bounds of an amount: the first tells them all.
fn is_told_by_another(key: &str, fields: &[usize]) -> bool {
    let group = |key: &str| match key {
        "tag_level_1" | "tag_level_2" => "tag".to_owned(),
        "amount_to" => "amount_from".to_owned(),
        other => other.to_owned(),
    };
    let first = fields
        .iter()
        .map(|at| KEYS[*at].0)
        .find(|other| group(other) == group(key));
    first != Some(key)
}

/// What counting says.
pub(super) struct Counted {
    /// For each rule, the lines it matches.
    matched: Vec<BTreeSet<usize>>,
    accounts: Vec<Option<u8>>,
}
impl Counted {
    pub(super) fn new(drafts: &[Draft], lines: &[Witness]) -> Self {
        let of = |draft: &Draft| {
            let matching = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| matches(draft, line, equal));
            matching.map(|(at, _)| at).collect()
        };
        Self {
            matched: drafts.iter().map(of).collect(),
            accounts: drafts.iter().map(|draft| draft.account).collect(),
        }
    }

    pub(super) fn is_strictly_within(&self, a: usize, b: usize) -> bool {
        self.matched[a].is_subset(&self.matched[b]) && self.matched[a] != self.matched[b]
    }

    /// The accounts that a line gets from the most specific rules.
    pub(super) fn answer(&self, line: usize) -> BTreeSet<u8> {
        let matching: Vec<usize> = (0..self.matched.len())
            .filter(|at| self.matched[*at].contains(&line))
            .collect();
        let best = matching
            .iter()
            .filter(|b| !matching.iter().any(|a| self.is_strictly_within(*a, **b)));
        best.filter_map(|at| self.accounts[*at]).collect()
    }

    /// No line meets two answers, no two rules that match the same lines disagree, and each matches some.
    pub(super) fn is_sound(&self, lines: usize) -> bool {
        let all = 0..self.matched.len();
        let twins =
            |a: usize, b: usize| self.matched[a] == self.matched[b] && self.accounts[a] != self.accounts[b];
        self.matched.iter().all(|lines| !lines.is_empty())
            && (0..lines).all(|line| self.answer(line).len() <= 1)
            && !all.clone().any(|a| all.clone().any(|b| twins(a, b)))
    }
}

/// The engine, or another, says of every line what counting says.
pub(super) fn agrees(
    drafts: &[Draft],
    lines: &[Witness],
    resolver: fn(&[Draft], &Witness) -> Option<String>,
) -> Result<(), TestCaseError> {
    let counted = Counted::new(drafts, lines);
    if counted.is_sound(lines.len()) {
        for (at, line) in lines.iter().enumerate() {
            let expected = counted.answer(at).pop_first().map(|code| format!("C{code}"));
            prop_assert_eq!(resolver(drafts, line), expected, "{:?}", line);
        }
    }
    Ok(())
}

/// What the engine accepts is what counting finds sound, and a line that it shows is in doubt.
fn is_accepted_where_sound(drafts: &[Draft], lines: &[Witness]) -> Result<(), TestCaseError> {
    let counted = Counted::new(drafts, lines);
    match RuleSet::parse(&file(drafts)) {
        Ok(set) => {
            prop_assert!(
                counted.is_sound(lines.len()),
                "accepted, though a line meets two answers"
            );
            for (at, line) in lines.iter().enumerate() {
                let expected = counted.answer(at).pop_first().map(|code| format!("C{code}"));
                prop_assert_eq!(account(&set, line), expected, "{:?}", line);
            }
        }
        Err(faults) => {
            prop_assert!(
                !counted.is_sound(lines.len()),
                "refused without need: {:?}",
                faults
            );
            if drafts.iter().filter_map(alone).count() < drafts.len() {
                return Ok(()); // A rule that no line can match: the numbers below would be others.
            }
            for fault in &faults {
                if let RuleFault::Ambiguous {
                    first,
                    second,
                    witness,
                    ..
                } = fault
                {
                    let (first, second) = (first.number - 1, second.number - 1);
                    let matching = |at: &usize| matches(&drafts[*at], witness, equal);
                    prop_assert!(
                        matching(&first) && matching(&second),
                        "{} is not matched",
                        witness
                    );
                    let settled = (0..drafts.len()).filter(matching).any(|c| {
                        counted.is_strictly_within(c, first) || counted.is_strictly_within(c, second)
                    });
                    prop_assert!(!settled, "{} is not in doubt", witness);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_set_is_accepted_and_answers_as_counting_every_line_says((drafts, lines) in countable()) {
        is_accepted_where_sound(&drafts, &lines)?;
    }
}
