//! Which categories and tags no rule covers: for `rules check` and `doctor`, before a report meets the gap.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::{Budget, Spent};
use super::cells::Universe;
use super::condition::{CategoryPattern, Condition, Test};
use super::filing::Filing;
use super::region::Region;
use super::set::{Dimension, Rule, RuleSet};
use super::view::{Field, normal_category, normal_tag};
use super::witness::Witness;

/// What is not covered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Categories with lines that get no account.
    pub categories: Vec<Gap>,
    /// Tags with lines that get no cost centre.
    pub tags: Vec<Gap>,
}
impl Coverage {
    /// Is every given name covered?
    pub fn is_complete(&self) -> bool {
        self.categories.is_empty() && self.tags.is_empty()
    }
}

/// A name that is not covered, or not always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The category or tag.
    pub name: String,
    /// How far.
    pub kind: GapKind,
}

/// How far a name is not covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapKind {
    /// No rule can match a line with it.
    NoRule,
    /// Some lines with it are covered, depending on what else they show; this one is not.
    Partly(Box<Witness>),
    /// Some rules cover some lines with it, in so many ways that whether all are could not be found out.
    Unclear,
}

impl RuleSet {
    /// Which of these categories get no account, and which of these tags no cost centre, from any rule or from none for
    /// some lines. A rule that takes a GL code counts: whether the code is there, only a line can tell.
    pub fn coverage<'a>(
        &self,
        categories: impl IntoIterator<Item = &'a str>,
        tags: impl IntoIterator<Item = &'a str>,
    ) -> Coverage {
        let categories = categories
            .into_iter()
            .map(|name| normal_category(name).into_owned());
        let tags = tags.into_iter().map(normal_tag);
        Coverage {
            categories: self.gaps(Dimension::Account, &Field::Category, categories),
            tags: self.gaps(Dimension::CostCentre, &Field::Tag, tags),
        }
    }

    fn gaps(&self, dimension: Dimension, field: &Field, names: impl Iterator<Item = String>) -> Vec<Gap> {
        let names: BTreeSet<String> = names.collect();
        let setting: Vec<&Rule> = self
            .rules
            .iter()
            .filter(|rule| rule.set.contains_key(&dimension))
            .collect();
        let all = |names: BTreeSet<String>| Condition {
            tests: BTreeMap::from([(field.clone(), whole(field, names))]),
        };
        let every = all(names.clone());
        let universe = Universe::new(setting.iter().map(|rule| &rule.when).chain([&every]));
        let regions: Vec<Region> = setting.iter().map(|rule| universe.literal(&rule.when)).collect();
        let filing = Filing::new(regions.iter(), &universe.counts());
        let gap = |name: String| {
            let lines = universe.tight(&all(BTreeSet::from([name.clone()])))?;
            let able: Vec<&Region> = filing
                .meeting(&lines, |_| true)
                .0
                .into_iter()
                .filter_map(|at| regions.get(at as usize))
                .filter(|region| universe.overlap(&lines, region).is_some())
                .collect();
            let kind = match universe.uncovered(&lines, &able, &mut Budget::new(Budget::QUESTION)) {
                Ok(None) => return None,
                Ok(Some(_)) if able.is_empty() => GapKind::NoRule,
                Ok(Some(line)) => GapKind::Partly(Box::new(line)),
                Err(Spent) => GapKind::Unclear,
            };
            Some(Gap { name, kind })
        };
        names.into_iter().filter_map(gap).collect()
    }
}

/// These names and no more, though one may be written like a branch.
fn whole(field: &Field, names: BTreeSet<String>) -> Test {
    match field {
        Field::Category => Test::Category(names.into_iter().map(CategoryPattern::Whole).collect()),
        _ => Test::OneOf(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::accepted;

    #[test]
    fn it_tells_what_no_rule_covers_from_what_some_rules_cover() {
        let set = accepted(&[
            r#"category = "Air" => account = "6410""#,
            r#"category = "Hotel", reimbursable = true => account = "6411""#,
            r#"category = "Meals", reimbursable = true => account = "6412""#,
            r#"category = "Meals", reimbursable = false => account = "6413""#,
            r#"tag_level_1 = "Ohio" => cost_centre = "OH""#,
        ]);
        let coverage = set.coverage(["Air", "Hotel", "Meals", "Gifts"], ["Ohio:L1", "Texas"]);
        let seen: Vec<String> = coverage
            .categories
            .iter()
            .map(|gap| match &gap.kind {
                GapKind::NoRule => format!("{}: no rule", gap.name),
                GapKind::Partly(line) => format!("{}: not {line}", gap.name),
                GapKind::Unclear => format!("{}: unclear", gap.name),
            })
            .collect();
        assert_eq!(
            seen,
            [
                "Gifts: no rule",
                "Hotel: not a line with category \"Hotel\", reimbursable false"
            ]
        );
        assert_eq!(
            coverage.tags,
            [Gap {
                name: "Texas".into(),
                kind: GapKind::NoRule
            }]
        );
        assert!(!coverage.is_complete());
    }

    #[test]
    fn a_rule_that_takes_the_code_from_the_line_covers_every_name() {
        let set = accepted(&[
            r#" => account = { from = "category_gl_code" }, cost_centre = { from = "tag_gl_code" }"#,
        ]);
        assert!(set.coverage(["Air", ""], ["Ohio"]).is_complete());
    }

    #[test]
    fn a_branch_covers_what_lies_below_it() {
        let set = accepted(&[
            r#"category = "Travel:*" => account = "6410""#,
            r#"category = "Travel:Air:*", reimbursable = true => account = "6411""#,
        ]);
        let coverage = set.coverage(["Travel: Air", "Travel:Air:Long", "Travel", "Meals:Air"], []);
        let names: Vec<&str> = coverage.categories.iter().map(|gap| gap.name.as_str()).collect();
        assert_eq!(names, ["Meals:Air", "Travel"]);
    }

    #[test]
    fn a_gap_on_either_side_is_a_gap() {
        let set = accepted(&[
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => cost_centre = "OH""#,
        ]);
        assert!(set.coverage(["Air"], ["Ohio"]).is_complete());
        assert!(!set.coverage(["Gifts"], ["Ohio"]).is_complete());
        assert!(!set.coverage(["Air"], ["Texas"]).is_complete());
    }
}
