//! A set that is printed and read again is the same set.

use proptest::prelude::*;

use super::cases;
use super::generated::{drafts, file};
use super::laws::odd_text;
use crate::rules::RuleSet;

/// Printing, and perhaps something that only looks like it.
pub(super) type Printer = fn(&RuleSet) -> String;

pub(super) fn print(set: &RuleSet) -> String {
    set.print()
}

/// What is read again has the same hash, the same rules under the same names, and prints the same.
pub(super) fn reads_as_the_same(set: &RuleSet, printer: Printer) -> Result<(), TestCaseError> {
    let text = printer(set);
    let again = match RuleSet::parse(&text) {
        Ok(again) => again,
        Err(faults) => {
            prop_assert!(false, "what was printed is refused: {:?}\n{}", faults, text);
            return Ok(());
        }
    };
    prop_assert_eq!(again.hash(), set.hash(), "{}", text);
    prop_assert_eq!(again.settings(), set.settings());
    let rules = |set: &RuleSet| -> Vec<_> {
        set.rules()
            .iter()
            .map(|rule| (rule.name.clone(), rule.when.clone(), rule.set.clone()))
            .collect()
    };
    prop_assert_eq!(rules(&again), rules(set), "{}", text);
    prop_assert_eq!(printer(&again), text);
    Ok(())
}

/// Rules and settings with odd texts wherever a text may stand.
pub(super) fn odd_file() -> impl Strategy<Value = String> {
    let texts = proptest::collection::vec(odd_text(), 10);
    (texts, any::<i32>(), any::<bool>()).prop_map(|(texts, cents, cost)| {
        let text = |at: usize| toml::Value::from(texts[at].as_str()).to_string();
        let amount = rust_decimal::Decimal::new(i64::from(cents), 2);
        format!(
            "[[rule]]\nname = {}\nset.account = \"1\"\n[rule.when]\ncategory = [{}, \"Travel:*\"]\ntag = {}\nmerchant = {}\n\
             kind = {}\ncard_program = {}\npolicy = {}\nfield.{} = {}\namount_to = \"{amount}\"\n\
             [posting]\ndate = \"submitted\"\nclosed_period = \"next_open\"\nposted_means = \"final\"\ninvoice_status = \"A\"\n\
             [suppliers]\nmatch = \"business_relation\"\n[tax]\ntreat_as_cost = {cost}\n[tax.codes]\n{} = \"1410\"\n",
            text(0), text(1), text(2), text(3), text(4), text(5), text(6), key(&texts[7]), text(8), key(&texts[9]),
        )
    })
}

fn key(text: &str) -> String {
    let escaped: String = text.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_set_that_is_printed_and_read_again_is_the_same(drafts in drafts()) {
        if let Ok(set) = RuleSet::parse(&file(&drafts)) {
            reads_as_the_same(&set, print)?;
        }
    }

    #[test]
    fn so_is_one_with_odd_texts(text in odd_file()) {
        if let Ok(set) = RuleSet::parse(&text) {
            reads_as_the_same(&set, print)?;
        }
    }
}

#[test]
fn most_files_with_odd_texts_are_sets() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..200)
        .filter(|_| RuleSet::parse(&odd_file().new_tree(&mut runner).unwrap().current()).is_ok())
        .count();
    assert!(accepted > 100, "{accepted} of 200");
}
