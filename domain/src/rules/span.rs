//! A set of cells as few ranges: what a value, a beginning, a branch or two bounds accept is next to each other.

/// Ascending ranges `from..to` that neither overlap nor touch. As long as what a rule names, whatever the others name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CellSet(Vec<(u32, u32)>);

impl CellSet {
    /// All cells from, and up to but without.
    pub(super) fn range(from: u32, to: u32) -> Self {
        Self(if from < to { vec![(from, to)] } else { Vec::new() })
    }

    /// Of ranges in any order.
    pub(super) fn of_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut ranges: Vec<(u32, u32)> = ranges.into_iter().filter(|(from, to)| from < to).collect();
        ranges.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match joined.last_mut() {
                Some((_, end)) if from <= *end => *end = (*end).max(to),
                _ => joined.push((from, to)),
            }
        }
        Self(joined)
    }

    /// Of cells in any order.
    pub(super) fn of_cells(cells: impl IntoIterator<Item = u32>) -> Self {
        Self::of_ranges(cells.into_iter().map(|cell| (cell, cell.saturating_add(1))))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|(from, to)| *from..*to)
    }

    pub(super) fn first(&self) -> Option<u32> {
        self.0.first().map(|(from, _)| *from)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| u64::from(to - from)).sum()
    }

    pub(super) fn contains(&self, cell: u32) -> bool {
        match self.0.as_slice() {
            [(from, to)] => *from <= cell && cell < *to,
            ranges => {
                let after = ranges.partition_point(|(from, _)| *from <= cell);
                let last = after.checked_sub(1).and_then(|at| ranges.get(at));
                last.is_some_and(|(_, to)| cell < *to)
            }
        }
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut both = Vec::new();
        self.meet(other, |from, to| {
            both.push((from, to));
            true
        });
        Self(both)
    }

    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        let mut disjoint = true;
        self.meet(other, |_, _| {
            disjoint = false;
            false
        });
        disjoint
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        let mut others = other.0.iter().peekable();
        self.0.iter().all(|(from, to)| {
            while others.next_if(|(_, end)| end <= from).is_some() {}
            others
                .peek()
                .is_some_and(|(start, end)| start <= from && to <= end)
        })
    }

    pub(super) fn difference(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut others = other.0.iter().peekable();
        for (from, to) in &self.0 {
            let mut from = *from;
            while others.next_if(|(_, end)| *end <= from).is_some() {}
            while let Some((start, end)) = others.peek().copied().filter(|(start, _)| start < to) {
                if from < *start {
                    left.push((from, *start));
                }
                from = from.max(*end);
                if end < to {
                    others.next();
                } else {
                    break;
                }
            }
            if from < *to {
                left.push((from, *to));
            }
        }
        Self(left)
    }

    /// Every range that is in both, in order, until told to stop.
    fn meet(&self, other: &Self, mut found: impl FnMut(u32, u32) -> bool) {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((a, b)), Some((c, d))) = (mine.peek().copied(), theirs.peek().copied()) {
            let (from, to) = ((*a).max(*c), (*b).min(*d));
            if from < to && !found(from, to) {
                return;
            }
            if b < d {
                mine.next()
            } else {
                theirs.next()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn ranges_and_single_cells_say_the_same(
            a in proptest::collection::btree_set(0u32..24, 0..16),
            b in proptest::collection::btree_set(0u32..24, 0..16),
        ) {
            let (x, y) = (CellSet::of_cells(a.clone()), CellSet::of_cells(b.clone()));
            let cells = |set: &CellSet| set.cells().collect::<BTreeSet<u32>>();
            prop_assert_eq!(cells(&x), a.clone());
            prop_assert_eq!(cells(&x.intersection(&y)), &a & &b);
            prop_assert_eq!(cells(&x.difference(&y)), &a - &b);
            prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
            prop_assert_eq!(x.is_disjoint(&y), a.is_disjoint(&b));
            prop_assert_eq!(x.count(), a.len() as u64);
            prop_assert_eq!(x.first(), a.first().copied());
            for cell in 0..24 {
                prop_assert_eq!(x.contains(cell), a.contains(&cell));
            }
            for set in [x.difference(&y), x.intersection(&y)] {
                prop_assert_eq!(&set, &CellSet::of_cells(set.cells()), "in its one form");
            }
        }
    }
}
