//! The canonical content of a rule set, and its hash.

use std::collections::BTreeSet;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::condition::{CategoryPattern, MerchantPattern, Test};
use super::set::{Outcome, Rule};
use super::settings::{CardProgram, Settings};
use crate::ids::DaybookCode;
use crate::posting::Coding;

/// SHA-256 over the canonical content of a rule set: the same for files that differ in white space, comments, the order
/// of rules and values, the names of rules, or the case of QAD's codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleSetHash(String);
impl RuleSetHash {
    /// Of rules in canonical order.
    pub(super) fn of(rules: &[Rule], settings: &Settings) -> Self {
        let rules = joined(rules.iter().map(canonical_rule));
        let content = joined(["tieout rules 1".to_owned(), rules, canonical_settings(settings)]);
        Self(crate::report::hex(&Sha256::digest(content.as_bytes())))
    }
    /// As a version bears it.
    pub fn of_version(version: &super::RuleSetVersion) -> Self {
        Self(version.hash.clone())
    }
    /// In lower-case hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for RuleSetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text in which no two lists of parts look alike: each part with its length before it.
fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(&part.len().to_string());
        text.push(':');
        text.push_str(&part);
    }
    text
}

/// A rule without its name and number: equal for rules that mean the same.
pub(super) fn canonical_rule(rule: &Rule) -> String {
    let amount = |bound: &Option<Decimal>| bound.map_or_else(String::new, |b| b.normalize().to_string());
    let when = rule.when.tests.iter().map(|(field, test)| {
        let test = match test {
            Test::OneOf(values) => joined(values.iter().cloned()),
            Test::Category(patterns) => joined(patterns.iter().map(CategoryPattern::written)),
            Test::Merchant(patterns) => joined(patterns.iter().map(MerchantPattern::written)),
            Test::Between(from, to) => joined([amount(from), amount(to)]),
        };
        joined([field.to_string(), test])
    });
    let set = rule
        .set
        .iter()
        .map(|(dimension, outcome)| joined([dimension.to_string(), canonical_outcome(outcome)]));
    joined([joined(when), joined(set)])
}

/// Equal for outcomes that are.
pub(super) fn canonical_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Code(code) => joined(["code".to_owned(), code.to_uppercase()]),
        Outcome::From(source) => joined(["from".to_owned(), source.to_string()]),
    }
}

fn canonical_coding(coding: &Coding) -> String {
    let part = |code: Option<&str>| code.unwrap_or("").to_uppercase();
    joined([
        part(Some(coding.account.as_str())),
        part(coding.sub_account.as_ref().map(|c| c.as_str())),
        part(coding.cost_centre.as_ref().map(|c| c.as_str())),
        part(coding.project.as_ref().map(|c| c.as_str())),
    ])
}

fn canonical_settings(settings: &Settings) -> String {
    // Every field is named, so that one that is added later cannot be forgotten here.
    let Settings {
        posting,
        daybooks,
        clearing,
        card_programs,
        suppliers,
        tax,
    } = settings;
    let daybook = |code: &Option<DaybookCode>| {
        code.as_ref()
            .map_or_else(String::new, |c| c.as_str().to_uppercase())
    };
    let coding = |c: &Option<Coding>| c.as_ref().map_or_else(String::new, canonical_coding);
    let mut programs: Vec<String> = card_programs
        .iter()
        .map(
            |CardProgram {
                 name,
                 card_names,
                 banks,
                 clearing,
             }| {
                let list = |patterns: &BTreeSet<MerchantPattern>| {
                    joined(patterns.iter().map(MerchantPattern::written))
                };
                joined([
                    name.clone(),
                    list(card_names),
                    list(banks),
                    canonical_coding(clearing),
                ])
            },
        )
        .collect();
    programs.sort();
    let table = suppliers
        .table
        .iter()
        .map(|(who, code)| joined([who.as_str().to_owned(), code.as_str().to_uppercase()]));
    let codes = tax
        .codes
        .iter()
        .map(|(code, coding)| joined([code.clone(), canonical_coding(coding)]));
    joined([
        format!(
            "{:?} {:?} {:?}",
            posting.date, posting.closed_period, posting.posted_means
        ),
        posting.invoice_status.as_str().to_uppercase(),
        joined([
            daybook(&daybooks.invoice),
            daybook(&daybooks.credit_note),
            daybook(&daybooks.journal),
        ]),
        joined([coding(&clearing.reimbursement), coding(&clearing.cards_default)]),
        joined(programs),
        format!("{:?}", suppliers.by),
        joined(table),
        tax.treat_as_cost.to_string(),
        joined(codes),
    ])
}

#[cfg(test)]
mod tests {
    use crate::rules::RuleSet;
    use crate::rules::testing::{SETTINGS, accepted};

    fn hash(text: &str) -> String {
        RuleSet::parse(&(text.to_owned() + SETTINGS))
            .unwrap()
            .hash()
            .to_string()
    }

    #[test]
    fn what_means_the_same_has_the_same_hash() {
        let one = hash(
            "[[rule]]\nname = \"A\"\nwhen = { category = [\"Air\", \"Hotel\"], amount_to = 5 }\nset = { account = \"a1\" }\n\
             [[rule]]\nwhen = { tag = \"Ohio\" }\nset = { project = \"P\" }\n",
        );
        let other = hash(
            "# a comment\n[[rule]]\nset.project = \"p\"\nwhen.tag = [\" Ohio \"]\n\n\
             [[rule]]\nset = { account = \"A1\" }\nwhen = { amount_to = \"5.00\", category = [\"Hotel\", \"Air\", \"Air\"] }\n",
        );
        assert_eq!(one, other);
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn what_means_something_else_has_another() {
        let base = hash("[[rule]]\nwhen = { category = \"Air\" }\nset = { account = \"1\" }\n");
        for other in [
            "[[rule]]\nwhen = { category = \"air\" }\nset = { account = \"1\" }\n",
            "[[rule]]\nwhen = { category = \"Air\" }\nset = { account = \"2\" }\n",
            "[[rule]]\nwhen = { category = \"Air\" }\nset = { cost_centre = \"1\" }\n",
            "[[rule]]\nwhen = { category = \"Air\" }\nset = { account = \"1\" }\n[tax]\ntreat_as_cost = true\n",
            "[[rule]]\nwhen = { category = \"Air\" }\nset = { account = \"1\" }\n[daybooks]\njournal = \"JE\"\n",
        ] {
            assert_ne!(hash(other), base, "{other}");
        }
    }

    #[test]
    fn a_version_carries_the_hash() {
        let set = accepted(&[r#"category = "Air" => account = "1""#]);
        assert_eq!(set.version(3).hash, set.hash().as_str());
    }

    #[test]
    fn another_code_in_a_clearing_a_program_or_a_tax_is_another_set() {
        for text in [
            "[clearing]\nreimbursement = CODING\n",
            "[clearing]\ncards_default = CODING\n",
            "[[card_program]]\nname = \"Visa\"\nclearing = CODING\n",
            "[tax]\ncodes = { V20 = CODING }\n",
        ] {
            let of = |coding: &str| hash(&text.replace("CODING", coding));
            let base = of("{ account = \"2155\" }");
            for other in [
                "{ account = \"2156\" }",
                "{ account = \"2155\", sub_account = \"01\" }",
                "{ account = \"2155\", cost_centre = \"01\" }",
                "{ account = \"2155\", project = \"01\" }",
            ] {
                assert_ne!(of(other), base, "{text}{other}");
            }
        }
    }
}
