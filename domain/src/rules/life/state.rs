//! Where the rule sets of a connection are in their lives, folded from their stream.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Utc};

use super::event::{ApprovalMode, Approver, Backtest, RulesEvent, StatementHash};
use crate::ids::PersonName;
use crate::rules::{RuleSetHash, RuleSetVersion};

/// All rule sets of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSets {
    pub(super) mode: ApprovalMode,
    pub(super) sets: BTreeMap<RuleSetHash, RuleSetFile>,
    pub(super) active: Option<Active>,
    pub(super) ordered: Option<Order>,
}

/// One content, whoever proposed it however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSetFile {
    /// The file, verbatim, as it was proposed last.
    pub content: String,
    /// Everybody who proposed it, ever: none of them may approve it. Empty for a set from before rule sets had a life.
    pub authors: BTreeSet<PersonName>,
    /// What for, as was said last.
    pub why: String,
    /// Where it is.
    pub stage: RuleSetStage,
}

/// Where a rule set is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleSetStage {
    /// Wanted.
    Proposed,
    /// Tried on history.
    Backtested(Backtest),
    /// To be brought into force.
    Approved {
        /// What was approved.
        backtest: Backtest,
        /// By whom.
        approver: Approver,
        /// By its author, in an installation of one person?
        alone: bool,
    },
    /// Not wanted.
    Declined {
        /// By whom.
        person: PersonName,
        /// Why.
        why: String,
    },
    /// In force.
    Active(RuleSetVersion),
    /// Was in force.
    Retired(RuleSetVersion),
}
impl RuleSetStage {
    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Backtested(_) => "backtested",
            Self::Approved { .. } => "approved",
            Self::Declined { .. } => "declined",
            Self::Active(_) => "active",
            Self::Retired(_) => "retired",
        }
    }
}
impl fmt::Display for RuleSetStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The set in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// Number and hash.
    pub version: RuleSetVersion,
    /// The file, verbatim.
    pub content: String,
    /// Are reports that were rejected under another set mapped again without being asked for one by one?
    pub replay: bool,
    /// Who approved it; nobody in the logs of before.
    pub approver: Option<Approver>,
    /// Everybody who proposed it.
    pub authors: BTreeSet<PersonName>,
}

/// A set that is to come into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which.
    pub hash: RuleSetHash,
    /// With the first cycle that begins then or later.
    pub from: DateTime<Utc>,
    /// Are rejected reports mapped again?
    pub replay: bool,
}

