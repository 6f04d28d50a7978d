//! A filter of a browse: `<field>,<op>,<value>,literal`, or `<field>,rg,<from>,literal,<to>,literal`.
//!
//! The fourth part is empty in older captures. There is no escape for a comma, so a value that holds one makes the
//! filter malformed, which is answered as everything wrong here is: with no rows.

use std::cmp::Ordering;

use super::cell::Cell;
use crate::qad::shape::{BrowseShape, Column};
use crate::qad::world::folded;

/// How a value is compared (contract qad §1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Range,
}

/// One condition; all of a request's conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) column: Column,
    pub(super) operator: Operator,
    pub(super) value: String,
    /// The end of a range; empty for other operators.
    to: String,
}

impl Filter {
    /// Nothing if it is malformed or names a column that the browse does not have.
    pub(super) fn parse(raw: &str, browse: &BrowseShape) -> Option<Self> {
        let parts: Vec<&str> = raw.split(',').collect();
        let literal = |word: &str| word == "literal" || word.is_empty();
        let (field, operator, value, to) = match *parts.as_slice() {
            [field, "rg", from, one, to, other] if literal(one) && literal(other) => {
                (field, Operator::Range, from, to)
            }
            [field, operator, value, word] if literal(word) => (field, single(operator)?, value, ""),
            _ => return None,
        };
        let column = browse.column_named(field)?;
        Some(Self {
            column,
            operator,
            value: value.to_owned(),
            to: to.to_owned(),
        })
    }

    pub(super) fn matches(&self, cell: &Cell) -> bool {
        let is = |allowed: &[Ordering], text: &str| {
            cell.compare(text).is_some_and(|order| allowed.contains(&order))
        };
        let characters = |test: fn(&str, &str) -> bool| {
            cell.characters()
                .is_some_and(|own| test(&own, &folded(&self.value)))
        };
        match self.operator {
            Operator::Eq => is(&[Ordering::Equal], &self.value),
            Operator::Greater => is(&[Ordering::Greater], &self.value),
            Operator::GreaterOrEqual => is(&[Ordering::Greater, Ordering::Equal], &self.value),
            Operator::Less => is(&[Ordering::Less], &self.value),
            Operator::LessOrEqual => is(&[Ordering::Less, Ordering::Equal], &self.value),
            Operator::Range => {
                is(&[Ordering::Greater, Ordering::Equal], &self.value)
                    && is(&[Ordering::Less, Ordering::Equal], &self.to)
            }
            Operator::Contains => characters(|own, sought| own.contains(sought)),
            Operator::StartsWith => characters(|own, sought| own.starts_with(sought)),
            Operator::EndsWith => characters(|own, sought| own.ends_with(sought)),
        }
    }
}

fn single(operator: &str) -> Option<Operator> {
    Some(match operator {
        "eq" => Operator::Eq,
        "cn" => Operator::Contains,
        "sw" => Operator::StartsWith,
        "ew" => Operator::EndsWith,
        "gt" => Operator::Greater,
        "ge" => Operator::GreaterOrEqual,
        "lt" => Operator::Less,
        "le" => Operator::LessOrEqual,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(raw: &str, code: &str) -> Option<bool> {
        Filter::parse(raw, &BrowseShape::accounts()).map(|filter| filter.matches(&Cell::text(code)))
    }

    #[test]
    fn every_operator() {
        let cases = [
            ("eq,6410", true),
            ("eq,641", false),
            ("cn,41", true),
            ("cn,42", false),
            ("sw,64", true),
            ("sw,41", false),
            ("ew,10", true),
            ("ew,64", false),
            ("gt,6409", true),
            ("gt,6410", false),
            ("ge,6410", true),
            ("ge,6411", false),
            ("lt,6411", true),
            ("lt,6410", false),
            ("le,6410", true),
            ("le,6409", false),
        ];
        for (case, expected) in cases {
            assert_eq!(
                matches(&format!("ac_mstr.ac_code,{case},literal"), "6410"),
                Some(expected),
                "{case}"
            );
        }
        assert_eq!(
            matches("ac_mstr.ac_code,rg,6400,literal,6410,literal", "6410"),
            Some(true)
        );
        assert_eq!(
            matches("ac_mstr.ac_code,rg,6400,literal,6409,literal", "6410"),
            Some(false)
        );
    }

    #[test]
    fn characters_compare_without_case() {
        assert_eq!(
            matches("ac_mstr.ac_desc,cn,AIR,literal", "Travel - Air"),
            Some(true)
        );
    }

    #[test]
    fn the_older_form_has_an_empty_fourth_part() {
        assert_eq!(matches("ac_mstr.ac_code,eq,6410,", "6410"), Some(true));
    }

    #[test]
    fn what_is_malformed_or_names_no_column_is_no_filter() {
        for raw in [
            "",
            "ac_mstr.ac_code",
            "ac_mstr.ac_code,eq,6410",
            "ac_mstr.ac_code,is,6410,literal",
            "ac_mstr.ac_code,eq,6410,field",
            "ac_mstr.ac_code,eq,64,10,literal",
            "ac_mstr.ac_code,rg,6400,literal",
            "ac_mstr.ac_kode,eq,6410,literal",
        ] {
            assert_eq!(matches(raw, "6410"), None, "{raw}");
        }
    }
}
