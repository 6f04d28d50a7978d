//! Rules in the making, and lines: a few values of every field.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::ids::Email;
use crate::rules::testing::SETTINGS;
use crate::rules::{Resolution, Rule, RuleSet, Unset, Witness};

/// A rule in the making: values by key as they are written, and a code for each of three dimensions.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) when: BTreeMap<&'static str, Vec<String>>,
    pub(super) account: Option<u8>,
    pub(super) cost_centre: Option<u8>,
    pub(super) project: Option<u8>,
}
impl Draft {
    fn written(&self) -> String {
        let value = |key: &str, values: &[String]| match key {
            "reimbursable" => values.concat(),
            "amount_from" | "amount_to" => format!("{:?}", values.concat()),
            _ => format!("{values:?}"),
        };
        let when: Vec<String> = self
            .when
            .iter()
            .map(|(key, values)| format!("{key} = {}", value(key, values)))
            .collect();
        let set: Vec<String> = [
            ("account", self.account),
            ("cost_centre", self.cost_centre),
            ("project", self.project),
        ]
        .iter()
        .filter_map(|(key, code)| code.map(|code| format!("{key} = \"C{code}\"")))
        .collect();
        format!(
            "[[rule]]\nwhen = {{ {} }}\nset = {{ {} }}\n",
            when.join(", "),
            set.join(", ")
        )
    }
}

pub(super) fn file(drafts: &[Draft]) -> String {
    drafts.iter().map(Draft::written).collect::<String>() + SETTINGS
}

/// A rule by parsing it alone; `None` where no line can match it.
pub(super) fn alone(draft: &Draft) -> Option<Rule> {
    let set = RuleSet::parse(&file(std::slice::from_ref(draft))).ok()?;
    set.rules().first().cloned()
}

/// Every key of a condition, with values that overlap, contain one another and differ by case.
pub(super) const KEYS: [(&str, &[&str]); 14] = [
    (
        "category",
        &[
            "Travel",
            "Travel:*",
            "Travel:Air",
            "Travel:Air:*",
            "Meals",
            "meals",
            "",
        ],
    ),
    ("tag", &["Ohio", "Ohio:L1", "Ohio:L2", "Texas:L1", ""]),
    ("tag_level_1", &["Ohio", "Texas"]),
    ("tag_level_2", &["L1", "L2", ""]),
    ("merchant", &["Uber", "Uber Eats", "Ub*", "Uber*", "Delta*"]),
    ("reimbursable", &["true", "false"]),
    ("amount_from", &["-50", "0", "0.01", "50"]),
    ("amount_to", &["-50", "0", "49.99", "50"]),
    ("employee", &["kim@example.com", "LEE@example.com"]),
    ("field.Trip", &["Customer", "Internal", ""]),
    ("currency", &["EUR", "USD"]),
    ("policy", &["P1", "P2"]),
    ("kind", &["mileage", "time", ""]),
    ("card_program", &["Visa", "Amex", ""]),
];

/// Values of each field that lines show: what rules name, what they do not, and what is written otherwise.
pub(super) fn shown(key: &str) -> &'static [&'static str] {
    match key {
        "category" => &[
            "Travel",
            "Travel:Air",
            "Travel : Air",
            "Travel:Air:Far",
            "Travel:Rail",
            "Meals",
            "meals",
            "Gifts",
            "",
        ],
        // Every choice of what rules tell apart in the first two levels, with and without a third.
        "tag" | "tag_level_1" | "tag_level_2" => &[
            "Ohio:L1",
            "Ohio:L1:X",
            "Ohio:L2",
            "Ohio:L2:X",
            "Ohio:L3",
            "Ohio:L3:X",
            "Ohio",
            "Ohio::X",
            "Texas:L1",
            "Texas:L1:X",
            "Texas:L2",
            "Texas:L2:X",
            "Texas:L3",
            "Texas:L3:X",
            "Texas",
            "Texas::X",
            "Utah:L1",
            "Utah:L1:X",
            "Utah:L2",
            "Utah:L2:X",
            "Utah:L3",
            "Utah:L3:X",
            "Utah",
            "Utah::X",
            ":L1",
            ":L1:X",
            ":L2",
            ":L2:X",
            ":L3",
            ":L3:X",
            "",
            "::X",
        ],
        "merchant" => &[
            "UBER",
            "Uber Eats",
            "uber eats 2",
            "Ubi",
            "delta air",
            "Shell",
            "",
        ],
        "reimbursable" => &["true", "false"],
        "amount_from" | "amount_to" => &[
            "-60", "-50", "-25", "-0.01", "0", "0.01", "25", "49.99", "50", "50.01",
        ],
        "employee" => &["kim@example.com", "Lee@example.com", "max@example.com", ""],
        "field.Trip" => &["Customer", "Internal", "Other", ""],
        "currency" => &["EUR", "usd", "JPY"],
        "policy" => &["P1", "P2", "P3"],
        "kind" => &["mileage", "time", "expense", ""],
        _ => &["Visa", "Amex", "Diners", ""],
    }
}

