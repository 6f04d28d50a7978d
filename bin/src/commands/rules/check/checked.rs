//! One rule file, looked at from every side that was asked for.

use std::path::{Path, PathBuf};

use tieout_domain::rules::{Position, Remark, RuleFault, RuleSet};

use super::chart::Charted;
use super::coverage::PolicyCoverage;
use super::found::Found;
use crate::out::Failure;

/// One rule file, looked at.
pub(super) struct Checked {
    pub(super) file: PathBuf,
    /// Names of the connections it is for.
    pub(super) connections: Vec<String>,
    pub(super) text: String,
    pub(super) rules: Result<RuleSet, Vec<RuleFault>>,
    /// What is odd, and no fault.
    pub(super) remarks: Vec<Remark>,
    /// What the chart of each connection has against it, where that was asked for.
    pub(super) charts: Option<Vec<Charted>>,
    /// What it leaves out of each policy, where that was asked for.
    pub(super) coverage: Option<Vec<PolicyCoverage>>,
}

impl Checked {
    pub(super) fn read(file: &Path, connections: Vec<String>) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::Usage(format!("the rule set {} cannot be read: {e}", file.display())))?;
        let rules = RuleSet::parse(&text);
        Ok(Self {
            file: file.to_path_buf(),
            connections,
            text,
            remarks: rules.as_ref().map(RuleSet::remarks).unwrap_or_default(),
            rules,
            charts: None,
            coverage: None,
        })
    }

    /// Everything that was found, in one form.
    pub(super) fn found(&self) -> Vec<Found> {
        let faults = self.rules.as_ref().err().into_iter().flatten();
        let charts = self.charts.iter().flatten();
        faults
            .map(Found::fault)
            .chain(self.remarks.iter().map(Found::remark))
            .chain(charts.flat_map(|chart| chart.findings.iter().map(Found::of_chart)))
            .chain(self.coverage.iter().flatten().flat_map(PolicyCoverage::found))
            .collect()
    }

    /// What nobody looked at, and how to have it looked at.
    pub(super) fn not_looked_at(&self) -> Vec<String> {
        if self.rules.is_err() {
            return vec![
                "QAD's chart and Expensify's policies were not looked at: a refused set has nothing to hold against them"
                    .to_owned(),
            ];
        }
        let mut list = Vec::new();
        match &self.charts {
            None => list.push("QAD's chart was not looked at (--chart)".to_owned()),
            Some(charts) => list.extend(charts.iter().filter_map(Charted::not_looked_at)),
        }
        match &self.coverage {
            None => list.push("Expensify's policies were not looked at (--coverage)".to_owned()),
            Some(policies) => list.extend(policies.iter().filter_map(PolicyCoverage::not_looked_at)),
        }
        list
    }

    /// `file:line:column`, which editors open.
    pub(super) fn at(&self, position: Position) -> String {
        format!("{}:{position}", self.file.display())
    }
}
