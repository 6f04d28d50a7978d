//! Step 2: list what is approved or reimbursed and does not bear our label yet, and capture what is new or changed.

use std::collections::BTreeMap;

use chrono::{Days, Months, NaiveDate};
use futures::StreamExt;

use super::desk::{Desk, WorkflowError};
use super::events::{ControlTotal, PollEvent};
use super::roster::Roster;
use crate::ids::ReportId;
use crate::journal::{Actor, Draft, SystemActor};
use crate::ports::{
    Clock, Expected, Listed, ListingQuery, Ports, Selection, Source, SourceError, SourceStates,
};
use crate::report::{Command, MaterialHash, Payload, ReportFacts, StageName};

/// How many reports are captured at once: their appends share commits.
pub(super) const AT_ONCE: usize = 64;

/// The most reports one listing names (contract expensify §12).
pub(super) const AT_MOST_NAMED: usize = 100;

/// Overlap of two windows: the source's dates are of an unknown zone (contract expensify §12).
const OVERLAP: Days = Days::new(2);

/// What a poll showed.
#[derive(Debug, Default)]
pub struct Polled {
    /// Every window was listed whole: what is not in `seen` is not there.
    pub complete: bool,
    /// What went wrong, if it was not.
    pub failure: Option<String>,
    /// Could the source be reached at all, and did it accept the credentials?
    pub unreachable: bool,
    /// Each report with the material hash it showed, under the report's own salt.
    pub seen: BTreeMap<ReportId, MaterialHash>,
    /// Control totals, by the currency as it came.
    pub totals: BTreeMap<String, ControlTotal>,
    /// Reports captured for the first time, or anew.
    pub captured: usize,
    /// Reports that a complete listing no longer shows.
    pub withdrawn: usize,
    /// Reports whose exported flag this listing proves.
    pub marked: usize,
}

/// The windows that cover every approval from `go_live` until today: each a year at most, overlapping by two days.
///
/// A window takes approvals from its beginning and submissions until its end. A report is submitted before it is
/// approved, so that each approval falls in the window its date lies in; the last one has no end.
pub fn windows(go_live: NaiveDate, today: NaiveDate) -> Vec<(NaiveDate, Option<NaiveDate>)> {
    let mut windows = Vec::new();
    let mut from = go_live;
    // The client asks a day earlier, so a window is kept two days short of a year.
    while let Some(until) = from
        .checked_add_months(Months::new(12))
        .and_then(|year| year.checked_sub_days(Days::new(2)))
    {
        if until >= today {
            break;
        }
        windows.push((from, Some(until)));
        match until.checked_sub_days(OVERLAP) {
            Some(next) if next > from => from = next,
            _ => break,
        }
    }
    windows.push((from, None));
    windows
}

/// Adds a report to the control totals.
pub(super) fn count(totals: &mut BTreeMap<String, ControlTotal>, facts: &ReportFacts) {
    let total = totals.entry(facts.currency.clone()).or_default();
    total.reports += 1;
    total.lines += facts.lines.len() as u64;
    match facts
        .total
        .get()
        .and_then(|value| total.total_hundredths.checked_add(value))
    {
        Some(sum) => total.total_hundredths = sum,
        None => total.unreadable += 1,
    }
}

