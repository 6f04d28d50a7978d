//! The chart as it was at each version: folded once and kept for a while, because reports of one month share a few.

use std::collections::BTreeMap;

use crate::chart::{Chart, ChartEvent, ChartVersion};
use crate::journal::Entry;
use crate::ports::Position;
use crate::rules::ChartOf;

/// Charts kept. A chart of a large group is some megabytes.
const KEPT: usize = 8;

/// Every version of the chart.
pub(super) struct Charts {
    events: Vec<(Position, ChartEvent)>,
    kept: BTreeMap<ChartVersion, Kept>,
    asked: u64,
    /// The last of all, where every report is judged by the codes of today.
    now: Option<Chart>,
}

struct Kept {
    chart: Chart,
    /// How many events are folded into it.
    folded: usize,
    /// When it was asked for last.
    asked: u64,
}

impl Charts {
    pub(super) fn of(entries: Vec<Entry<ChartEvent>>, of: ChartOf) -> Self {
        let events: Vec<(Position, ChartEvent)> = entries
            .into_iter()
            .map(|entry| (entry.position, entry.event))
            .collect();
        let now = (of == ChartOf::Now).then(|| {
            events
                .iter()
                .fold(Chart::default(), |chart, (_, event)| chart.evolve(event))
        });
        Self {
            events,
            kept: BTreeMap::new(),
            asked: 0,
            now,
        }
    }

    /// The version that stood at a place in the log.
    pub(super) fn version_at(&self, place: Position) -> ChartVersion {
        // Every event makes a version.
        let before = self.events.partition_point(|(position, _)| *position < place);
        ChartVersion(before as u64)
    }

    /// The chart by which a report that was judged by this version is judged again; by the last one where it never was.
    pub(super) fn at(&mut self, version: Option<ChartVersion>) -> &Chart {
        let version = version.unwrap_or(ChartVersion(u64::MAX));
        self.asked = self.asked.saturating_add(1);
        if !self.kept.contains_key(&version) {
            let (chart, folded) = self.folded(version);
            let chart = match &self.now {
                Some(now) => now.clone().with_periods_of(&chart),
                None => chart,
            };
            if self.kept.len() >= KEPT
                && let Some(oldest) = self
                    .kept
                    .iter()
                    .min_by_key(|(_, kept)| kept.asked)
                    .map(|(v, _)| *v)
            {
                self.kept.remove(&oldest);
            }
            self.kept.insert(
                version,
                Kept {
                    chart,
                    folded,
                    asked: 0,
                },
            );
        }
        let asked = self.asked;
        let kept = self.kept.entry(version).or_insert_with(|| Kept {
            chart: Chart::default(),
            folded: 0,
            asked,
        });
        kept.asked = asked;
        &kept.chart
    }

    /// Folded up to a version, from the nearest one before it that is kept.
    fn folded(&self, version: ChartVersion) -> (Chart, usize) {
        let nearest = match self.now {
            // What is kept then is not the chart as it was.
            Some(_) => None,
            None => self.kept.range(..version).next_back().map(|(_, kept)| kept),
        };
        let (mut chart, mut folded) =
            nearest.map_or((Chart::default(), 0), |kept| (kept.chart.clone(), kept.folded));
        for (_, event) in self.events.iter().skip(folded) {
            if chart.version() >= version {
                break;
            }
            chart = chart.evolve(event);
            folded = folded.saturating_add(1);
        }
        (chart, folded)
    }
}
