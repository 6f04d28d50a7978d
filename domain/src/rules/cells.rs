//! The cells of all fields that a set looks at, and match sets made of them.
//!
//! A match set is a [`Region`]: for each field it restricts, a set of cells ([`Axis`]); and containment of regions is
//! containment of match sets.
//!
//! `tag` and `tag_level_n` speak of one thing. A region that names whole tags also restricts the levels to what those
//! tags have there, and a region is kept tight: tags that contradict its levels are dropped.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::axis::{Amounts, Axis};
use super::condition::{Condition, Test};
use super::region::Region;
use super::span::CellSet;
use super::view::{Field, LineView, TAG_LEVELS, level_of};

/// The cells of every field that a rule of the set looks at.
#[derive(Debug, Clone, Default)]
pub(super) struct Universe {
    /// In order.
    axes: Vec<(Field, Axis)>,
    tags: Option<Tags>,
    /// Do they look at the tag, whole or by level?
    has_tags: bool,
}

/// Where a set looks at levels of the tag: the tag and its levels, by their places among the fields.
#[derive(Debug, Clone)]
struct Tags {
    /// The whole tag, if rules name whole tags, with the cells of the levels of each.
    whole: Option<(usize, Vec<[u32; TAG_LEVELS as usize]>)>,
    levels: [usize; TAG_LEVELS as usize],
}

impl Universe {
    /// Of all conditions of a set.
    pub(super) fn new<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let mut texts: BTreeMap<&Field, BTreeSet<Cow<'_, str>>> = BTreeMap::new();
        let mut patterns: BTreeMap<&Field, BTreeSet<(Cow<'_, str>, bool)>> = BTreeMap::new();
        let mut bounds = BTreeSet::new();
        for (field, test) in conditions.flat_map(|condition| &condition.tests) {
            match test {
                Test::OneOf(_) => texts
                    .entry(field)
                    .or_default()
                    .extend(test.patterns().map(|(t, _)| t)),
                Test::Category(_) | Test::Merchant(_) => {
                    patterns.entry(field).or_default().extend(test.patterns())
                }
                Test::Between(from, to) => bounds.extend([*from, *to].into_iter().flatten()),
            }
        }
        let levels: [Field; TAG_LEVELS as usize] = [1, 2, 3, 4, 5].map(Field::TagLevel);
        let has_levels = levels.iter().any(|level| texts.contains_key(level));
        if has_levels {
            let tags = texts.get(&Field::Tag).cloned().unwrap_or_default();
            for (field, level) in levels.iter().zip(1..) {
                let parts = tags.iter().map(|tag| Cow::Owned(level_of(tag, level).to_owned()));
                texts.entry(field).or_default().extend(parts);
            }
        }
        let owned = |texts: BTreeSet<Cow<'_, str>>| texts.into_iter().map(Cow::into_owned).collect();
        let mut axes: BTreeMap<Field, Axis> = texts
            .into_iter()
            .map(|(field, texts)| (field.clone(), Axis::named(field, owned(texts))))
            .collect();
        for (field, patterns) in patterns {
            let patterns = patterns
                .into_iter()
                .map(|(text, begins)| (text.into_owned(), begins));
            axes.insert(field.clone(), Axis::patterns(patterns));
        }
        if !bounds.is_empty() {
            axes.insert(
                Field::Amount,
                Axis::Amounts(Amounts::new(bounds.into_iter().collect())),
            );
        }
        let axes: Vec<(Field, Axis)> = axes.into_iter().collect();
        let mut universe = Self {
            has_tags: axes
                .iter()
                .any(|(field, _)| matches!(field, Field::Tag | Field::TagLevel(_))),
            axes,
            tags: None,
        };
        if has_levels {
            universe.tags = Tags::of(&universe, &levels);
        }
        universe
    }

    pub(super) fn axes(&self) -> &[(Field, Axis)] {
        &self.axes
    }

    pub(super) fn place(&self, field: &Field) -> Option<usize> {
        self.axes.binary_search_by(|(have, _)| have.cmp(field)).ok()
    }

    fn axis(&self, place: usize) -> Option<&Axis> {
        self.axes.get(place).map(|(_, axis)| axis)
    }

    /// The cells of each field.
    pub(super) fn counts(&self) -> Vec<u32> {
        self.axes.iter().map(|(_, axis)| axis.count()).collect()
    }

    /// What a condition says, field by field, and no more.
    pub(super) fn literal(&self, condition: &Condition) -> Region {
        let test = |(field, test): (&Field, &Test)| {
            let place = self.place(field)?;
            Some((place, self.axis(place)?.accepted(test)))
        };
        condition.tests.iter().filter_map(test).collect()
    }

