//! What the log says became of one report under the rules, and what became of it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::change::Verdict;
use super::charts::Charts;
use super::decisive::Decisive;
use crate::chart::{Chart, ChartVersion};
use crate::ids::{DocumentKind, Generation};
use crate::journal::Entry;
use crate::ports::Position;
use crate::posting::{MapInputs, map_report};
use crate::report::{
    Basis, Capture, Exclusion, MapOutcome, Reason, ReasonCode, Report, ReportEvent, StageName,
};
use crate::rules::{RuleSet, RuleSetVersion, Span};
use crate::time::local_date;
use crate::workflow::map::with_claims;

/// A report as the rules last judged it. One whose last capture they never judged is as it was captured, and waits.
pub(super) struct History {
    capture: Arc<Capture>,
    /// The day of approval, in the connection's zone.
    pub(super) approved: Option<NaiveDate>,
    /// The day on which it was judged, or captured.
    day: NaiveDate,
    chart: ChartThen,
    /// The day from which Tieout posted, when it was judged.
    go_live: NaiveDate,
    pub(super) verdict: Verdict,
    generations: BTreeMap<DocumentKind, Generation>,
    /// Expenses that another report carried: no rule changes that.
    claimed: Vec<Reason>,
}

/// By which chart a report was judged.
enum ChartThen {
    /// The verdict names it.
    Named(ChartVersion),
    /// The one that stood at this place in the log: the verdict names none.
    At(Position),
    /// By none yet.
    Unjudged,
}

impl History {
    /// From all events of a report; `None` where nothing was captured, or where it went away before the rules judged it:
    /// withdrawn at the source, or left out by a person.
    pub(super) fn of(entries: Vec<Entry<Decisive>>, zone: Tz, go_live: NaiveDate) -> Option<Self> {
        let mut report = Report::fold([]);
        let mut history: Option<Self> = None;
        for entry in entries {
            let recorded = local_date(entry.envelope.recorded_at, zone);
            let Decisive(event) = entry.event;
            report = report.evolve(&event);
            if let ReportEvent::Discovered { .. } | ReportEvent::Revised { .. } = event {
                history = report.capture().map(|capture| Self {
                    approved: capture.payload.facts.approved.date_in(zone),
                    capture: Arc::clone(capture),
                    day: recorded,
                    chart: ChartThen::Unjudged,
                    go_live,
                    verdict: Verdict::Waiting,
                    generations: BTreeMap::new(),
                    claimed: Vec::new(),
                });
            } else if let Some(history) = &mut history
                && let Some((verdict, basis)) = judged(event)
            {
                // The basis names the day where the rules depend on it: a judgement of the last second of a day
                // may be recorded on the next one.
                history.day = basis.as_ref().and_then(|basis| basis.day).unwrap_or(recorded);
                history.chart = basis.map_or(ChartThen::At(entry.position), |basis| {
                    ChartThen::Named(basis.chart)
                });
                history.go_live = match &verdict {
                    Verdict::LeftOut(Exclusion::BeforeGoLive { go_live, .. }) => *go_live,
                    // It was judged, so that its approval was not too early then.
                    _ => NaiveDate::MIN,
                };
                history.claimed = claims_in(&verdict);
                history.verdict = verdict;
                // As they were when it was judged: no judgement changes them.
                history.generations = DocumentKind::ALL
                    .into_iter()
                    .map(|kind| (kind, report.generation(kind)))
                    .collect();
            }
        }
        history.filter(|history| {
            history.verdict != Verdict::Waiting || report.stage().name() == StageName::Discovered
        })
    }

    pub(super) fn is_of(&self, span: &Span) -> bool {
        match self.approved {
            Some(day) => span.contains(day),
            // Nobody knows the day: it belongs to all of history, and to no part of it.
            None => *span == Span::default(),
        }
    }

    /// Was its submitter forgotten, so that nobody can judge it again?
    pub(super) fn is_of_somebody_forgotten(&self) -> bool {
        self.capture.payload.personal.known().is_none()
    }

    /// The version of the chart that it was judged by; none where it never was.
    pub(super) fn chart(&self, charts: &Charts) -> Option<ChartVersion> {
        match self.chart {
            ChartThen::Named(version) => Some(version),
            ChartThen::At(place) => Some(charts.version_at(place)),
            ChartThen::Unjudged => None,
        }
    }
}

/// What the rules said and on what basis, if an event is theirs; what a person decided is not.
fn judged(event: ReportEvent) -> Option<(Verdict, Option<Basis>)> {
    match event {
        ReportEvent::Mapped(mapping) => Some((
            Verdict::Mapped(mapping.documents.clone()),
            Some(mapping.basis.clone()),
        )),
        ReportEvent::Rejected { basis, reasons } => Some((Verdict::Rejected(reasons), Some(basis))),
        ReportEvent::Held { basis, reasons, .. } => Some((Verdict::Held(reasons), Some(basis))),
        ReportEvent::Excluded(Exclusion::Decided { .. }) => None,
        ReportEvent::Excluded(why) => Some((Verdict::LeftOut(why), None)),
        _ => None,
    }
}

fn claims_in(verdict: &Verdict) -> Vec<Reason> {
    match verdict {
        Verdict::Rejected(reasons) => reasons
            .iter()
            .filter(|reason| reason.code == ReasonCode::ExpenseClaimed)
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}

/// The report mapped again: as it was captured, on the day and under the generations of then.
pub(super) fn again(history: &History, rules: &RuleSet, chart: &Chart, zone: Tz) -> Verdict {
    let version = RuleSetVersion {
        number: 0,
        hash: rules.hash().as_str().to_owned(),
    };
    let outcome = map_report(&MapInputs {
        payload: &history.capture.payload,
        rules,
        version: &version,
        chart,
        zone,
        today: history.day,
        go_live: history.go_live,
        generation: &|kind| {
            history
                .generations
                .get(&kind)
                .copied()
                .unwrap_or(Generation::FIRST)
        },
    });
    let basis = crate::posting::basis_in_force(rules, &version, chart, history.day);
    match with_claims(outcome, &history.claimed, &basis) {
        MapOutcome::Mapped(mapping) => Verdict::Mapped(mapping.documents),
        MapOutcome::Rejected { reasons, .. } => Verdict::Rejected(reasons),
        MapOutcome::Held { reasons, .. } => Verdict::Held(reasons),
        MapOutcome::Excluded(why) => Verdict::LeftOut(why),
    }
}
