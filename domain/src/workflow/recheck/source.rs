//! The source again: every window, whatever label its reports bear, and closed reports too.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::super::poll::{AT_MOST_NAMED, AT_ONCE, count, windows};
use super::super::roster::{Brief, Roster};
use super::{Desk, Noted, Rechecked, WorkflowError};
use crate::ids::ReportId;
use crate::ports::{Listed, ListingQuery, Ports, Selection, Source, SourceStates};
use crate::report::{CaseName, Command, Payload, Report};

impl<P: Ports> Desk<'_, P> {
    /// Holds every posted report against what the source shows of it now.
    pub(super) async fn recheck_source(
        &self,
        roster: &Roster,
        rechecked: &mut Rechecked,
    ) -> Result<(), WorkflowError> {
        let mut shown = BTreeSet::new();
        for (approved_from, until) in windows(self.connection.go_live, self.today()) {
            let query = ListingQuery {
                policies: self.connection.policies.clone(),
                selection: Selection::Window { approved_from, until },
                without_label: None,
                states: SourceStates::AlsoClosed,
            };
            if !self.hold_listed(&query, roster, &mut shown, rechecked).await? {
                return Ok(());
            }
        }
        // A window goes by dates, which may be set anew at the source. What none shows is asked for by name before it is
        // said to be gone.
        let missing = self.missing(roster, &shown).await?;
        for batch in missing.chunks(AT_MOST_NAMED) {
            let query = self.by_name(batch, SourceStates::AlsoClosed);
            if !self.hold_listed(&query, roster, &mut shown, rechecked).await? {
                return Ok(());
            }
        }
        for report in missing.into_iter().filter(|report| !shown.contains(report)) {
            let noted = self.note(report, |_| Some(Command::RaiseGone)).await?;
            rechecked.held.add(noted);
        }
        Ok(())
    }

    /// Posted reports that no window shows and that are not known to be gone. Those of a policy that is not the
    /// connection's any more were not asked for.
    async fn missing(
        &self,
        roster: &Roster,
        shown: &BTreeSet<ReportId>,
    ) -> Result<Vec<ReportId>, WorkflowError> {
        let ours = |report: &Report| {
            let policy = report.capture().map(|capture| &capture.payload.facts.policy);
            policy.is_some_and(|policy| self.connection.policies.contains(policy))
        };
        let mut missing = Vec::new();
        for id in roster.select(Brief::is_posted) {
            if shown.contains(&id) {
                continue;
            }
            let report = self.load(id).await?.report;
            if ours(&report) && !report.has_case(CaseName::SourceGone, None) {
                missing.push(id);
            }
        }
        Ok(missing)
    }

    /// Lists, and holds what is posted against what is listed. `false` where the listing is not whole: then nothing
    /// follows from what it does not show.
    async fn hold_listed(
        &self,
        query: &ListingQuery,
        roster: &Roster,
        shown: &mut BTreeSet<ReportId>,
        rechecked: &mut Rechecked,
    ) -> Result<bool, WorkflowError> {
        let mut whole = true;
        let mut fail = |why: String| {
            whole = false;
            if rechecked.failures.is_empty() {
                rechecked
                    .failures
                    .push(format!("the source was not listed whole: {why}"));
            }
        };
        let lines = match self.ports.source().list(query).await {
            Ok(lines) => lines,
            Err(error) => {
                fail(error.to_string());
                return Ok(false);
            }
        };
        let mut held = lines
            .map(|line| async {
                match line {
                    Err(error) => Ok(Seen::Unread(error.to_string())),
                    Ok(Listed::Unreadable { line, why, .. }) => Ok(Seen::Unread(format!(
                        "line {line} of the download could not be read: {why}"
                    ))),
                    Ok(Listed::Report(payload)) => self.hold_one(*payload, roster).await,
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some(seen) = held.next().await {
            match seen? {
                Seen::Unread(why) => fail(why),
                Seen::Report {
                    payload,
                    posted,
                    noted,
                } => {
                    // Windows overlap.
                    if shown.insert(payload.facts.report) {
                        count(&mut rechecked.totals, &payload.facts);
                        rechecked.held.reports += u64::from(posted);
                    }
                    rechecked.held.add(noted);
                }
            }
        }
        Ok(whole)
    }

    async fn hold_one(&self, payload: Payload, roster: &Roster) -> Result<Seen, WorkflowError> {
        let id = payload.facts.report;
        let posted = roster.get(id).is_some_and(Brief::is_posted);
        let noted = if posted {
            self.note(id, |_| Some(Command::Observe(Box::new(payload.clone()))))
                .await?
        } else {
            Noted::default()
        };
        Ok(Seen::Report {
            payload: Box::new(payload),
            posted,
            noted,
        })
    }
}

/// A line of the listing, held against what is posted.
enum Seen {
    Report {
        payload: Box<Payload>,
        posted: bool,
        noted: Noted,
    },
    Unread(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PolicyId;
    use crate::journal::tests::world::now;
    use crate::report::ReportEvent;
    use crate::report::tests::samples::*;
    use crate::workflow::testing::Plant;

    fn missing(plant: &Plant, shown: &[ReportId]) -> Vec<ReportId> {
        let shown = shown.iter().copied().collect();
        now(plant.desk().missing(&plant.roster(), &shown)).unwrap()
    }

    #[test]
    fn a_posted_report_that_no_window_shows_is_missing_once() {
        let plant = Plant::of(&both_posted());
        assert_eq!(missing(&plant, &[]), [report_id()]);
        assert_eq!(missing(&plant, &[report_id()]), []);
        plant.keep(&[ReportEvent::SourceGone]);
        assert_eq!(missing(&plant, &[]), [], "it is known to be gone");
    }

    #[test]
    fn a_report_of_a_policy_that_is_not_the_connections_any_more_is_not_missed() {
        let mut plant = Plant::of(&both_posted());
        plant.connection.policies = vec![PolicyId::new("FEDCBA9876543210").unwrap()];
        assert_eq!(missing(&plant, &[]), []);
    }
}
