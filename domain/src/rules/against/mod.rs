//! A rule set held against the chart of today: before a report meets what QAD would refuse.
//!
//! What is judged is what posting itself judges ([`super::check_coding`], and the same rows of the chart). A code that a
//! line carries (`{ from = … }`) can only be judged with that line, and is not.

mod analysis;
mod codes;
mod finding;
#[cfg(test)]
mod tests;

pub use self::finding::{ChartFault, ChartFinding, Severity, Subject};
use super::set::RuleSet;
use crate::chart::Chart;
use crate::ids::PolicyId;

impl RuleSet {
    /// What the chart has against the set, whichever policy a line is of; in the order of the file.
    pub fn against(&self, chart: &Chart) -> Vec<ChartFinding> {
        self.against_for(chart, &[])
    }

    /// The same, where lines are of these policies only: a rule that names a policy leaves none out. Without any, of
    /// whatever policy.
    pub fn against_for(&self, chart: &Chart, policies: &[PolicyId]) -> Vec<ChartFinding> {
        let mut findings = self.codes_against(chart);
        findings.extend(self.analysis_against(chart, policies));
        findings.sort_by_key(|finding| (finding.at, finding.fault.code()));
        findings
    }
}
