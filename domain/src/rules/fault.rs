//! What is wrong with a rule file: always where, what, and what to do.

use std::fmt;

use super::position::Position;
use super::set::{Dimension, RuleName};
use super::witness::Witness;

/// Where in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the top level.
    File,
    /// In a rule.
    Rule(RuleName),
    /// In a section, e.g. `[posting]`.
    Section(String),
}
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the rule file"),
            Self::Rule(name) => name.fmt(f),
            Self::Section(name) => f.write_str(name),
        }
    }
}

/// A reason to refuse a rule set. The words say what, where and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// The file is no TOML; nothing else could be looked at.
    #[error("the rule file is not valid TOML: {what}")]
    Syntax {
        /// Where.
        at: Position,
        /// What is wrong, in the words of the TOML reader.
        what: String,
    },
    /// The file is larger than any rule set; nothing in it was looked at.
    #[error(
        "the rule file has {bytes} bytes, more than {most}. Keep what is no rule elsewhere, or split it by connection"
    )]
    TooLarge {
        /// So many bytes it has.
        bytes: usize,
        /// So many it may have.
        most: usize,
    },
    /// Something in it is missing, unknown or not of its form.
    #[error("{place}: {what}. {remedy}")]
    Content {
        /// Where, in words.
        place: Place,
        /// Where in the file: the value; of what is missing, the table in which it is.
        at: Position,
        /// What is wrong, with the value.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// Two rules disagree on a line, and neither is more specific.
    #[error(
        "{first} and {second} set different values for `{dimension}` and neither is more specific: both match {witness}. \
         Add a condition to one of them so that they no longer overlap or one lies within the other, or add a rule for \
         the lines that both match"
    )]
    Ambiguous {
        /// The one that stands first in the file.
        first: RuleName,
        /// Where it stands.
        first_at: Position,
        /// The other.
        second: RuleName,
        /// Where that stands.
        second_at: Position,
        /// What they disagree on.
        dimension: Dimension,
        /// A line that both match, and no more specific rule.
        witness: Box<Witness>,
    },
    /// Two rules match exactly the same lines and disagree.
    #[error(
        "{first} and {second} match exactly the same lines ({witness}, for one) and set different values for `{dimension}`. \
         Remove one of the two, or change what it matches"
    )]
    Contradiction {
        /// The one that stands first in the file.
        first: RuleName,
        /// Where it stands.
        first_at: Position,
        /// The other.
        second: RuleName,
        /// Where that stands.
        second_at: Position,
        /// What they disagree on.
        dimension: Dimension,
        /// A line that both match.
        witness: Box<Witness>,
    },
    /// So many rules overlap in so many ways that it cannot be found out in a reasonable time whether some line would meet
    /// two answers. A set that is not proven is not accepted.
    #[error(
        "the rules that set `{dimension}` are too entangled to be proven free of ambiguity, or for every pair to be named; given up at {}. Split them: fewer          fields in one rule, a rule for each of its values, or a set for each policy",
        rules.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
    )]
    TooEntangled {
        /// Some of them: those at which it was given up.
        rules: Vec<RuleName>,
        /// Where the first of these stands.
        at: Position,
        /// What they set.
        dimension: Dimension,
    },
}
impl RuleFault {
    /// A fault of content.
    pub(super) fn content(
        place: &Place,
        at: Position,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Content {
            place: place.clone(),
            at,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// Where in the file it stands; of a pair of rules, the first.
    pub fn at(&self) -> Position {
        match self {
            Self::Syntax { at, .. } | Self::Content { at, .. } | Self::TooEntangled { at, .. } => *at,
            Self::Ambiguous { first_at, .. } | Self::Contradiction { first_at, .. } => *first_at,
            Self::TooLarge { .. } => Position::START,
        }
    }

    /// Where the second of a pair of rules stands.
    pub fn other_at(&self) -> Option<Position> {
        match self {
            Self::Ambiguous { second_at, .. } | Self::Contradiction { second_at, .. } => Some(*second_at),
            _ => None,
        }
    }

    /// What it is sorted by: the numbers of the rules it is about.
    pub(super) fn place_in_file(&self) -> (usize, usize) {
        match self {
            Self::Ambiguous { first, second, .. } | Self::Contradiction { first, second, .. } => {
                (first.number, second.number)
            }
            Self::Content {
                place: Place::Rule(name),
                ..
            } => (name.number, 0),
            Self::TooEntangled { .. } => (usize::MAX, 0),
            Self::Content { .. } | Self::Syntax { .. } | Self::TooLarge { .. } => (0, 0),
        }
    }
}
