//! The rule set in force, as the log has it: is there one, is the file another one, and does QAD's chart agree with it?

use tieout_domain::journal::Streams;
use tieout_domain::rules::{RuleSet, RuleSetStage, RuleSets, RulesEvent};

use super::super::rules::{Charted, chart_of};
use super::Finding;
use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::Failure;

const IN_FORCE: &str = "rules in force";
const CHART: &str = "rules and chart";

/// Looks at the log only. `file` is the connection's rule file, read.
pub async fn look(installation: &Installation, config: &ConnectionConfig, file: &RuleSet) -> Vec<Finding> {
    let found = async {
        let stream = Streams(config.id).rules();
        let (entries, _) = installation.reader().stream::<RulesEvent>(&stream).await?;
        let sets = RuleSets::fold(entries.iter().map(|entry| &entry.event));
        let chart = chart_of(installation, config).await?;
        // What posts is what is in force; before anything is, it is the file that would be proposed.
        let posts = sets.active().map(|active| RuleSet::parse(&active.content));
        let chart = match &posts {
            Some(Ok(rules)) => of_chart(&Charted::of(rules, &chart, config), "the set in force"),
            Some(Err(_)) => Finding::bad(
                CHART,
                "not looked at: the set in force cannot be read by this build",
                "bring another set into force, or go back to the build that activated it",
            ),
            None => of_chart(&Charted::of(file, &chart, config), "the file"),
        };
        Ok::<_, Failure>(vec![in_force(&sets, file, config), chart])
    };
    found.await.unwrap_or_else(|failure| {
        let fix = "see to the log's file and its disk, and try again";
        vec![Finding::failed(IN_FORCE, &failure, fix)]
    })
}

fn in_force(sets: &RuleSets, file: &RuleSet, config: &ConnectionConfig) -> Finding {
    let path = config.rules.display();
    let life = life(sets, file);
    match sets.active() {
        None => Finding::bad(
            IN_FORCE,
            format!("none: nothing is mapped and nothing posts. {path} {life}"),
            "`tieout rules propose`, then backtest, approve and activate it (`tieout guide rules`)",
        ),
        Some(active) if active.version.hash == file.hash().as_str() => {
            Finding::good(IN_FORCE, format!("{}, and {path} says the same", active.version))
        }
        Some(active) => Finding::good(
            IN_FORCE,
            format!(
                "{}. {path} differs from it and {life}: it changes nothing before it is active (`tieout rules diff active \
                 {path}`)",
                active.version
            ),
        ),
    }
}

/// Where the content of the file is in its life.
fn life(sets: &RuleSets, file: &RuleSet) -> String {
    let Some(known) = sets.get(file.hash()) else {
        return "was never proposed".to_owned();
    };
    match (&known.stage, sets.ordered()) {
        (RuleSetStage::Approved { .. }, Some(order)) if order.hash == *file.hash() => format!(
            "is approved and comes into force with the first cycle from {} on",
            order.from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        ),
        (stage, _) => format!("is {stage}"),
    }
}

fn of_chart(charted: &Charted, whose: &str) -> Finding {
    if charted.is_unread() {
        return Finding::good(
            CHART,
            "not looked at: the log has no chart of QAD yet, and a cycle reads it (`tieout sync`)",
        );
    }
    let (errors, warnings) = charted.counts();
    let list: String = charted
        .findings()
        .iter()
        .map(|finding| format!("\n{} at {}: {finding}", finding.severity().as_str(), finding.at))
        .collect();
    let detail = format!("{whose}: {errors} errors, {warnings} warnings{list}");
    if errors == 0 {
        Finding::good(CHART, detail)
    } else {
        let fix = "as each says; `tieout rules check --chart` says the same of a changed file before it is proposed";
        Finding::bad(CHART, detail, fix)
    }
}
