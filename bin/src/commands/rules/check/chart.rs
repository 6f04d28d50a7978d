//! A rule set under the chart of a connection, as the log has it.

use tieout_domain::chart::{Chart, ChartEvent, ChartVersion};
use tieout_domain::journal::Streams;
use tieout_domain::rules::{ChartFinding, RuleSet, Severity};

use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::Failure;

/// What a chart has against a rule set.
pub(in crate::commands) struct Charted {
    /// Whose chart.
    pub(super) connection: String,
    /// Which state of it.
    pub(super) version: ChartVersion,
    /// The masters that are not believed at present, each with why.
    pub(super) held: Vec<String>,
    pub(super) findings: Vec<ChartFinding>,
}

/// The chart of a connection as the log has it; no system is asked.
pub(in crate::commands) async fn of(
    installation: &Installation,
    connection: &ConnectionConfig,
) -> Result<Chart, Failure> {
    let stream = Streams(connection.id).chart();
    let (entries, _) = installation.reader().stream::<ChartEvent>(&stream).await?;
    let events = entries.iter().map(|entry| &entry.event);
    Ok(events.fold(Chart::default(), Chart::evolve))
}

impl Charted {
    pub(in crate::commands) fn of(rules: &RuleSet, chart: &Chart, connection: &ConnectionConfig) -> Self {
        let held = chart.held().iter();
        Self {
            connection: connection.name.to_string(),
            version: chart.version(),
            held: held
                .map(|held| format!("{}: {}", held.master, held.why))
                .collect(),
            findings: if chart.version() == ChartVersion::default() {
                // Every code would be unknown.
                Vec::new()
            } else {
                rules.against_for(chart, &connection.expensify.policies)
            },
        }
    }

    /// Has no cycle read the chart yet?
    pub(in crate::commands) fn is_unread(&self) -> bool {
        self.version == ChartVersion::default()
    }

    pub(super) fn not_looked_at(&self) -> Option<String> {
        self.is_unread().then(|| {
            format!(
                "QAD's chart was not looked at: the log of {} has none yet, and a cycle reads it (`tieout sync`)",
                self.connection
            )
        })
    }

    /// So many errors, so many warnings.
    pub(in crate::commands) fn counts(&self) -> (usize, usize) {
        let errors = self
            .findings
            .iter()
            .filter(|finding| finding.severity() == Severity::Error)
            .count();
        (errors, self.findings.len() - errors)
    }

    pub(in crate::commands) fn findings(&self) -> &[ChartFinding] {
        &self.findings
    }
}
