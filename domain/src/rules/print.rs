//! A rule set as a file: the same set when it is read again, and the same text for the same set.
//!
//! Rules stand in the order of their numbers, one key on a line, so that two sets can be compared line by line. What was
//! left out of the file is left out here, and comments are gone.

use std::fmt::{self, Write};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::condition::{CategoryPattern, MerchantPattern, Test};
use super::set::{Outcome, Rule, RuleSet};
use super::settings::{
    CardProgram, ClosedPeriod, PostedMeans, PostingDate, PostingPolicy, Settings, SupplierMatch,
};
use super::view::{Field, written_tag};
use crate::posting::Coding;

impl fmt::Display for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print())
    }
}

impl RuleSet {
    /// The set as a rule file.
    pub fn print(&self) -> String {
        let mut rules: Vec<&Rule> = self.rules().iter().collect();
        rules.sort_by_key(|rule| rule.name.number);
        let mut page = Page::default();
        for rule in rules {
            print_rule(&mut page, rule);
        }
        print_settings(&mut page, self.settings());
        page.text
    }
}

/// The text so far.
#[derive(Default)]
struct Page {
    text: String,
}
impl Page {
    fn heading(&mut self, heading: &str) {
        let space = if self.text.is_empty() { "" } else { "\n" };
        self.line(format_args!("{space}{heading}"));
    }

