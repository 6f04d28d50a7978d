//! What a line's coding is, dimension by dimension, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::set::{Dimension, GlSource, Outcome, Rule, RuleName, RuleSet};
use super::view::{Field, LineView, Seen};
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
        let all: Vec<String> = self
            .saw
            .iter()
            .chain(&self.taken_from)
            .map(ToString::to_string)
            .collect();
        if all.is_empty() {
            "every line".to_owned()
        } else {
            all.join(", ")
        }
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
        let matching: Vec<usize> = self
            .index
            .candidates(line)
            .filter(|at| self.rules.get(*at).is_some_and(|r| r.when.matches(line)))
            .collect();
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
        let setting: Vec<usize> = matching
            .iter()
            .copied()
            .filter(|at| {
                self.rules
                    .get(*at)
                    .is_some_and(|rule| rule.set.contains_key(&dimension))
            })
            .collect();
        let deciding = self
            .rankings
            .get(&dimension)
            .map_or_else(Vec::new, |ranking| ranking.deciding(&setting));
        let winners: Vec<(&Rule, &Outcome)> = deciding
            .iter()
            .filter_map(|at| self.rules.get(*at))
            .filter_map(|rule| Some((rule, rule.set.get(&dimension)?)))
            .collect();
        let Some((rule, outcome)) = winners.first().copied() else {
            return Resolution::Unset(Unset::NoRule {
                dimension,
                saw: self.looked_at(dimension, line),
            });
        };
        if winners.iter().any(|(_, other)| *other != outcome) {
            let rules = winners.iter().map(|(rule, _)| rule.name.clone()).collect();
            return Resolution::Unset(Unset::Ambiguous { dimension, rules });
        }
        found(dimension, line, rule, outcome)
            .map_or_else(Resolution::Unset, |(value, why)| Resolution::Found { value, why })
    }

    fn looked_at(&self, dimension: Dimension, line: &LineView<'_>) -> Vec<Seen> {
        let setting = self.rules.iter().filter(|rule| rule.set.contains_key(&dimension));
        let fields: BTreeSet<&Field> = setting.flat_map(|rule| rule.when.fields()).collect();
        fields.into_iter().map(|field| line.seen(field)).collect()
    }
}

fn found<T: FromStr<Err = BadId>>(
    dimension: Dimension,
    line: &LineView<'_>,
    rule: &Rule,
    outcome: &Outcome,
) -> Result<(T, Why), Unset> {
    let (text, source) = match outcome {
        Outcome::Code(code) => (code.as_str(), None),
        Outcome::From(source) => (source.of(line), Some(*source)),
    };
    let name = || rule.name.clone();
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
        field: source.to_string(),
        value: Some(text.to_owned()),
    });
    let saw = rule.when.fields().map(|field| line.seen(field)).collect();
    Ok((
        value,
        Why {
            dimension,
            rule: rule.name.clone(),
            saw,
            taken_from,
        },
    ))
}

/// Finds the few rules that can match a line at all: by category, else tag, else employee, where a rule names one.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    by_value: BTreeMap<Field, BTreeMap<String, Vec<usize>>>,
    other: Vec<usize>,
}
impl Index {
    const ANCHORS: [Field; 3] = [Field::Category, Field::Tag, Field::Employee];

    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            match Self::ANCHORS
                .into_iter()
                .find_map(|field| rule.when.named(&field).map(|values| (field, values)))
            {
                Some((field, values)) => {
                    let by_value = index.by_value.entry(field).or_default();
                    values
                        .iter()
                        .for_each(|value| by_value.entry(value.clone()).or_default().push(at));
                }
                None => index.other.push(at),
            }
        }
        index
    }

    fn candidates<'a>(&'a self, line: &LineView<'_>) -> impl Iterator<Item = usize> + 'a {
        let mut found: Vec<usize> = self
            .by_value
            .iter()
            .filter_map(|(field, by_value)| by_value.get(line.value(field).as_ref()))
            .flatten()
            .chain(&self.other)
            .copied()
            .collect();
        // In the set's own order, so that of rules that agree the same one is named whatever led to it.
        found.sort_unstable();
        found.into_iter()
    }
}
