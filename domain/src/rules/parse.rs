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
    if !reader.has("set") {
        reader.lacks(
            "it sets nothing",
            "Add `set = { account = … }` or another dimension, or remove the rule",
        );
    }
    let set = reader.table("set").unwrap_or_default();
    let mut conditions = reader.inner(place.clone(), when);
    let mut outcomes_read = reader.inner(place.clone(), set);
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
mod tests {
    use super::*;
    use crate::rules::testing::{SETTINGS, accepted, refused, words};

    fn faults(text: &str) -> Vec<String> {
        words(&RuleSet::parse(text).expect_err("accepted"))
    }

    #[test]
    fn the_file_in_the_documentation_is_read() {
        let source = include_str!("parse.rs");
        let lines = source
            .lines()
            .skip_while(|l| !l.contains("```toml"))
            .skip(1)
            .take_while(|l| !l.contains("```"));
        let text: Vec<&str> = lines.map(|l| l.trim_start_matches("//!").trim_start()).collect();
        let set = RuleSet::parse(&text.join("\n")).unwrap_or_else(|faults| panic!("{:?}", words(&faults)));
        assert_eq!(set.rules().len(), 1);
        assert_eq!(set.rules()[0].when.fields().count(), 4);
        assert_eq!(set.settings().card_programs.len(), 1);
        assert_eq!(
            set.clearing_for_reimbursement().map(|c| c.account.as_str()),
            Some("2155")
        );
    }

    #[test]
    fn all_faults_are_told_at_once_each_with_its_place_and_remedy() {
        let found = faults(
            r#"
colour = "blue"
[[rule]]
name = "Travel"
when = { categry = "Air", tag = 5, employee = "kim", currency = "XQQ" }
set = { account = "", cost_center = "CC1" }
[[rule]]
when = { amount_from = 0.5, amount_to = "1.005", merchant = "*", category = [] }
set = { account = { from = "category" } }
[[rule]]
when = { category = "Air" }
[posting]
date = "yesterday"
[clearing]
reimbursement = { cost_centre = "CC1" }
[suppliers.table]
"kim" = "E1"
"#,
        );
        for expected in [
            "the rule file: `colour` is not known here. Correct or remove it; known here: rule, posting, daybooks",
            "rule 1 \"Travel\": `categry` is not known here. Correct or remove it; known here: policy, category",
            "rule 1 \"Travel\": `tag` is integer 5 where text in quotes",
            "rule 1 \"Travel\": `employee`: e-mail address `kim` is not valid",
            "rule 1 \"Travel\": `currency`: `XQQ` is not a currency of ISO 4217",
            "rule 1 \"Travel\": `account` is string \"\" where text in quotes, not blank",
            "rule 1 \"Travel\": `cost_center` is not known here. Correct or remove it; known here: account, cost_centre",
            "rule 2: `amount_from` is float 0.5 where a whole number, or a decimal in quotes",
            "rule 2: `amount_to` is 1.005, which no expense can amount to",
            "rule 2: `merchant` is `*`, which matches everything",
            "rule 2: `category` is an empty list",
            "rule 2, `account`: `from` is string \"category\" where one of \"category_gl_code\"",
            "rule 3: it sets nothing",
            "[posting]: `date` is string \"yesterday\" where one of \"last_expense\"",
            "[posting]: `closed_period` is missing. Write one of \"hold\", \"next_open\"",
            "[posting]: `posted_means` is missing",
            "[posting]: `invoice_status` is missing",
            "[clearing], `reimbursement`: `account` is missing",
            "[suppliers]: `match` is missing. Write one of \"table\", \"business_relation\"",
            "[suppliers.table]: e-mail address `kim` is not valid",
        ] {
            assert!(
                found.iter().any(|fault| fault.starts_with(expected)),
                "{expected}\nis not among\n{}",
                found.join("\n")
            );
        }
        assert_eq!(found.len(), 20, "{}", found.join("\n"));
    }

