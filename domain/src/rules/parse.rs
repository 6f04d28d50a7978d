//! From the text of a rule file to a checked rule set, with every fault at once.
//!
//! ```toml
//! [[rule]]
//! name = "Travel of the Ohio plant"
//! when = { category = ["Travel:*", "Hotel"], tag = "Ohio", field.Trip = "Customer", amount_to = "500.00" }
//! set = { account = "6410", cost_centre = { from = "tag_gl_code" } }
//!
//! [posting]
//! date = "approved"               # last_expense, submitted, approved, posted
//! closed_period = "hold"          # hold, next_open
//! posted_means = "initial"        # initial, final
//! invoice_status = "AP-INITIAL"
//!
//! [daybooks]
//! invoice = "EXPINV"
//! credit_note = "EXPCN"
//! journal = "EXPJE"
//!
//! [clearing]
//! reimbursement = "2155"          # an account, or { account = …, cost_centre = … }
//! cards_default = "2160"
//!
//! [[card_program]]
//! name = "Corporate Visa"
//! card_name = "Corp Visa*"        # without card_name and bank, the name is the card name
//! bank = "Chase"
//! clearing = { account = "2161" }
//!
//! [suppliers]
//! match = "business_relation"     # or "table"; the table wins in either case
//! [suppliers.table]
//! "kim@example.com" = "EMP-E1001"
//!
//! [tax]
//! treat_as_cost = false
//! [tax.codes]
//! VAT20 = { account = "1410" }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::budget::Budget;
use super::condition::{CategoryPattern, Condition, MerchantPattern, Test};
use super::fault::{Place, RuleFault};
use super::places::SettingPlaces;
use super::position::{Lines, Position};
use super::reader::{Found, Reader, Text, set_of};
use super::sections::settings;
use super::set::{Dimension, GlSource, Outcome, Rule, RuleName, RuleSet};
use super::view::{Field, normal_field_name, normal_tag};
use crate::ids::{AccountCode, CostCentreCode, Email, ProjectCode, SubAccountCode};
use crate::money::Currency;

/// A rule takes some 150 bytes, and a set of 20,000 is none that a person keeps.
const MOST_BYTES: usize = 4 * 1024 * 1024;

const LEVEL_KEYS: [&str; 5] = [
    "tag_level_1",
    "tag_level_2",
    "tag_level_3",
    "tag_level_4",
    "tag_level_5",
];

impl RuleSet {
    /// Reads and checks a rule file (TOML). Every fault is named at once: unknown keys, values of the wrong form, what
    /// is required and missing, rules that no line can match, and rules that contradict each other. Only where the file
    /// cannot be read at all is it the one fault of syntax or of size; and rules are held against each other once each can be read.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleFault>> {
        Self::parse_within(text, &mut Budget::new(Budget::CHECK))
    }

    /// The same, and gives up sooner.
    pub(super) fn parse_within(text: &str, budget: &mut Budget) -> Result<Self, Vec<RuleFault>> {
        if text.len() > MOST_BYTES {
            return Err(vec![RuleFault::TooLarge {
                bytes: text.len(),
                most: MOST_BYTES,
            }]);
        }
        let lines = Lines::new(text);
        let table = DeTable::parse(text).map_err(|error| {
            vec![RuleFault::Syntax {
                at: lines.position(error.span().map_or(0, |span| span.start)),
                what: error.to_string().trim().to_owned(),
            }]
        })?;
        let mut faults = Vec::new();
        let mut file = Reader::file(table.into_inner(), &lines);
        let tables = file.tables("rule");
        let rules = tables
            .into_iter()
            .zip(1..)
            .filter_map(|(table, number)| rule(number, table, &lines, &mut faults))
            .collect();
        let mut places = SettingPlaces::default();
        let settings = settings(&mut file, &mut places, &mut faults);
        file.finish(&mut faults);
        match settings {
            Some(settings) if faults.is_empty() => {
                let mut set = Self::check(rules, settings, budget)?;
                set.places = places;
                Ok(set)
            }
            _ => Err(faults),
        }
    }
}

