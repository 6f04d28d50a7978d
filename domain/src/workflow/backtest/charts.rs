//! The chart as it was at each version: folded once and kept for a while, because reports of one month share a few.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    chart: Arc<Chart>,
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
    pub(super) fn at(&mut self, version: Option<ChartVersion>) -> Arc<Chart> {
        let version = version.unwrap_or(ChartVersion(u64::MAX));
        self.asked = self.asked.saturating_add(1);
        let asked = self.asked;
        if let Some(kept) = self.kept.get_mut(&version) {
            kept.asked = asked;
            return Arc::clone(&kept.chart);
        }
        let (chart, folded) = self.folded(version);
        let chart = Arc::new(match &self.now {
            Some(now) => now.clone().with_periods_of(&chart),
            None => chart,
        });
        if self.kept.len() >= KEPT
            && let Some(oldest) = self
                .kept
                .iter()
                .min_by_key(|(_, kept)| kept.asked)
                .map(|(v, _)| *v)
        {
            self.kept.remove(&oldest);
        }
        let kept = Kept {
            chart: Arc::clone(&chart),
            folded,
            asked,
        };
        self.kept.insert(version, kept);
        chart
    }

    /// Folded up to a version, from the nearest one before it that is kept.
    fn folded(&self, version: ChartVersion) -> (Chart, usize) {
        let nearest = match self.now {
            // What is kept then is not the chart as it was.
            Some(_) => None,
            None => self.kept.range(..version).next_back().map(|(_, kept)| kept),
        };
        let (mut chart, mut folded) = nearest.map_or((Chart::default(), 0), |kept| {
            (kept.chart.as_ref().clone(), kept.folded)
        });
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
