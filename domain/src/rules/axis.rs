//! The cells of one field: sets of values that no rule of the set tells apart, each with one value to show.
//!
//! A text field has a cell for each value that a rule names and one for everything else. Where rules name beginnings, each
//! beginning has a cell too, for what begins so and has no longer beginning and no name of its own; in order of the text,
//! what a beginning accepts is one range. An amount has a cell for each bound and for each gap between bounds.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use rust_decimal::Decimal;

use super::condition::Test;
use super::span::CellSet;
use super::view::Field;

/// The cells of one field.
#[derive(Debug, Clone)]
pub(super) enum Axis {
    /// The values that rules name, in order; everything else is the last cell.
    Named(Vec<String>, Lookup),
    /// Yes and no; the one that no rule names is the last.
    Flag(bool),
    /// Names and beginnings; what none accepts is the last cell.
    Patterns(Vec<Pattern>),
    /// Bounds, and the gaps between them.
    Amounts(Amounts),
}

/// Where a text stands among many. Only asked, never gone through: no order of it can show, and it takes no random keys.
type Lookup = HashMap<String, u32, BuildHasherDefault<DefaultHasher>>;

/// A name or a beginning.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    /// How the text begins, as a number: most patterns are told apart by it, without a look at the text elsewhere in memory.
    first: u64,
    is_beginning: bool,
    /// Where what it accepts ends.
    end: u32,
    /// The next longer beginning around it.
    around: Option<u32>,
}
impl Pattern {
    fn accepts(&self, value: &str) -> bool {
        if self.is_beginning {
            value.starts_with(&self.text)
        } else {
            value == self.text
        }
    }
}

impl Axis {
    /// Of texts that rules name, in order and each once.
    pub(super) fn named(field: &Field, texts: Vec<String>) -> Self {
        match field {
            Field::Reimbursable => Self::Flag(texts.first().is_none_or(|text| text == "true")),
            _ => {
                let lookup = texts.iter().cloned().zip(0..).collect();
                Self::Named(texts, lookup)
            }
        }
    }

    /// Of names and (`true`) beginnings.
    pub(super) fn patterns(patterns: impl Iterator<Item = (String, bool)>) -> Self {
        // A beginning stands before whatever begins so, the name that is equal to it included.
        let mut sorted: Vec<(String, bool)> = patterns.collect();
        sorted.sort_unstable_by(|a, b| (&a.0, !a.1).cmp(&(&b.0, !b.1)));
        sorted.dedup();
        let mut patterns: Vec<Pattern> = Vec::with_capacity(sorted.len());
        let mut open: Vec<u32> = Vec::new();
        for ((text, is_beginning), at) in sorted.into_iter().zip(0u32..) {
            let ends = |patterns: &Vec<Pattern>, open: u32| {
                patterns
                    .get(open as usize)
                    .is_none_or(|around| !text.starts_with(&around.text))
            };
            while let Some(around) = open.pop_if(|around| ends(&patterns, *around)) {
                if let Some(around) = patterns.get_mut(around as usize) {
                    around.end = at;
                }
            }
            patterns.push(Pattern {
                first: first_bytes(&text),
                text,
                is_beginning,
                end: at + 1,
                around: open.last().copied(),
            });
            if is_beginning {
                open.push(at);
            }
        }
        let all = patterns.len() as u32;
        for around in open {
            if let Some(around) = patterns.get_mut(around as usize) {
                around.end = all;
            }
        }
        Self::Patterns(patterns)
    }

    /// How many cells there are.
    pub(super) fn count(&self) -> u32 {
        match self {
            Self::Named(values, _) => values.len() as u32 + 1,
            Self::Flag(_) => 2,
            Self::Patterns(patterns) => patterns.len() as u32 + 1,
            Self::Amounts(amounts) => amounts.count(),
        }
    }

    /// The cells that a test accepts.
    pub(super) fn accepted(&self, test: &Test) -> CellSet {
        match (self, test) {
            (Self::Amounts(amounts), Test::Between(from, to)) => amounts.between(*from, *to),
            (_, Test::Between(..)) => CellSet::default(),
            (Self::Patterns(patterns), test) => CellSet::of_ranges(test.patterns().filter_map(|wanted| {
                let at = patterns
                    .binary_search_by(|have| {
                        (have.text.as_str(), !have.is_beginning).cmp(&(&*wanted.0, !wanted.1))
                    })
                    .ok()?;
                Some((at as u32, patterns.get(at)?.end))
            })),
            (_, test) => CellSet::of_cells(test.patterns().map(|(text, _)| self.cell(&text))),
        }
    }

