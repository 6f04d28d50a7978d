//! Which rules match a line, without asking them all: thousands of lines meet thousands of rules.

use super::axis::Axis;
use super::cells::Universe;
use super::filing::Filing;
use super::region::Region;
use super::set::Rule;
use super::span::CellSet;
use super::view::{Field, LineView};

/// Finds the rules that match a line. Each field of the line is looked up once, and from then on only numbers are compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    pub(super) universe: Universe,
    /// By the rule's place in the set: where its conditions hold, amounts by position.
    regions: Vec<Region>,
    filing: Filing,
}

impl Index {
    /// Of rules by their place in the set.
    pub(super) fn new(universe: Universe, rules: &[Rule]) -> Self {
        let amounts = universe.place(&Field::Amount);
        let regions: Vec<Region> = rules
            .iter()
            .map(|rule| {
                let mut region = universe.literal(&rule.when);
                if let Some(place) = amounts
                    && let Some(positions) = universe.positions(&rule.when)
                {
                    region.put(place, positions);
                }
                region
            })
            .collect();
        let counts: Vec<u32> = universe
            .axes()
            .iter()
            .map(|(_, axis)| match axis {
                Axis::Amounts(amounts) => amounts.positions(),
                axis => axis.count(),
            })
            .collect();
        Self {
            filing: Filing::new(regions.iter(), &counts),
            universe,
            regions,
        }
    }

    /// The rules that match a line, in the set's own order: so of rules that agree the same one is named whatever led to it.
    pub(super) fn matching(&self, line: &LineView<'_>) -> Vec<usize> {
        let cells = self.universe.locate(line);
        let holds = |region: &Region| {
            let within =
                |(field, left): (usize, &CellSet)| cells.get(field).is_some_and(|cell| left.contains(*cell));
            region.fields().all(within)
        };
        let mut matching = Vec::new();
        self.filing.holding(&cells, |at| {
            if self.regions.get(at as usize).is_some_and(holds) {
                matching.push(at as usize);
            }
        });
        matching.sort_unstable();
        matching
    }
}