impl<P: Ports> Desk<'_, P> {
    /// Polls every window and records what it showed. An error of the source ends the poll, not the cycle.
    pub async fn poll(&self, roster: &mut Roster) -> Result<Polled, WorkflowError> {
        let mut polled = Polled::default();
        let mut unreadable = Vec::new();
        let windows = windows(self.connection.go_live, self.today());
        let mut failure: Option<SourceError> = None;
        for (approved_from, until) in &windows {
            let query = ListingQuery {
                policies: self.connection.policies.clone(),
                selection: Selection::Window {
                    approved_from: *approved_from,
                    until: *until,
                },
                without_label: Some(self.connection.label.clone()),
                states: SourceStates::Approved,
            };
            if let Err(error) = self.list_window(&query, &mut polled, &mut unreadable).await? {
                failure = Some(error);
                break;
            }
        }
        // What was posted and reversed bears our label from before, and no listing without it shows it again. Nor, after
        // the log was put back to a copy, what stands in part and was marked since that copy was made.
        let named: Vec<ReportId> = roster
            .iter()
            .filter(|(id, brief)| {
                brief.asked_for_by_name() || (brief.may_be_hidden() && !polled.seen.contains_key(id))
            })
            .map(|(id, _)| id)
            .collect();
        for batch in named.chunks(AT_MOST_NAMED) {
            if failure.is_some() {
                break;
            }
            let query = self.by_name(batch, SourceStates::Approved);
            failure = self
                .list_window(&query, &mut polled, &mut unreadable)
                .await?
                .err();
        }
        polled.unreachable = matches!(
            failure,
            Some(
                SourceError::Unauthorised { .. }
                    | SourceError::Unreachable { .. }
                    | SourceError::Unanswered { .. }
                    | SourceError::Throttled { .. }
            )
        );
        let why = match (failure, unreadable.first()) {
            (Some(error), _) => Some(error.to_string()),
            (None, Some((line, _, why))) => {
                Some(format!("line {line} of the download could not be read: {why}"))
            }
            (None, None) => None,
        };
        let listed_at = self.ports.clock().now();
        let calls = self.ports.source().take_calls();
        polled.complete = why.is_none();
        polled.failure.clone_from(&why);
        let event = match why {
            None => PollEvent::PollCompleted {
                windows,
                totals: polled.totals.clone(),
                calls,
                listed_at,
                named,
            },
            Some(why) => PollEvent::PollFailed {
                why,
                unreadable,
                totals: polled.totals.clone(),
                calls,
            },
        };
        let draft = Draft {
            event,
            effective_at: listed_at,
            subject: None,
        };
        self.journal
            .append(
                &self.streams.polls(),
                Expected::Any,
                &self.stamp(SystemActor::Poller),
                vec![draft],
            )
            .await?;
        self.ports.passing("polled");
        if polled.complete {
            self.conclude_from_absence(roster, &mut polled, listed_at).await?;
        }
        Ok(polled)
    }

    /// A listing of exactly these reports, whatever label they bear.
    pub(super) fn by_name(&self, reports: &[ReportId], states: SourceStates) -> ListingQuery {
        ListingQuery {
            policies: self.connection.policies.clone(),
            selection: Selection::Reports(reports.to_vec()),
            without_label: None,
            states,
        }
    }

    async fn list_window(
        &self,
        query: &ListingQuery,
        polled: &mut Polled,
        unreadable: &mut Vec<(u64, String, String)>,
    ) -> Result<Result<(), SourceError>, WorkflowError> {
        let lines = match self.ports.source().list(query).await {
            Ok(lines) => lines,
            Err(error) => return Ok(Err(error)),
        };
        let mut observed = lines
            .map(|line| async {
                match line {
                    Err(error) => Ok(Observed::Ended(error)),
                    Ok(Listed::Unreadable { line, text, why }) => Ok(Observed::Unreadable(line, text, why)),
                    Ok(Listed::Report(payload)) => self.observe(*payload).await,
                }
            })
            .buffer_unordered(AT_ONCE);
        let mut ended = Ok(());
        while let Some(result) = observed.next().await {
            match result? {
                Observed::Ended(error) => ended = Err(error),
                Observed::Unreadable(line, text, why) => unreadable.push((line, named(&text), why)),
                Observed::Report {
                    report,
                    hash,
                    totals,
                    captured,
                } => {
                    if polled.seen.insert(report, hash).is_none() {
                        for (currency, one) in totals {
                            let total = polled.totals.entry(currency).or_default();
                            total.reports += one.reports;
                            total.lines += one.lines;
                            total.unreadable += one.unreadable;
                            match total.total_hundredths.checked_add(one.total_hundredths) {
                                Some(sum) => total.total_hundredths = sum,
                                None => total.unreadable += 1,
                            }
                        }
                    }
                    polled.captured += usize::from(captured);
                }
            }
        }
        Ok(ended)
    }

    /// Captures one listed report where it is new or changed.
    async fn observe(&self, payload: Payload) -> Result<Observed, WorkflowError> {
        let report = payload.facts.report;
        let mut totals = BTreeMap::new();
        count(&mut totals, &payload.facts);
        let fresh_salt = payload
            .personal
            .known()
            .map_or_else(String::new, |p| p.salt.clone());
        let actor = Actor::System {
            part: SystemActor::Poller,
        };
        let mut hash = None;
        let (_, events) = self
            .act(report, actor, |state| {
                let salt = state
                    .capture()
                    .and_then(|c| c.payload.personal.known())
                    .map_or(fresh_salt.as_str(), |p| p.salt.as_str());
                hash = Some(payload.material_hash(salt));
                Some(Command::Observe(Box::new(payload.clone())))
            })
            .await?;
        self.ports.passing("captured");
        let hash = hash.unwrap_or_else(|| payload.material_hash(&fresh_salt));
        Ok(Observed::Report {
            report,
            hash,
            totals,
            captured: events > 0,
        })
    }

    /// What a complete listing does not show was withdrawn, or bears our label now.
    async fn conclude_from_absence(
        &self,
        roster: &mut Roster,
        polled: &mut Polled,
        listed_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), WorkflowError> {
        roster.catch_up(self.ports.log()).await?;
        let open = [
            StageName::Discovered,
            StageName::Mapped,
            StageName::Rejected,
            StageName::Held,
        ];
        let gone: Vec<ReportId> = roster
            .iter()
            .filter(|(id, brief)| open.contains(&brief.stage) && !polled.seen.contains_key(id))
            .map(|(id, _)| id)
            .collect();
        for report in gone {
            let actor = Actor::System {
                part: SystemActor::Poller,
            };
            let (_, events) = self.act(report, actor, |_| Some(Command::Withdraw)).await?;
            polled.withdrawn += usize::from(events > 0);
        }
        let marked: Vec<ReportId> = roster
            .iter()
            .filter(|(id, brief)| {
                brief.stage == StageName::Posted && brief.marking && !polled.seen.contains_key(id)
            })
            .map(|(id, _)| id)
            .collect();
        for report in marked {
            let label = self.connection.label.clone();
            let actor = Actor::System {
                part: SystemActor::Marker,
            };
            let (_, events) = self
                .act(report, actor, |_| {
                    Some(Command::ConfirmMarked {
                        label: label.clone(),
                        listed_at,
                    })
                })
                .await?;
            polled.marked += usize::from(events > 0);
        }
        Ok(())
    }
}

