//! The two rule sets of the simulation, and the person who brings the wanted one into force: proposed, tried on history,
//! approved and ordered in an installation of one, each step a gate. The cycle activates it.

use std::sync::LazyLock;

use tieout_domain::ports::{Clock as _, Ports};
use tieout_domain::rules::{
    ApprovalMode, Approver, ChartOf, RuleSet, RuleSetStage, RuleSets, RulesCommand, Span, statement_of,
};
use tieout_domain::workflow::{Desk, Roster, Trial, WorkflowError};

use crate::people::{quiet_world, somebody, to_the_end};
use crate::run::connection;
use crate::stage::Stage;

const RULES: &str = r#"
[[rule]]
name = "Travel"
when = { category = "Travel" }
set = { account = "6410" }

[[rule]]
name = "By tag"
set = { cost_centre = { from = "tag_gl_code" } }

[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"

[daybooks]
invoice = "EXPINV"
credit_note = "EXPCN"
journal = "EXPJE"

[clearing]
reimbursement = "2155"

[[card_program]]
name = "Corporate Visa"
card_name = "Corp Visa*"
bank = "Chase"
clearing = "2161"

[suppliers]
match = "business_relation"

[tax]
treat_as_cost = true
"#;

pub(crate) static RULE_SETS: LazyLock<[(RuleSet, String); 2]> = LazyLock::new(|| {
    crate::qad::ACCOUNTS.map(|account| {
        let text = RULES.replace("6410", account);
        let rules = RuleSet::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}"));
        (rules, text)
    })
});

/// Which of the two rule sets has this hash.
pub(crate) fn rules_of(hash: &str) -> Option<usize> {
    RULE_SETS
        .iter()
        .position(|(rules, _)| rules.hash().as_str() == hash)
}

/// The first of them is in force before anything happens.
pub(crate) fn begin(stage: &Stage) {
    let world = quiet_world(stage);
    let connection = connection();
    let desk = Desk::for_command(&world, &connection, world.process.id, "rules");
    let mut roster = desk.roster();
    to_the_end(bring(&desk, &mut roster, 0)).expect("it is recorded");
    to_the_end(desk.bring_due_rules_into_force(&roster)).expect("it is recorded");
}

/// Takes the wanted set as far as a person can: until it is ordered, or in force.
pub(crate) async fn bring<P: Ports>(
    desk: &Desk<'_, P>,
    roster: &mut Roster,
    wanted: usize,
) -> Result<(), WorkflowError> {
    roster.catch_up(desk.ports.log()).await?;
    loop {
        let (sets, _) = desk.rule_sets().await?;
        let Some(command) = next(desk, roster, &sets, wanted).await? else {
            return Ok(());
        };
        match desk.ask_rules(somebody(), |_| Some(command.clone())).await {
            // Somebody else was faster: look where it is now.
            Err(WorkflowError::RulesRefused(_)) => {}
            other => {
                other?;
            }
        }
    }
}

async fn next<P: Ports>(
    desk: &Desk<'_, P>,
    roster: &Roster,
    sets: &RuleSets,
    wanted: usize,
) -> Result<Option<RulesCommand>, WorkflowError> {
    let (rules, text) = &RULE_SETS[wanted];
    let hash = rules.hash().clone();
    let tieout_domain::journal::Actor::Person { name } = somebody() else {
        unreachable!("somebody is a person")
    };
    let why = "the plan says so".to_owned();
    if sets.mode() == ApprovalMode::TwoPeople {
        return Ok(Some(RulesCommand::ChooseMode {
            mode: ApprovalMode::OnePerson,
            person: name,
            why,
            proof: None,
        }));
    }
    Ok(match sets.get(&hash).map(|file| &file.stage) {
        None | Some(RuleSetStage::Declined { .. } | RuleSetStage::Retired(_)) => {
            Some(RulesCommand::Propose {
                hash,
                content: text.clone(),
                author: name,
                why,
                proof: None,
            })
        }
        Some(RuleSetStage::Proposed) => {
            let trial = Trial {
                rules,
                against: sets.active().map(|active| &active.version),
                span: Span::default(),
                chart: ChartOf::Then,
            };
            let reports = roster.iter().map(|(report, _)| report).collect();
            let tried = desk.what_if().backtest(trial, reports, |_| Ok(())).await?;
            Some(RulesCommand::RecordBacktest {
                hash,
                backtest: tried.backtest,
            })
        }
        Some(RuleSetStage::Backtested(backtest)) => Some(RulesCommand::Approve {
            statement: statement_of(&hash, backtest),
            hash,
            approver: Approver { name, subject: None },
            why,
            proof: None,
        }),
        Some(RuleSetStage::Approved { .. }) if sets.ordered().is_some_and(|order| order.hash == hash) => None,
        Some(RuleSetStage::Approved { .. }) => Some(RulesCommand::OrderActivation {
            hash,
            from: desk.ports.clock().now(),
            replay: true,
            person: name,
            proof: None,
        }),
        Some(RuleSetStage::Active(_)) => None,
    })
}