fn rule<'a>(
    number: usize,
    mut found: Found<'a>,
    lines: &'a Lines<'a>,
    faults: &mut Vec<RuleFault>,
) -> Option<Rule> {
    let given = found
        .table
        .get("name")
        .and_then(|name| name.get_ref().as_str())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let name = RuleName {
        number,
        name: given.map(Into::into),
    };
    let place = Place::Rule(name.clone());
    if found
        .table
        .get("name")
        .is_some_and(|name| name.get_ref().is_str())
    {
        found.table.remove("name");
    }
    let before = faults.len();
    let mut reader = Reader::new(place.clone(), found, lines);
    let at = reader.at();
    // Only a name that is no text is left here, and is refused.
    reader.text("name");
    let when = reader.table("when").unwrap_or_default();
    let is_given = reader.has("set");
    let set = reader.table("set");
    if !is_given || set.as_ref().is_some_and(|set| set.table.is_empty()) {
        reader.lacks(
            "it sets nothing",
            "Add `set = { account = … }` or another dimension, or remove the rule",
        );
    }
    let mut conditions = reader.inner(place.clone(), when);
    let mut outcomes_read = reader.inner(place.clone(), set.unwrap_or_default());
    reader.finish(faults);
    let when = condition(&mut conditions);
    let credit_at = outcomes_read.at_key("credit_account");
    conditions.finish(faults);
    let set = outcomes(&mut outcomes_read, &place, faults);
    outcomes_read.finish(faults);
    if when.is_empty()
        && set.values().any(|outcome| matches!(outcome, Outcome::Code(_)))
        && faults.len() == before
    {
        faults.push(RuleFault::content(
            &place,
            at,
            "it has no condition and gives every line the same code, which would be a default and hide what is not mapped",
            "Add a condition under `when`; only a code taken `from` the line may be set for every line",
        ));
    }
    if set.contains_key(&Dimension::CreditAccount) {
        credit_account_can_be_asked(&place, credit_at, &when, faults);
    }
    (faults.len() == before).then_some(Rule { name, at, when, set })
}

fn credit_account_can_be_asked(place: &Place, at: Position, when: &Condition, faults: &mut Vec<RuleFault>) {
    let lacks = |field: &Field, value: &str| when.named(field).is_some_and(|values| !values.contains(value));
    if lacks(&Field::Reimbursable, "false") || lacks(&Field::CardProgram, "") {
        faults.push(RuleFault::content(
            place,
            at,
            "`credit_account` is only for lines that are not reimbursable and on no card, and its conditions exclude them",
            "Remove `credit_account`; the credit side of cards is set under [[card_program]] and [clearing]",
        ));
    }
}

fn condition(reader: &mut Reader<'_>) -> Condition {
    let mut tests = BTreeMap::new();
    if let Some(texts) = reader.texts("policy") {
        tests.insert(Field::Policy, Test::OneOf(set_of(texts, str::to_owned)));
    }
    if let Some(texts) = reader.texts("category") {
        let mut patterns = BTreeSet::new();
        for Text { text, at } in texts {
            match CategoryPattern::new(&text) {
                Some(pattern) => {
                    patterns.insert(pattern);
                }
                None => reader.fault_at(
                    at,
                    "`category` is `:*`, which is below no category",
                    "Write the parent before it: \"Travel:*\"",
                ),
            }
        }
        tests.insert(Field::Category, Test::Category(patterns));
    }
    for (key, field) in [("card_program", Field::CardProgram), ("kind", Field::Kind)] {
        if let Some(texts) = reader.texts(key) {
            tests.insert(field, Test::OneOf(set_of(texts, str::to_owned)));
        }
    }
    if let Some(texts) = reader.texts("tag") {
        tests.insert(Field::Tag, Test::OneOf(set_of(texts, normal_tag)));
    }
    for (key, level) in LEVEL_KEYS.into_iter().zip(1..) {
        if let Some(texts) = reader.texts(key) {
            for Text { text, at } in &texts {
                if text.contains(':') {
                    reader.fault_at(
                        *at,
                        format!("`{key}` contains a colon, which parts the levels of a tag"),
                        "Give each part its own `tag_level_N`, or name the whole under `tag`",
                    );
                }
            }
            tests.insert(Field::TagLevel(level), Test::OneOf(set_of(texts, str::to_owned)));
        }
    }
    if let Some(texts) = reader.texts("employee") {
        let emails = texts
            .iter()
            .filter_map(|Text { text, at }| match Email::new(text) {
                Ok(email) => Some(email.as_str().to_owned()),
                Err(error) => {
                    reader.fault_at(
                        *at,
                        format!("`employee`: {error}"),
                        "Write the submitter's address as Expensify shows it",
                    );
                    None
                }
            });
        tests.insert(Field::Employee, Test::OneOf(emails.collect()));
    }
    if let Some(texts) = reader.texts("currency") {
        let codes = texts
            .iter()
            .filter_map(|Text { text, at }| match Currency::new(text) {
                Ok(currency) => Some(currency.code().to_owned()),
                Err(error) => {
                    reader.fault_at(
                        *at,
                        format!("`currency`: {error}"),
                        "Write its code of three letters",
                    );
                    None
                }
            });
        tests.insert(Field::Currency, Test::OneOf(codes.collect()));
    }
    if let Some(flag) = reader.flag("reimbursable") {
        tests.insert(
            Field::Reimbursable,
            Test::OneOf(BTreeSet::from([flag.to_string()])),
        );
    }
    if let Some(patterns) = patterns(reader, "merchant") {
        tests.insert(Field::Merchant, Test::Merchant(patterns));
    }
    let bounds = (reader.amount("amount_from"), reader.amount("amount_to"));
    if bounds != (None, None) {
        tests.insert(Field::Amount, Test::Between(bounds.0, bounds.1));
    }
    let fields = reader.table("field").unwrap_or_default();
    for (name, value) in reader.inner(Place::File, fields).rest() {
        if let Some(texts) = reader.texts_of(&format!("field.{name}"), value) {
            let field = Field::Report(normal_field_name(&name));
            if tests
                .insert(field, Test::OneOf(set_of(texts, str::to_owned)))
                .is_some()
            {
                reader.fault(
                    format!("`field.{name}` is there twice, under names that the export does not tell apart"),
                    "Keep one",
                );
            }
        }
    }
    Condition { tests }
}

