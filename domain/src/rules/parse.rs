//! From the text of a rule file to a checked rule set, with every fault at once.
//!
//! ```toml
//! [[rule]]
//! name = "Travel of the Ohio plant"
//! when = { category = ["Airfare", "Hotel"], tag = "Ohio", field.Trip = "Customer", amount_to = "500.00" }
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

use toml::{Table, Value};

use super::condition::{Condition, MerchantPattern, Test};
use super::fault::{Place, RuleFault};
use super::reader::{Reader, set_of};
use super::set::{Dimension, GlSource, Outcome, Rule, RuleName, RuleSet};
use super::settings::{
    CardProgram, Clearing, ClosedPeriod, Daybooks, PostedMeans, PostingDate, PostingPolicy, Settings,
    SupplierMatch, Suppliers, Tax,
};
use super::view::{Field, normal_field_name, normal_tag};
use crate::ids::{AccountCode, CostCentreCode, Email, ProjectCode, SubAccountCode, SupplierCode};
use crate::money::Currency;

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
    /// cannot be read at all is it the one fault of syntax; and rules are held against each other once each can be read.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleFault>> {
        let table: Table = toml::from_str(text)
            .map_err(|error| vec![RuleFault::Syntax(error.to_string().trim().to_owned())])?;
        let mut faults = Vec::new();
        let mut file = Reader::new(Place::File, table);
        let tables = file.tables("rule");
        let rules = tables
            .into_iter()
            .zip(1..)
            .filter_map(|(table, number)| rule(number, table, &mut faults))
            .collect();
        let settings = settings(&mut file, &mut faults);
        file.finish(&mut faults);
        match settings {
            Some(settings) if faults.is_empty() => Self::check(rules, settings),
            _ => Err(faults),
        }
    }
}

fn rule(number: usize, mut table: Table, faults: &mut Vec<RuleFault>) -> Option<Rule> {
    let given = table
        .get("name")
        .and_then(Value::as_str)
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let name = RuleName { number, name: given };
    let place = Place::Rule(name.clone());
    if matches!(table.get("name"), Some(Value::String(_))) {
        table.remove("name");
    }
    let before = faults.len();
    let mut reader = Reader::new(place.clone(), table);
    // Only a name that is no text is left here, and is refused.
    reader.text("name");
    let when = reader.table("when").unwrap_or_default();
    if !reader.has("set") {
        reader.fault(
            "it sets nothing",
            "Add `set = { account = … }` or another dimension, or remove the rule",
        );
    }
    let set = reader.table("set").unwrap_or_default();
    reader.finish(faults);
    let when = condition(&place, when, faults);
    let set = outcomes(&place, set, faults);
    if when.is_empty()
        && set.values().any(|outcome| matches!(outcome, Outcome::Code(_)))
        && faults.len() == before
    {
        faults.push(RuleFault::content(
            &place,
            "it has no condition and gives every line the same code, which would be a default and hide what is not mapped",
            "Add a condition under `when`; only a code taken `from` the line may be set for every line",
        ));
    }
    if set.contains_key(&Dimension::CreditAccount) {
        credit_account_can_be_asked(&place, &when, faults);
    }
    (faults.len() == before).then_some(Rule { name, when, set })
}

fn credit_account_can_be_asked(place: &Place, when: &Condition, faults: &mut Vec<RuleFault>) {
    let lacks = |field: &Field, value: &str| when.named(field).is_some_and(|values| !values.contains(value));
    if lacks(&Field::Reimbursable, "false") || lacks(&Field::CardProgram, "") {
        faults.push(RuleFault::content(
            place,
            "`credit_account` is only for lines that are not reimbursable and on no card, and its conditions exclude them",
            "Remove `credit_account`; the credit side of cards is set under [[card_program]] and [clearing]",
        ));
    }
}

