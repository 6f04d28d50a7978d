//! For people.

use tieout_domain::rules::{RuleFault, Severity};

use super::chart::Charted;
use super::checked::Checked;

/// Everything about one file: its findings below it, and what was not looked at.
pub(super) fn words(set: &Checked) -> String {
    let whose = if set.connections.is_empty() {
        String::new()
    } else {
        format!(" ({})", set.connections.join(", "))
    };
    let place = format!("{}{whose}", set.file.display());
    let mut text = match &set.rules {
        Ok(rules) => {
            let list: String = set
                .remarks
                .iter()
                .map(|remark| format!("  note: {}: {remark}\n", set.at(remark.at())))
                .collect();
            let number = rules.rules().len();
            format!(
                "{place}: {number} rules, no fault\n  {}\n{list}",
                rules.hash().as_str()
            )
        }
        Err(faults) => {
            let list: String = faults.iter().map(|fault| fault_words(set, fault)).collect();
            format!("{place}: refused, {}\n{list}", counted(faults.len(), "fault"))
        }
    };
    for chart in set.charts.iter().flatten().filter(|chart| !chart.is_unread()) {
        text.push_str(&chart_words(set, chart));
    }
    for policy in set.coverage.iter().flatten() {
        text.push_str(&policy.words());
    }
    for line in set.not_looked_at() {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn fault_words(set: &Checked, fault: &RuleFault) -> String {
    let other = fault
        .other_at()
        .map(|other| format!(" (the other: {})", set.at(other)));
    format!(
        "  - {}: {fault}{}\n",
        set.at(fault.at()),
        other.unwrap_or_default()
    )
}

fn chart_words(set: &Checked, chart: &Charted) -> String {
    let (errors, warnings) = chart.counts();
    let mut text = format!(
        "  {} of {}: {}, {}\n",
        chart.version,
        chart.connection,
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    for held in &chart.held {
        text.push_str(&format!(
            "    held, not confirmed when QAD was last asked: {held}\n"
        ));
    }
    for finding in chart.findings() {
        let sign = match finding.severity() {
            Severity::Error => "-",
            Severity::Warning => "- warning:",
        };
        let other = finding
            .other_at
            .map(|other| format!(" (the other: {})", set.at(other)));
        text.push_str(&format!(
            "  {sign} {}: {finding}{}\n",
            set.at(finding.at),
            other.unwrap_or_default()
        ));
    }
    text
}

/// "1 fault", "2 faults".
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
