//! What may be asked of the rule sets of a connection, and what comes of it: total and pure.

use chrono::{DateTime, Utc};

use super::event::{ApprovalMode, Approver, Backtest, RulesEvent, StatementHash};
use super::state::{RuleSetFile, RuleSetStage, RuleSets, statement_of};
use crate::ids::PersonName;
use crate::operators::Proof;
use crate::rules::{RuleSetHash, RuleSetVersion};

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesCommand {
    /// A person asks for a content that was checked.
    Propose {
        /// Of the content.
        hash: RuleSetHash,
        /// The file, verbatim.
        content: String,
        /// Who.
        author: PersonName,
        /// What for.
        why: String,
        /// Signed.
        proof: Option<Proof>,
    },
    /// A draft was tried on history.
    RecordBacktest {
        /// Which.
        hash: RuleSetHash,
        /// With this result.
        backtest: Backtest,
    },
    /// A person approves a draft as its backtest showed it.
    Approve {
        /// Which.
        hash: RuleSetHash,
        /// Of the backtest they looked at.
        statement: StatementHash,
        /// Who.
        approver: Approver,
        /// Why.
        why: String,
        /// Signed.
        proof: Option<Proof>,
    },
    /// A person declines a draft.
    Decline {
        /// Which.
        hash: RuleSetHash,
        /// Who.
        person: PersonName,
        /// Why.
        why: String,
        /// Signed.
        proof: Option<Proof>,
    },
    /// A person wants an approved draft in force.
    OrderActivation {
        /// Which.
        hash: RuleSetHash,
        /// From then on.
        from: DateTime<Utc>,
        /// With the reports that the set before it rejected?
        replay: bool,
        /// Who.
        person: PersonName,
        /// Signed.
        proof: Option<Proof>,
    },
    /// A cycle begins, and the order's time has come.
    Activate {
        /// Which.
        hash: RuleSetHash,
        /// What the approved backtest, run again just now, says.
        now: Backtest,
    },
    /// A person chooses how many people it takes.
    ChooseMode {
        /// One or two.
        mode: ApprovalMode,
        /// Who.
        person: PersonName,
        /// Why.
        why: String,
        /// Signed.
        proof: Option<Proof>,
    },
}

/// Why it is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesRefusal {
    /// It is on its way, or there.
    #[error("rule set {hash} is {stage} already: there is nothing to propose")]
    Already {
        /// Which.
        hash: RuleSetHash,
        /// Where it is.
        stage: &'static str,
    },
    /// Nobody proposed it.
    #[error("no rule set {0} was proposed: propose it first, with `tieout rules propose FILE --why …`")]
    Unknown(RuleSetHash),
    /// It is not where it would have to be.
    #[error("rule set {hash} is {stage}, and only one that is {wanted} can be {what}: {remedy}")]
    NotThere {
        /// Which.
        hash: RuleSetHash,
        /// Where it is.
        stage: &'static str,
        /// Where it should be.
        wanted: &'static str,
        /// What was asked.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Whoever approves looked at another backtest than the last one.
    #[error(
        "rule set {hash} was backtested again since: what would be approved is {there}, not {looked_at}; look at it first, \
         with `tieout rules show`"
    )]
    OtherBacktest {
        /// Which.
        hash: RuleSetHash,
        /// The last one.
        there: StatementHash,
        /// The one named.
        looked_at: StatementHash,
    },
    /// Its author may not.
    #[error(
        "{person} proposed rule set {hash} and cannot approve it: somebody else approves it, or this installation is one \
         person's, which is chosen by name with `tieout rules mode one-person --why …`"
    )]
    OwnDraft {
        /// Which.
        hash: RuleSetHash,
        /// Who.
        person: PersonName,
    },
    /// It is signed by somebody else than whose word it is.
    #[error("it is given as the word of {person}, and signed by {signed_by}: each signs for themselves")]
    AnothersWord {
        /// Whose word it is said to be.
        person: PersonName,
        /// Who signed.
        signed_by: PersonName,
    },
    /// There is no such order, or its time has not come.
    #[error("nobody ordered rule set {0} to come into force")]
    NotOrdered(RuleSetHash),
}

