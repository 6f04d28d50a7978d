//! The rule sets of a connection: what may be asked of them, and the one in force.
//!
//! A set comes into force at the beginning of a cycle and never within one. What was approved is tried on history once
//! more then; where it would do something else by now, it does not come into force.

use super::backtest::Trial;
use super::desk::{Desk, WorkflowError};
use super::roster::Roster;
use crate::ids::{PersonName, SubjectId};
use crate::journal::{Actor, Draft, Stamp, SystemActor};
use crate::ports::{Clock, Expected, Ports, Revision};
use crate::rules::{
    Active, Backtest, RuleSet, RuleSetStage, RuleSetVersion, RuleSets, RulesCommand, RulesEvent,
    RulesRefusal, decide_rules,
};

/// How often a decision is made anew because somebody else wrote first.
const ATTEMPTS_AGAINST_OTHERS: u32 = 8;

/// The set that is in force, read and ready.
#[derive(Debug, Clone)]
pub struct RulesInForce {
    /// Its rules.
    pub set: RuleSet,
    /// Its number and hash.
    pub version: RuleSetVersion,
    /// Are reports that were rejected under another set judged again without being asked for one by one?
    pub replay: bool,
    /// Who approved it, and whose expenses are theirs, if they said so: their own reports bear a flag.
    pub approver: Option<(PersonName, SubjectId)>,
}

impl RulesInForce {
    /// A set as it would be in force: for questions, and for tests.
    pub fn supposed(set: RuleSet, number: u64) -> Self {
        Self {
            version: set.version(number),
            set,
            replay: true,
            approver: None,
        }
    }

    fn of(active: &Active) -> Result<Self, WorkflowError> {
        let set = RuleSet::parse(&active.content).map_err(|faults| WorkflowError::RulesUnreadable {
            version: active.version.clone(),
            faults: faults.iter().map(ToString::to_string).collect(),
        })?;
        Ok(Self {
            set,
            version: active.version.clone(),
            replay: active.replay,
            approver: active
                .approver
                .as_ref()
                .and_then(|approver| Some((approver.name.clone(), approver.subject?))),
        })
    }
}

impl<P: Ports> Desk<'_, P> {
    /// The rule sets as the log has them, and the last event of their stream.
    pub async fn rule_sets(&self) -> Result<(RuleSets, Option<Revision>), WorkflowError> {
        let (entries, head) = self.journal.read::<RulesEvent>(&self.streams.rules()).await?;
        Ok((RuleSets::fold(entries.iter().map(|entry| &entry.event)), head))
    }

    /// Asks something of the rule sets, and records what comes of it; again where somebody else wrote first. `choose`
    /// sees them as they are; `None` means that there is nothing to ask. Returns them as they are then, and what was
    /// recorded.
    pub async fn ask_rules(
        &self,
        actor: Actor,
        mut choose: impl FnMut(&RuleSets) -> Option<RulesCommand> + Send,
    ) -> Result<(RuleSets, Vec<RulesEvent>), WorkflowError> {
        for _ in 0..ATTEMPTS_AGAINST_OTHERS {
            let (sets, head) = self.rule_sets().await?;
            let Some(command) = choose(&sets) else {
                return Ok((sets, Vec::new()));
            };
            let events = decide_rules(&sets, command)?;
            if events.is_empty() {
                return Ok((sets, events));
            }
            let now = self.ports.clock().now();
            let drafts = events
                .iter()
                .map(|event| Draft {
                    event: event.clone(),
                    effective_at: now,
                    subject: None,
                })
                .collect();
            let stamp = Stamp {
                actor: actor.clone(),
                cause: self.cause.clone(),
            };
            let expected = head.map_or(Expected::NoStream, Expected::At);
            match self
                .journal
                .append(&self.streams.rules(), expected, &stamp, drafts)
                .await
            {
                Ok(_) => return Ok((events.iter().fold(sets, RuleSets::evolve), events)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WorkflowError::Contended(self.streams.rules()))
    }

    /// The set in force, and the last event of the rules' stream; none before the first came into force.
    pub async fn rules_in_force(&self) -> Result<(Option<RulesInForce>, Option<Revision>), WorkflowError> {
        let (sets, head) = self.rule_sets().await?;
        Ok((sets.active().map(RulesInForce::of).transpose()?, head))
    }

    /// The set in force; an error where there is none.
    pub async fn some_rules_in_force(&self) -> Result<(RulesInForce, Option<Revision>), WorkflowError> {
        match self.rules_in_force().await? {
            (Some(rules), head) => Ok((rules, head)),
            (None, _) => Err(WorkflowError::NoRules),
        }
    }

    /// Brings the set that is ordered into force, if its time has come: at the beginning of a cycle. What it was approved
    /// for is tried on history once more, and if it says something else by now, that is recorded in its place.
    pub async fn bring_due_rules_into_force(
        &self,
        roster: &Roster,
    ) -> Result<Vec<RulesEvent>, WorkflowError> {
        let (sets, _) = self.rule_sets().await?;
        let Some(order) = sets.ordered() else {
            return Ok(Vec::new());
        };
        if order.from > self.ports.clock().now() {
            return Ok(Vec::new());
        }
        let hash = order.hash.clone();
        let now = match sets.get(&hash).map(|file| (&file.stage, &file.content)) {
            Some((RuleSetStage::Approved { backtest, .. }, content)) => {
                self.tried_again(backtest, content, &sets, roster).await?
            }
            Some((RuleSetStage::Backtested(backtest), _)) => backtest.clone(),
            _ => Backtest::of_nothing(),
        };
        let actor = Actor::System {
            part: SystemActor::Mapper,
        };
        let (_, events) = self
            .ask_rules(actor, |sets| {
                let ordered = sets.ordered().is_some_and(|order| order.hash == hash);
                ordered.then(|| RulesCommand::Activate {
                    hash: hash.clone(),
                    now: now.clone(),
                })
            })
            .await?;
        self.ports.passing("activated");
        Ok(events)
    }

    async fn tried_again(
        &self,
        approved: &Backtest,
        content: &str,
        sets: &RuleSets,
        roster: &Roster,
    ) -> Result<Backtest, WorkflowError> {
        let rules = RuleSet::parse(content).map_err(|faults| WorkflowError::RulesUnreadable {
            version: RuleSetVersion {
                number: 0,
                hash: String::new(),
            },
            faults: faults.iter().map(ToString::to_string).collect(),
        })?;
        let trial = Trial {
            rules: &rules,
            against: sets.active().map(|active| &active.version),
            span: approved.span,
            chart: approved.chart,
        };
        let reports = roster.iter().map(|(report, _)| report).collect();
        let tried = self.what_if().backtest(trial, reports, |_| Ok(())).await?;
        Ok(tried.backtest)
    }
}

/// The kinds of events after which another set is in force, or none.
pub(super) const CHANGE_WHAT_IS_IN_FORCE: [&str; 2] = ["RuleSetActivated", "RuleSetRetired"];

impl From<RulesRefusal> for WorkflowError {
    fn from(refusal: RulesRefusal) -> Self {
        Self::RulesRefused(refusal)
    }
}

#[cfg(test)]
mod tests;
