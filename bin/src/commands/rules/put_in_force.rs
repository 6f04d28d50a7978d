//! The whole walk of a rule set in one go, for an installation of one person who plays everybody: the demo and the sandbox.

use tieout_domain::ids::PersonName;
use tieout_domain::ports::Clock as _;
use tieout_domain::rules::{
    ApprovalMode, Approver, ChartOf, RuleSet, RuleSetVersion, RuleSets, RulesCommand, Span, statement_of,
};
use tieout_domain::workflow::{Desk, Trial, person};

use super::super::decide::WithoutEffects;
use crate::config::ConnectionConfig;
use crate::installation::{Installation, refused};
use crate::out::Failure;

/// What is recorded as the reason of each step.
const WHY: &str = "a made-up installation: one person plays everybody";

/// Proposes a content, backtests it over all of history, approves it, and brings it into force at once, each step an event
/// in the name of `who`. What is in force already stays as it is.
///
/// # Errors
/// Where the content is refused, and as the log says.
pub async fn put_in_force(
    installation: &Installation,
    config: &ConnectionConfig,
    content: &str,
    who: &PersonName,
) -> Result<RuleSetVersion, Failure> {
    let rules = RuleSet::parse(content).map_err(|faults| refused("rules.toml", &faults))?;
    let hash = rules.hash().clone();
    let connection = installation.connection(config)?;
    let world = WithoutEffects::of(installation);
    let desk = Desk::for_command(&world, &connection, installation.instance, "rules");
    let (sets, _) = desk.rule_sets().await?;
    if let Some(active) = sets
        .active()
        .filter(|active| active.version.hash == hash.as_str())
    {
        return Ok(active.version.clone());
    }
    let mut roster = desk.roster();
    roster.catch_up(installation.log.as_ref()).await?;
    let trial = Trial {
        rules: &rules,
        against: sets.active().map(|active| &active.version),
        span: Span::default(),
        chart: ChartOf::Then,
    };
    let reports = roster.iter().map(|(report, _)| report).collect();
    let backtest = desk
        .what_if()
        .backtest(trial, reports, |_| Ok(()))
        .await?
        .backtest;

    let mode = RulesCommand::ChooseMode {
        mode: ApprovalMode::OnePerson,
        person: who.clone(),
        why: WHY.to_owned(),
        proof: None,
    };
    let propose = RulesCommand::Propose {
        hash: hash.clone(),
        content: content.to_owned(),
        author: who.clone(),
        why: WHY.to_owned(),
        proof: None,
    };
    let approve = RulesCommand::Approve {
        hash: hash.clone(),
        statement: statement_of(&hash, &backtest),
        approver: Approver {
            name: who.clone(),
            subject: None,
        },
        why: WHY.to_owned(),
        proof: None,
    };
    let record = RulesCommand::RecordBacktest {
        hash: hash.clone(),
        backtest,
    };
    let order = RulesCommand::OrderActivation {
        hash,
        from: installation.clock.now(),
        replay: true,
        person: who.clone(),
        proof: None,
    };
    for command in [mode, propose, record, approve, order] {
        desk.ask_rules(person(who.clone()), |_: &RuleSets| Some(command.clone()))
            .await?;
    }
    desk.bring_due_rules_into_force(&roster).await?;
    let (rules, _) = desk.some_rules_in_force().await?;
    Ok(rules.version)
}