    /// The positions of amounts that a condition accepts, where it looks at the amount.
    pub(super) fn positions(&self, condition: &Condition) -> Option<CellSet> {
        match (
            condition.tests.get(&Field::Amount)?,
            self.axis(self.place(&Field::Amount)?)?,
        ) {
            (Test::Between(from, to), Axis::Amounts(amounts)) => {
                let (from, to) = amounts.positions_between(*from, *to);
                Some(CellSet::range(from, to))
            }
            _ => None,
        }
    }

    /// The match set of a condition, tight; `None` where it is empty.
    pub(super) fn tight(&self, condition: &Condition) -> Option<Region> {
        self.tighten(self.literal(condition))
    }

    /// What is in both; `None` where nothing is. Exact but for whole tags excluded, which [`Self::pick`] settles.
    pub(super) fn overlap(&self, a: &Region, b: &Region) -> Option<Region> {
        if a.is_apart(b) {
            return None;
        }
        self.tighten(a.intersection(b))
    }

    /// How much of each field a region leaves, added up. What is strictly within another leaves strictly less.
    pub(super) fn extent(&self, region: &Region) -> u64 {
        let left = |(place, (_, axis)): (usize, &(Field, Axis))| {
            let all = || u64::from(axis.count());
            region.get(place).map_or_else(all, CellSet::count)
        };
        self.axes.iter().enumerate().map(left).sum()
    }

    pub(super) fn every(&self, place: usize) -> CellSet {
        CellSet::range(0, self.axis(place).map_or(0, Axis::count))
    }

    /// The cell of a text field that a line falls into; of the amount, its position.
    pub(super) fn locate(&self, line: &LineView<'_>) -> Vec<u32> {
        // The tag is asked for up to six times, and need not be made anew each time.
        let tag = if self.has_tags {
            line.tag_text()
        } else {
            Cow::Borrowed("")
        };
        // Levels stand in order, and so do the parts of the tag.
        let (mut parts, mut passed) = (tag.split(':'), 0);
        let cell = |(field, axis): &(Field, Axis)| match (axis, field) {
            (Axis::Amounts(amounts), _) => amounts.position(line.amount),
            (axis, Field::Tag) => axis.cell(&tag),
            (axis, Field::TagLevel(level)) => {
                let part = parts.nth(usize::from(level.saturating_sub(passed + 1)));
                passed = *level;
                axis.cell(part.unwrap_or(""))
            }
            (axis, field) => axis.cell(&line.value(field)),
        };
        self.axes.iter().map(cell).collect()
    }

    /// Drops tags that contradict the levels, and levels that no tag left has. `None` where a field has nothing left.
    pub(super) fn tighten(&self, mut held: Region) -> Option<Region> {
        if let Some(tags) = &self.tags
            && let Some((whole, named, parts)) = self.named_tags(&held)
        {
            let agrees = |tag: &u32| {
                let Some(parts) = parts.get(*tag as usize) else {
                    return false;
                };
                let allowed =
                    |(level, cell): (&usize, &u32)| held.get(*level).is_none_or(|left| left.contains(*cell));
                tags.levels.iter().zip(parts).all(allowed)
            };
            let left: Vec<u32> = named.cells().filter(agrees).collect();
            for (at, level) in tags.levels.iter().enumerate() {
                let parts = left
                    .iter()
                    .filter_map(|tag| parts.get(*tag as usize)?.get(at).copied());
                held.put(*level, CellSet::of_cells(parts));
            }
            held.put(whole, CellSet::of_cells(left));
        }
        (!held.is_empty_somewhere()).then_some(held)
    }

    /// The tags of a region, where it holds only named ones and not everything else.
    fn named_tags<'a, 'b>(
        &'a self,
        held: &'b Region,
    ) -> Option<(usize, &'b CellSet, &'a [[u32; TAG_LEVELS as usize]])> {
        let (whole, parts) = self.tags.as_ref()?.whole.as_ref()?;
        let tags = held.get(*whole)?;
        (!tags.contains(parts.len() as u32)).then_some((*whole, tags, parts))
    }
}

impl Tags {
    fn of(universe: &Universe, levels: &[Field; TAG_LEVELS as usize]) -> Option<Self> {
        let mut places = [0; TAG_LEVELS as usize];
        for (place, field) in places.iter_mut().zip(levels) {
            *place = universe.place(field)?;
        }
        let whole = universe
            .place(&Field::Tag)
            .and_then(|place| match universe.axis(place)? {
                Axis::Named(tags, _) => {
                    let parts = tags.iter().map(|tag| {
                        let mut parts = [0; TAG_LEVELS as usize];
                        for ((part, place), level) in parts.iter_mut().zip(places).zip(1..) {
                            *part = universe
                                .axis(place)
                                .map_or(0, |axis| axis.cell(level_of(tag, level)));
                        }
                        parts
                    });
                    Some((place, parts.collect()))
                }
                _ => None,
            });
        Some(Self {
            whole,
            levels: places,
        })
    }
}