/// Puts a value where the key is read from.
pub(super) fn put(line: &mut Witness, key: &str, value: &str) {
    match key {
        "category" => line.category = value.to_owned(),
        "tag" | "tag_level_1" | "tag_level_2" => line.tag = value.to_owned(),
        "merchant" => line.merchant = value.to_owned(),
        "reimbursable" => line.reimbursable = value == "true",
        "amount_from" | "amount_to" => line.amount = value.parse().unwrap_or(Decimal::ZERO),
        "employee" => line.employee = Email::new(value).ok(),
        "field.Trip" => line.fields = BTreeMap::from([("Trip".to_owned(), value.to_owned())]),
        "currency" => line.currency = value.to_owned(),
        "policy" => line.policy = value.to_owned(),
        "kind" => line.kind = value.to_owned(),
        _ => line.card_program = value.to_owned(),
    }
}

pub(super) fn condition_on(keys: Vec<usize>) -> impl Strategy<Value = (&'static str, Vec<String>)> {
    proptest::sample::select(keys).prop_flat_map(|at| {
        let (key, values) = KEYS[at];
        let most = if matches!(key, "reimbursable" | "amount_from" | "amount_to") {
            1
        } else {
            2
        };
        let some = proptest::sample::subsequence(values, 1..=most);
        some.prop_map(move |some| (key, some.into_iter().map(str::to_owned).collect()))
    })
}

/// On any field; the category and the tag as often as all others together.
pub(super) fn condition() -> impl Strategy<Value = (&'static str, Vec<String>)> {
    let often = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4];
    condition_on((0..KEYS.len()).chain(often).collect())
}

pub(super) fn draft() -> impl Strategy<Value = Draft> {
    let when = proptest::collection::vec(condition(), 1..4).prop_map(|tests| tests.into_iter().collect());
    let account = proptest::option::weighted(0.8, 0u8..3);
    let project = proptest::option::weighted(0.25, 0u8..2);
    (when, account, 0u8..3, project).prop_map(|(when, account, other, project)| Draft {
        when,
        account,
        cost_centre: (account.is_none() || other == 0).then_some(other),
        project,
    })
}

pub(super) fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    proptest::collection::vec(draft(), 1..6)
}

/// A line with any of the values in every field.
pub(super) fn line() -> impl Strategy<Value = Witness> {
    proptest::collection::vec(any::<proptest::sample::Index>(), KEYS.len()).prop_map(|chosen| {
        let mut line = Witness::default();
        for ((key, _), chosen) in KEYS.iter().zip(chosen) {
            let values = shown(key);
            put(&mut line, key, values[chosen.index(values.len())]);
        }
        line
    })
}

/// The account, in which rules that cross have a quarrel.
pub(super) fn account(set: &RuleSet, line: &Witness) -> Option<String> {
    set.resolve(&line.view()).account.value().map(ToString::to_string)
}

pub(super) fn cost_centre(set: &RuleSet, line: &Witness) -> Option<String> {
    set.resolve(&line.view())
        .cost_centre
        .value()
        .map(ToString::to_string)
}

pub(super) fn is_ambiguous(set: &RuleSet, line: &Witness) -> bool {
    let resolved = set.resolve(&line.view());
    let account = matches!(resolved.account, Resolution::Unset(Unset::Ambiguous { .. }));
    let project = matches!(resolved.project, Resolution::Unset(Unset::Ambiguous { .. }));
    account || project || matches!(resolved.cost_centre, Resolution::Unset(Unset::Ambiguous { .. }))
}