impl RuleSets {
    /// From all events of the stream.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RulesEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::evolve)
    }

    /// How many people it takes.
    pub fn mode(&self) -> ApprovalMode {
        self.mode
    }
    /// The set in force; none before the first.
    pub fn active(&self) -> Option<&Active> {
        self.active.as_ref()
    }
    /// What is to come into force next.
    pub fn ordered(&self) -> Option<&Order> {
        self.ordered.as_ref()
    }
    /// Every content that was ever proposed or in force.
    pub fn iter(&self) -> impl Iterator<Item = (&RuleSetHash, &RuleSetFile)> {
        self.sets.iter()
    }
    /// One of them.
    pub fn get(&self, hash: &RuleSetHash) -> Option<&RuleSetFile> {
        self.sets.get(hash)
    }
    /// Those whose hash begins so: people write the first few characters.
    pub fn named<'a>(
        &'a self,
        beginning: &'a str,
    ) -> impl Iterator<Item = (&'a RuleSetHash, &'a RuleSetFile)> {
        self.sets
            .iter()
            .filter(move |(hash, _)| hash.as_str().starts_with(beginning))
    }

    /// After one more event.
    #[must_use]
    pub fn evolve(mut self, event: &RulesEvent) -> Self {
        match event {
            RulesEvent::RuleSetProposed {
                hash,
                content,
                author,
                why,
                proof: _,
            } => {
                let file = self
                    .sets
                    .entry(hash.clone())
                    .or_insert_with(|| RuleSetFile::unknown(content));
                file.content.clone_from(content);
                file.why.clone_from(why);
                file.authors.insert(author.clone());
                file.stage = RuleSetStage::Proposed;
            }
            RulesEvent::RuleSetBacktested { hash, backtest } => {
                self.move_to(hash, RuleSetStage::Backtested(backtest.clone()));
            }
            RulesEvent::RuleSetApproved {
                hash,
                approver,
                alone,
                ..
            } => {
                if let Some(file) = self.sets.get_mut(hash)
                    && let RuleSetStage::Backtested(backtest) = &file.stage
                {
                    file.stage = RuleSetStage::Approved {
                        backtest: backtest.clone(),
                        approver: approver.clone(),
                        alone: *alone,
                    };
                }
            }
            RulesEvent::RuleSetDeclined {
                hash, person, why, ..
            } => {
                let (person, why) = (person.clone(), why.clone());
                self.move_to(hash, RuleSetStage::Declined { person, why });
                self.forget_order_of(hash);
            }
            RulesEvent::ActivationOrdered {
                hash, from, replay, ..
            } => {
                self.ordered = Some(Order {
                    hash: hash.clone(),
                    from: *from,
                    replay: *replay,
                });
            }
            RulesEvent::ActivationRefused { hash, .. } => {
                self.move_to(hash, RuleSetStage::Proposed);
                self.forget_order_of(hash);
            }
            RulesEvent::RuleSetActivated {
                version,
                content,
                replay,
            } => self.activate(version, content, *replay),
            RulesEvent::RuleSetRetired { version, .. } => self.retire(version),
            RulesEvent::ApprovalModeChosen { mode, .. } => self.mode = *mode,
        }
        self
    }

    fn move_to(&mut self, hash: &RuleSetHash, stage: RuleSetStage) {
        if let Some(file) = self.sets.get_mut(hash) {
            file.stage = stage;
        }
    }

    fn forget_order_of(&mut self, hash: &RuleSetHash) {
        if self.ordered.as_ref().is_some_and(|order| order.hash == *hash) {
            self.ordered = None;
        }
    }

    fn activate(&mut self, version: &RuleSetVersion, content: &str, replay: bool) {
        // In the logs of before, nothing says that the one before was retired.
        if let Some(before) = self.active.take() {
            self.retire(&before.version);
        }
        let hash = RuleSetHash::of_version(version);
        let file = self
            .sets
            .entry(hash.clone())
            .or_insert_with(|| RuleSetFile::unknown(content));
        let approver = match &file.stage {
            RuleSetStage::Approved { approver, .. } => Some(approver.clone()),
            _ => None,
        };
        file.stage = RuleSetStage::Active(version.clone());
        self.active = Some(Active {
            version: version.clone(),
            content: content.to_owned(),
            replay,
            approver,
            authors: file.authors.clone(),
        });
        self.forget_order_of(&hash);
    }

    fn retire(&mut self, version: &RuleSetVersion) {
        let hash = RuleSetHash::of_version(version);
        if let Some(file) = self.sets.get_mut(&hash)
            && matches!(&file.stage, RuleSetStage::Active(active) if active.number == version.number)
        {
            file.stage = RuleSetStage::Retired(version.clone());
        }
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.version == *version)
        {
            self.active = None;
        }
    }
}

impl RuleSetFile {
    fn unknown(content: &str) -> Self {
        Self {
            content: content.to_owned(),
            authors: BTreeSet::new(),
            why: String::new(),
            stage: RuleSetStage::Proposed,
        }
    }

    /// The backtest it stands on, where there is one.
    pub fn backtest(&self) -> Option<&Backtest> {
        match &self.stage {
            RuleSetStage::Backtested(backtest) | RuleSetStage::Approved { backtest, .. } => Some(backtest),
            RuleSetStage::Proposed
            | RuleSetStage::Declined { .. }
            | RuleSetStage::Active(_)
            | RuleSetStage::Retired(_) => None,
        }
    }
}

/// What an approval signs, hashed: see [`statement_text`].
pub fn statement_of(hash: &RuleSetHash, backtest: &Backtest) -> StatementHash {
    use sha2::{Digest as _, Sha256};
    let text = statement_text(hash, backtest);
    StatementHash(crate::report::hex(&Sha256::digest(text.as_bytes())))
}

/// What an approval signs: the draft, and what its backtest said over which span, under which chart, against which set, as
/// the log then stood.
pub fn statement_text(hash: &RuleSetHash, backtest: &Backtest) -> String {
    let Backtest {
        span,
        chart,
        against,
        read_to,
        counts: _,
        result,
    } = backtest;
    let day = |day: Option<chrono::NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    format!(
        "tieout backtest 1\nrules {hash}\nfrom {}\nto {}\nchart {}\nagainst {}\nlog {}\nresult {result}\n",
        day(span.from),
        day(span.to),
        match chart {
            super::event::ChartOf::Then => "then",
            super::event::ChartOf::Now => "now",
        },
        against.as_ref().map_or_else(
            || "-".to_owned(),
            |version| format!("{} {}", version.number, version.hash)
        ),
        read_to.map_or_else(|| "-".to_owned(), |leaf| leaf.0.to_string()),
    )
}
