//! When a rule matches: a conjunction of tests, at most one for each field.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::view::{Field, LineView, normal_category};

/// A merchant by name, or all whose names begin alike. In lower case and trimmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MerchantPattern {
    /// This name.
    Exact(String),
    /// Every name that begins so; written with `*` at the end.
    Prefix(String),
}
impl MerchantPattern {
    /// Reads `name` or `begins with*`; `None` for a lone `*`, which would be no condition at all.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        match text.strip_suffix('*').map(str::trim_end) {
            Some("") => None,
            Some(prefix) => Some(Self::Prefix(prefix.to_owned())),
            None => Some(Self::Exact(text)),
        }
    }
    /// Does it match a name in lower case and trimmed?
    pub fn accepts(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => name == text,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
    /// As it is written in a file.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Exact(text) => text.clone(),
            Self::Prefix(prefix) => format!("{prefix}*"),
        }
    }
    /// What decides between patterns of several card programs that match one name: a whole name before a beginning,
    /// then the longer beginning. Two patterns that match one name are equal or differ in this.
    pub(super) fn strength(&self) -> (bool, usize) {
        match self {
            Self::Exact(text) => (true, text.len()),
            Self::Prefix(prefix) => (false, prefix.len()),
        }
    }
}

/// A category, or all below one: Expensify's categories are hierarchical by colon (`Travel:Air`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CategoryPattern {
    /// This category, in normal form.
    Whole(String),
    /// Every category below this one, at any depth, and not the category itself; written `Travel:*`.
    Below(String),
}
impl CategoryPattern {
    /// Reads `Travel:Air` or `Travel:*`; `None` for `:*`, which is below nothing.
    pub fn new(text: &str) -> Option<Self> {
        let text = normal_category(text);
        match text.strip_suffix(":*") {
            Some("") => None,
            Some(parent) => Some(Self::Below(parent.to_owned())),
            None => Some(Self::Whole(text.into_owned())),
        }
    }
    /// Does it match a category in normal form?
    pub fn accepts(&self, category: &str) -> bool {
        match self {
            Self::Whole(text) => category == text,
            Self::Below(parent) => category
                .strip_prefix(parent.as_str())
                .is_some_and(|rest| rest.starts_with(':')),
        }
    }
    /// As it is written in a file.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Below(parent) => format!("{parent}:*"),
        }
    }
}

/// What one field must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these, each in the form in which the field is compared.
    OneOf(BTreeSet<String>),
    /// A category that one of these matches.
    Category(BTreeSet<CategoryPattern>),
    /// A merchant that one of these matches.
    Merchant(BTreeSet<MerchantPattern>),
    /// An amount from, and up to and with, these; `None` is no bound.
    Between(Option<Decimal>, Option<Decimal>),
}
impl Test {
    /// The names and (`true`) beginnings that it accepts; none where it is about an amount.
    pub(super) fn patterns(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, bool)> + '_> {
        match self {
            Self::OneOf(values) => {
                Box::new(values.iter().map(|value| (Cow::Borrowed(value.as_str()), false)))
            }
            Self::Category(patterns) => Box::new(patterns.iter().map(|pattern| match pattern {
                CategoryPattern::Whole(text) => (Cow::Borrowed(text.as_str()), false),
                CategoryPattern::Below(parent) => (Cow::Owned(format!("{parent}:")), true),
            })),
            Self::Merchant(patterns) => Box::new(patterns.iter().map(|pattern| match pattern {
                MerchantPattern::Exact(text) => (Cow::Borrowed(text.as_str()), false),
                MerchantPattern::Prefix(prefix) => (Cow::Borrowed(prefix.as_str()), true),
            })),
            Self::Between(..) => Box::new(std::iter::empty()),
        }
    }
    /// Does a text hold it? Amounts are no text.
    pub(super) fn accepts_text(&self, value: &str) -> bool {
        match self {
            Self::OneOf(values) => values.contains(value),
            Self::Category(patterns) => patterns.iter().any(|pattern| pattern.accepts(value)),
            Self::Merchant(patterns) => patterns.iter().any(|pattern| pattern.accepts(value)),
            Self::Between(..) => false,
        }
    }
    /// Does an amount hold it?
    pub(super) fn accepts_amount(&self, amount: Decimal) -> bool {
        match self {
            Self::Between(from, to) => {
                from.is_none_or(|from| from <= amount) && to.is_none_or(|to| amount <= to)
            }
            Self::OneOf(_) | Self::Category(_) | Self::Merchant(_) => false,
        }
    }
}

