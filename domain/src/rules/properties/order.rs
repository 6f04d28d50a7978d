//! To be more specific is a strict partial order, and says no more than that a match set is contained in another.

use proptest::prelude::*;

use super::cases;
use super::generated::{Draft, alone, draft, file};
use super::naive::{Counted, countable};
use crate::rules::cells::Universe;
use crate::rules::condition::Condition;
use crate::rules::{Dimension, Rule, RuleSet, Witness};

/// Which of some rules is more specific than which.
pub(super) type Relation = fn(&[Draft], usize, usize) -> bool;

/// As the engine ranks them, read from the regions it would rank them by.
pub(super) fn ranked(drafts: &[Draft], a: usize, b: usize) -> bool {
    let whens: Vec<Condition> = drafts.iter().map(condition_of).collect();
    let universe = Universe::new(whens.iter());
    let (Some(tight_a), Some(tight_b)) = (universe.tight(&whens[a]), universe.tight(&whens[b])) else {
        return false;
    };
    let within = tight_a.is_within(&universe.literal(&whens[b]));
    let around = tight_b.is_within(&universe.literal(&whens[a]));
    // Both ways in which the engine asks it must say the same.
    assert_eq!(
        within && !around,
        within && universe.extent(&tight_a) < universe.extent(&tight_b)
    );
    within && !around
}

fn condition_of(draft: &Draft) -> Condition {
    alone(draft).map(|rule: Rule| rule.when).unwrap_or_default()
}

/// No rule before itself, no two before each other, and what is before one that is before a third is before the third.
pub(super) fn is_a_strict_partial_order(drafts: &[Draft], before: Relation) -> Result<(), TestCaseError> {
    for a in 0..drafts.len() {
        prop_assert!(!before(drafts, a, a), "{:?} is before itself", drafts[a]);
        for b in 0..drafts.len() {
            prop_assert!(
                !(before(drafts, a, b) && before(drafts, b, a)),
                "{:?} {:?}",
                drafts[a],
                drafts[b]
            );
            for c in 0..drafts.len() {
                let chain = before(drafts, a, b) && before(drafts, b, c);
                prop_assert!(
                    !chain || before(drafts, a, c),
                    "{:?} {:?} {:?}",
                    drafts[a],
                    drafts[b],
                    drafts[c]
                );
            }
        }
    }
    Ok(())
}

/// One is more specific where every line it matches is matched by the other, and not the other way round.
pub(super) fn is_containment(
    drafts: &[Draft],
    lines: &[Witness],
    before: Relation,
) -> Result<(), TestCaseError> {
    let matchable: Vec<Draft> = drafts
        .iter()
        .filter(|draft| alone(draft).is_some())
        .cloned()
        .collect();
    let counted = Counted::new(&matchable, lines);
    for a in 0..matchable.len() {
        for b in 0..matchable.len() {
            let expected = counted.is_strictly_within(a, b);
            prop_assert_eq!(
                before(&matchable, a, b),
                expected,
                "{:?} {:?}",
                &matchable[a],
                &matchable[b]
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn to_be_more_specific_is_a_strict_partial_order(drafts in proptest::collection::vec(draft(), 3)) {
        let matchable: Vec<Draft> = drafts.into_iter().filter(|draft| alone(draft).is_some()).collect();
        is_a_strict_partial_order(&matchable, ranked)?;
    }

    #[test]
    fn to_be_more_specific_is_to_be_contained((drafts, lines) in countable()) {
        is_containment(&drafts, &lines, ranked)?;
    }

    #[test]
    fn a_set_ranks_its_rules_by_the_same_relation(drafts in proptest::collection::vec(draft(), 2..4)) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        let Some(ranking) = set.rankings.get(&Dimension::Account) else { return Ok(()) };
        for a in ranking.contenders() {
            for b in ranking.contenders() {
                let number = |at: usize| set.rules()[at].name.number - 1;
                prop_assert_eq!(a.is_strictly_within(b), ranked(&drafts, number(a.at), number(b.at)));
            }
        }
    }
}
