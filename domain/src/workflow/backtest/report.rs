//! What the log says became of one report under the rules, and what became of it again.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::WhatIf;
use super::change::Verdict;
use crate::chart::{Chart, ChartVersion};
use crate::ids::{DocumentKind, Generation};
use crate::journal::Entry;
use crate::posting::{MapInputs, map_report};
use crate::report::{Exclusion, MapOutcome, Payload, Reason, ReasonCode, Report, ReportEvent};
use crate::rules::{RuleSet, RuleSetVersion, Span};
use crate::time::local_date;
use crate::workflow::map::with_claims;

/// A report as the rules last judged it; one that they never judged, as it was captured last.
pub(super) struct History {
    payload: Payload,
    /// The day of approval, in the connection's zone.
    pub(super) approved: Option<NaiveDate>,
    /// The day on which it was judged, or captured.
    day: NaiveDate,
    chart: Option<ChartVersion>,
    pub(super) verdict: Verdict,
    generations: BTreeMap<DocumentKind, Generation>,
    /// Expenses that another report carried: no rule changes that.
    claimed: Vec<Reason>,
}

impl History {
    /// From all events of a report; `None` where nothing was captured.
    pub(super) fn of(entries: Vec<Entry<ReportEvent>>, zone: Tz) -> Option<Self> {
        let mut report = Report::fold([]);
        let mut history: Option<Self> = None;
        for entry in entries {
            let day = local_date(entry.envelope.recorded_at, zone);
            match &entry.event {
                ReportEvent::Discovered { payload, .. } | ReportEvent::Revised { payload, .. } => {
                    history = Some(Self {
                        approved: payload.facts.approved.date_in(zone),
                        payload: payload.as_ref().clone(),
                        day,
                        chart: None,
                        verdict: Verdict::Waiting,
                        generations: BTreeMap::new(),
                        claimed: Vec::new(),
                    });
                }
                event => {
                    if let Some(history) = &mut history
                        && let Some((verdict, chart)) = judged(event)
                    {
                        history.day = day;
                        history.chart = chart;
                        history.claimed = claims_in(&verdict);
                        history.verdict = verdict;
                        history.generations = DocumentKind::ALL
                            .into_iter()
                            .map(|kind| (kind, report.generation(kind)))
                            .collect();
                    }
                }
            }
            report = report.evolve(&entry.event);
        }
        history
    }

    pub(super) fn is_of(&self, span: &Span) -> bool {
        match self.approved {
            Some(day) => span.contains(day),
            // Nobody knows the day: it belongs to all of history, and to no part of it.
            None => *span == Span::default(),
        }
    }

    pub(super) fn chart(&self) -> Option<ChartVersion> {
        self.chart
    }
}

/// What the rules said, if an event is theirs; what a person decided is not.
fn judged(event: &ReportEvent) -> Option<(Verdict, Option<ChartVersion>)> {
    match event {
        ReportEvent::Mapped(mapping) => Some((
            Verdict::Mapped(mapping.documents.clone()),
            Some(mapping.basis.chart),
        )),
        ReportEvent::Rejected { basis, reasons } => {
            Some((Verdict::Rejected(reasons.clone()), Some(basis.chart)))
        }
        ReportEvent::Held { basis, reasons, .. } => Some((Verdict::Held(reasons.clone()), Some(basis.chart))),
        ReportEvent::Excluded(Exclusion::Decided { .. }) => None,
        ReportEvent::Excluded(why) => Some((Verdict::LeftOut(why.clone()), None)),
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
pub(super) fn again<L, S>(
    history: &History,
    rules: &RuleSet,
    chart: &Chart,
    asking: &WhatIf<'_, L, S>,
) -> Verdict {
    let version = RuleSetVersion {
        number: 0,
        hash: rules.hash().as_str().to_owned(),
    };
    let outcome = map_report(&MapInputs {
        payload: &history.payload,
        rules,
        version: &version,
        chart,
        zone: asking.zone,
        today: history.day,
        go_live: asking.go_live,
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
