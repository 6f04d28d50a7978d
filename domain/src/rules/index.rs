//! Which rules match a line, without asking them all: thousands of lines meet thousands of rules.

use super::axis::Axis;
use super::cells::Universe;
use super::filing::Filing;
use super::region::Region;
use super::set::Rule;
use super::view::{Field, LineView};

/// Finds the rules that match a line. Each field of the line is looked up once, and from then on only numbers are compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    pub(super) universe: Universe,
    /// Of all rules, one after the other: next to each other in memory, since they are looked at for every line.
    spans: Vec<Span>,
    /// For each rule, where its spans begin and end.
    of_rule: Vec<(u32, u32)>,
    filing: Filing,
}

/// Cells that a rule accepts in a field; several of one field stand together, and one of them must hold.
#[derive(Debug, Clone, Copy)]
struct Span {
    field: u32,
    from: u32,
    to: u32,
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
        let mut spans = Vec::new();
        let of_rule = regions.iter().map(|region| {
            let from = spans.len() as u32;
            for (field, cells) in region.fields() {
                let span = |(from, to): &(u32, u32)| Span {
                    field: field as u32,
                    from: *from,
                    to: *to,
                };
                spans.extend(cells.ranges().iter().map(span));
            }
            (from, spans.len() as u32)
        });
        Self {
            of_rule: of_rule.collect(),
            spans,
            filing: Filing::new(regions.iter(), &counts),
            universe,
        }
    }

    /// The rules that match a line, in the set's own order: so of rules that agree the same one is named whatever led to it.
    pub(super) fn matching(&self, line: &LineView<'_>) -> Vec<usize> {
        let cells = self.universe.locate(line);
        let mut matching = Vec::new();
        self.filing.holding(&cells, |at| {
            if self.holds(at, &cells) {
                matching.push(at as usize);
            }
        });
        matching.sort_unstable();
        matching
    }

    fn holds(&self, rule: u32, cells: &[u32]) -> bool {
        let spans = self
            .of_rule
            .get(rule as usize)
            .and_then(|(from, to)| self.spans.get(*from as usize..*to as usize));
        let is_same_field = |a: &Span, b: &Span| a.field == b.field;
        spans.is_some_and(|spans| {
            spans.chunk_by(is_same_field).all(|field| {
                field.iter().any(|span| {
                    let cell = cells.get(span.field as usize).copied();
                    cell.is_some_and(|cell| span.from <= cell && cell < span.to)
                })
            })
        })
    }
}
