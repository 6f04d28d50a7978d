//! Each property can fail: held against something that is wrong on purpose, it finds a counterexample.

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use super::generated::{Draft, alone, draft, drafts, file, is_ambiguous, line};
use super::laws::{a_rule_more_changes_only_its_lines, odd_line, odd_text, order_means_nothing};
use super::naive::{agrees, countable, equal, matches};
use super::order::{Relation, is_a_strict_partial_order, is_containment, ranked};
use super::printing::{Printer, odd_file, reads_as_the_same};
use crate::rules::{RuleSet, Witness};

/// The property fails within a few thousand cases, the same ones in every run.
#[track_caller]
fn is_refuted<S: Strategy>(cases: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: Clone,
{
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig {
            cases: 3_000,
            failure_persistence: None,
            max_shrink_iters: 0,
            ..ProptestConfig::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let outcome = runner.run(&cases, property);
    assert!(
        matches!(outcome, Err(TestError::Fail(..))),
        "no counterexample was found: {:?}",
        outcome.err()
    );
}

fn code(draft: &Draft) -> Option<String> {
    draft.account.map(|code| format!("C{code}"))
}

/// The order in the file decides.
fn first_match(drafts: &[Draft], line: &Witness) -> Option<String> {
    let setting = drafts.iter().filter(|draft| draft.account.is_some());
    setting
        .into_iter()
        .find(|draft| matches(draft, line, equal))
        .and_then(code)
}

/// The last one in the file overrides.
fn last_wins(drafts: &[Draft], line: &Witness) -> Option<String> {
    let setting = drafts.iter().rev().filter(|draft| draft.account.is_some());
    setting
        .into_iter()
        .find(|draft| matches(draft, line, equal))
        .and_then(code)
}

/// The one with the most conditions is taken for the most specific.
fn most_conditions(drafts: &[Draft], line: &Witness) -> Option<String> {
    let setting = drafts
        .iter()
        .filter(|draft| draft.account.is_some() && matches(draft, line, equal));
    setting.max_by_key(|draft| draft.when.len()).and_then(code)
}

/// Case is not told apart, and otherwise containment decides.
fn any_case(drafts: &[Draft], line: &Witness) -> Option<String> {
    let setting = drafts
        .iter()
        .filter(|draft| draft.account.is_some() && matches(draft, line, |a, b| a.eq_ignore_ascii_case(b)));
    let narrowest = setting.min_by_key(|draft| std::cmp::Reverse(draft.when.len()));
    narrowest.and_then(code)
}

fn lines() -> impl Strategy<Value = Vec<Witness>> {
    proptest::collection::vec(line(), 10)
}

#[test]
fn the_order_means_something_to_first_match_and_last_wins() {
    for wrong in [first_match, last_wins] {
        let shuffled = drafts().prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle()));
        is_refuted((shuffled, lines()), |((drafts, shuffled), lines)| {
            order_means_nothing(&drafts, &shuffled, &lines, wrong)
        });
    }
}

#[test]
fn a_rule_more_changes_other_lines_where_case_is_not_told_apart() {
    is_refuted((drafts(), draft(), lines()), |(drafts, more, lines)| {
        a_rule_more_changes_only_its_lines(&drafts, &more, &lines, any_case)
    });
}

#[test]
fn a_set_that_is_not_checked_meets_an_ambiguity() {
    // Each rule is sound alone, and nobody holds them against each other.
    is_refuted((drafts(), lines()), |(drafts, lines)| {
        let sound = drafts.iter().all(|draft| alone(draft).is_some());
        let engine = RuleSet::parse(&file(&drafts));
        for line in lines.iter().filter(|_| sound) {
            let answers: std::collections::BTreeSet<Option<u8>> = drafts
                .iter()
                .filter(|draft| draft.account.is_some() && matches(draft, line, equal))
                .map(|draft| draft.account)
                .collect();
            let ambiguous = match &engine {
                Ok(set) => is_ambiguous(set, line),
                Err(_) => answers.len() > 1,
            };
            prop_assert!(!ambiguous);
        }
        Ok(())
    });
}

#[test]
fn counting_every_line_finds_each_wrong_engine() {
    for wrong in [first_match, last_wins, most_conditions, any_case] {
        is_refuted(countable(), |(drafts, lines)| agrees(&drafts, &lines, wrong));
    }
}

#[test]
fn a_wrong_relation_is_no_strict_partial_order_or_not_containment() {
    let or_equal: Relation = |drafts, a, b| a == b || ranked(drafts, a, b);
    let shares_a_field: Relation =
        |drafts, a, b| a != b && drafts[a].when.keys().any(|key| drafts[b].when.contains_key(key));
    for wrong in [or_equal, shares_a_field] {
        is_refuted(proptest::collection::vec(draft(), 3), |drafts| {
            let matchable: Vec<Draft> = drafts
                .into_iter()
                .filter(|draft| alone(draft).is_some())
                .collect();
            is_a_strict_partial_order(&matchable, wrong)
        });
    }
    // Not transitive: it looks one step far.
    let neighbours: Relation = |drafts, a, b| drafts[a].when.len() == drafts[b].when.len() + 1;
    is_refuted(proptest::collection::vec(draft(), 3), |drafts| {
        is_a_strict_partial_order(&drafts, neighbours)
    });
    // A strict partial order, and not the one that is meant.
    let more_conditions: Relation = |drafts, a, b| drafts[a].when.len() > drafts[b].when.len();
    is_refuted(countable(), |(drafts, lines)| {
        is_containment(&drafts, &lines, more_conditions)
    });
}

#[test]
fn a_resolver_that_counts_bytes_does_not_answer_every_line() {
    fn cut(category: &str) -> &str {
        &category[..category.len().min(3)]
    }
    is_refuted(
        (proptest::collection::vec(odd_text(), 7), any::<(i64, u8)>()),
        |(texts, amount)| {
            let line = odd_line(&texts, amount);
            let answered = std::panic::catch_unwind(|| cut(&line.category).len());
            prop_assert!(answered.is_ok());
            Ok(())
        },
    );
}

#[test]
fn a_careless_printer_is_found() {
    let drops_stars: Printer = |set| set.print().replace('*', "");
    let folds_case: Printer = |set| set.print().to_lowercase();
    let reverses: Printer = |set| {
        let text = set.print();
        let (rules, rest) = text.split_once("[posting]").unwrap();
        let mut rules: Vec<&str> = rules.split("[[rule]]").filter(|rule| !rule.is_empty()).collect();
        rules.reverse();
        format!("[[rule]]{}\n[posting]{rest}", rules.join("\n[[rule]]"))
    };
    for wrong in [drops_stars, folds_case, reverses] {
        is_refuted(drafts(), |drafts| match RuleSet::parse(&file(&drafts)) {
            Ok(set) => reads_as_the_same(&set, wrong),
            Err(_) => Ok(()),
        });
    }
    let does_not_escape: Printer = |set| set.print().replace("\\U", "\\u");
    is_refuted(odd_file(), |text| match RuleSet::parse(&text) {
        Ok(set) => reads_as_the_same(&set, does_not_escape),
        Err(_) => Ok(()),
    });
}