fn condition(place: &Place, table: Table, faults: &mut Vec<RuleFault>) -> Condition {
    let mut reader = Reader::new(place.clone(), table);
    let mut tests = BTreeMap::new();
    let plain = [
        ("policy", Field::Policy),
        ("category", Field::Category),
        ("card_program", Field::CardProgram),
        ("kind", Field::Kind),
    ];
    for (key, field) in plain {
        if let Some(texts) = reader.texts(key) {
            tests.insert(field, Test::OneOf(set_of(texts, str::to_owned)));
        }
    }
    if let Some(texts) = reader.texts("tag") {
        tests.insert(Field::Tag, Test::OneOf(set_of(texts, normal_tag)));
    }
    for (key, level) in LEVEL_KEYS.into_iter().zip(1..) {
        if let Some(texts) = reader.texts(key) {
            if texts.iter().any(|text| text.contains(':')) {
                let remedy = "Give each part its own `tag_level_N`, or name the whole under `tag`";
                reader.fault(
                    format!("`{key}` contains a colon, which parts the levels of a tag"),
                    remedy,
                );
            }
            tests.insert(Field::TagLevel(level), Test::OneOf(set_of(texts, str::to_owned)));
        }
    }
    if let Some(texts) = reader.texts("employee") {
        let emails = texts.iter().filter_map(|text| match Email::new(text) {
            Ok(email) => Some(email.as_str().to_owned()),
            Err(error) => {
                reader.fault(
                    format!("`employee`: {error}"),
                    "Write the submitter's address as Expensify shows it",
                );
                None
            }
        });
        tests.insert(Field::Employee, Test::OneOf(emails.collect()));
    }
    if let Some(texts) = reader.texts("currency") {
        let codes = texts.iter().filter_map(|text| match Currency::new(text) {
            Ok(currency) => Some(currency.code().to_owned()),
            Err(error) => {
                reader.fault(format!("`currency`: {error}"), "Write its code of three letters");
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
    if let Some(patterns) = patterns(&mut reader, "merchant") {
        tests.insert(Field::Merchant, Test::Merchant(patterns));
    }
    let bounds = (reader.amount("amount_from"), reader.amount("amount_to"));
    if bounds != (None, None) {
        tests.insert(Field::Amount, Test::Between(bounds.0, bounds.1));
    }
    for (name, value) in reader.table("field").unwrap_or_default() {
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
    reader.finish(faults);
    Condition { tests }
}

fn patterns(reader: &mut Reader, key: &'static str) -> Option<BTreeSet<MerchantPattern>> {
    let texts = reader.texts(key)?;
    let patterns: BTreeSet<MerchantPattern> = texts
        .iter()
        .filter_map(|text| MerchantPattern::new(text))
        .collect();
    if texts.iter().any(|text| MerchantPattern::new(text).is_none()) {
        reader.fault(
            format!("`{key}` is `*`, which matches everything"),
            "Write a beginning before the `*`, or leave it out",
        );
    }
    Some(patterns)
}

fn outcomes(place: &Place, table: Table, faults: &mut Vec<RuleFault>) -> BTreeMap<Dimension, Outcome> {
    let mut reader = Reader::new(place.clone(), table);
    let mut set = BTreeMap::new();
    for dimension in Dimension::ALL {
        if let Some(outcome) = outcome(&mut reader, place, dimension, faults) {
            set.insert(dimension, outcome);
        }
    }
    reader.finish(faults);
    set
}

fn outcome(
    reader: &mut Reader,
    place: &Place,
    dimension: Dimension,
    faults: &mut Vec<RuleFault>,
) -> Option<Outcome> {
    let key = dimension.as_str();
    if reader.is_table(key) && dimension != Dimension::CreditAccount {
        let place = Place::Section(format!("{place}, `{key}`"));
        let mut inner = Reader::new(place, reader.table(key)?);
        if !inner.has("from") {
            inner.fault(
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

fn section(file: &mut Reader, key: &'static str, name: &str) -> Reader {
    Reader::new(
        Place::Section(name.to_owned()),
        file.table(key).unwrap_or_default(),
    )
}

fn settings(file: &mut Reader, faults: &mut Vec<RuleFault>) -> Option<Settings> {
    let posting = posting(section(file, "posting", "[posting]"), faults);
    let mut reader = section(file, "daybooks", "[daybooks]");
    let daybooks = Daybooks {
        invoice: reader.code("invoice"),
        credit_note: reader.code("credit_note"),
        journal: reader.code("journal"),
    };
    reader.finish(faults);
    let mut reader = section(file, "clearing", "[clearing]");
    let clearing = Clearing {
        reimbursement: reader.coding("reimbursement"),
        cards_default: reader.coding("cards_default"),
    };
    reader.finish(faults);
    let programs = file
        .tables("card_program")
        .into_iter()
        .zip(1..)
        .filter_map(|(table, at)| card_program(at, table, faults))
        .collect();
    let card_programs = distinct_programs(programs, faults);
    let suppliers = suppliers(section(file, "suppliers", "[suppliers]"), faults);
    let tax = tax(section(file, "tax", "[tax]"), faults);
    Some(Settings {
        posting: posting?,
        daybooks,
        clearing,
        card_programs,
        suppliers: suppliers?,
        tax,
    })
}

fn posting(mut reader: Reader, faults: &mut Vec<RuleFault>) -> Option<PostingPolicy> {
    let date = reader.required_choice(
        "date",
        &[
            ("last_expense", PostingDate::LastExpense),
            ("submitted", PostingDate::Submitted),
            ("approved", PostingDate::Approved),
            ("posted", PostingDate::Posted),
        ],
    );
    let closed_period = reader.required_choice(
        "closed_period",
        &[
            ("hold", ClosedPeriod::Hold),
            ("next_open", ClosedPeriod::NextOpen),
        ],
    );
    let posted_means = reader.required_choice(
        "posted_means",
        &[("initial", PostedMeans::Initial), ("final", PostedMeans::Final)],
    );
    if !reader.has("invoice_status") {
        reader.fault(
            "`invoice_status` is missing",
            "Name the QAD status code that invoices are to bear",
        );
    }
    let invoice_status = reader.code("invoice_status");
    reader.finish(faults);
    Some(PostingPolicy {
        date: date?,
        closed_period: closed_period?,
        posted_means: posted_means?,
        invoice_status: invoice_status?,
    })
}

fn card_program(at: usize, table: Table, faults: &mut Vec<RuleFault>) -> Option<CardProgram> {
    let title = table
        .get("name")
        .and_then(Value::as_str)
        .map_or_else(|| at.to_string(), |name| format!("{at} \"{}\"", name.trim()));
    let mut reader = Reader::new(Place::Section(format!("[[card_program]] {title}")), table);
    for key in ["name", "clearing"] {
        if !reader.has(key) {
            reader.fault(
                format!("`{key}` is missing"),
                "Give each card program a name and a clearing account",
            );
        }
    }
    let name = reader.text("name");
    let card_names = patterns(&mut reader, "card_name");
    let banks = patterns(&mut reader, "bank").unwrap_or_default();
    let clearing = reader.coding("clearing");
    reader.finish(faults);
    let name = name?;
    let card_names = match card_names {
        Some(names) => names,
        None if banks.is_empty() => MerchantPattern::new(&name).into_iter().collect(),
        None => BTreeSet::new(),
    };
    Some(CardProgram {
        name,
        card_names,
        banks,
        clearing: clearing?,
    })
}

fn distinct_programs(programs: Vec<CardProgram>, faults: &mut Vec<RuleFault>) -> Vec<CardProgram> {
    for (i, a) in programs.iter().enumerate() {
        for b in programs.iter().skip(i + 1) {
            let place = Place::Section("[[card_program]]".to_owned());
            if a.name == b.name {
                let what = format!("two programs are called \"{}\"", a.name);
                faults.push(RuleFault::content(
                    &place,
                    what,
                    "Give each its own name, or make them one",
                ));
            }
            for pattern in a
                .card_names
                .intersection(&b.card_names)
                .chain(a.banks.intersection(&b.banks))
            {
                let what = format!(
                    "\"{}\" belongs to both \"{}\" and \"{}\"",
                    pattern.written(),
                    a.name,
                    b.name
                );
                faults.push(RuleFault::content(&place, what, "Leave it to one of them"));
            }
        }
    }
    programs
}

fn suppliers(mut reader: Reader, faults: &mut Vec<RuleFault>) -> Option<Suppliers> {
    let choices = [
        ("table", SupplierMatch::Table),
        ("business_relation", SupplierMatch::BusinessRelation),
    ];
    let by = reader.required_choice("match", &choices);
    let mut rows = Reader::new(
        Place::Section("[suppliers.table]".to_owned()),
        reader.table("table").unwrap_or_default(),
    );
    let mut table = BTreeMap::new();
    for (key, value) in rows.rest() {
        let email = match Email::new(&key) {
            Ok(email) => email,
            Err(error) => {
                rows.fault(
                    error.to_string(),
                    "Write the employee's address as Expensify shows it",
                );
                continue;
            }
        };
        let Some(code) = value.as_str() else {
            rows.fault(
                format!("`{key}` has no supplier code in quotes"),
                "Write the code of the supplier in QAD",
            );
            continue;
        };
        if let Some(code) = rows.code_of::<SupplierCode>(&key, code)
            && table.insert(email, code).is_some()
        {
            rows.fault(format!("`{key}` is there twice, in different case"), "Keep one");
        }
    }
    rows.finish(faults);
    reader.finish(faults);
    Some(Suppliers { by: by?, table })
}

fn tax(mut reader: Reader, faults: &mut Vec<RuleFault>) -> Tax {
    let treat_as_cost = reader.flag("treat_as_cost").unwrap_or(false);
    let mut rows = Reader::new(
        Place::Section("[tax.codes]".to_owned()),
        reader.table("codes").unwrap_or_default(),
    );
    let mut codes = BTreeMap::new();
    for (key, value) in rows.rest() {
        if let Some(coding) = rows.coding_of(&key, value)
            && codes.insert(key.trim().to_owned(), coding).is_some()
        {
            rows.fault(format!("`{key}` is there twice"), "Keep one");
        }
    }
    rows.finish(faults);
    reader.finish(faults);
    Tax { treat_as_cost, codes }
}