    fn entry(&mut self, key: &str, value: &str) {
        self.line(format_args!("{key} = {value}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

fn print_rule(page: &mut Page, rule: &Rule) {
    page.heading("[[rule]]");
    if let Some(name) = &rule.name.name {
        page.entry("name", &quoted(name));
    }
    for (field, test) in &rule.when.tests {
        match test {
            Test::Between(from, to) => {
                for (key, bound) in [("amount_from", from), ("amount_to", to)] {
                    if let Some(bound) = bound {
                        page.entry(&format!("when.{key}"), &amount(*bound));
                    }
                }
            }
            Test::OneOf(values) if *field == Field::Reimbursable => {
                page.entry("when.reimbursable", values.first().map_or("true", String::as_str));
            }
            Test::OneOf(values) => {
                let tag = |value: &String| match field {
                    Field::Tag => written_tag(value),
                    _ => value.clone(),
                };
                page.entry(&key_of(field), &list(values.iter().map(tag)));
            }
            Test::Category(patterns) => {
                page.entry(
                    &key_of(field),
                    &list(patterns.iter().map(CategoryPattern::written)),
                );
            }
            Test::Merchant(patterns) => {
                page.entry(
                    &key_of(field),
                    &list(patterns.iter().map(MerchantPattern::written)),
                );
            }
        }
    }
    for (dimension, outcome) in &rule.set {
        match outcome {
            Outcome::Code(code) => page.entry(&format!("set.{dimension}"), &quoted(code)),
            Outcome::From(source) => page.entry(&format!("set.{dimension}.from"), &quoted(&source.word())),
        }
    }
}

fn print_settings(page: &mut Page, settings: &Settings) {
    // Every field is named, so that one that is added later cannot be forgotten here.
    let Settings {
        posting,
        daybooks,
        clearing,
        card_programs,
        suppliers,
        tax,
    } = settings;
    print_posting(page, posting);
    let codes = [
        ("invoice", &daybooks.invoice),
        ("credit_note", &daybooks.credit_note),
        ("journal", &daybooks.journal),
    ];
    section(
        page,
        "[daybooks]",
        codes.map(|(key, code)| Some((key.to_owned(), quoted(code.as_ref()?.as_str())))),
    );
    let codings = [
        ("reimbursement", &clearing.reimbursement),
        ("cards_default", &clearing.cards_default),
    ];
    section(
        page,
        "[clearing]",
        codings.map(|(key, code)| Some((key.to_owned(), coding(code.as_ref()?)))),
    );
    card_programs
        .iter()
        .for_each(|program| print_program(page, program));
    page.heading("[suppliers]");
    let by = match suppliers.by {
        SupplierMatch::Table => "table",
        SupplierMatch::BusinessRelation => "business_relation",
    };
    page.entry("match", &quoted(by));
    let rows = suppliers.table.iter();
    section(
        page,
        "[suppliers.table]",
        rows.map(|(who, code)| Some((quoted(who.as_str()), quoted(code.as_str())))),
    );
    if tax.treat_as_cost {
        page.heading("[tax]");
        page.entry("treat_as_cost", "true");
    }
    let codes = tax.codes.iter();
    section(
        page,
        "[tax.codes]",
        codes.map(|(code, to)| Some((quoted(code), coding(to)))),
    );
}

/// A section with the entries that there are; none at all where there are none.
fn section(page: &mut Page, heading: &str, entries: impl IntoIterator<Item = Option<(String, String)>>) {
    let mut entries = entries.into_iter().flatten().peekable();
    if entries.peek().is_some() {
        page.heading(heading);
        entries.for_each(|(key, value)| page.entry(&key, &value));
    }
}

fn print_posting(page: &mut Page, posting: &PostingPolicy) {
    let date = match posting.date {
        PostingDate::LastExpense => "last_expense",
        PostingDate::Submitted => "submitted",
        PostingDate::Approved => "approved",
        PostingDate::Posted => "posted",
    };
    let closed = match posting.closed_period {
        ClosedPeriod::Hold => "hold",
        ClosedPeriod::NextOpen => "next_open",
    };
    let means = match posting.posted_means {
        PostedMeans::Initial => "initial",
        PostedMeans::Final => "final",
    };
    page.heading("[posting]");
    page.entry("date", &quoted(date));
    page.entry("closed_period", &quoted(closed));
    page.entry("posted_means", &quoted(means));
    page.entry("invoice_status", &quoted(posting.invoice_status.as_str()));
}

fn print_program(page: &mut Page, program: &CardProgram) {
    page.heading("[[card_program]]");
    page.entry("name", &quoted(&program.name));
    for (key, patterns) in [("card_name", &program.card_names), ("bank", &program.banks)] {
        if !patterns.is_empty() {
            page.entry(key, &list(patterns.iter().map(MerchantPattern::written)));
        }
    }
    page.entry("clearing", &coding(&program.clearing));
}

fn key_of(field: &Field) -> String {
    match field {
        Field::Report(name) => format!("when.field.{}", key(name)),
        field => format!("when.{field}"),
    }
}

/// A key as TOML has it: bare where it can be.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn coding(coding: &Coding) -> String {
    let parts = [
        ("account", Some(coding.account.as_str())),
        (
            "sub_account",
            coding.sub_account.as_ref().map(|code| code.as_str()),
        ),
        (
            "cost_centre",
            coding.cost_centre.as_ref().map(|code| code.as_str()),
        ),
        ("project", coding.project.as_ref().map(|code| code.as_str())),
    ];
    let parts = parts.map(|(key, code)| code.map(|code| format!("{key} = {}", quoted(code))));
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{{ {} }}", parts.join(", "))
}

/// One text, or a list of several.
fn list(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.map(|value| quoted(&value)).collect();
    match values.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

fn amount(bound: Decimal) -> String {
    match bound.to_i64().filter(|whole| Decimal::from(*whole) == bound) {
        Some(whole) => whole.to_string(),
        None => quoted(&bound.normalize().to_string()),
    }
}

/// A basic string of TOML. What cannot be seen is escaped, so that nobody reviews what they do not see.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || is_unseen(c) => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Marks of direction and width, which change how a line looks and not what it says.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use crate::rules::RuleSet;
    use crate::rules::testing::{SETTINGS, words};

    #[test]
    fn a_set_is_printed_one_key_on_a_line() {
        let text = r##"
[[rule]]
name = "Travel \"A\""
when = { category = ["Travel : *", "Hotel"], field."Trip Purpose" = "Customer", amount_to = "500.50", amount_from = 5, tag = "Ohio: L1" }
set = { account = "6410", cost_centre = { from = "tag_gl_code" } }
[[rule]]
when = { merchant = "Delta *", reimbursable = false, card_program = ["", "Visa"] }
set = { credit_account = "2150" }
[[rule]]
set = { project = { from = "tag_level_2_gl_code" } }
[daybooks]
journal = "EXPJE"
[clearing]
reimbursement = "2155"
cards_default = { account = "2160", project = "P1" }
[[card_program]]
name = "Visa"
bank = "Chase*"
clearing = "2161"
[suppliers.table]
"Kim@example.com" = "EMP-1"
[tax]
treat_as_cost = true
codes = { "VAT 20" = "1410" }
"##;
        // The sections that every set must have come first here, so that `[suppliers.table]` can follow.
        let set = RuleSet::parse(&(SETTINGS.to_owned() + text)).unwrap_or_else(|f| panic!("{:?}", words(&f)));
        let expected = r##"[[rule]]
name = "Travel \"A\""
when.category = ["Hotel", "Travel:*"]
when.tag = "Ohio:L1"
when.field.Trip_Purpose = "Customer"
when.amount_from = 5
when.amount_to = "500.5"
set.account = "6410"
set.cost_centre.from = "tag_gl_code"

[[rule]]
when.reimbursable = false
when.card_program = ["", "Visa"]
when.merchant = "delta*"
set.credit_account = "2150"

[[rule]]
set.project.from = "tag_level_2_gl_code"

[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"

[daybooks]
journal = "EXPJE"

[clearing]
reimbursement = { account = "2155" }
cards_default = { account = "2160", project = "P1" }

[[card_program]]
name = "Visa"
bank = "chase*"
clearing = { account = "2161" }

[suppliers]
match = "table"

[suppliers.table]
"kim@example.com" = "EMP-1"

[tax]
treat_as_cost = true

[tax.codes]
"VAT 20" = { account = "1410" }
"##;
        assert_eq!(set.print(), expected);
        let again = RuleSet::parse(&set.print()).unwrap();
        assert_eq!((again.hash(), again.settings()), (set.hash(), set.settings()));
        assert_eq!(again.to_string(), expected);
    }

    #[test]
    fn what_cannot_be_seen_is_printed_so_that_it_can() {
        let text = "[[rule]]\nname = \"a\\u202Eb\\u0001\"\nwhen.category = \"x\\ny\"\nset.account = \"1\"\n"
            .to_owned()
            + SETTINGS;
        let set = RuleSet::parse(&text).unwrap();
        assert!(
            set.print()
                .contains("name = \"a\\U0000202Eb\\U00000001\"\nwhen.category = \"x\\ny\""),
            "{set}"
        );
        assert_eq!(RuleSet::parse(&set.print()).unwrap().hash(), set.hash());
    }
}
