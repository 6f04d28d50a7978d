//! What the stream of a connection's rule sets records.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{PersonName, SubjectId};
use crate::operators::Proof;
use crate::ports::Leaf;
use crate::rules::{RuleSetHash, RuleSetVersion};

/// A fact in the life of the rule sets of a connection (design §6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RulesEvent {
    /// Somebody wrote a rule set and asks for it.
    RuleSetProposed {
        /// Of its content.
        hash: RuleSetHash,
        /// The file, verbatim.
        content: String,
        /// Who.
        author: PersonName,
        /// What for.
        why: String,
        /// Signed by them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// It was tried on history. Nothing came of it but this.
    RuleSetBacktested {
        /// The draft.
        hash: RuleSetHash,
        /// Over what, and with what result.
        backtest: Backtest,
    },
    /// Somebody who may says that it shall come into force.
    RuleSetApproved {
        /// The draft.
        hash: RuleSetHash,
        /// Of the backtest that was looked at (`statement_of`).
        statement: StatementHash,
        /// Who.
        approver: Approver,
        /// Why.
        why: String,
        /// Did its author approve it, in an installation of one person?
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        alone: bool,
        /// Signed by them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// Somebody says that it shall not; its author too may take it back so.
    RuleSetDeclined {
        /// The draft.
        hash: RuleSetHash,
        /// Who.
        person: PersonName,
        /// Why.
        why: String,
        /// Signed by them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// It is to come into force with the first cycle that begins at this instant or later.
    ActivationOrdered {
        /// What was approved.
        hash: RuleSetHash,
        /// When.
        from: DateTime<Utc>,
        /// Are the reports that the set before it rejected to be taken back and mapped again?
        replay: bool,
        /// Who.
        person: PersonName,
        /// Signed by them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// Its time came, and what was approved is no longer what it would do: it is to be backtested and approved again.
    ActivationRefused {
        /// What was ordered.
        hash: RuleSetHash,
        /// What is different now.
        why: String,
    },
    /// This content is in force from now on. In the logs of before rule sets had a life, a changed file did this alone.
    RuleSetActivated {
        /// Number and hash.
        version: RuleSetVersion,
        /// The file, verbatim.
        content: String,
        /// Are reports that were rejected under another set mapped again under this one, without being asked for one by
        /// one? So it always was in the logs of before.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        replay: bool,
    },
    /// Another one came into force in its place.
    RuleSetRetired {
        /// Which.
        version: RuleSetVersion,
        /// The number of the one that came.
        superseded_by: u64,
    },
    /// How many people it takes from now on.
    ApprovalModeChosen {
        /// One or two.
        mode: ApprovalMode,
        /// Who says so.
        person: PersonName,
        /// Why.
        why: String,
        /// Signed by them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
}

fn yes() -> bool {
    true
}
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// How many people it takes to bring a rule set into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// An author, and somebody else who approves. So it is unless a person chooses otherwise, by name.
    #[default]
    TwoPeople,
    /// The author may approve; every approval of that kind says so.
    OnePerson,
}
impl fmt::Display for ApprovalMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoPeople => "two people",
            Self::OnePerson => "one person",
        })
    }
}

/// Who approved, so that what becomes of their own expenses can be told from others'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// Name.
    pub name: PersonName,
    /// The same person as a submitter of expenses, if they said which they are: the subject under which the log seals what
    /// is personal, not an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
}

/// SHA-256 over what a backtest says, and over what it was said of: what an approval signs. Hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementHash(pub String);
impl fmt::Display for StatementHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which days of approval, both included, in the connection's zone; none is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
}
impl Span {
    /// Does it hold a day?
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (None, None) => f.write_str("all of history"),
            (Some(from), None) => write!(f, "approved from {from}"),
            (None, Some(to)) => write!(f, "approved until {to}"),
            (Some(from), Some(to)) => write!(f, "approved from {from} to {to}"),
        }
    }
}

/// Under which chart history is mapped again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartOf {
    /// Each report under the one it was judged by.
    #[default]
    Then,
    /// Every report under the codes of today; periods stay as they were then, or all of history would be closed.
    Now,
}
impl fmt::Display for ChartOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Then => "as it was then",
            Self::Now => "as it is now",
        })
    }
}

/// A backtest, as it is recorded: over what, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backtest {
    /// Which reports.
    pub span: Span,
    /// Under which chart.
    pub chart: ChartOf,
    /// The set that was in force; none where there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<RuleSetVersion>,
    /// The last event of the log that was read, by its rank; none where it was empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<Leaf>,
    /// How many reports became what.
    pub counts: Counts,
    /// SHA-256 over every change and every movement, in order: two runs that say the same have the same.
    pub result: StatementHash,
}

impl Backtest {
    /// Of no report at all: where nothing is known to hold against.
    pub(crate) fn of_nothing() -> Self {
        Self {
            span: Span::default(),
            chart: ChartOf::Then,
            against: None,
            read_to: None,
            counts: Counts::default(),
            result: StatementHash(String::new()),
        }
    }
}

/// How many reports became what. One that is in none of these comes out as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Looked at.
    pub reports: u64,
    /// Would now be mapped, and were not.
    pub newly_mapped: u64,
    /// Would now be rejected, and were not.
    pub newly_rejected: u64,
    /// Would now be held or left out, and were not.
    pub newly_held: u64,
    /// Would be mapped as before, to documents that say something else.
    pub documents_changed: u64,
    /// Would be rejected as before, for other reasons.
    pub reasons_changed: u64,
    /// Their submitter was forgotten: they cannot be judged again, and are left as they are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
}
impl Counts {
    /// Does every report come out as it did?
    pub fn nothing_changes(&self) -> bool {
        let Self {
            reports: _,
            forgotten: _,
            newly_mapped,
            newly_rejected,
            newly_held,
            documents_changed,
            reasons_changed,
        } = *self;
        [
            newly_mapped,
            newly_rejected,
            newly_held,
            documents_changed,
            reasons_changed,
        ] == [0; 5]
    }
}
