//! What the tests of this room share.

use super::{RuleFault, RuleSet, Witness};

/// The sections that every set must have.
pub(super) const SETTINGS: &str = r#"
[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"
[suppliers]
match = "table"
"#;

/// A set of these rules, given as `when => set` without braces, e.g. `category = "Air" => account = "6410"`.
pub(super) fn parse(rules: &[&str]) -> Result<RuleSet, Vec<RuleFault>> {
    let written = rules.iter().map(|rule| {
        let (when, set) = rule.split_once("=>").expect("a rule is `when => set`");
        format!("[[rule]]\nwhen = {{ {when} }}\nset = {{ {set} }}\n")
    });
    RuleSet::parse(&(written.collect::<String>() + SETTINGS))
}

pub(super) fn accepted(rules: &[&str]) -> RuleSet {
    parse(rules).unwrap_or_else(|faults| panic!("refused: {}", words(&faults).join("\n")))
}

/// The words of every fault.
pub(super) fn words(faults: &[RuleFault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

pub(super) fn refused(rules: &[&str]) -> Vec<String> {
    words(&parse(rules).expect_err("accepted"))
}

pub(super) fn line(category: &str, tag: &str) -> Witness {
    Witness {
        category: category.to_owned(),
        tag: tag.to_owned(),
        ..Witness::default()
    }
}
