//! The laws of a rule set, on generated sets and lines. Few values, so that rules overlap often.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::testing::SETTINGS;
use super::*;
use crate::ids::Email;

/// A rule in the making: conditions by key as they are written, and a code for each of two dimensions.
#[derive(Debug, Clone)]
struct Draft {
    when: BTreeMap<&'static str, String>,
    account: Option<u8>,
    cost_centre: Option<u8>,
}
impl Draft {
    fn written(&self) -> String {
        let when: Vec<String> = self
            .when
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        let set: Vec<String> = [("account", self.account), ("cost_centre", self.cost_centre)]
            .iter()
            .filter_map(|(key, code)| code.map(|code| format!("{key} = \"C{code}\"")))
            .collect();
        format!(
            "[[rule]]\nwhen = {{ {} }}\nset = {{ {} }}\n",
            when.join(", "),
            set.join(", ")
        )
    }
}

fn file(drafts: &[Draft]) -> String {
    drafts.iter().map(Draft::written).collect::<String>() + SETTINGS
}

fn one_or_two(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::subsequence(values, 1..=2).prop_map(|values| format!("{values:?}"))
}

fn condition() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        4 => one_or_two(&["Air", "Hotel", "Meals"]).prop_map(|v| ("category", v)),
        3 => one_or_two(&["Ohio", "Ohio:L1", "Ohio:L2", "Texas:L1", ""]).prop_map(|v| ("tag", v)),
        2 => one_or_two(&["Ohio", "Texas"]).prop_map(|v| ("tag_level_1", v)),
        2 => one_or_two(&["L1", "L2", ""]).prop_map(|v| ("tag_level_2", v)),
        2 => one_or_two(&["Uber", "Uber Eats", "Ub*", "Uber*", "Delta*"]).prop_map(|v| ("merchant", v)),
        1 => any::<bool>().prop_map(|v| ("reimbursable", v.to_string())),
        1 => (-2i64..3).prop_map(|v| ("amount_from", (v * 50).to_string())),
        1 => (-2i64..3).prop_map(|v| ("amount_to", format!("\"{}.99\"", v * 50 + 49))),
        1 => one_or_two(&["kim@example.com", "LEE@example.com"]).prop_map(|v| ("employee", v)),
        1 => one_or_two(&["Customer", "Internal"]).prop_map(|v| ("field.Trip", v)),
        1 => one_or_two(&["EUR", "USD"]).prop_map(|v| ("currency", v)),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let when = proptest::collection::vec(condition(), 1..4).prop_map(|tests| tests.into_iter().collect());
    (when, proptest::option::weighted(0.8, 0u8..3), 0u8..3).prop_map(|(when, account, other)| {
        let cost_centre = if account.is_none() || other == 0 {
            Some(other)
        } else {
            None
        };
        Draft {
            when,
            account,
            cost_centre,
        }
    })
}

fn line() -> impl Strategy<Value = Witness> {
    let texts = (
        proptest::sample::select(&["Air", "Hotel", "Meals", "Other", ""][..]),
        proptest::sample::select(
            &[
                "Ohio", "Ohio:L1", "Ohio:L2", "Ohio:L3", "Texas:L1", "Texas", "Utah:L1", "", "Ohio::X",
            ][..],
        ),
        proptest::sample::select(
            &[
                "UBER",
                "Uber Eats",
                "Uber Eats 2",
                "Ubi",
                "delta air",
                "Shell",
                "",
            ][..],
        ),
        proptest::sample::select(&["kim@example.com", "lee@example.com", "max@example.com"][..]),
        proptest::sample::select(&["Customer", "Internal", ""][..]),
        proptest::sample::select(&["EUR", "usd", "JPY"][..]),
    );
    (texts, any::<bool>(), -15_100i64..15_100).prop_map(
        |((category, tag, merchant, employee, trip, currency), reimbursable, cents)| Witness {
            category: category.into(),
            tag: tag.into(),
            merchant: merchant.into(),
            employee: Email::new(employee).ok(),
            fields: BTreeMap::from([("Trip".to_owned(), trip.to_owned())]),
            currency: currency.into(),
            reimbursable,
            amount: rust_decimal::Decimal::new(cents, 2),
            ..Witness::default()
        },
    )
}

/// What a line gets, without the number of the rule, which is only its place in the file.
fn answers(set: &RuleSet, line: &Witness) -> (Option<String>, Option<String>) {
    let resolved = set.resolve(&line.view());
    (
        resolved.account.value().map(ToString::to_string),
        resolved.cost_centre.value().map(ToString::to_string),
    )
}