pub(super) fn patterns(reader: &mut Reader<'_>, key: &'static str) -> Option<BTreeSet<MerchantPattern>> {
    let mut patterns = BTreeSet::new();
    for Text { text, at } in reader.texts(key)? {
        match MerchantPattern::new(&text) {
            Some(pattern) => {
                patterns.insert(pattern);
            }
            None => reader.fault_at(
                at,
                format!("`{key}` is `*`, which matches everything"),
                "Write a beginning before the `*`, or leave it out",
            ),
        }
    }
    Some(patterns)
}

fn outcomes(
    reader: &mut Reader<'_>,
    place: &Place,
    faults: &mut Vec<RuleFault>,
) -> BTreeMap<Dimension, Outcome> {
    let mut set = BTreeMap::new();
    for dimension in Dimension::ALL {
        if let Some(outcome) = outcome(reader, place, dimension, faults) {
            set.insert(dimension, outcome);
        }
    }
    set
}

fn outcome(
    reader: &mut Reader<'_>,
    place: &Place,
    dimension: Dimension,
    faults: &mut Vec<RuleFault>,
) -> Option<Outcome> {
    let key = dimension.as_str();
    if reader.is_table(key) && dimension != Dimension::CreditAccount {
        let place = Place::Section(format!("{place}, `{key}`"));
        let table = reader.table(key)?;
        let mut inner = reader.inner(place, table);
        if !inner.has("from") {
            inner.lacks(
                "`from` is missing",
                "Write a code in quotes, or { from = \"category_gl_code\" }",
            );
        }
        let source = inner.choice("from", &sources());
        inner.finish(faults);
        return source.map(Outcome::From);
    }
    let text = reader.text(key)?;
    let valid = match dimension {
        Dimension::Account | Dimension::CreditAccount => reader.code_of::<AccountCode>(key, &text).is_some(),
        Dimension::CostCentre => reader.code_of::<CostCentreCode>(key, &text).is_some(),
        Dimension::SubAccount => reader.code_of::<SubAccountCode>(key, &text).is_some(),
        Dimension::Project => reader.code_of::<ProjectCode>(key, &text).is_some(),
    };
    valid.then_some(Outcome::Code(text))
}

fn sources() -> [(&'static str, GlSource); 7] {
    [
        ("category_gl_code", GlSource::Category),
        ("tag_gl_code", GlSource::Tag),
        ("tag_level_1_gl_code", GlSource::TagLevel(1)),
        ("tag_level_2_gl_code", GlSource::TagLevel(2)),
        ("tag_level_3_gl_code", GlSource::TagLevel(3)),
        ("tag_level_4_gl_code", GlSource::TagLevel(4)),
        ("tag_level_5_gl_code", GlSource::TagLevel(5)),
    ]
}

#[cfg(test)]
mod tests;
