//! A match set: for each field that is restricted, the cells that are left.

use super::span::CellSet;

/// Restricted fields (by their place in the universe) in ascending order, with what is left of each. None: everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Region(Vec<(usize, CellSet)>);

impl FromIterator<(usize, CellSet)> for Region {
    fn from_iter<T: IntoIterator<Item = (usize, CellSet)>>(fields: T) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.sort_unstable_by_key(|(field, _)| *field);
        Self(fields)
    }
}

impl Region {
    pub(super) fn get(&self, field: usize) -> Option<&CellSet> {
        self.0.iter().find(|(at, _)| *at == field).map(|(_, cells)| cells)
    }

    pub(super) fn put(&mut self, field: usize, cells: CellSet) {
        match self.0.binary_search_by_key(&field, |(at, _)| *at) {
            Ok(at) => {
                if let Some((_, have)) = self.0.get_mut(at) {
                    *have = cells;
                }
            }
            Err(at) => self.0.insert(at, (field, cells)),
        }
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (usize, &CellSet)> {
        self.0.iter().map(|(field, cells)| (*field, cells))
    }

    pub(super) fn is_empty_somewhere(&self) -> bool {
        self.0.iter().any(|(_, cells)| cells.is_empty())
    }

    /// What is in both, field by field.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (field, cells) in other.fields() {
            match self.get(field) {
                Some(have) => both.put(field, have.intersection(cells)),
                None => both.put(field, cells.clone()),
            }
        }
        both
    }

    /// Does some field alone keep them from having a line in common?
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        other
            .fields()
            .any(|(field, cells)| self.get(field).is_some_and(|have| have.is_disjoint(cells)))
    }

    /// Is every line of this one a line of the other? Exact where this one is tight and the other literal.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        other
            .fields()
            .all(|(field, cells)| self.get(field).is_some_and(|have| have.is_subset(cells)))
    }
}
