//! What is said to be covered is, and what is said not to be is not.

use proptest::prelude::*;

use super::cases;
use super::generated::{account, cost_centre, drafts, file, line};
use crate::rules::{Gap, GapKind, RuleSet};

const CATEGORIES: [&str; 5] = ["Travel", "Travel:Air", "Travel:Rail", "Meals", "Gifts"];
const TAGS: [&str; 4] = ["Ohio", "Ohio:L1", "Texas:L1", "Utah:L1"];

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn what_coverage_calls_covered_is(drafts in drafts(), lines in proptest::collection::vec(line(), 40)) {
        let Ok(set) = RuleSet::parse(&file(&drafts)) else { return Ok(()) };
        let coverage = set.coverage(CATEGORIES, TAGS);
        let find = |gaps: &[Gap], name: &str| gaps.iter().find(|gap| gap.name == name).map(|gap| gap.kind.clone());
        for line in &lines {
            for (name, asked, gap, answer) in [
                (&line.category, &CATEGORIES[..], find(&coverage.categories, &line.category), account(&set, line)),
                (&line.tag, &TAGS[..], find(&coverage.tags, &line.tag), cost_centre(&set, line)),
            ] {
                if asked.contains(&name.as_str()) {
                    match gap {
                        None => prop_assert!(answer.is_some(), "{} is said to be covered", name),
                        Some(GapKind::NoRule) => prop_assert!(answer.is_none(), "{} is said to have no rule", name),
                        Some(GapKind::Partly(_)) => {}
                        Some(GapKind::Unclear) => prop_assert!(false, "{} is not too entangled", name),
                    }
                }
            }
        }
        for gap in &coverage.categories {
            if let GapKind::Partly(witness) = &gap.kind {
                prop_assert_eq!(&witness.category, &gap.name);
                prop_assert_eq!(account(&set, witness), None);
            }
        }
    }
}
