//! What an operator signs of the life of a rule set: made again of the facts of the event, by whoever verifies.

use super::event::{ApprovalMode, Approver, RulesEvent};
use super::state::RuleSets;
use super::{RulesCommand, RulesRefusal, decide_rules};
use crate::ids::{ConnectionId, PersonName};
use crate::operators::{Proof, Statement};

impl RulesEvent {
    /// What a person signs of it, for the connection whose stream it stands in; `None` for what the program does by itself.
    ///
    /// The content of a set is signed through its hash.
    pub fn statement(&self, connection: ConnectionId) -> Option<Statement> {
        let of = |what: &'static str| Statement::new(what).fact("connection", &connection.to_string());
        Some(match self {
            Self::RuleSetProposed {
                hash, author, why, ..
            } => of("propose a rule set")
                .fact("rule set", hash.as_str())
                .fact("author", author.as_str())
                .fact("why", why),
            Self::RuleSetApproved {
                hash,
                statement,
                approver: Approver { name, subject },
                why,
                alone,
                ..
            } => of("approve a rule set")
                .fact("rule set", hash.as_str())
                .fact("backtest", &statement.to_string())
                .fact("approver", name.as_str())
                .fact(
                    "submits as",
                    &subject.map_or_else(|| "nobody".to_owned(), |subject| subject.to_string()),
                )
                .fact("alone", if *alone { "yes" } else { "no" })
                .fact("why", why),
            Self::RuleSetDeclined {
                hash, person, why, ..
            } => of("decline a rule set")
                .fact("rule set", hash.as_str())
                .fact("person", person.as_str())
                .fact("why", why),
            Self::ActivationOrdered {
                hash,
                from,
                replay,
                person,
                ..
            } => of("activate a rule set")
                .fact("rule set", hash.as_str())
                .fact("from", &from.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
                .fact("replay", if *replay { "yes" } else { "no" })
                .fact("person", person.as_str()),
            Self::ApprovalModeChosen {
                mode, person, why, ..
            } => of("choose how many people approve")
                .fact(
                    "mode",
                    match mode {
                        ApprovalMode::TwoPeople => "two people",
                        ApprovalMode::OnePerson => "one person",
                    },
                )
                .fact("person", person.as_str())
                .fact("why", why),
            Self::RuleSetBacktested { .. }
            | Self::ActivationRefused { .. }
            | Self::RuleSetActivated { .. }
            | Self::RuleSetRetired { .. } => return None,
        })
    }

    /// Whose word it is; nobody's where the program does it by itself.
    pub fn speaker(&self) -> Option<&PersonName> {
        match self {
            Self::RuleSetProposed { author, .. } => Some(author),
            Self::RuleSetApproved { approver, .. } => Some(&approver.name),
            Self::RuleSetDeclined { person, .. }
            | Self::ActivationOrdered { person, .. }
            | Self::ApprovalModeChosen { person, .. } => Some(person),
            Self::RuleSetBacktested { .. }
            | Self::ActivationRefused { .. }
            | Self::RuleSetActivated { .. }
            | Self::RuleSetRetired { .. } => None,
        }
    }

    /// The signature that stands with it.
    pub fn proof(&self) -> Option<&Proof> {
        match self {
            Self::RuleSetProposed { proof, .. }
            | Self::RuleSetApproved { proof, .. }
            | Self::RuleSetDeclined { proof, .. }
            | Self::ActivationOrdered { proof, .. }
            | Self::ApprovalModeChosen { proof, .. } => proof.as_ref(),
            Self::RuleSetBacktested { .. }
            | Self::ActivationRefused { .. }
            | Self::RuleSetActivated { .. }
            | Self::RuleSetRetired { .. } => None,
        }
    }
}

impl RulesCommand {
    /// What is to be signed for it, as the rule sets stand: of the event that would come of it. `None` where nothing would
    /// come of it, or where nobody signs it.
    ///
    /// # Errors
    /// Where it would be refused: nobody need sign what is.
    pub fn to_be_signed(
        &self,
        sets: &RuleSets,
        connection: ConnectionId,
    ) -> Result<Option<Statement>, RulesRefusal> {
        let events = decide_rules(sets, self.clone())?;
        Ok(events.iter().find_map(|event| event.statement(connection)))
    }

    /// The same, signed.
    #[must_use]
    pub fn signed(mut self, by: Proof) -> Self {
        match &mut self {
            Self::Propose { proof, .. }
            | Self::Approve { proof, .. }
            | Self::Decline { proof, .. }
            | Self::OrderActivation { proof, .. }
            | Self::ChooseMode { proof, .. } => *proof = Some(by),
            Self::RecordBacktest { .. } | Self::Activate { .. } => {}
        }
        self
    }
}
