//! The rule that nearly matched a line, and what kept it from matching: the first thing a person asks of a rejection.
//!
//! Looked for only where a line is rejected, since it goes through all rules.

use std::fmt;

use super::condition::Test;
use super::set::{Dimension, Rule, RuleName, RuleSet};
use super::view::{Field, LineView};

/// A rule that sets what a line lacks, and fails the line on fewest conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// Which.
    pub rule: RuleName,
    /// What it wants and the line has not: at least one.
    pub misses: Vec<Miss>,
}

/// One condition that a line does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The field.
    pub field: Field,
    /// What the rule wants there, in the words of a rule file; nothing where it names people.
    pub wants: Option<String>,
    /// What the line has there; nothing where that describes a person.
    pub has: Option<String>,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.wants {
            Some(wants) => write!(f, "wants {field} {wants}")?,
            None => write!(f, "wants another {field}")?,
        }
        match self.has.as_deref() {
            None => Ok(()),
            Some("") => f.write_str(", where the line has none"),
            Some(has) => write!(f, ", where the line has \"{has}\""),
        }
    }
}
impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let misses: Vec<String> = self.misses.iter().map(ToString::to_string).collect();
        write!(f, "nearest is {}, which {}", self.rule, misses.join(" and "))
    }
}

/// How near a rule is: fewer conditions missed, then more of them met, then values written more alike.
type Rank = (usize, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>);

impl RuleSet {
    /// The rule for a dimension that comes nearest to matching a line that none matches; `None` where no rule sets it. Of
    /// rules that are equally near, the first in the file.
    pub fn nearest(&self, dimension: Dimension, line: &LineView<'_>) -> Option<Nearest> {
        let setting = self
            .rules()
            .iter()
            .filter(|rule| rule.set.contains_key(&dimension));
        let (_, _, rule) = setting
            .map(|rule| (rank(rule, line), &rule.name, rule))
            .min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)))?;
        let misses: Vec<Miss> = failing(rule, line)
            .map(|(field, test)| miss(field, test, line))
            .collect();
        (!misses.is_empty()).then(|| Nearest {
            rule: rule.name.clone(),
            misses,
        })
    }
}

fn meets(field: &Field, test: &Test, line: &LineView<'_>) -> bool {
    match field {
        Field::Amount => test.accepts_amount(line.amount),
        _ => test.accepts_text(&line.value(field)),
    }
}

fn failing<'a>(rule: &'a Rule, line: &'a LineView<'_>) -> impl Iterator<Item = (&'a Field, &'a Test)> {
    rule.when
        .tests
        .iter()
        .filter(|(field, test)| !meets(field, test, line))
}

fn rank(rule: &Rule, line: &LineView<'_>) -> Rank {
    let (mut missed, mut alike) = (0_usize, 0_usize);
    for (field, test) in failing(rule, line) {
        missed = missed.saturating_add(1);
        let has = line.value(field);
        let best = test.patterns().map(|(value, _)| likeness(&value, &has)).max();
        alike = alike.saturating_add(best.unwrap_or(0));
    }
    let met = rule.when.tests.len().saturating_sub(missed);
    (missed, std::cmp::Reverse(met), std::cmp::Reverse(alike))
}

/// How many letters and digits two texts begin with alike, whatever their case and what stands between; twice as many where
/// they are the same.
fn likeness(a: &str, b: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (a, b) = (letters(a), letters(b));
    let alike = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    if a == b { alike.saturating_mul(2) } else { alike }
}

/// Most values of a condition that are named.
const NAMED: usize = 3;

fn miss(field: &Field, test: &Test, line: &LineView<'_>) -> Miss {
    let wants = match test {
        Test::Between(from, to) => Some(match (from, to) {
            (Some(from), Some(to)) => format!("from {from} to {to}"),
            (Some(from), None) => format!("from {from}"),
            (None, Some(to)) => format!("up to {to}"),
            (None, None) => "of any size".to_owned(),
        }),
        // Who else there is, is nobody's business.
        _ if *field == Field::Employee => None,
        test => {
            let mut values: Vec<String> = test
                .patterns()
                .map(|(value, beginning)| format!("\"{value}{}\"", if beginning { "*" } else { "" }))
                .collect();
            let more = values.len().saturating_sub(NAMED);
            values.truncate(NAMED);
            let list = values.join(" or ");
            Some(if more == 0 {
                list
            } else {
                format!("{list} or {more} more")
            })
        }
    };
    Miss {
        field: field.clone(),
        wants,
        has: line.seen(field).value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Witness;
    use crate::rules::testing::{accepted, line};

    fn told(rules: &[&str], line: &Witness) -> Option<String> {
        let nearest = accepted(rules).nearest(Dimension::Account, &line.view());
        nearest.map(|nearest| nearest.to_string())
    }

    #[test]
    fn a_category_that_is_written_almost_so_is_told_with_the_rule_that_wants_it() {
        let rules = [
            r#"category = "Hotel" => account = "1""#,
            r#"category = "Airfare" => account = "2""#,
            r#"category = "Meals" => account = "3""#,
        ];
        assert_eq!(
            told(&rules, &line("Air fare", "Ohio")).as_deref(),
            Some("nearest is rule 2, which wants category \"Airfare\", where the line has \"Air fare\"")
        );
    }

    #[test]
    fn a_rule_that_fails_on_one_condition_is_nearer_than_one_that_fails_on_two() {
        let rules = [
            r#"category = "Hotel", tag = "Ohio" => account = "1""#,
            r#"category = "Air", tag = "Texas" => account = "2""#,
        ];
        assert_eq!(
            told(&rules, &line("Air", "Ohio:L1")).as_deref(),
            Some("nearest is rule 2, which wants tag \"Texas\", where the line has \"Ohio:L1\"")
        );
    }

    #[test]
    fn an_amount_and_what_is_not_there_are_told() {
        let rules = [r#"category = "Gifts", amount_to = "50" => account = "1""#];
        let gift = Witness {
            amount: rust_decimal::Decimal::new(7_500, 2),
            ..line("Gifts", "")
        };
        assert_eq!(
            told(&rules, &gift).as_deref(),
            Some("nearest is rule 1, which wants amount up to 50, where the line has \"75.00\"")
        );
        let none = told(&[r#"tag = "Ohio" => account = "1""#], &line("Air", ""));
        assert!(
            none.unwrap()
                .ends_with("wants tag \"Ohio\", where the line has none")
        );
    }

    #[test]
    fn people_and_merchants_of_a_line_are_not_repeated_since_reasons_are_not_sealed() {
        let rules = [
            r#"employee = "kim@example.com", category = "Air" => account = "1""#,
            r#"merchant = "Delta*", category = "Hotel" => account = "2""#,
        ];
        let stay = Witness {
            employee: crate::ids::Email::new("lee@example.com").ok(),
            merchant: "Secret Spa".into(),
            ..line("Air", "")
        };
        assert_eq!(
            told(&rules, &stay).as_deref(),
            Some("nearest is rule 1, which wants another employee")
        );
        let spa = Witness {
            category: "Hotel".into(),
            ..stay
        };
        assert_eq!(
            told(&rules, &spa).as_deref(),
            Some("nearest is rule 2, which wants merchant \"delta*\"")
        );
    }

    #[test]
    fn of_what_no_rule_sets_nothing_is_near() {
        assert_eq!(
            told(&[r#"tag = "Ohio" => cost_centre = "1""#], &line("Air", "")),
            None
        );
    }
}