    /// The cell of a text, in the form in which the field is compared.
    pub(super) fn cell(&self, text: &str) -> u32 {
        match self {
            Self::Named(values, lookup) => lookup.get(text).copied().unwrap_or(values.len() as u32),
            Self::Flag(first) => u32::from(text != flag(*first)),
            Self::Patterns(patterns) => {
                // Whatever accepts the text stands before it, and around the last one that does not come after it.
                let wanted = (first_bytes(text), text);
                let after = patterns
                    .partition_point(|pattern| (pattern.first, pattern.text.as_str()) <= wanted)
                    as u32;
                let mut next = after.checked_sub(1);
                while let Some(at) = next {
                    match patterns.get(at as usize) {
                        Some(pattern) if pattern.accepts(text) => return at,
                        pattern => next = pattern.and_then(|pattern| pattern.around),
                    }
                }
                patterns.len() as u32
            }
            Self::Amounts(_) => 0,
        }
    }

    /// A text of a cell: the one that is named, or one that falls there and that no rule names.
    pub(super) fn text(&self, field: &Field, cell: u32) -> String {
        match self {
            Self::Named(values, _) => match values.get(cell as usize) {
                Some(value) => value.clone(),
                None => other_names(field)
                    .find(|name| self.cell(name) == cell)
                    .unwrap_or_default(),
            },
            Self::Flag(first) => flag((cell == 0) == *first).to_owned(),
            Self::Patterns(patterns) => match patterns.get(cell as usize) {
                Some(pattern) if !pattern.is_beginning => pattern.text.clone(),
                Some(pattern) => beginning_with(field, &pattern.text)
                    .find(|name| self.cell(name) == cell)
                    .unwrap_or_default(),
                None => beginning_otherwise(field)
                    .find(|name| self.cell(name) == cell)
                    .unwrap_or_default(),
            },
            Self::Amounts(amounts) => amounts.shown(cell).unwrap_or_default().to_string(),
        }
    }
}