fn is_ambiguous(set: &RuleSet, line: &Witness) -> bool {
    let resolved = set.resolve(&line.view());
    let account = matches!(resolved.account, Resolution::Unset(Unset::Ambiguous { .. }));
    account || matches!(resolved.cost_centre, Resolution::Unset(Unset::Ambiguous { .. }))
}

/// A rule's condition, by parsing it alone.
fn alone(draft: &Draft) -> Option<Rule> {
    RuleSet::parse(&file(std::slice::from_ref(draft)))
        .ok()
        .map(|set| set.rules()[0].clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_order_in_the_file_means_nothing(
        (drafts, shuffled) in proptest::collection::vec(draft(), 1..6).prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
        lines in proptest::collection::vec(line(), 20),
    ) {
        match (RuleSet::parse(&file(&drafts)), RuleSet::parse(&file(&shuffled))) {
            (Ok(a), Ok(b)) => {
                prop_assert_eq!(a.hash(), b.hash());
                for line in &lines {
                    prop_assert_eq!(answers(&a, line), answers(&b, line));
                }
            }
            (Err(a), Err(b)) => prop_assert_eq!(a.len(), b.len()),
            (a, b) => prop_assert!(false, "accepted in one order only: {:?} {:?}", a.err(), b.err()),
        }
    }

    #[test]
    fn an_accepted_set_meets_no_ambiguity(
        drafts in proptest::collection::vec(draft(), 1..6),
        lines in proptest::collection::vec(line(), 40),
    ) {
        if let Ok(set) = RuleSet::parse(&file(&drafts)) {
            for line in &lines {
                prop_assert!(!is_ambiguous(&set, line), "{:?}", line);
            }
        }
    }

    #[test]
    fn a_refusal_shows_a_line_that_both_rules_match(drafts in proptest::collection::vec(draft(), 2..6)) {
        for fault in RuleSet::parse(&file(&drafts)).err().into_iter().flatten() {
            let (first, second, dimension, witness) = match &fault {
                RuleFault::Ambiguous { first, second, dimension, witness, .. } => (first, second, *dimension, witness),
                RuleFault::Contradiction { first, second, dimension, witness, .. } => (first, second, *dimension, witness),
                _ => continue,
            };
            let (Some(a), Some(b)) = (alone(&drafts[first.number - 1]), alone(&drafts[second.number - 1])) else {
                prop_assert!(false, "a rule that matches nothing cannot be in a quarrel");
                return Ok(());
            };
            prop_assert!(a.when.matches(&witness.view()), "{} does not match {}", first, witness);
            prop_assert!(b.when.matches(&witness.view()), "{} does not match {}", second, witness);
            prop_assert_ne!(a.set.get(&dimension), b.set.get(&dimension));
        }
    }

    #[test]
    fn the_narrower_rule_always_wins(wide in draft(), more in condition(), line in line()) {
        if wide.when.contains_key(more.0) {
            return Ok(());
        }
        let narrow = Draft { when: wide.when.clone().into_iter().chain([more]).collect(), ..wide.clone() };
        let (wide, narrow) = (with_code(&wide, 1), with_code(&narrow, 2));
        let Ok(both) = RuleSet::parse(&file(&[wide.clone(), narrow.clone()])) else { return Ok(()) };
        let (Some(wide), Some(narrow)) = (alone(&wide), alone(&narrow)) else { return Ok(()) };
        let expected = match (wide.when.matches(&line.view()), narrow.when.matches(&line.view())) {
            (_, true) => Some("C2".to_owned()),
            (true, false) => Some("C1".to_owned()),
            (false, false) => None,
        };
        prop_assert_eq!(answers(&both, &line).0, expected);
    }

    #[test]
    fn what_coverage_calls_covered_is(drafts in proptest::collection::vec(draft(), 1..5), lines in proptest::collection::vec(line(), 40)) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        let coverage = set.coverage(["Air", "Hotel", "Meals", "Other"], ["Ohio", "Ohio:L1", "Texas:L1", "Utah:L1"]);
        let find = |gaps: &[Gap], name: &str| gaps.iter().find(|gap| gap.name == name).map(|gap| gap.kind.clone());
        for line in &lines {
            let (account, cost_centre) = answers(&set, line);
            for (name, asked, gap, answer) in [
                (&line.category, &["Air", "Hotel", "Meals", "Other"][..], find(&coverage.categories, &line.category), account),
                (&line.tag, &["Ohio", "Ohio:L1", "Texas:L1", "Utah:L1"][..], find(&coverage.tags, &line.tag), cost_centre),
            ] {
                if asked.contains(&name.as_str()) {
                    match gap {
                        None => prop_assert!(answer.is_some(), "{} is said to be covered", name),
                        Some(GapKind::NoRule) => prop_assert!(answer.is_none(), "{} is said to have no rule", name),
                        Some(GapKind::Partly(_) | GapKind::Unclear) => {}
                    }
                }
            }
        }
        for gap in &coverage.categories {
            if let GapKind::Partly(witness) = &gap.kind {
                prop_assert_eq!(&witness.category, &gap.name);
                prop_assert_eq!(answers(&set, witness).0, None);
            }
        }
    }
}

