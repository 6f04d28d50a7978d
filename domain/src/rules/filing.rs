//! Finds, among thousands of match sets, the few that can hold a line or meet another match set.
//!
//! Each is filed under the one field in which it is the narrowest. Within a field, ranges of cells are filed in a tree of
//! halves (a segment tree): a range is in few of its nodes, and a cell is asked for along one path to the root, on which
//! empty nodes are passed over. So a whole name, a beginning and a pair of bounds are found in the same way.

use super::region::Region;
use super::span::CellSet;

/// Match sets by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Filing {
    /// Those filed under a field, by the field's place.
    fields: Vec<Option<Ranges>>,
    /// Those that restrict no field.
    open: Vec<u32>,
}

impl Filing {
    /// Files the `at`-th match set as `at`. `counts` are the cells of each field.
    pub(super) fn new<'a>(regions: impl Iterator<Item = &'a Region>, counts: &[u32]) -> Self {
        let mut filed: Vec<Vec<(u32, u32, u32)>> = vec![Vec::new(); counts.len()];
        let mut open = Vec::new();
        for (region, number) in regions.zip(0..) {
            // The smallest share of a field's cells; a product instead of a quotient compares exactly.
            let share =
                |field: usize, cells: &CellSet| (cells.count(), counts.get(field).copied().unwrap_or(1));
            let narrowest = region.fields().min_by(|(f, a), (g, b)| {
                let ((a, all_a), (b, all_b)) = (share(*f, a), share(*g, b));
                (a * u64::from(all_b)).cmp(&(b * u64::from(all_a)))
            });
            match narrowest.and_then(|(field, cells)| Some((filed.get_mut(field)?, cells))) {
                Some((field, cells)) => {
                    field.extend(cells.ranges().iter().map(|(from, to)| (*from, *to, number)));
                }
                None => open.push(number),
            }
        }
        let tree =
            |(ranges, count): (Vec<_>, &u32)| (!ranges.is_empty()).then(|| Ranges::new(ranges, *count));
        Self {
            fields: filed.into_iter().zip(counts).map(tree).collect(),
            open,
        }
    }

    /// Those that may hold a line that is in these cells; all others do not. In no order, each once.
    pub(super) fn holding(&self, cells: &[u32], mut found: impl FnMut(u32)) {
        self.open.iter().copied().for_each(&mut found);
        for (ranges, cell) in self.fields.iter().zip(cells) {
            if let Some(ranges) = ranges {
                ranges.holding(*cell, &mut found);
            }
        }
    }

    /// Those that may have a line in common with this one, of those that are wanted; all others have not. In ascending
    /// order, each once; and how many were looked at.
    pub(super) fn meeting(&self, region: &Region, wanted: impl Fn(u32) -> bool) -> (Vec<u32>, usize) {
        let (mut met, mut seen) = (Vec::new(), 0);
        let mut see = |number: u32| {
            seen += 1;
            if wanted(number) {
                met.push(number);
            }
        };
        self.open.iter().copied().for_each(&mut see);
        for (field, ranges) in self.fields.iter().enumerate() {
            match (ranges, region.get(field)) {
                (None, _) => {}
                (Some(ranges), None) => ranges.starts.iter().for_each(|(_, number)| see(*number)),
                (Some(ranges), Some(cells)) => {
                    for (from, to) in cells.ranges() {
                        ranges.holding(*from, &mut see);
                        let begun = ranges.starts.partition_point(|(start, _)| start <= from);
                        let later = ranges.starts.get(begun..).unwrap_or_default();
                        later
                            .iter()
                            .take_while(|(start, _)| start < to)
                            .for_each(|(_, number)| see(*number));
                    }
                }
            }
        }
        met.sort_unstable();
        met.dedup();
        (met, seen)
    }
}

/// Ranges of cells of one field, each with the number of its match set.
#[derive(Debug, Clone)]
struct Ranges {
    /// Where the leaves begin; a power of two.
    leaves: usize,
    /// The numbers in each node, the root at 1.
    nodes: Vec<Vec<u32>>,
    /// For each node, the next one above it that is not empty; 0 for none.
    above: Vec<u32>,
    /// By where they start.
    starts: Vec<(u32, u32)>,
}

impl Ranges {
    fn new(ranges: Vec<(u32, u32, u32)>, count: u32) -> Self {
        let leaves = (count as usize).next_power_of_two();
        let mut nodes = vec![Vec::new(); 2 * leaves];
        let mut file = |node: usize, number: u32| {
            if let Some(held) = nodes.get_mut(node) {
                held.push(number);
            }
        };
        for (from, to, number) in &ranges {
            let (mut from, mut to) = (*from as usize + leaves, *to as usize + leaves);
            while from < to {
                if from & 1 == 1 {
                    file(from, *number);
                    from += 1;
                }
                if to & 1 == 1 {
                    to -= 1;
                    file(to, *number);
                }
                from >>= 1;
                to >>= 1;
            }
        }
        let mut above = vec![0; nodes.len()];
        for node in 2..nodes.len() {
            let parent = node >> 1;
            let held = nodes.get(parent).is_some_and(|held| !held.is_empty());
            let next = if held {
                parent as u32
            } else {
                above.get(parent).copied().unwrap_or(0)
            };
            if let Some(above) = above.get_mut(node) {
                *above = next;
            }
        }
        let mut starts: Vec<(u32, u32)> = ranges
            .into_iter()
            .map(|(from, _, number)| (from, number))
            .collect();
        starts.sort_unstable();
        Self {
            leaves,
            nodes,
            above,
            starts,
        }
    }

    fn holding(&self, cell: u32, found: &mut impl FnMut(u32)) {
        let mut node = self.leaves + cell as usize;
        while node > 0 {
            self.nodes
                .get(node)
                .into_iter()
                .flatten()
                .copied()
                .for_each(&mut *found);
            node = self.above.get(node).copied().unwrap_or(0) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn region() -> impl Strategy<Value = Region> {
        let cells = proptest::collection::btree_set(0u32..9, 1..5).prop_map(CellSet::of_cells);
        proptest::collection::btree_map(0usize..3, cells, 0..3)
            .prop_map(|fields| fields.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn nothing_that_holds_a_line_or_meets_a_match_set_is_passed_over(
            regions in proptest::collection::vec(region(), 0..12),
            line in proptest::collection::vec(0u32..9, 3),
            other in region(),
        ) {
            let filing = Filing::new(regions.iter(), &[9, 9, 9]);
            let mut held = Vec::new();
            filing.holding(&line, |number| held.push(number));
            let once: BTreeSet<u32> = held.iter().copied().collect();
            prop_assert_eq!(once.len(), held.len());
            let (met, _) = filing.meeting(&other, |_| true);
            for (region, number) in regions.iter().zip(0..) {
                if region.fields().all(|(field, cells)| cells.contains(line[field])) {
                    prop_assert!(once.contains(&number));
                }
                if !region.is_apart(&other) {
                    prop_assert!(met.contains(&number));
                }
            }
        }
    }
}