/// The report that an unreadable line says it is of, or nothing. No more of the line goes on record: what cannot be read
/// cannot be sealed either, and it may name people.
fn named(text: &str) -> String {
    let id = text
        .strip_prefix("{\"reportID\":\"")
        .and_then(|rest| rest.split('"').next())
        .and_then(|id| id.parse::<ReportId>().ok());
    id.map(|id| id.to_string()).unwrap_or_default()
}

enum Observed {
    Report {
        report: ReportId,
        hash: MaterialHash,
        totals: BTreeMap<String, ControlTotal>,
        captured: bool,
    },
    Unreadable(u64, String, String),
    Ended(SourceError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::world::now;
    use crate::report::ReportEvent;
    use crate::report::tests::samples::*;
    use crate::workflow::testing::Plant;
    use proptest::prelude::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn of_an_unreadable_line_only_the_report_goes_on_record() {
        assert_eq!(
            named(r#"{"reportID":"R00X9oNOn2MO","accountEmail":"kim@example.com","#),
            "R00X9oNOn2MO"
        );
        assert_eq!(named(r#"{"accountEmail":"kim@example.com""#), "");
        assert_eq!(named(r#"{"reportID":"kim@example.com""#), "");
    }

    #[test]
    fn within_a_year_of_go_live_there_is_one_window() {
        assert_eq!(
            windows(day(2026, 11, 1), day(2027, 6, 1)),
            vec![(day(2026, 11, 1), None)]
        );
    }

    proptest! {
        #[test]
        fn every_approval_since_go_live_lies_in_a_window_of_at_most_a_year(
            go_live in 0i64..4_000, age in 0i64..4_000, submitted in 0i64..400, approved in 0i64..4_000,
        ) {
            let base = day(2020, 1, 1);
            let go_live = base + chrono::Duration::days(go_live);
            let today = go_live + chrono::Duration::days(age);
            let windows = windows(go_live, today);
            // The bound is the source's: what is asked is a day earlier than `from` (contract expensify §2.3, §12).
            for (from, until) in &windows {
                let asked = *from - chrono::Duration::days(1);
                let last = until.unwrap_or(today);
                prop_assert!(last <= asked.checked_add_months(Months::new(12)).unwrap());
            }
            for pair in windows.windows(2) {
                prop_assert_eq!(pair[1].0 + chrono::Duration::days(2), pair[0].1.unwrap());
            }
            let approved = go_live + chrono::Duration::days(approved.min(age));
            let submitted = approved - chrono::Duration::days(submitted);
            prop_assert!(windows.iter().any(|(from, until)| approved >= *from && until.is_none_or(|until| submitted <= until)));
        }
    }

    #[test]
    fn the_control_totals_count_reports_lines_and_hundredths_by_currency_and_what_cannot_be_read() {
        let mut totals = BTreeMap::new();
        let mut facts = crate::report::tests::samples::payload().facts;
        let lines = facts.lines.len() as u64;
        facts.total = crate::money::Hundredths::Of(i64::MAX);
        count(&mut totals, &facts);
        // The second would not fit, the third came as no number: neither is guessed.
        count(&mut totals, &facts);
        facts.total = crate::money::Hundredths::Unreadable("much".into());
        count(&mut totals, &facts);
        let total = &totals[&facts.currency];
        assert_eq!((total.reports, total.lines), (3, 3 * lines));
        assert_eq!((total.total_hundredths, total.unreadable), (i64::MAX, 2));
        assert_eq!(totals.len(), 1);
    }

    /// How many reports a complete listing that shows none proves withdrawn, and marked.
    fn concluded(plant: &Plant) -> (usize, usize) {
        let mut polled = Polled {
            complete: true,
            ..Polled::default()
        };
        let listed_at = instant("2026-11-07T06:00:00Z");
        let desk = plant.desk();
        now(desk.conclude_from_absence(&mut plant.roster(), &mut polled, listed_at)).unwrap();
        (polled.withdrawn, polled.marked)
    }

    #[test]
    fn what_a_complete_listing_no_longer_shows_was_withdrawn_or_bears_our_label() {
        assert_eq!(concluded(&Plant::of(&[discovered()])), (1, 0));
        let asked = [both_posted(), vec![marking()]].concat();
        assert_eq!(concluded(&Plant::of(&asked)), (0, 1));
        assert_eq!(concluded(&Plant::of(&both_posted())), (0, 0));
    }

    #[test]
    fn what_another_instance_concluded_first_is_not_counted_again() {
        let open = Plant::of(&[discovered()]);
        open.overtaken_by(ReportEvent::Withdrawn);
        assert_eq!(concluded(&open), (0, 0));
        assert_eq!(open.count("Withdrawn"), 1);
        let asked = Plant::of(&[both_posted(), vec![marking()]].concat());
        asked.overtaken_by(marked());
        assert_eq!(concluded(&asked), (0, 0));
        assert_eq!(asked.count("MarkedExported"), 1);
    }
}
