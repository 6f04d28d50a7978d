//! Which rejected reports a rule set would map: offered when it is ordered into force.

use tieout_domain::ids::ReportId;
use tieout_domain::report::StageName;
use tieout_domain::rules::{ChartOf, RuleSet, RuleSets, Span};
use tieout_domain::workflow::{ChangeKind, Trial};

use crate::commands::rules::place::Place;
use crate::helpers::on_every_core;
use crate::out::Failure;

/// Most that are named on a terminal; JSON names them all.
const NAMED: usize = 20;

/// Those that are rejected now and would be mapped under the codes of today.
pub(super) async fn of(
    place: &Place<'_>,
    sets: &RuleSets,
    rules: &RuleSet,
) -> Result<Vec<ReportId>, Failure> {
    let desk = place.desk("rules activate");
    let mut roster = desk.roster();
    roster.catch_up(place.installation.log.as_ref()).await?;
    let rejected = roster.select(|brief| brief.stage == StageName::Rejected);
    let trial = Trial {
        rules,
        against: sets.active().map(|active| &active.version),
        span: Span::default(),
        chart: ChartOf::Now,
    };
    let mut offered = Vec::new();
    desk.what_if()
        .helped_by(&on_every_core)
        .backtest(trial, rejected, |change| {
            if change.kind == ChangeKind::NewlyMapped {
                offered.push(change.report);
            }
            Ok(())
        })
        .await?;
    Ok(offered)
}

/// For people.
pub(super) fn words(offered: &[ReportId], replay: bool) -> String {
    if offered.is_empty() {
        return "No rejected report would be mapped under it.".to_owned();
    }
    let names: Vec<String> = offered.iter().take(NAMED).map(ToString::to_string).collect();
    let more = offered.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let then = if replay {
        "They are taken back and mapped again when it comes into force."
    } else {
        "They stay rejected. Order it again with --replay to take them all back, or take one back with `tieout replay`."
    };
    format!(
        "{} rejected report(s) would be mapped under it: {}{more}\n{then}",
        offered.len(),
        names.join(", ")
    )
}
