//! What holds of every set and line.

use proptest::prelude::*;

use super::cases;
use super::generated::{
    Draft, account, alone, condition, cost_centre, draft, drafts, file, is_ambiguous, line,
};
use crate::rules::{RuleFault, RuleSet, Witness};

/// Something that gives a line its account by rules in the making; not the engine alone.
pub(super) type Resolver = fn(&[Draft], &Witness) -> Option<String>;

/// The engine. A set that is refused answers nothing.
pub(super) fn engine(drafts: &[Draft], line: &Witness) -> Option<String> {
    RuleSet::parse(&file(drafts))
        .ok()
        .and_then(|set| account(&set, line))
}

/// Rules in another order give every line the same.
pub(super) fn order_means_nothing(
    drafts: &[Draft],
    shuffled: &[Draft],
    lines: &[Witness],
    resolver: Resolver,
) -> Result<(), TestCaseError> {
    for line in lines {
        prop_assert_eq!(resolver(drafts, line), resolver(shuffled, line), "{:?}", line);
    }
    Ok(())
}

/// A rule more, where the set with it is accepted too, changes only lines that it matches.
pub(super) fn a_rule_more_changes_only_its_lines(
    drafts: &[Draft],
    more: &Draft,
    lines: &[Witness],
    resolver: Resolver,
) -> Result<(), TestCaseError> {
    let with: Vec<Draft> = drafts.iter().chain([more]).cloned().collect();
    let is_set = |drafts: &[Draft]| RuleSet::parse(&file(drafts)).is_ok();
    let Some(rule) = alone(more).filter(|_| is_set(drafts) && is_set(&with)) else {
        return Ok(());
    };
    for line in lines.iter().filter(|line| !rule.when.matches(&line.view())) {
        prop_assert_eq!(resolver(drafts, line), resolver(&with, line), "{:?}", line);
    }
    Ok(())
}

/// A text that may be anything: of every script, with marks of direction, with what rules write.
pub(super) fn odd_text() -> impl Strategy<Value = String> {
    let odd = proptest::sample::select(
        &[
            "ß",
            "İ",
            "Σ",
            "ﬁ",
            "\u{202e}",
            "\u{200d}",
            "\u{1f469}\u{200d}\u{1f52c}",
            "e\u{301}",
            ":",
            "\\:",
            " ",
            "\u{a0}",
            "*",
            "\0",
            "Uber",
            "Travel",
        ][..],
    )
    .prop_map(str::to_owned);
    let piece = prop_oneof![odd, any::<char>().prop_map(String::from)];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_order_in_the_file_means_nothing(
        (drafts, shuffled) in drafts().prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
        lines in proptest::collection::vec(line(), 10),
    ) {
        match (RuleSet::parse(&file(&drafts)), RuleSet::parse(&file(&shuffled))) {
            (Ok(a), Ok(b)) => {
                prop_assert_eq!(a.hash(), b.hash());
                for line in &lines {
                    prop_assert_eq!(account(&a, line), account(&b, line));
                    prop_assert_eq!(cost_centre(&a, line), cost_centre(&b, line));
                }
            }
            (Err(a), Err(b)) => prop_assert_eq!(a.len(), b.len()),
            (a, b) => prop_assert!(false, "accepted in one order only: {:?} {:?}", a.err(), b.err()),
        }
    }

    #[test]
    fn a_rule_more_changes_only_the_lines_it_matches(
        drafts in drafts(),
        more in draft(),
        lines in proptest::collection::vec(line(), 3),
    ) {
        a_rule_more_changes_only_its_lines(&drafts, &more, &lines, engine)?;
    }

    #[test]
    fn an_accepted_set_meets_no_ambiguity(
        drafts in drafts(),
        lines in proptest::collection::vec(line(), 40),
    ) {
        if let Ok(set) = RuleSet::parse(&file(&drafts)) {
            for line in &lines {
                prop_assert!(!is_ambiguous(&set, line), "{:?}", line);
            }
        }
    }

    #[test]
    fn the_index_finds_what_a_scan_finds(drafts in drafts(), lines in proptest::collection::vec(line(), 20)) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        for line in &lines {
            let rules = set.rules().iter().enumerate();
            let scanned: Vec<usize> =
                rules.filter(|(_, rule)| rule.when.matches(&line.view())).map(|(at, _)| at).collect();
            prop_assert_eq!(set.index.matching(&line.view()), scanned, "{:?}", line);
        }
    }

    #[test]
    fn every_line_is_answered_whatever_stands_in_it(
        drafts in drafts(),
        texts in proptest::collection::vec(odd_text(), 7),
        amount in any::<(i64, u8)>(),
    ) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        let line = odd_line(&texts, amount);
        let resolved = set.resolve(&line.view());
        let _ = (format!("{resolved:?}"), set.index.matching(&line.view()));
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
        let with_code = |draft: &Draft, code: u8| Draft { account: Some(code), cost_centre: None, project: None, ..draft.clone() };
        let (wide, narrow) = (with_code(&wide, 1), with_code(&narrow, 2));
        let Ok(both) = RuleSet::parse(&file(&[wide.clone(), narrow.clone()])) else { return Ok(()) };
        let (Some(wide), Some(narrow)) = (alone(&wide), alone(&narrow)) else { return Ok(()) };
        let expected = match (wide.when.matches(&line.view()), narrow.when.matches(&line.view())) {
            (_, true) => Some("C2".to_owned()),
            (true, false) => Some("C1".to_owned()),
            (false, false) => None,
        };
        prop_assert_eq!(account(&both, &line), expected);
    }
}

/// A line with these texts in its fields.
pub(super) fn odd_line(texts: &[String], amount: (i64, u8)) -> Witness {
    let text = |at: usize| texts.get(at).cloned().unwrap_or_default();
    Witness {
        policy: text(0),
        category: text(1),
        tag: text(2),
        fields: [("Trip".to_owned(), text(3))].into(),
        currency: text(4),
        merchant: text(5),
        kind: text(6),
        card_program: text(1),
        amount: rust_decimal::Decimal::new(amount.0, u32::from(amount.1 % 29)),
        ..Witness::default()
    }
}
