//! The cells of each field: sets of values that no rule of the set tells apart, each with one value to show.
//!
//! A text field has a cell for each value a rule names and one for everything else. A merchant has one for each way in
//! which the patterns can agree. An amount has one for each bound and for each gap between bounds that a whole number of
//! hundredths can fall into, since Expensify sends no other amounts (contract expensify §4.6). A match set is then a
//! [`Region`]: for each field it restricts, a set of cells; and containment of regions is containment of match sets.
//!
//! `tag` and `tag_level_n` speak of one thing. A region that names whole tags also restricts the levels to what those
//! tags have there, and a region is kept tight: tags that contradict its levels are dropped.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::condition::{Condition, MerchantPattern, Test};
use super::view::{Field, TAG_LEVELS, level_of};
use super::witness::Witness;

/// For each restricted field, the cells that are left. No field: everything.
pub(super) type Region = BTreeMap<Field, BTreeSet<usize>>;

/// The cells of one field.
#[derive(Debug)]
enum Cells {
    /// Values by cell; the last one stands for everything else (of yes and no, for the one that no rule names).
    Text {
        values: Vec<String>,
        index: BTreeMap<String, usize>,
    },
    /// One value for each cell.
    Amounts(Vec<Decimal>),
}
impl Cells {
    fn count(&self) -> usize {
        match self {
            Self::Text { values, .. } => values.len(),
            Self::Amounts(amounts) => amounts.len(),
        }
    }
    fn accepted(&self, test: &Test) -> BTreeSet<usize> {
        match (self, test) {
            (Self::Text { index, .. }, Test::OneOf(named)) => named
                .iter()
                .filter_map(|value| index.get(value).copied())
                .collect(),
            (Self::Text { values, .. }, _) => positions(values, |value| test.accepts_text(value)),
            (Self::Amounts(amounts), _) => positions(amounts, |amount| test.accepts_amount(*amount)),
        }
    }
}

fn positions<T>(values: &[T], accepts: impl Fn(&T) -> bool) -> BTreeSet<usize> {
    values
        .iter()
        .enumerate()
        .filter(|(_, value)| accepts(value))
        .map(|(at, _)| at)
        .collect()
}

/// The cells of every field that a rule of the set looks at.
#[derive(Debug)]
pub(super) struct Universe {
    cells: BTreeMap<Field, Cells>,
}

