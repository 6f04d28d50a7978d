//! What a cycle would do, shown for the whole population: lists the source, reads the chart, and maps in memory. Nothing
//! is written, not even to the log, and nothing is sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;

use super::desk::{Desk, WorkflowError};
use super::in_force::{Heads, InForce};
use super::map::{claimed, with_claims};
use super::poll::{AT_MOST_NAMED, windows};
use super::roster::Brief;
use super::rules::RulesInForce;
use crate::chart::{Chart, compare};
use crate::ids::ReportId;
use crate::ports::{
    Ledger, LedgerError, Listed, ListingQuery, Ports, Selection, Source, SourceError, SourceStates,
};
use crate::posting::Document;
use crate::report::{Command, Exclusion, MapOutcome, Reason, Report, Stage, StageName, decide};

/// What would become of one report.
#[derive(Debug, Clone, PartialEq)]
pub enum Would {
    /// These documents would be posted.
    Post(Vec<Arc<Document>>),
    /// It would be rejected.
    Reject(Vec<Reason>),
    /// It would be held.
    Hold(Vec<Reason>),
    /// It would be left out.
    Exclude(Exclusion),
    /// It is past that: at work in QAD, or posted.
    Nothing(StageName),
}

/// Why a dry run could not see everything.
#[derive(Debug, thiserror::Error)]
pub enum Unseen {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A line of the download.
    #[error("line {line} of the download could not be read: {why}")]
    Unreadable {
        /// Line number.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The log.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl<P: Ports> Desk<'_, P> {
    /// Shows to `each` what would become of every report of the population under a rule set: the one in force, or a draft.
    pub async fn dry_run(
        &self,
        rules: &RulesInForce,
        mut each: impl FnMut(ReportId, Would) + Send,
    ) -> Result<(), Unseen> {
        let (known, _) = self.chart().await?;
        let reading = self.ports.ledger().read_chart().await?;
        let chart = compare(&known, &reading)
            .iter()
            .fold(known, |chart: Chart, event| chart.evolve(event));
        let in_force = InForce {
            rules,
            chart: &chart,
            // Nothing is sent from here.
            heads: Heads::default(),
        };
        let mut shown = BTreeSet::new();
        let window = |(approved_from, until)| ListingQuery {
            policies: self.connection.policies.clone(),
            selection: Selection::Window { approved_from, until },
            without_label: Some(self.connection.label.clone()),
            states: SourceStates::Approved,
        };
        let mut roster = self.roster();
        roster
            .catch_up(self.ports.log())
            .await
            .map_err(WorkflowError::from)?;
        let named = roster.select(Brief::asked_for_by_name);
        let windows = windows(self.connection.go_live, self.today());
        let queries: Vec<ListingQuery> = windows
            .into_iter()
            .map(window)
            .chain(
                named
                    .chunks(AT_MOST_NAMED)
                    .map(|batch| self.by_name(batch, SourceStates::Approved)),
            )
            .collect();
        for query in queries {
            let mut lines = self.ports.source().list(&query).await?;
            while let Some(line) = lines.next().await {
                match line? {
                    Listed::Unreadable { line, why, .. } => return Err(Unseen::Unreadable { line, why }),
                    Listed::Report(payload) => {
                        let id = payload.facts.report;
                        if !shown.insert(id) {
                            continue;
                        }
                        let loaded = self.load(id).await?;
                        let events = decide(&loaded.report, Command::Observe(payload))
                            .map_err(|refusal| WorkflowError::Refused { report: id, refusal })?;
                        let report = events.iter().fold(loaded.report, Report::evolve);
                        each(id, self.would(id, &report, in_force).await?);
                    }
                }
            }
        }
        Ok(())
    }

    async fn would(
        &self,
        id: ReportId,
        report: &Report,
        in_force: InForce<'_>,
    ) -> Result<Would, WorkflowError> {
        let open = matches!(
            report.stage(),
            Stage::Discovered(_) | Stage::Mapped(_) | Stage::Rejected { .. } | Stage::Held { .. }
        );
        let Some(outcome) = self.outcome(report, in_force).filter(|_| open) else {
            return Ok(Would::Nothing(report.stage().name()));
        };
        let mut taken = Vec::new();
        if let Some(capture) = report.capture() {
            for line in &capture.payload.facts.lines {
                if let Some(owner) = self.carried_by(&line.transaction).await?
                    && owner != id
                {
                    taken.push(claimed(&line.transaction, owner));
                }
            }
        }
        Ok(match with_claims(outcome, &taken, &self.basis(in_force)) {
            MapOutcome::Mapped(mapping) => Would::Post(mapping.documents),
            MapOutcome::Rejected { reasons, .. } => Would::Reject(reasons),
            MapOutcome::Held { reasons, .. } => Would::Hold(reasons),
            MapOutcome::Excluded(why) => Would::Exclude(why),
        })
    }
}
