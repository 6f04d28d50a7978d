//! What a line's coding is, dimension by dimension, and why.

use std::str::FromStr;

use super::resolution::{Resolution, Resolved, Unset, Why};
use super::set::{Dimension, Outcome, RuleName, RuleSet};
use super::specificity::Contender;
use super::view::{LineView, Seen};
use crate::ids::BadId;

impl RuleSet {
    /// Resolves every dimension of a line. Total and pure; the chart is not asked.
    pub fn resolve(&self, line: &LineView<'_>) -> Resolved {
        let matching = self.index.matching(line);
        Resolved {
            account: self.dimension(Dimension::Account, line, &matching),
            cost_centre: self.dimension(Dimension::CostCentre, line, &matching),
            sub_account: self.dimension(Dimension::SubAccount, line, &matching),
            project: self.dimension(Dimension::Project, line, &matching),
            credit_account: if line.wants_credit_account() {
                self.dimension(Dimension::CreditAccount, line, &matching)
            } else {
                Resolution::Unset(Unset::NotAsked {
                    dimension: Dimension::CreditAccount,
                })
            },
        }
    }

    fn dimension<T: FromStr<Err = BadId>>(
        &self,
        dimension: Dimension,
        line: &LineView<'_>,
        matching: &[usize],
    ) -> Resolution<T> {
        let deciding = self
            .rankings
            .get(&dimension)
            .map_or_else(Vec::new, |ranking| ranking.deciding(matching));
        let Some(winner) = deciding.first() else {
            return Resolution::Unset(Unset::NoRule {
                dimension,
                saw: self.looked_at(dimension, line),
            });
        };
        if deciding.iter().any(|other| other.outcome != winner.outcome) {
            let mut rules: Vec<RuleName> = deciding.iter().map(|other| other.name.clone()).collect();
            rules.sort();
            return Resolution::Unset(Unset::Ambiguous { dimension, rules });
        }
        self.found(dimension, line, winner)
            .map_or_else(Resolution::Unset, |(value, why)| Resolution::Found { value, why })
    }

    fn found<T: FromStr<Err = BadId>>(
        &self,
        dimension: Dimension,
        line: &LineView<'_>,
        winner: &Contender,
    ) -> Result<(T, Why), Unset> {
        let (text, source) = match &winner.value {
            Outcome::Code(code) => (code.as_str(), None),
            Outcome::From(source) => (source.of(line), Some(*source)),
        };
        let name = || winner.name.clone();
        let value = match (T::from_str(text), source) {
            (Ok(value), _) => value,
            (Err(_), Some(source)) if text.is_empty() => {
                return Err(Unset::BlankCode {
                    dimension,
                    rule: name(),
                    source,
                });
            }
            (Err(error), Some(source)) => {
                return Err(Unset::BadCode {
                    dimension,
                    rule: name(),
                    source,
                    error,
                });
            }
            // A code in the file was read as one when the set was; it cannot fail here, and if it did nothing would post.
            (Err(_), None) => {
                return Err(Unset::NoRule {
                    dimension,
                    saw: Vec::new(),
                });
            }
        };
        let taken_from = source.map(|source| Seen {
            field: source.word(),
            value: Some(text.to_owned()),
        });
        let axes = self.index.universe.axes();
        let looked_at = winner
            .looks_at
            .iter()
            .filter_map(|place| axes.get(*place as usize));
        let saw = looked_at.map(|(field, _)| line.seen(field)).collect();
        Ok((
            value,
            Why {
                dimension,
                rule: winner.name.clone(),
                saw,
                taken_from,
            },
        ))
    }

