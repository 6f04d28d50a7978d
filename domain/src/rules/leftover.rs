//! What is left of a match set after others are taken away, and a line of it.

use std::rc::Rc;

use super::axis::Axis;
use super::budget::{Budget, Spent};
use super::cells::Universe;
use super::region::Region;
use super::span::CellSet;
use super::view::{Field, TAG_LEVELS};
use super::witness::Witness;

impl Universe {
    /// A line in `within` that none of `others` matches. Exact: `None` means that they cover it wholly.
    ///
    /// Takes the others away one by one. What is left of a region after one is taken away falls into regions that do
    /// not overlap: outside it in the first field; inside it in the first and outside in the second; and so on. The one
    /// that leaves the fewest is taken first. Where only a few fields are told apart there are few pieces; there can be
    /// exponentially many, and then the budget ends it.
    pub(super) fn uncovered(
        &self,
        within: &Region,
        others: &[&Region],
        budget: &mut Budget,
    ) -> Result<Option<Witness>, Spent> {
        let all: Rc<[usize]> = (0..others.len()).collect();
        let mut pieces = vec![(within.clone(), all)];
        while let Some((piece, rest)) = pieces.pop() {
            budget.spend(1 + rest.len())?;
            let Some(piece) = self.tighten(piece) else {
                continue;
            };
            let meets = |at: &usize| others.get(*at).is_some_and(|other| !piece.is_apart(other));
            let rest: Vec<usize> = rest.iter().copied().filter(meets).collect();
            let best = rest
                .iter()
                .filter_map(|at| Some((sticking_out(&piece, others.get(*at)?), *at)))
                .min();
            match best {
                None => {
                    budget.spend(self.attempts(&piece))?;
                    if let Some(witness) = self.pick(&piece) {
                        return Ok(Some(witness));
                    }
                }
                Some((0, _)) => {}
                Some((_, taken)) => {
                    let rest: Rc<[usize]> = rest.into_iter().filter(|at| *at != taken).collect();
                    let Some(other) = others.get(taken) else { continue };
                    let outside = self.outside(piece, other).into_iter();
                    pieces.extend(outside.rev().map(|piece| (piece, rest.clone())));
                }
            }
        }
        Ok(None)
    }

    /// The pieces of a region that are not in another one.
    fn outside(&self, mut inside: Region, other: &Region) -> Vec<Region> {
        let mut pieces = Vec::new();
        for (field, cells) in other.fields() {
            let have = inside.get(field).cloned().unwrap_or_else(|| self.every(field));
            let outside = have.difference(cells);
            if !outside.is_empty() {
                let mut piece = inside.clone();
                piece.put(field, outside);
                pieces.push(piece);
            }
            inside.put(field, have.intersection(cells));
        }
        pieces
    }

    /// One line of a tight region; `None` only where every tag its levels allow is one that it excludes.
    pub(super) fn pick(&self, held: &Region) -> Option<Witness> {
        let matters = held
            .fields()
            .filter_map(|(place, _)| Some(self.axes().get(place)?.0.clone()));
        let mut line = Witness {
            matters: matters.collect(),
            ..Witness::default()
        };
        for (place, (field, axis)) in self.axes().iter().enumerate() {
            // Where the region leaves a field open, the last cell: what no rule names.
            let cell = held
                .get(place)
                .map_or_else(|| axis.count().checked_sub(1), CellSet::first)?;
            match axis {
                Axis::Amounts(amounts) => line.amount = amounts.shown(cell)?,
                axis => line.put(field, &axis.text(field, cell)),
            }
        }
        if self.place(&Field::TagLevel(1)).is_some() {
            line.tag = self.pick_tag(held)?;
            if self.place(&Field::Tag).is_some_and(|tag| held.get(tag).is_some()) {
                line.matters.retain(|field| !matches!(field, Field::TagLevel(_)));
            }
        }
        Some(line)
    }

    /// How many tags may have to be tried before one is found that a region allows: where it names none, and excludes some.
    fn attempts(&self, held: &Region) -> usize {
        let has_levels = self.place(&Field::TagLevel(1)).is_some();
        let tag = self.place(&Field::Tag).filter(|_| has_levels);
        let excluded = tag.and_then(|tag| {
            let named = self.axes().get(tag)?.1.count().saturating_sub(1);
            held.get(tag)
                .filter(|left| left.contains(named))
                .map(|_| named as usize)
        });
        excluded.unwrap_or(0)
    }

    /// A tag whose levels and whose whole the region allows. Where it names tags, one of them. Else each choice of levels
    /// is another tag, and only so many are named, so that a choice that is not excluded is found after at most as many
    /// attempts as there are named tags.
    fn pick_tag(&self, held: &Region) -> Option<String> {
        let whole = self
            .place(&Field::Tag)
            .and_then(|tag| Some((self.axes().get(tag)?, held.get(tag)?)));
        if let Some(((field, axis), left)) = whole
            && !left.contains(axis.count().saturating_sub(1))
        {
            return left.first().map(|tag| axis.text(field, tag));
        }
        let allows = |tag: &str| whole.is_none_or(|((_, axis), left)| left.contains(axis.cell(tag)));
        let choices: Vec<Vec<String>> = (1..=TAG_LEVELS)
            .filter_map(|level| {
                let place = self.place(&Field::TagLevel(level))?;
                let (field, axis) = self.axes().get(place)?;
                let cells = held.get(place).cloned().unwrap_or_else(|| self.every(place));
                let mut parts: Vec<String> = cells.cells().map(|cell| axis.text(field, cell)).collect();
                // A blank level first: the tag that is shown is then no longer than it must be.
                parts.sort_by_key(|part| !part.is_empty());
                Some(parts)
            })
            .collect();
        let mut at = vec![0usize; choices.len()];
        loop {
            let parts: Vec<&str> = choices
                .iter()
                .zip(&at)
                .filter_map(|(parts, at)| parts.get(*at).map(String::as_str))
                .collect();
            let tag = parts.join(":").trim_end_matches(':').to_owned();
            if allows(&tag) {
                return Some(tag);
            }
            let turn = choices.iter().zip(at.iter_mut()).find_map(|(parts, at)| {
                *at += 1;
                if *at < parts.len() {
                    Some(())
                } else {
                    *at = 0;
                    None
                }
            });
            turn?;
        }
    }
}

/// In how many fields a region has something outside another one. In none: it lies within.
fn sticking_out(region: &Region, other: &Region) -> usize {
    let is_out =
        |(field, cells): &(usize, &CellSet)| region.get(*field).is_none_or(|have| !have.is_subset(cells));
    other.fields().filter(is_out).count()
}
