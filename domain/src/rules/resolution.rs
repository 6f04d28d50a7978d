//! What becomes of each dimension of a line, and why, in words.

use std::fmt;

use super::set::{Dimension, GlSource, RuleName};
use super::view::Seen;
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