    fn looked_at(&self, dimension: Dimension, line: &LineView<'_>) -> Vec<Seen> {
        let fields = self
            .rankings
            .get(&dimension)
            .into_iter()
            .flat_map(|ranking| &ranking.fields);
        fields.map(|field| line.seen(field)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountCode, CostCentreCode, ProjectCode};
    use crate::report::TagLevel;
    use crate::rules::GlSource;
    use crate::rules::Witness;
    use crate::rules::testing::{accepted, line};

    #[test]
    fn each_dimension_is_resolved_on_its_own_and_says_why() {
        let set = accepted(&[
            r#"category = ["Air", "Hotel"] => account = "6410""#,
            r#"tag = "Ohio" => cost_centre = "CC-OH", project = "P1""#,
        ]);
        let resolved = set.resolve(&line("Air", "Ohio").view());
        let Resolution::Found { value, why } = resolved.account else {
            panic!("{:?}", resolved.account)
        };
        assert_eq!(
            (
                value.as_str(),
                why.source().as_str(),
                why.rule.to_string().as_str()
            ),
            ("6410", "category = Air", "rule 1")
        );
        assert_eq!(
            resolved.cost_centre.value().map(CostCentreCode::as_str),
            Some("CC-OH")
        );
        assert_eq!(resolved.project.value().map(ProjectCode::as_str), Some("P1"));
        assert_eq!(
            resolved.sub_account,
            Resolution::Unset(Unset::NoRule {
                dimension: Dimension::SubAccount,
                saw: vec![]
            })
        );
    }

    #[test]
    fn what_no_rule_gives_says_what_was_looked_at() {
        let set = accepted(&[r#"category = "Air", employee = "kim@example.com" => account = "6410""#]);
        let Resolution::Unset(unset) = set.resolve(&line("Meals", "").view()).account else {
            panic!("found")
        };
        assert_eq!(
            unset.to_string(),
            "no rule sets `account` for category = Meals, employee (personal, not shown)"
        );
    }

    #[test]
    fn a_code_taken_from_the_line_is_found_or_missing_or_no_code() {
        let set = accepted(&[
            r#" => account = { from = "category_gl_code" }, cost_centre = { from = "tag_level_2_gl_code" }, project = { from = "tag_gl_code" }"#,
        ]);
        let made = line("Air", "Ohio:L1");
        let levels = [
            TagLevel {
                name: "Ohio".into(),
                gl: "OH".into(),
            },
            TagLevel {
                name: "L1".into(),
                gl: " OH-1 ".into(),
            },
        ];
        let view = LineView {
            category_gl: " ",
            tag_gl: "a\u{7}b",
            tag_levels: &levels,
            ..made.view()
        };
        let resolved = set.resolve(&view);
        let Resolution::Found { value, why } = resolved.cost_centre else {
            panic!("{:?}", resolved.cost_centre)
        };
        assert_eq!(
            (value.as_str(), why.source().as_str()),
            ("OH-1", "tag_level_2_gl_code = OH-1")
        );
        let Resolution::Unset(blank) = resolved.account else {
            panic!("{:?}", resolved.account)
        };
        assert_eq!(
            blank.to_string(),
            "rule 1 takes `account` from category_gl_code, which is blank on this line"
        );
        assert!(!blank.is_unusable(), "a line that carries nothing goes without");
        assert!(matches!(
            resolved.project,
            Resolution::Unset(Unset::BadCode {
                source: GlSource::Tag,
                ..
            })
        ));
    }

    #[test]
    fn a_credit_account_is_only_for_what_is_neither_owed_nor_on_a_card() {
        let set = accepted(&[r#"category = "Air" => credit_account = "2150""#]);
        let cash = Witness {
            reimbursable: false,
            ..line("Air", "")
        };
        assert_eq!(
            set.resolve(&cash.view())
                .credit_account
                .value()
                .map(AccountCode::as_str),
            Some("2150")
        );
        let on_card = Witness {
            card_program: "Visa".into(),
            ..cash
        };
        let not_asked = Resolution::Unset(Unset::NotAsked {
            dimension: Dimension::CreditAccount,
        });
        assert_eq!(set.resolve(&on_card.view()).credit_account, not_asked);
        assert_eq!(set.resolve(&line("Air", "").view()).credit_account, not_asked);
    }

    #[test]
    fn a_line_between_two_hundredths_is_left_unset_where_rules_are_only_ranked_on_hundredths() {
        let set = accepted(&[
            r#"category = "Air" => account = "1""#,
            r#"tag = "Ohio" => account = "2""#,
            r#"category = "Air", tag = "Ohio", amount_to = "5.00" => account = "3""#,
            r#"category = "Air", tag = "Ohio", amount_from = "5.01" => account = "4""#,
        ]);
        let between = Witness {
            amount: rust_decimal::Decimal::new(5_005, 3),
            ..line("Air", "Ohio")
        };
        let Resolution::Unset(unset) = set.resolve(&between.view()).account else {
            panic!("found")
        };
        assert_eq!(unset.to_string(), "rule 1 and rule 2 disagree on `account`");
        assert!(
            unset.is_unusable(),
            "a dimension that a line may go without is no less in dispute"
        );
    }

    #[test]
    fn a_forgotten_person_matches_no_rule_on_employees() {
        let set = accepted(&[r#"employee = "kim@example.com" => cost_centre = "CC1""#]);
        assert!(set.resolve(&line("", "").view()).cost_centre.value().is_none());
    }

    #[test]
    fn what_is_missing_is_said_with_what_the_line_held() {
        let none = accepted(&[r#"category = "Air" => account = "6410""#]);
        let resolved = none.resolve(&line("Gifts", "").view());
        let said = |unset: Option<&Unset>| unset.map(ToString::to_string);
        let account = match &resolved.account {
            Resolution::Unset(unset) => Some(unset),
            _ => None,
        };
        let cost_centre = match &resolved.cost_centre {
            Resolution::Unset(unset) => Some(unset),
            _ => None,
        };
        assert_eq!(
            said(account).as_deref(),
            Some("no rule sets `account` for category = Gifts")
        );
        assert_eq!(said(cost_centre).as_deref(), Some("no rule sets `cost_centre`"));
        let blank = none.resolve(&line("", "").view());
        let Resolution::Unset(unset) = &blank.account else {
            panic!("{blank:?}");
        };
        assert_eq!(unset.to_string(), "no rule sets `account` for category = (blank)");
    }
}
