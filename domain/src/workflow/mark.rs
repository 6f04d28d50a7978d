//! Step 6: set the exported flag for posted reports, in batches of up to 100; the proof is the next complete listing.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::desk::{Desk, WorkflowError};
use super::events::PollEvent;
use super::roster::{Brief, Roster};
use crate::ids::ReportId;
use crate::journal::{Actor, Draft, SystemActor};
use crate::ports::{Clock, Expected, Listed, Ports, Source};
use crate::report::{Command, MaterialHash, Stage, StageName};

/// The most reports one job marks (contract expensify §12).
const BATCH: usize = 100;

/// What the step came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marked {
    /// Reports whose marking was asked for and printed back.
    pub asked: usize,
    /// Reports that the job did not print: reopened, deleted, or no longer visible to the credentials.
    pub not_printed: Vec<ReportId>,
    /// Reports printed with other material than was posted.
    pub drifted: usize,
    /// Why a batch is unknown or refused; the next cycle asks again, which is harmless.
    pub failures: Vec<String>,
}

const MARKER: Actor = Actor::System {
    part: SystemActor::Marker,
};

impl<P: Ports> Desk<'_, P> {
    /// Asks for the exported flag of every posted report that does not bear it yet. That a listing without our label
    /// showed one (`seen`) says so of a report the log holds as marked: it was taken back when its mark was to be set,
    /// its absence was taken for the mark, and it is approved again.
    pub async fn mark(
        &self,
        roster: &Roster,
        seen: &BTreeMap<ReportId, MaterialHash>,
    ) -> Result<Marked, WorkflowError> {
        let mut marked = Marked::default();
        let unmarked = |(id, brief): &(ReportId, &Brief)| match brief.stage {
            StageName::Posted => true,
            StageName::MarkedExported => seen.contains_key(id),
            _ => false,
        };
        let posted: Vec<ReportId> = roster.iter().filter(unmarked).map(|(id, _)| id).collect();
        for batch in posted.chunks(BATCH) {
            if self.ports.stopping() {
                break;
            }
            let mut intended = BTreeSet::new();
            for report in batch {
                let label = self.connection.label.clone();
                let (loaded, _) = self
                    .act(*report, MARKER, |state| match state.stage() {
                        Stage::Posted {
                            marking: Some(known), ..
                        } if *known == label => None,
                        Stage::Posted { .. } => Some(Command::StartMarking(label.clone())),
                        _ => None,
                    })
                    .await?;
                // Law 2, where it matters: only what QAD has confirmed in every document is ever named to Expensify.
                if matches!(
                    loaded.report.stage(),
                    Stage::Posted { .. } | Stage::MarkedExported { .. }
                ) {
                    intended.insert(*report);
                }
            }
            self.ports.passing("marking");
            self.mark_batch(intended, &mut marked).await?;
            self.ports.passing("marked");
        }
        if !posted.is_empty() {
            let event = PollEvent::MarkingAsked {
                printed: marked.asked as u64,
                not_printed: marked.not_printed.clone(),
                failures: marked.failures.clone(),
                calls: self.ports.source().take_calls(),
            };
            let draft = Draft {
                event,
                effective_at: self.ports.clock().now(),
                subject: None,
            };
            let stamp = self.stamp(SystemActor::Marker);
            self.journal
                .append(&self.streams.polls(), Expected::Any, &stamp, vec![draft])
                .await?;
        }
        Ok(marked)
    }

    async fn mark_batch(
        &self,
        intended: BTreeSet<ReportId>,
        marked: &mut Marked,
    ) -> Result<(), WorkflowError> {
        if intended.is_empty() {
            return Ok(());
        }
        let reports: Vec<ReportId> = intended.iter().copied().collect();
        let mut lines = match self
            .ports
            .source()
            .mark(&self.connection.policies, &reports, &self.connection.label)
            .await
        {
            Ok(lines) => lines,
            Err(error) => {
                marked.failures.push(error.to_string());
                return Ok(());
            }
        };
        let mut missing = intended;
        while let Some(line) = lines.next().await {
            match line {
                Ok(Listed::Report(payload)) => {
                    let report = payload.facts.report;
                    if !missing.remove(&report) {
                        continue;
                    }
                    marked.asked += 1;
                    let (_, events) = self
                        .act(report, MARKER, |_| Some(Command::Observe(payload.clone())))
                        .await?;
                    marked.drifted += usize::from(events > 0);
                }
                Ok(Listed::Unreadable { line, why, .. }) => {
                    marked.failures.push(format!(
                        "line {line} of what the marking job printed could not be read: {why}"
                    ));
                }
                Err(error) => marked.failures.push(error.to_string()),
            }
        }
        marked.not_printed.extend(missing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Label;
    use crate::journal::tests::world::now;
    use crate::report::ReportEvent;
    use crate::report::tests::samples::*;
    use crate::workflow::testing::Plant;

    fn mark(plant: &Plant, seen: &[ReportId]) {
        let seen = seen
            .iter()
            .map(|id| (*id, payload().material_hash(SALT)))
            .collect();
        now(plant.desk().mark(&plant.roster(), &seen)).unwrap();
    }

    fn asked(plant: &Plant) -> Vec<ReportId> {
        plant.source.asked_to_mark.lock().unwrap().clone()
    }

    #[test]
    fn an_intent_to_mark_is_recorded_once_for_a_label_and_the_mark_is_asked_for_again() {
        let plant = Plant::of(&[both_posted(), vec![marking()]].concat());
        mark(&plant, &[]);
        assert_eq!(plant.count("MarkingStarted"), 1);
        assert_eq!(asked(&plant), [report_id()]);
    }

    #[test]
    fn under_another_label_the_intent_to_mark_is_another() {
        let before = ReportEvent::MarkingStarted {
            label: Label::new("tieout-before").unwrap(),
        };
        let plant = Plant::of(&[both_posted(), vec![before]].concat());
        mark(&plant, &[]);
        assert_eq!(plant.count("MarkingStarted"), 2);
    }

    #[test]
    fn a_marked_report_is_marked_again_only_where_a_listing_without_the_label_shows_it() {
        let plant = Plant::of(&[both_posted(), vec![marking(), marked()]].concat());
        mark(&plant, &[]);
        assert_eq!(asked(&plant), []);
        mark(&plant, &[report_id()]);
        assert_eq!(asked(&plant), [report_id()]);
    }

    #[test]
    fn that_marks_were_asked_for_is_on_record_only_where_they_were() {
        let idle = Plant::of(&two_planned());
        mark(&idle, &[]);
        assert_eq!(idle.count("MarkingAsked"), 0);
        let posted = Plant::of(&both_posted());
        mark(&posted, &[]);
        assert_eq!(posted.count("MarkingAsked"), 1);
    }
}
