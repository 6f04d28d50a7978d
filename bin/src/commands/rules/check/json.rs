//! As one JSON document.

use serde_json::{Value, json};
use tieout_domain::rules::{
    ChartFault, ChartFinding, Dimension, Position, Remark, RuleFault, RuleName, Subject, Witness,
};

use super::chart::Charted;
use super::checked::Checked;
use super::coverage::PolicyCoverage;
use super::found::{Level, fault_code, remark_code};

/// Everything about one file.
pub(super) fn of(set: &Checked) -> Value {
    let faults = set.rules.as_ref().err().into_iter().flatten();
    let faults: Vec<Value> = faults.map(|fault| fault_json(set, fault)).collect();
    let remarks: Vec<Value> = set
        .remarks
        .iter()
        .map(|remark| remark_json(set, remark))
        .collect();
    let charts = |charts: &Vec<Charted>| {
        charts
            .iter()
            .map(|chart| chart_json(set, chart))
            .collect::<Vec<_>>()
    };
    let policies =
        |policies: &Vec<PolicyCoverage>| policies.iter().map(PolicyCoverage::json).collect::<Vec<_>>();
    json!({
        "file": set.file,
        "connections": set.connections,
        "ok": set.found().iter().all(|found| found.level != Level::Error),
        "rules": set.rules.as_ref().ok().map(|rules| rules.rules().len()),
        "hash": set.rules.as_ref().ok().map(|rules| rules.hash().as_str().to_owned()),
        "faults": faults,
        "remarks": remarks,
        "charts": set.charts.as_ref().map(charts),
        "coverage": set.coverage.as_ref().map(policies),
        "not_looked_at": set.not_looked_at(),
    })
}

fn fault_json(set: &Checked, fault: &RuleFault) -> Value {
    let other = fault
        .other_at()
        .map(|other| json!({"other_at": place(set, other)}));
    let common = json!({
        "code": fault_code(fault),
        "severity": Level::Error.as_str(),
        "message": fault.to_string(),
        "at": place(set, fault.at()),
    });
    merged([common, details(fault)].into_iter().chain(other))
}

fn remark_json(set: &Checked, remark: &Remark) -> Value {
    let own = match remark {
        Remark::NeverWins { rule, instead, .. } => {
            let instead: Vec<usize> = instead.iter().map(|rule| rule.number).collect();
            json!({"rule": rule.number, "instead": instead})
        }
        Remark::Unclear { rule, .. } => json!({"rule": rule.number}),
    };
    let common = json!({
        "code": remark_code(remark),
        "severity": Level::Remark.as_str(),
        "message": remark.to_string(),
        "at": place(set, remark.at()),
    });
    merged([common, own].into_iter())
}

/// One object of several.
fn merged(objects: impl Iterator<Item = Value>) -> Value {
    let fields = objects.filter_map(|object| match object {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    Value::Object(fields.flatten().collect())
}

fn chart_json(set: &Checked, chart: &Charted) -> Value {
    let findings: Vec<Value> = chart
        .findings()
        .iter()
        .map(|finding| finding_json(set, finding))
        .collect();
    json!({
        "connection": chart.connection,
        "version": (!chart.is_unread()).then_some(chart.version),
        "held": chart.held,
        "findings": findings,
    })
}

fn finding_json(set: &Checked, finding: &ChartFinding) -> Value {
    let (rule, dimension, setting) = match &finding.subject {
        Subject::Rule(rule, dimension) => (Some(rule.number), Some(dimension.to_string()), None),
        Subject::Setting(setting) => (None, None, Some(setting.to_string())),
    };
    let line = match &finding.fault {
        ChartFault::Lacking { witness, .. }
        | ChartFault::NotTaken { witness, .. }
        | ChartFault::Neither { witness, .. }
        | ChartFault::Both { witness, .. } => Some(witness.to_string()),
        _ => None,
    };
    json!({
        "code": finding.fault.code(),
        "severity": finding.severity().as_str(),
        "rule": rule,
        "dimension": dimension,
        "setting": setting,
        "line": line,
        "message": finding.fault.to_string(),
        "remedy": finding.fault.remedy(),
        "at": place(set, finding.at),
        "other_at": finding.other_at.map(|other| place(set, other)),
    })
}

fn place(set: &Checked, position: Position) -> Value {
    json!({"text": set.at(position), "line": position.line, "column": position.column})
}

/// What a fault is about, beside its code, its words and its place.
fn details(fault: &RuleFault) -> Value {
    match fault {
        RuleFault::Syntax { .. } | RuleFault::TooLarge { .. } => json!({}),
        RuleFault::Content { place, .. } => json!({"place": place.to_string()}),
        RuleFault::Ambiguous {
            first,
            second,
            dimension,
            witness,
            ..
        }
        | RuleFault::Contradiction {
            first,
            second,
            dimension,
            witness,
            ..
        } => pair([first, second], *dimension, witness),
        RuleFault::TooEntangled { rules, dimension, .. } => {
            let numbers: Vec<usize> = rules.iter().map(|rule| rule.number).collect();
            json!({"rules": numbers, "dimension": dimension.to_string()})
        }
    }
}

fn pair(rules: [&RuleName; 2], dimension: Dimension, witness: &Witness) -> Value {
    json!({
        "rules": rules.map(|rule| rule.number),
        "dimension": dimension.to_string(),
        "line": witness.to_string(),
    })
}