/// The first eight bytes as a number, blank where there are fewer: whatever has the smaller one stands before.
fn first_bytes(text: &str) -> u64 {
    let mut first = [0; 8];
    for (byte, of) in first.iter_mut().zip(text.bytes()) {
        *byte = of;
    }
    u64::from_be_bytes(first)
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Names for what no rule names; there are more of them than a file has names.
fn other_names(field: &Field) -> Box<dyn Iterator<Item = String>> {
    let field = field.clone();
    Box::new((0usize..).map(move |n| {
        let number = if n == 0 {
            String::new()
        } else {
            (n + 1).to_string()
        };
        match &field {
            Field::TagLevel(_) if n == 0 => String::new(),
            Field::TagLevel(_) => format!("another level{number}"),
            Field::Employee => format!("someone.else{number}@example.com"),
            Field::Currency => OTHER_CURRENCIES
                .get(n)
                .map_or_else(|| format!("X{n}"), |code| (*code).to_owned()),
            Field::Report(name) => format!("another {name}{number}"),
            Field::CardProgram => format!("another card program{number}"),
            field => format!("another {field}{number}"),
        }
    }))
}

const OTHER_CURRENCIES: [&str; 12] = [
    "USD", "EUR", "GBP", "CHF", "CAD", "MXN", "JPY", "AUD", "NZD", "SEK", "NOK", "DKK",
];

/// Texts with a beginning. Of a branch of categories, made-up ones in it. Else the beginning itself is one that every shorter beginning accepts and no longer one does; where
/// it is also named whole, one character more: each pattern can spoil but one of them.
fn beginning_with(field: &Field, beginning: &str) -> Box<dyn Iterator<Item = String>> {
    let beginning = beginning.to_owned();
    if *field == Field::Category {
        return Box::new(other_names(field).map(move |name| format!("{beginning}{name}")));
    }
    let longer = spare_characters().map({
        let beginning = beginning.clone();
        move |c| format!("{beginning}{c}")
    });
    Box::new(std::iter::once(beginning).chain(longer))
}

/// Texts of which one begins as no pattern does.
fn beginning_otherwise(field: &Field) -> Box<dyn Iterator<Item = String>> {
    if *field == Field::Category {
        return other_names(field);
    }
    let name = format!("another {field}");
    let otherwise = spare_characters().map({
        let name = name.clone();
        move |c| format!("{c}{name}")
    });
    Box::new(std::iter::once(name).chain(otherwise))
}

/// More characters than a file can have patterns, the readable ones first; none has an upper case.
fn spare_characters() -> impl Iterator<Item = char> {
    ['~', '#', '+']
        .into_iter()
        .chain('\u{4e00}'..='\u{9fff}')
        .chain('\u{20000}'..='\u{2a6df}')
}

/// The cells of amounts. Expensify sends whole hundredths (contract expensify §4.6), so a gap that none falls into is no
/// cell of the proof; yet a line is looked up by where it really falls, its *position*: 0 for what is below every bound, then
/// by turns a bound and the gap above it.
#[derive(Debug, Clone)]
pub(super) struct Amounts {
    bounds: Vec<Decimal>,
    /// For each position and for the end: how many positions before it are cells.
    cells_before: Vec<u32>,
}

impl Amounts {
    /// Of bounds in order, each once.
    pub(super) fn new(bounds: Vec<Decimal>) -> Self {
        let hundredth = Decimal::new(1, 2);
        let mut cells_before = vec![0, 1];
        let mut cells = 1;
        for (at, bound) in bounds.iter().enumerate() {
            cells += 1;
            cells_before.push(cells);
            let next = bounds.get(at + 1);
            let is_gap = next.is_none_or(|next| next.checked_sub(*bound).is_none_or(|gap| gap > hundredth));
            cells += u32::from(is_gap);
            cells_before.push(cells);
        }
        Self { bounds, cells_before }
    }

    fn count(&self) -> u32 {
        self.cells_before.last().copied().unwrap_or(0)
    }

    pub(super) fn positions(&self) -> u32 {
        2 * self.bounds.len() as u32 + 1
    }

    pub(super) fn position(&self, amount: Decimal) -> u32 {
        match self.bounds.binary_search(&amount) {
            Ok(at) => 2 * at as u32 + 1,
            Err(at) => 2 * at as u32,
        }
    }

    /// Positions from one bound up to and with another.
    pub(super) fn positions_between(&self, from: Option<Decimal>, to: Option<Decimal>) -> (u32, u32) {
        (
            from.map_or(0, |from| self.position(from)),
            to.map_or(self.positions(), |to| self.position(to) + 1),
        )
    }

    fn between(&self, from: Option<Decimal>, to: Option<Decimal>) -> CellSet {
        let (from, to) = self.positions_between(from, to);
        let cell = |position: u32| self.cells_before.get(position as usize).copied().unwrap_or(0);
        CellSet::range(cell(from), cell(to))
    }

    /// The lowest amount of a cell; of what lies below every bound, the highest.
    pub(super) fn shown(&self, cell: u32) -> Option<Decimal> {
        let position = self
            .cells_before
            .partition_point(|before| *before <= cell)
            .checked_sub(1)?;
        let hundredth = Decimal::new(1, 2);
        match (position.checked_sub(1), position % 2) {
            (None, _) => self.bounds.first()?.checked_sub(hundredth),
            (Some(before), 1) => self.bounds.get(before / 2).copied(),
            (Some(before), _) => self.bounds.get(before / 2)?.checked_add(hundredth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Axis {
        Axis::patterns(texts.iter().map(|text| match text.strip_suffix('*') {
            Some(beginning) => (beginning.to_owned(), true),
            None => ((*text).to_owned(), false),
        }))
    }

    #[test]
    fn a_text_falls_to_the_longest_of_what_accepts_it() {
        let axis = patterns(&["uber*", "uber", "uber eats*", "delta", "u*"]);
        let shown = |text: &str| axis.text(&Field::Merchant, axis.cell(text));
        assert_eq!(shown("uber"), "uber");
        assert_eq!(shown("uber eats 7"), "uber eats");
        assert_eq!(shown("uber x"), "uber~");
        assert_eq!(shown("ubi"), "u");
        assert_eq!(shown("delta air"), "another merchant");
        assert_eq!(shown("zz"), "another merchant");
    }

    #[test]
    fn every_cell_shows_a_text_of_its_own() {
        for axis in [
            patterns(&["uber*", "uber", "uber~*", "another merchant", "~*", "", "a*"]),
            Axis::named(&Field::Kind, vec!["another kind".into(), "mileage".into()]),
            Axis::Flag(true),
        ] {
            for cell in 0..axis.count() {
                assert_eq!(axis.cell(&axis.text(&Field::Merchant, cell)), cell, "{axis:?}");
            }
        }
    }

    #[test]
    fn a_gap_that_no_hundredth_falls_into_is_no_cell() {
        let bounds = [0, 1, 500].map(|cents| Decimal::new(cents, 2));
        let amounts = Amounts::new(bounds.to_vec());
        let shown: Vec<String> = (0..amounts.count())
            .map(|cell| amounts.shown(cell).unwrap().to_string())
            .collect();
        assert_eq!(shown, ["-0.01", "0.00", "0.01", "0.02", "5.00", "5.01"]);
        assert_eq!(amounts.position(Decimal::new(5, 3)), 2, "though a line may");
        let between = |from: Option<usize>, to: Option<usize>| {
            amounts
                .between(from.map(|at| bounds[at]), to.map(|at| bounds[at]))
                .cells()
                .collect::<Vec<u32>>()
        };
        assert_eq!(between(Some(0), Some(1)), [1, 2]);
        assert_eq!(between(None, Some(0)), [0, 1]);
        assert_eq!(between(Some(2), None), [4, 5]);
        assert_eq!(between(Some(2), Some(0)), Vec::<u32>::new());
    }
}
