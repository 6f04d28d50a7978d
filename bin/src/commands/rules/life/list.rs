//! `tieout rules list`: where each rule set is in its life.

use serde_json::{Value, json};
use tieout_domain::rules::{Backtest, RuleSetFile, RuleSetHash, RuleSetStage, RuleSets, statement_of};

use crate::commands::rules::place::Place;
use crate::commands::terminal::safe;
use crate::out::{DONE, Failure, Out};

/// Lists them.
pub(super) async fn run(place: &Place<'_>, out: Out) -> Result<u8, Failure> {
    let (sets, _) = place.desk("rules list").rule_sets().await?;
    let mut text = format!(
        "{}: {} to bring a rule set into force\n",
        place.config.name,
        sets.mode()
    );
    match sets.active() {
        Some(active) => text.push_str(&format!("  in force: {}\n", active.version)),
        None => text.push_str("  in force: none, so that nothing is mapped\n"),
    }
    if let Some(order) = sets.ordered() {
        text.push_str(&format!(
            "  ordered:  {:.12}, with the first cycle from {} on{}\n",
            order.hash.as_str(),
            order.from.format("%Y-%m-%d %H:%M:%S UTC"),
            if order.replay {
                ", with a replay of what was rejected"
            } else {
                ""
            }
        ));
    }
    for (hash, file) in sets.iter() {
        text.push_str(&words(hash, file));
    }
    // What differs from the file is on nobody's way yet.
    match place.installation.rules(place.config) {
        Ok((draft, _)) if sets.get(draft.hash()).is_none() => text.push_str(&format!(
            "  {} holds another content, {:.12}, which nobody proposed: it changes nothing\n",
            place.config.rules.display(),
            draft.hash().as_str()
        )),
        Ok(_) => {}
        Err(failure) => text.push_str(&format!("  the draft cannot be read: {failure}\n")),
    }
    out.words(&text)?;
    let list: Vec<Value> = sets.iter().map(|(hash, _)| set_json(&sets, hash)).collect();
    out.document(&json!({
        "connection": place.config.name,
        "mode": sets.mode(),
        "active": sets.active().map(|active| &active.version),
        "ordered": sets.ordered().map(|order| json!({
            "hash": order.hash, "from": order.from, "replay": order.replay,
        })),
        "rule_sets": list,
    }))?;
    Ok(DONE)
}

fn words(hash: &RuleSetHash, file: &RuleSetFile) -> String {
    let authors: Vec<&str> = file.authors.iter().map(|author| author.as_str()).collect();
    let by = if authors.is_empty() {
        "from a file, before rule sets were approved".to_owned()
    } else {
        format!("by {}: {}", safe(&authors.join(", ")), safe(&file.why))
    };
    let stage = match &file.stage {
        RuleSetStage::Approved { approver, alone, .. } => format!(
            "approved by {}{}",
            safe(approver.name.as_str()),
            if *alone { ", who proposed it" } else { "" }
        ),
        RuleSetStage::Declined { person, why } => {
            format!("declined by {}: {}", safe(person.as_str()), safe(why))
        }
        RuleSetStage::Active(version) => format!("active, number {}", version.number),
        RuleSetStage::Retired(version) => format!("retired, was number {}", version.number),
        RuleSetStage::Proposed | RuleSetStage::Backtested(_) => file.stage.to_string(),
    };
    let mut text = format!("\n  {:.12}  {stage}\n    {by}\n", hash.as_str());
    if let Some(backtest) = file.backtest() {
        text.push_str(&backtest_words(hash, backtest));
    }
    text
}

/// What a backtest said, in a few lines.
pub(super) fn backtest_words(hash: &RuleSetHash, backtest: &Backtest) -> String {
    let counts = &backtest.counts;
    format!(
        "    backtest over {}, chart {}, against {}: {} reports; newly mapped {}, newly rejected {}, newly held or left out {}, \
         documents change {}, reasons change {}\n    statement {}\n",
        backtest.span,
        backtest.chart,
        backtest
            .against
            .as_ref()
            .map_or_else(|| "no set".to_owned(), ToString::to_string),
        counts.reports,
        counts.newly_mapped,
        counts.newly_rejected,
        counts.newly_held,
        counts.documents_changed,
        counts.reasons_changed,
        statement_of(hash, backtest)
    )
}

/// One set, as JSON has it.
pub(super) fn set_json(sets: &RuleSets, hash: &RuleSetHash) -> Value {
    let Some(file) = sets.get(hash) else {
        return json!({"hash": hash});
    };
    let version = match &file.stage {
        RuleSetStage::Active(version) | RuleSetStage::Retired(version) => Some(version.number),
        _ => None,
    };
    let approval = match &file.stage {
        RuleSetStage::Approved { approver, alone, .. } => {
            Some(json!({"approver": approver.name, "alone": alone}))
        }
        _ => None,
    };
    let declined = match &file.stage {
        RuleSetStage::Declined { person, why } => Some(json!({"person": person, "why": why})),
        _ => None,
    };
    json!({
        "hash": hash,
        "state": file.stage.name(),
        "number": version,
        "authors": file.authors,
        "why": file.why,
        "backtest": file.backtest(),
        "statement": file.backtest().map(|backtest| statement_of(hash, backtest)),
        "approved": approval,
        "declined": declined,
    })
}