impl Universe {
    /// Of all conditions of a set.
    pub(super) fn new<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let mut texts: BTreeMap<Field, BTreeSet<String>> = BTreeMap::new();
        let mut patterns = BTreeSet::new();
        let mut bounds = BTreeSet::new();
        for (field, test) in conditions.flat_map(|condition| &condition.tests) {
            match test {
                Test::OneOf(values) => texts
                    .entry(field.clone())
                    .or_default()
                    .extend(values.iter().cloned()),
                Test::Merchant(more) => patterns.extend(more.iter().cloned()),
                Test::Between(from, to) => bounds.extend([*from, *to].into_iter().flatten()),
            }
        }
        if (1..=TAG_LEVELS).any(|level| texts.contains_key(&Field::TagLevel(level))) {
            let tags = texts.get(&Field::Tag).cloned().unwrap_or_default();
            for level in 1..=TAG_LEVELS {
                let parts = tags.iter().map(|tag| level_of(tag, level).to_owned());
                texts.entry(Field::TagLevel(level)).or_default().extend(parts);
            }
        }
        let mut cells: BTreeMap<Field, Cells> = texts
            .into_iter()
            .map(|(field, values)| (field.clone(), text_cells(&field, values)))
            .collect();
        if !patterns.is_empty() {
            cells.insert(Field::Merchant, merchant_cells(&patterns));
        }
        if !bounds.is_empty() {
            cells.insert(Field::Amount, Cells::Amounts(amount_cells(&bounds)));
        }
        Self { cells }
    }

    /// What a condition says, field by field, and no more.
    pub(super) fn literal(&self, condition: &Condition) -> Region {
        let test =
            |(field, test): (&Field, &Test)| Some((field.clone(), self.cells.get(field)?.accepted(test)));
        condition.tests.iter().filter_map(test).collect()
    }

    /// The match set of a condition, tight; `None` where it is empty.
    pub(super) fn tight(&self, condition: &Condition) -> Option<Region> {
        self.tighten(self.literal(condition))
    }

    /// What is in both; `None` where nothing is. Exact but for whole tags excluded, which [`Self::pick`] settles.
    pub(super) fn overlap(&self, a: &Region, b: &Region) -> Option<Region> {
        let mut both = a.clone();
        for (field, cells) in b {
            match both.get_mut(field) {
                Some(have) => have.retain(|cell| cells.contains(cell)),
                None => {
                    both.insert(field.clone(), cells.clone());
                }
            }
        }
        self.tighten(both)
    }

    /// A line in `within` that none of `others` matches. Exact: `None` means that they cover it wholly.
    ///
    /// Takes the others away one by one. What is left of a region after one is taken away falls into regions that do
    /// not overlap: outside it in the first field; inside it in the first and outside in the second; and so on.
    pub(super) fn uncovered(&self, within: &Region, others: &[&Region]) -> Option<Witness> {
        let within = self.tighten(within.clone())?;
        let meets = others.iter().position(|other| !apart(&within, other));
        let Some((other, rest)) = meets.and_then(|at| others.get(at..)?.split_first()) else {
            return self.pick(&within);
        };
        let mut inside = within.clone();
        for (field, cells) in *other {
            let have = inside.get(field).cloned().unwrap_or_else(|| self.every(field));
            let outside: BTreeSet<usize> = have.difference(cells).copied().collect();
            if !outside.is_empty() {
                let mut part = inside.clone();
                part.insert(field.clone(), outside);
                if let Some(witness) = self.uncovered(&part, rest) {
                    return Some(witness);
                }
            }
            inside.insert(field.clone(), have.intersection(cells).copied().collect());
            if inside.get(field).is_some_and(BTreeSet::is_empty) {
                return None;
            }
        }
        None
    }

    fn every(&self, field: &Field) -> BTreeSet<usize> {
        (0..self.cells.get(field).map_or(0, Cells::count)).collect()
    }

    fn text(&self, field: &Field, cell: usize) -> &str {
        match self.cells.get(field) {
            Some(Cells::Text { values, .. }) => values.get(cell).map_or("", String::as_str),
            _ => "",
        }
    }

    /// The tags of a region, where it holds only named ones and not everything else.
    fn named_tags<'a>(&self, held: &'a Region) -> Option<&'a BTreeSet<usize>> {
        let rest = self.cells.get(&Field::Tag)?.count().checked_sub(1)?;
        held.get(&Field::Tag).filter(|tags| !tags.contains(&rest))
    }

    fn level_cell(&self, tag: usize, level: u8) -> Option<usize> {
        match self.cells.get(&Field::TagLevel(level)) {
            Some(Cells::Text { index, .. }) => {
                index.get(level_of(self.text(&Field::Tag, tag), level)).copied()
            }
            _ => None,
        }
    }

    /// Drops tags that contradict the levels, and levels that no tag left has. `None` where a field has nothing left.
    fn tighten(&self, mut held: Region) -> Option<Region> {
        if self.cells.contains_key(&Field::TagLevel(1))
            && let Some(tags) = self.named_tags(&held)
        {
            let agrees = |tag: usize, level: u8| {
                let allowed = held.get(&Field::TagLevel(level));
                allowed.is_none_or(|left| {
                    self.level_cell(tag, level)
                        .is_some_and(|cell| left.contains(&cell))
                })
            };
            let tags: BTreeSet<usize> = tags
                .iter()
                .copied()
                .filter(|tag| (1..=TAG_LEVELS).all(|level| agrees(*tag, level)))
                .collect();
            for level in 1..=TAG_LEVELS {
                let left = tags
                    .iter()
                    .filter_map(|tag| self.level_cell(*tag, level))
                    .collect();
                held.insert(Field::TagLevel(level), left);
            }
            held.insert(Field::Tag, tags);
        }
        held.values().all(|cells| !cells.is_empty()).then_some(held)
    }

    /// One line of a tight region; `None` only where every tag its levels allow is one that it excludes.
    fn pick(&self, held: &Region) -> Option<Witness> {
        let mut line = Witness {
            matters: held.keys().cloned().collect(),
            ..Witness::default()
        };
        for (field, cells) in &self.cells {
            // Where the region leaves a field open, the last cell: what no rule names.
            let cell = held
                .get(field)
                .map_or(cells.count().checked_sub(1), |left| left.first().copied())?;
            match cells {
                Cells::Text { values, .. } => line.put(field, values.get(cell)?),
                Cells::Amounts(amounts) => line.amount = *amounts.get(cell)?,
            }
        }
        if self.cells.contains_key(&Field::TagLevel(1)) {
            line.tag = self.pick_tag(held)?;
            if held.contains_key(&Field::Tag) {
                line.matters.retain(|field| !matches!(field, Field::TagLevel(_)));
            }
        }
        Some(line)
    }

    /// A tag whose levels and whose whole the region allows. Where it names tags, one of them. Else each choice of levels
    /// is another tag, and only so many are named, so that a choice that is not excluded is found after at most as many
    /// attempts as there are named tags.
    fn pick_tag(&self, held: &Region) -> Option<String> {
        if let Some(tags) = self.named_tags(held) {
            return tags.first().map(|tag| self.text(&Field::Tag, *tag).to_owned());
        }
        let choices: Vec<Vec<&str>> = (1..=TAG_LEVELS)
            .map(|level| {
                let field = Field::TagLevel(level);
                let cells = held.get(&field).cloned().unwrap_or_else(|| self.every(&field));
                let mut parts: Vec<&str> = cells.iter().map(|cell| self.text(&field, *cell)).collect();
                // A blank level first: the tag that is shown is then no longer than it must be.
                parts.sort_by_key(|part| !part.is_empty());
                parts
            })
            .collect();
        let mut at = [0usize; TAG_LEVELS as usize];
        loop {
            let parts: Vec<&str> = choices
                .iter()
                .zip(at)
                .filter_map(|(parts, at)| parts.get(at).copied())
                .collect();
            let tag = parts.join(":").trim_end_matches(':').to_owned();
            if self.allows_tag(held, &tag) {
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

    fn allows_tag(&self, held: &Region, tag: &str) -> bool {
        match (held.get(&Field::Tag), self.cells.get(&Field::Tag)) {
            (Some(left), Some(Cells::Text { values, index })) => {
                left.contains(&index.get(tag).copied().unwrap_or(values.len().saturating_sub(1)))
            }
            _ => true,
        }
    }
}

/// Does some field alone keep them from having a line in common?
pub(super) fn apart(a: &Region, b: &Region) -> bool {
    b.iter()
        .any(|(field, cells)| a.get(field).is_some_and(|have| have.is_disjoint(cells)))
}

/// Is every line of `a` one of `b`?
pub(super) fn contained(a: &Region, b: &Region) -> bool {
    b.iter()
        .all(|(field, cells)| a.get(field).is_some_and(|have| have.is_subset(cells)))
}

fn text_cells(field: &Field, named: BTreeSet<String>) -> Cells {
    let index: BTreeMap<String, usize> = named.iter().cloned().zip(0..).collect();
    let mut values: Vec<String> = named.into_iter().collect();
    if *field == Field::Reimbursable {
        // There are only two: the one that no rule names stands last.
        let mut both = vec!["false".to_owned(), "true".to_owned()];
        both.sort_by_key(|value| index.get(value).copied().unwrap_or(usize::MAX));
        let index = both.iter().cloned().zip(0..).collect();
        return Cells::Text { values: both, index };
    }
    values.push(unnamed(field, &index));
    Cells::Text { values, index }
}

/// A value that no rule names.
fn unnamed(field: &Field, named: &BTreeMap<String, usize>) -> String {
    let candidate = |n: usize| match field {
        Field::TagLevel(_) if n == 0 => String::new(),
        Field::Employee => format!("someone.else{}@example.com", number(n)),
        Field::Currency => OTHER_CURRENCIES
            .get(n)
            .map_or_else(|| format!("X{n}"), |code| (*code).to_owned()),
        Field::Report(name) => format!("another {name}{}", number(n)),
        Field::TagLevel(_) => format!("another level{}", number(n)),
        Field::CardProgram => format!("another card program{}", number(n)),
        field => format!("another {field}{}", number(n)),
    };
    (0..)
        .map(candidate)
        .find(|value| !named.contains_key(value))
        .unwrap_or_default()
}

const OTHER_CURRENCIES: [&str; 12] = [
    "USD", "EUR", "GBP", "CHF", "CAD", "MXN", "JPY", "AUD", "NZD", "SEK", "NOK", "DKK",
];

fn number(n: usize) -> String {
    if n == 0 {
        String::new()
    } else {
        format!(" {}", n + 1).replace(' ', "")
    }
}

/// For each name and each beginning that rules name, a merchant that it matches and nothing narrower does; and one that
/// nothing matches.
fn merchant_cells(patterns: &BTreeSet<MerchantPattern>) -> Cells {
    let name = |pattern: &MerchantPattern| match pattern {
        MerchantPattern::Exact(name) => Some(name.clone()),
        MerchantPattern::Prefix(_) => None,
    };
    let mut values: Vec<String> = patterns.iter().filter_map(name).collect();
    let prefixes = patterns.iter().filter_map(|pattern| match pattern {
        MerchantPattern::Prefix(prefix) => Some(prefix.as_str()),
        MerchantPattern::Exact(_) => None,
    });
    let matching = |value: &str| patterns.iter().filter(|pattern| pattern.accepts(value)).count();
    for prefix in prefixes {
        // The beginning itself matches every shorter beginning and no longer one. Where it is also named whole, one
        // character more: each pattern can spoil but one of them.
        let shorter =
            |p: &&MerchantPattern| matches!(p, MerchantPattern::Prefix(q) if prefix.starts_with(q.as_str()));
        let expected = patterns.iter().filter(shorter).count();
        let longer = spare_characters().map(|c| format!("{prefix}{c}"));
        values.extend(
            std::iter::once(prefix.to_owned())
                .chain(longer)
                .find(|value| matching(value) == expected),
        );
    }
    let nothing = std::iter::once("another merchant".to_owned())
        .chain(spare_characters().map(|c| format!("{c}another merchant")));
    values.extend(nothing.into_iter().find(|value| matching(value) == 0));
    let index = values.iter().cloned().zip(0..).collect();
    Cells::Text { values, index }
}

/// More characters than a file can have patterns, the readable ones first; none has an upper case.
fn spare_characters() -> impl Iterator<Item = char> {
    ['~', '#', '+']
        .into_iter()
        .chain('\u{4e00}'..='\u{9fff}')
        .chain('\u{20000}'..='\u{2a6df}')
}

fn amount_cells(bounds: &BTreeSet<Decimal>) -> Vec<Decimal> {
    let hundredth = Decimal::new(1, 2);
    let mut amounts = BTreeSet::new();
    for bound in bounds {
        amounts.insert(*bound);
        // The amount next to a bound stands for the whole gap, or is the next bound itself.
        amounts.extend(bound.checked_sub(hundredth));
        amounts.extend(bound.checked_add(hundredth));
    }
    amounts.into_iter().collect()
}