/// Decides what a command makes happen. An empty list means that what was asked is already so.
pub fn decide_rules(sets: &RuleSets, command: RulesCommand) -> Result<Vec<RulesEvent>, RulesRefusal> {
    let events = propose(sets, command)?;
    // Nobody gives another's word, however well they sign it.
    for event in &events {
        if let (Some(person), Some(proof)) = (event.speaker(), event.proof())
            && *person != proof.operator
        {
            return Err(RulesRefusal::AnothersWord {
                person: person.clone(),
                signed_by: proof.operator.clone(),
            });
        }
    }
    Ok(events)
}

fn propose(sets: &RuleSets, command: RulesCommand) -> Result<Vec<RulesEvent>, RulesRefusal> {
    use RulesCommand as C;
    match command {
        C::Propose {
            hash,
            content,
            author,
            why,
            proof,
        } => {
            if let Some(file) = sets.get(&hash)
                && !matches!(
                    file.stage,
                    RuleSetStage::Declined { .. } | RuleSetStage::Retired(_)
                )
            {
                let stage = file.stage.name();
                return Err(RulesRefusal::Already { hash, stage });
            }
            Ok(vec![RulesEvent::RuleSetProposed {
                hash,
                content,
                author,
                why,
                proof,
            }])
        }
        C::RecordBacktest { hash, backtest } => record_backtest(sets, hash, backtest),
        C::Approve {
            hash,
            statement,
            approver,
            why,
            proof,
        } => {
            let file = known(sets, &hash)?;
            let RuleSetStage::Backtested(backtest) = &file.stage else {
                return Err(RulesRefusal::NotThere {
                    stage: file.stage.name(),
                    hash,
                    wanted: "backtested",
                    what: "approved",
                    remedy: "run `tieout rules backtest` over history first, and look at what it says",
                });
            };
            let there = statement_of(&hash, backtest);
            if there != statement {
                return Err(RulesRefusal::OtherBacktest {
                    hash,
                    there,
                    looked_at: statement,
                });
            }
            let own = file.authors.contains(&approver.name);
            if own && sets.mode() == ApprovalMode::TwoPeople {
                return Err(RulesRefusal::OwnDraft {
                    hash,
                    person: approver.name,
                });
            }
            Ok(vec![RulesEvent::RuleSetApproved {
                hash,
                statement,
                approver,
                why,
                alone: own,
                proof,
            }])
        }
        C::Decline {
            hash,
            person,
            why,
            proof,
        } => {
            let file = known(sets, &hash)?;
            match &file.stage {
                RuleSetStage::Declined { .. } => Ok(Vec::new()),
                RuleSetStage::Proposed | RuleSetStage::Backtested(_) | RuleSetStage::Approved { .. } => {
                    Ok(vec![RulesEvent::RuleSetDeclined {
                        hash,
                        person,
                        why,
                        proof,
                    }])
                }
                RuleSetStage::Active(_) | RuleSetStage::Retired(_) => Err(RulesRefusal::NotThere {
                    stage: file.stage.name(),
                    hash,
                    wanted: "not in force yet",
                    what: "declined",
                    remedy: "bring another one into force in its place",
                }),
            }
        }
        C::OrderActivation {
            hash,
            from,
            replay,
            person,
            proof,
        } => {
            let file = known(sets, &hash)?;
            if !matches!(file.stage, RuleSetStage::Approved { .. }) {
                return Err(RulesRefusal::NotThere {
                    stage: file.stage.name(),
                    hash,
                    wanted: "approved",
                    what: "brought into force",
                    remedy: "somebody other than its author approves it first, with `tieout rules approve`",
                });
            }
            if let Some(order) = sets.ordered()
                && (&order.hash, order.from, order.replay) == (&hash, from, replay)
            {
                return Ok(Vec::new());
            }
            Ok(vec![RulesEvent::ActivationOrdered {
                hash,
                from,
                replay,
                person,
                proof,
            }])
        }
        C::Activate { hash, now } => activate(sets, hash, &now),
        C::ChooseMode {
            mode,
            person,
            why,
            proof,
        } => Ok(if sets.mode() == mode {
            Vec::new()
        } else {
            vec![RulesEvent::ApprovalModeChosen {
                mode,
                person,
                why,
                proof,
            }]
        }),
    }
}