proptest! {
    // Each case counts out some 770 kinds of line.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_set_is_accepted_and_answers_as_counting_every_line_says(drafts in proptest::collection::vec(countable(), 1..6)) {
        let rules: Vec<Rule> = drafts.iter().filter_map(alone).collect();
        let lines = every_kind_of_line();
        let matched: Vec<BTreeSet<usize>> = rules
            .iter()
            .map(|rule| lines.iter().enumerate().filter(|(_, line)| rule.when.matches(&line.view())).map(|(at, _)| at).collect())
            .collect();
        let strictly_within = |a: usize, b: usize| matched[a].is_subset(&matched[b]) && matched[a] != matched[b];
        let account = |at: usize| rules[at].set.get(&Dimension::Account).cloned();
        let setting: Vec<usize> = (0..rules.len()).filter(|at| account(*at).is_some()).collect();
        let answer = |line: usize| {
            let matching: Vec<usize> = setting.iter().copied().filter(|at| matched[*at].contains(&line)).collect();
            let best = matching.iter().filter(|b| !matching.iter().any(|a| strictly_within(*a, **b)));
            best.filter_map(|at| account(*at)).map(|outcome| outcome.to_string()).collect::<BTreeSet<String>>()
        };
        let quarrel = (0..lines.len()).any(|line| answer(line).len() > 1);
        let twins = setting.iter().any(|a| setting.iter().any(|b| matched[*a] == matched[*b] && account(*a) != account(*b)));
        let sound = rules.len() == drafts.len() && !quarrel && !twins;
        match RuleSet::parse(&file(&drafts)) {
            Ok(set) => {
                prop_assert!(sound, "accepted, though a line meets two answers");
                for (at, line) in lines.iter().enumerate() {
                    prop_assert_eq!(answers(&set, line).0, answer(at).pop_first());
                }
            }
            Err(faults) => {
                prop_assert!(!sound, "refused without need: {:?}", faults);
                if rules.len() < drafts.len() {
                    return Ok(()); // A rule that no line can match: the numbers below would be others.
                }
                for fault in &faults {
                    if let RuleFault::Ambiguous { first, second, witness, .. } = fault {
                        let (first, second) = (first.number - 1, second.number - 1);
                        let settled = (0..rules.len()).any(|c| {
                            (strictly_within(c, first) || strictly_within(c, second)) && rules[c].when.matches(&witness.view())
                        });
                        prop_assert!(!settled, "{} is not in doubt", witness);
                    }
                }
            }
        }
    }
}

fn with_code(draft: &Draft, code: u8) -> Draft {
    Draft {
        account: Some(code),
        cost_centre: None,
        ..draft.clone()
    }
}

/// Rules on three fields only, so that every kind of line they can tell apart can be counted out.
fn countable() -> impl Strategy<Value = Draft> {
    let test = prop_oneof![
        one_or_two(&["Air", "Hotel", "Meals"]).prop_map(|v| ("category", v)),
        one_or_two(&["Ohio", "Ohio:L1", "Ohio:L2", "Texas:L1", ""]).prop_map(|v| ("tag", v)),
        one_or_two(&["Ohio", "Texas"]).prop_map(|v| ("tag_level_1", v)),
        one_or_two(&["L1", "L2", ""]).prop_map(|v| ("tag_level_2", v)),
        one_or_two(&["Uber", "Uber Eats", "Ub*", "Uber*", "Delta*"]).prop_map(|v| ("merchant", v)),
    ];
    let when = proptest::collection::vec(test, 1..4).prop_map(|tests| tests.into_iter().collect());
    (when, 0u8..2).prop_map(|(when, account)| Draft {
        when,
        account: Some(account),
        cost_centre: None,
    })
}

fn every_kind_of_line() -> Vec<Witness> {
    let mut lines = Vec::new();
    for category in ["Air", "Hotel", "Meals", "Other"] {
        for one in ["Ohio", "Texas", "Utah", ""] {
            for two in ["L1", "L2", "L3", ""] {
                for three in ["", "X"] {
                    for merchant in ["Uber", "Uber Eats", "Uber X", "Ubi", "Delta", "Shell"] {
                        let (tag, category) = (format!("{one}:{two}:{three}"), category.to_owned());
                        lines.push(Witness {
                            category,
                            tag,
                            merchant: merchant.to_owned(),
                            ..Witness::default()
                        });
                    }
                }
            }
        }
    }
    lines
}
