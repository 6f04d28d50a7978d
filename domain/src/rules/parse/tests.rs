use super::*;
use crate::rules::testing::{SETTINGS, accepted, refused, words};

fn faults(text: &str) -> Vec<String> {
    words(&RuleSet::parse(text).expect_err("accepted"))
}

#[test]
fn the_file_in_the_documentation_is_read() {
    let source = include_str!("../parse.rs");
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
fn a_rule_with_an_empty_set_sets_nothing() {
    for empty in ["set = { }", "[rule.set]", ""] {
        let text = format!("[[rule]]\nwhen.tag = \"Ohio\"\n{empty}\n");
        let found = words(&RuleSet::parse(&text).expect_err("accepted"));
        assert!(
            found
                .iter()
                .any(|fault| fault.starts_with("rule 1: it sets nothing")),
            "{found:?}"
        );
    }
    let no_table = words(&RuleSet::parse("[[rule]]\nset = 5\n").expect_err("accepted"));
    assert!(
        !no_table.iter().any(|fault| fault.contains("sets nothing")),
        "said once, and better: {no_table:?}"
    );
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
    assert!(found.contains(
        &"[[card_program]]: \"visa*\" belongs to both \"A\" and \"B\". Leave it to one of them".to_owned()
    ));
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