/// The conditions of a rule; a line must meet all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    pub(super) tests: BTreeMap<Field, Test>,
}
impl Condition {
    /// Does a line meet every condition?
    pub fn matches(&self, line: &LineView<'_>) -> bool {
        self.tests.iter().all(|(field, test)| match field {
            Field::Amount => test.accepts_amount(line.amount),
            _ => test.accepts_text(&line.value(field)),
        })
    }
    /// The fields it looks at.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.tests.keys()
    }
    /// Does it accept every line?
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }
    /// The texts it accepts in a field, where it names them.
    pub(super) fn named(&self, field: &Field) -> Option<&BTreeSet<String>> {
        match self.tests.get(field) {
            Some(Test::OneOf(values)) => Some(values),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Email;
    use crate::rules::Witness;

    fn when(tests: impl IntoIterator<Item = (Field, Test)>) -> Condition {
        Condition {
            tests: tests.into_iter().collect(),
        }
    }
    fn one_of(values: &[&str]) -> Test {
        Test::OneOf(values.iter().map(|v| (*v).to_owned()).collect())
    }
    fn category(values: &[&str]) -> Test {
        Test::Category(values.iter().filter_map(|v| CategoryPattern::new(v)).collect())
    }
    fn merchant(text: &str) -> Test {
        Test::Merchant(MerchantPattern::new(text).into_iter().collect())
    }

    #[test]
    fn every_condition_must_hold() {
        let both = when([
            (Field::Category, category(&["Travel", "Meals"])),
            (Field::Tag, one_of(&["Ohio"])),
        ]);
        let line = Witness {
            category: " Travel ".into(),
            tag: "Ohio".into(),
            ..Witness::default()
        };
        assert!(both.matches(&line.view()));
        assert!(
            !both.matches(
                &Witness {
                    tag: "Texas".into(),
                    ..line
                }
                .view()
            )
        );
    }

    #[test]
    fn categories_differ_by_case_and_people_and_merchants_do_not() {
        let line = Witness {
            category: "travel".into(),
            employee: Some(Email::new("Kim@Example.com").unwrap()),
            merchant: "UBER *TRIP".into(),
            ..Witness::default()
        };
        assert!(!when([(Field::Category, category(&["Travel"]))]).matches(&line.view()));
        assert!(when([(Field::Employee, one_of(&["kim@example.com"]))]).matches(&line.view()));
        assert!(when([(Field::Merchant, merchant("Uber*"))]).matches(&line.view()));
        assert!(!when([(Field::Merchant, merchant("Uber"))]).matches(&line.view()));
    }

    #[test]
    fn both_bounds_of_an_amount_belong_to_it() {
        let bounds = when([(
            Field::Amount,
            Test::Between(Some(Decimal::ZERO), Some(Decimal::new(500, 0))),
        )]);
        for (cents, expected) in [(-1, false), (0, true), (50_000, true), (50_001, false)] {
            let line = Witness {
                amount: Decimal::new(cents, 2),
                ..Witness::default()
            };
            assert_eq!(bounds.matches(&line.view()), expected, "{cents}");
        }
    }

    #[test]
    fn a_branch_is_what_lies_below_a_category_at_any_depth() {
        let branch = when([(Field::Category, category(&["Travel:*"]))]);
        for (category, expected) in [
            ("Travel:Air", true),
            (" Travel : Air ", true),
            ("Travel:Air:Long haul", true),
            ("Travel:", true),
            ("Travel", false),
            ("Travels:Air", false),
            ("travel:Air", false),
            ("Other:Travel:Air", false),
            ("", false),
        ] {
            let line = Witness {
                category: category.into(),
                ..Witness::default()
            };
            assert_eq!(branch.matches(&line.view()), expected, "{category}");
        }
        assert_eq!(CategoryPattern::new(" : * "), None);
        assert_eq!(
            CategoryPattern::new("Travel*"),
            Some(CategoryPattern::Whole("Travel*".into())),
            "a name like another"
        );
    }

    #[test]
    fn a_lone_star_is_no_pattern() {
        assert_eq!(MerchantPattern::new(" * "), None);
        assert_eq!(
            MerchantPattern::new("Uber *"),
            Some(MerchantPattern::Prefix("uber".into()))
        );
    }
}