    #[test]
    fn every_fault_says_at_which_line_and_column_it_stands() {
        let text = r#"colour = "blue"
[[rule]]
when = { categry = "Air", tag = ["Ohio", 5] }
set = { account = "1" }
[[rule]]
when.category = "Air"
  [[rule]]
  when.employee = [
    "kim@example.com",
    "kim",
  ]
  set = { account = { from = "x" }, cost_centre = { } }
[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
[tax.codes]
V20 = { cost_centre = "1" }
"#;
        let found = RuleSet::parse(text).expect_err("accepted");
        let at = |what: &str| {
            let fault = found.iter().find(|fault| fault.to_string().contains(what));
            fault
                .unwrap_or_else(|| panic!("{what}: {:?}", words(&found)))
                .at()
                .to_string()
        };
        assert_eq!(at("`colour` is not known"), "1:1");
        assert_eq!(at("`categry` is not known"), "3:10");
        assert_eq!(at("`tag` is integer 5"), "3:42");
        assert_eq!(at("it sets nothing"), "5:1");
        assert_eq!(at("address `kim`"), "10:5");
        assert_eq!(at("`from` is string \"x\""), "12:30");
        assert_eq!(at("`from` is missing"), "12:51");
        assert_eq!(at("`invoice_status` is missing"), "13:1");
        assert_eq!(at("[tax.codes], `V20`: `account` is missing"), "18:7");
        assert_eq!(
            at("`match` is missing"),
            "1:1",
            "where the section should be, nobody can say"
        );
    }

    #[test]
    fn a_pair_of_rules_says_where_both_stand() {
        let found = crate::rules::testing::parse(&[
            r#"category = "Air" => account = "1""#,
            r#"tag = "Ohio" => account = "2""#,
            r#"tag = "Ohio" => account = "3""#,
        ])
        .expect_err("accepted");
        let places: Vec<String> = found
            .iter()
            .map(|fault| format!("{} {}", fault.at(), fault.other_at().unwrap()))
            .collect();
        assert_eq!(places, ["1:1 4:1", "1:1 7:1", "4:1 7:1"]);
    }

    #[test]
    fn a_file_that_is_too_large_or_too_deep_is_refused() {
        let large = "#".repeat(MOST_BYTES + 1);
        assert!(faults(&large)[0].contains("4194305 bytes, more than 4194304"));
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(faults(&deep)[0].contains("recurs"), "{}", faults(&deep)[0]);
    }

    #[test]
    fn what_is_no_toml_says_where() {
        let found = faults("[[rule]\n");
        assert!(
            found[0].starts_with("the rule file is not valid TOML") && found[0].contains("line 1"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn a_rule_for_every_line_may_only_take_what_the_line_carries() {
        accepted(&[r#" => account = { from = "category_gl_code" }"#]);
        assert!(refused(&[r#" => account = "6410""#])[0].contains("which would be a default"));
    }

    #[test]
    fn a_credit_account_for_cards_or_reimbursables_is_refused() {
        for when in ["reimbursable = true", "card_program = \"Visa\""] {
            let found = refused(&[&format!("{when} => credit_account = \"2150\"")]);
            assert!(
                found[0].contains("only for lines that are not reimbursable and on no card"),
                "{found:?}"
            );
        }
        let from = refused(&[r#"category = "Air" => credit_account = { from = "tag_gl_code" }"#]);
        assert!(from[0].contains("`credit_account` is table"), "{from:?}");
    }

    #[test]
    fn a_report_field_goes_by_the_name_of_the_export() {
        let set = accepted(&[r#"field."Cost Center" = "X" => account = "1""#]);
        assert_eq!(
            set.rules()[0].when.fields().next(),
            Some(&Field::Report("Cost_Center".into()))
        );
        let twice = refused(&[r#"field = { "Cost Center" = "X", Cost_Center = "Y" } => account = "1""#]);
        assert!(twice[0].contains("is there twice"), "{twice:?}");
    }

    #[test]
    fn a_level_with_a_colon_is_refused() {
        assert!(refused(&[r#"tag_level_1 = "A:B" => account = "1""#])[0].contains("contains a colon"));
    }

    #[test]
    fn two_programs_cannot_share_a_card() {
        let program = |name: &str| {
            format!("[[card_program]]\nname = \"{name}\"\ncard_name = \"Visa*\"\nclearing = \"2160\"\n")
        };
        let found = faults(&(program("A") + &program("B") + &program("B") + SETTINGS));
        assert!(
            found.contains(
                &"[[card_program]]: \"visa*\" belongs to both \"A\" and \"B\". Leave it to one of them"
                    .to_owned()
            )
        );
        assert!(
            found
                .iter()
                .any(|fault| fault.contains("two programs are called \"B\""))
        );
    }

    #[test]
    fn text_of_any_kind_is_no_danger() {
        let hostile = "${7*7} <#list \u{202e} \u{1f600} ' \\\\ </script>";
        let set = accepted(&[&format!("category = \"{hostile}\" => account = \"1\"")]);
        let line = crate::rules::testing::line("${7*7} <#list \u{202e} \u{1f600} ' \\ </script>", "");
        assert!(set.resolve(&line.view()).account.value().is_some());
    }
}