fn known<'a>(sets: &'a RuleSets, hash: &RuleSetHash) -> Result<&'a RuleSetFile, RulesRefusal> {
    sets.get(hash).ok_or_else(|| RulesRefusal::Unknown(hash.clone()))
}

/// A backtest that says the same as the one on record is no news, however far the log was read: an approval stands.
fn record_backtest(
    sets: &RuleSets,
    hash: RuleSetHash,
    backtest: Backtest,
) -> Result<Vec<RulesEvent>, RulesRefusal> {
    let file = known(sets, &hash)?;
    match &file.stage {
        RuleSetStage::Approved { backtest: there, .. } if says_the_same(there, &backtest) => Ok(Vec::new()),
        RuleSetStage::Backtested(there) if *there == backtest => Ok(Vec::new()),
        RuleSetStage::Proposed | RuleSetStage::Backtested(_) | RuleSetStage::Approved { .. } => {
            Ok(vec![RulesEvent::RuleSetBacktested { hash, backtest }])
        }
        RuleSetStage::Declined { .. } | RuleSetStage::Active(_) | RuleSetStage::Retired(_) => {
            Err(RulesRefusal::NotThere {
                stage: file.stage.name(),
                hash,
                wanted: "proposed",
                what: "backtested for the record",
                remedy: "propose it again, or leave `--record` out to look only",
            })
        }
    }
}

/// Over the same reports, under the same chart, against the same set, with the same result?
fn says_the_same(one: &Backtest, other: &Backtest) -> bool {
    (one.span, one.chart, &one.against, &one.result)
        == (other.span, other.chart, &other.against, &other.result)
}

fn activate(sets: &RuleSets, hash: RuleSetHash, now: &Backtest) -> Result<Vec<RulesEvent>, RulesRefusal> {
    let file = known(sets, &hash)?;
    let Some(order) = sets.ordered().filter(|order| order.hash == hash) else {
        return Err(RulesRefusal::NotOrdered(hash));
    };
    // An approved set that was backtested again with another result is no longer approved, and its order waits in vain.
    let refused = match &file.stage {
        RuleSetStage::Approved { backtest, .. } if says_the_same(backtest, now) => None,
        RuleSetStage::Approved { backtest, .. } if backtest.against != now.against => Some(format!(
            "it was backtested against {}, and {} is in force",
            named(backtest.against.as_ref()),
            named(now.against.as_ref())
        )),
        RuleSetStage::Approved { .. } => Some(format!(
            "history has grown in the span it was backtested over ({}), and the result is another one now",
            now.span
        )),
        other => Some(format!("it is {other}, no longer approved")),
    };
    if let Some(why) = refused {
        return Ok(vec![RulesEvent::ActivationRefused { hash, why }]);
    }
    let before = sets.active().map(|active| active.version.clone());
    let version = RuleSetVersion {
        number: before
            .as_ref()
            .map_or(1, |version| version.number.saturating_add(1)),
        hash: hash.as_str().to_owned(),
    };
    let mut events = vec![RulesEvent::RuleSetActivated {
        version: version.clone(),
        content: file.content.clone(),
        replay: order.replay,
    }];
    if let Some(before) = before {
        events.push(RulesEvent::RuleSetRetired {
            version: before,
            superseded_by: version.number,
        });
    }
    Ok(events)
}

fn named(version: Option<&RuleSetVersion>) -> String {
    version.map_or_else(|| "no set".to_owned(), ToString::to_string)
}
