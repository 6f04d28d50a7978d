//! What a line's coding is, dimension by dimension, and why.

use std::fmt;
use std::str::FromStr;

use super::set::{Dimension, GlSource, Outcome, RuleName, RuleSet};
use super::specificity::Contender;
use super::view::{LineView, Seen};
use crate::ids::{AccountCode, BadId, CostCentreCode, ProjectCode, SubAccountCode};

/// Why a dimension has the value it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Which dimension.
    pub dimension: Dimension,
    /// The rule that won.
    pub rule: RuleName,
    /// The fields its conditions looked at, and what they held.
    pub saw: Vec<Seen>,
    /// The GL code that the value was taken from, where the rule gives none itself.
    pub taken_from: Option<Seen>,
}
impl Why {
    /// The source fields and what they held, e.g. `category = Travel, tag = Ohio`. No personal value is in it.
    pub fn source(&self) -> String {
        use fmt::Write as _;
        let mut all = String::new();
        for seen in self.saw.iter().chain(&self.taken_from) {
            let between = if all.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(all, "{between}{seen}");
        }
        if all.is_empty() {
            all.push_str("every line");
        }
        all
    }
}
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} ({})", self.dimension, self.rule, self.source())
    }
}

/// Why a dimension has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unset {
    /// No rule that sets it matches.
    NoRule {
        /// Which dimension.
        dimension: Dimension,
        /// What the rules that set it look at, and what it held. Empty where no rule sets it at all.
        saw: Vec<Seen>,
    },
    /// The rule takes a GL code that the line does not carry.
    BlankCode {
        /// Which dimension.
        dimension: Dimension,
        /// The rule.
        rule: RuleName,
        /// Where it looked.
        source: GlSource,
    },
    /// The rule takes a GL code that can be no code of QAD.
    BadCode {
        /// Which dimension.
        dimension: Dimension,
        /// The rule.
        rule: RuleName,
        /// Where it looked.
        source: GlSource,
        /// What is wrong with it.
        error: BadId,
    },
    /// A credit account is looked for only for a line that is neither reimbursable nor on a card.
    NotAsked {
        /// Which dimension.
        dimension: Dimension,
    },
    /// Rules of equal rank disagree. A checked set has no such line (whole hundredths, as Expensify sends them);
    /// should one come, it is rejected, not coded by chance.
    Ambiguous {
        /// Which dimension.
        dimension: Dimension,
        /// The rules.
        rules: Vec<RuleName>,
    },
}
impl Unset {
    /// Is there something for it, that cannot be used? Else nothing is.
    pub fn is_unusable(&self) -> bool {
        matches!(self, Self::BadCode { .. } | Self::Ambiguous { .. })
    }
    /// Which dimension has none.
    pub fn dimension(&self) -> Dimension {
        match self {
            Self::NoRule { dimension, .. }
            | Self::BlankCode { dimension, .. }
            | Self::BadCode { dimension, .. }
            | Self::NotAsked { dimension }
            | Self::Ambiguous { dimension, .. } => *dimension,
        }
    }
}
impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule { dimension, saw } if saw.is_empty() => write!(f, "no rule sets `{dimension}`"),
            Self::NoRule { dimension, saw } => {
                let saw: Vec<String> = saw.iter().map(ToString::to_string).collect();
                write!(f, "no rule sets `{dimension}` for {}", saw.join(", "))
            }
            Self::BlankCode {
                dimension,
                rule,
                source,
            } => {
                write!(
                    f,
                    "{rule} takes `{dimension}` from {source}, which is blank on this line"
                )
            }
            Self::BadCode {
                dimension,
                rule,
                source,
                error,
            } => write!(f, "{rule} takes `{dimension}` from {source}: {error}"),
            Self::NotAsked { dimension } => write!(
                f,
                "`{dimension}` is not needed: the line is reimbursable or on a card"
            ),
            Self::Ambiguous { dimension, rules } => {
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                write!(f, "{} disagree on `{dimension}`", rules.join(" and "))
            }
        }
    }
}

/// What became of one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution<T> {
    /// It has a value.
    Found {
        /// The value.
        value: T,
        /// Why.
        why: Why,
    },
    /// It has none.
    Unset(Unset),
}
impl<T> Resolution<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Found { value, .. } => Some(value),
            Self::Unset(_) => None,
        }
    }
}

/// The coding of a line as the rules give it; the chart has yet to agree ([`super::check_coding`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// GL account.
    pub account: Resolution<AccountCode>,
    /// Cost centre.
    pub cost_centre: Resolution<CostCentreCode>,
    /// Sub-account.
    pub sub_account: Resolution<SubAccountCode>,
    /// Project.
    pub project: Resolution<ProjectCode>,
    /// Credit side of a line that is neither reimbursable nor on a card.
    pub credit_account: Resolution<AccountCode>,
}

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
    use crate::report::TagLevel;
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
