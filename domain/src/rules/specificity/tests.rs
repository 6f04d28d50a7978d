use crate::rules::budget::Budget;
use crate::rules::testing::{SETTINGS, accepted, line, refused};
use crate::rules::{Dimension, RuleFault, RuleSet};

fn account(rules: &[&str], category: &str, tag: &str) -> Option<String> {
    let line = line(category, tag);
    accepted(rules)
        .resolve(&line.view())
        .account
        .value()
        .map(ToString::to_string)
}

#[test]
fn the_narrower_rule_wins_wherever_it_stands() {
    let wide = r#"category = ["Air", "Hotel"] => account = "6410""#;
    let narrow = r#"category = "Air" => account = "6420""#;
    for rules in [[wide, narrow], [narrow, wide]] {
        assert_eq!(account(&rules, "Air", "Ohio").as_deref(), Some("6420"));
        assert_eq!(account(&rules, "Hotel", "Ohio").as_deref(), Some("6410"));
        assert_eq!(account(&rules, "Meals", "Ohio"), None, "there is no default");
    }
}

#[test]
fn two_rules_that_cross_are_refused_with_a_line_that_both_match() {
    let faults = refused(&[
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => account = "6420""#,
    ]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with(
            "rule 1 and rule 2 set different values for `account` and neither is more specific: both match a line with \
             category \"Air\", tag \"Ohio\"."
        ),
        "{}",
        faults[0]
    );
}

#[test]
fn two_rules_that_cross_may_agree() {
    let rules = [
        r#"category = "Air" => account = "a1""#,
        r#"tag = "Ohio" => account = "A1""#,
    ];
    assert_eq!(
        account(&rules, "Air", "Ohio")
            .map(|code| code.to_uppercase())
            .as_deref(),
        Some("A1")
    );
}

#[test]
fn two_rules_that_cross_on_other_dimensions_never_meet() {
    accepted(&[
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => cost_centre = "CC-OH""#,
    ]);
}

#[test]
fn a_third_rule_for_what_both_match_settles_it() {
    let rules = [
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => account = "6420""#,
        r#"category = "Air", tag = "Ohio" => account = "6430""#,
    ];
    assert_eq!(account(&rules, "Air", "Ohio").as_deref(), Some("6430"));
}

#[test]
fn several_rules_may_settle_it_together() {
    accepted(&[
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => account = "6420""#,
        r#"category = "Air", tag = "Ohio", amount_to = "99.99" => account = "6430""#,
        r#"category = "Air", tag = "Ohio", amount_from = 100 => account = "6440""#,
    ]);
}

#[test]
fn what_is_settled_only_in_part_is_refused_with_a_line_from_the_rest() {
    let faults = refused(&[
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => account = "6420""#,
        r#"category = "Air", tag = "Ohio", amount_to = "99.99" => account = "6430""#,
        r#"category = "Air", tag = "Ohio", amount_from = "100.01" => account = "6440""#,
    ]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].contains("category \"Air\", tag \"Ohio\", amount 100"),
        "{}",
        faults[0]
    );
}

#[test]
fn twins_are_refused_unless_they_agree() {
    let faults = refused(&[
        r#"category = "Air" => account = "6410""#,
        r#"category = ["Air"] => account = "6420""#,
    ]);
    assert!(
        faults[0].contains("match exactly the same lines"),
        "{}",
        faults[0]
    );
    accepted(&[
        r#"category = "Air" => account = "6410""#,
        r#"category = ["Air"] => account = "6410""#,
    ]);
}

#[test]
fn a_whole_tag_is_narrower_than_its_first_level() {
    let rules = [
        r#"tag_level_1 = "Ohio" => account = "1""#,
        r#"tag = "Ohio:Line 2" => account = "2""#,
    ];
    assert_eq!(account(&rules, "Air", "Ohio:Line 2").as_deref(), Some("2"));
    assert_eq!(account(&rules, "Air", "Ohio:Line 3").as_deref(), Some("1"));
    accepted(&[
        r#"tag_level_1 = "Ohio" => account = "1""#,
        r#"tag = "Texas" => account = "2""#,
    ]);
}

#[test]
fn a_branch_is_wider_than_what_lies_below_it() {
    let rules = [
        r#"category = "Travel:*" => account = "1""#,
        r#"category = "Travel:Air:*" => account = "2""#,
        r#"category = "Travel:Air" => account = "3""#,
        r#"category = "Travel:Air:Long haul" => account = "4""#,
        r#"category = ["Travel : Hotel", "Travel:Motel"] => account = "4""#,
        r#"category = "Travel" => account = "5""#,
    ];
    for (category, expected) in [
        ("Travel:Rail", Some("1")),
        ("Travel:Air:Short", Some("2")),
        ("Travel: Air", Some("3")),
        ("Travel:Air:Long haul", Some("4")),
        ("Travel:Hotel", Some("4")),
        ("Travel", Some("5")),
        ("Travelling", None),
    ] {
        assert_eq!(account(&rules, category, "").as_deref(), expected, "{category}");
    }
}

#[test]
fn a_branch_that_crosses_is_refused_with_a_category_of_it() {
    let faults = refused(&[
        r#"category = "Travel:*" => account = "1""#,
        r#"tag = "Ohio" => account = "2""#,
        r#"category = "Travel:another category", tag = "Ohio" => account = "3""#,
    ]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].contains("category \"Travel:another category2\", tag \"Ohio\""),
        "{}",
        faults[0]
    );
}

#[test]
fn a_longer_beginning_of_a_merchant_is_narrower() {
    accepted(&[
        r#"merchant = "Uber*" => account = "1""#,
        r#"merchant = "UBER EATS*" => account = "2""#,
        r#"merchant = "uber" => account = "3""#,
    ]);
}

#[test]
fn a_witness_is_a_merchant_that_no_rule_names() {
    let faults = refused(&[
        r#"merchant = "u*" => account = "1""#,
        r#"category = "Air" => account = "2""#,
        r##"merchant = ["u", "u~*", "u#*", "u+*"], category = "Air" => account = "3""##,
    ]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("merchant \"u\u{4e00}\""), "{}", faults[0]);
}

#[test]
fn bounds_that_touch_overlap_and_bounds_a_cent_apart_do_not() {
    let faults = refused(&[
        r#"amount_to = 500 => account = "1""#,
        r#"amount_from = 500 => account = "2""#,
    ]);
    assert!(faults[0].contains("a line with amount 500"), "{}", faults[0]);
    accepted(&[
        r#"amount_to = 500 => account = "1""#,
        r#"amount_from = "500.01" => account = "2""#,
    ]);
}

#[test]
fn a_rule_that_no_line_can_match_is_refused() {
    for rule in [
        r#"amount_from = 10, amount_to = 5 => account = "1""#,
        r#"tag = "Ohio", tag_level_1 = "Texas" => account = "1""#,
    ] {
        assert!(refused(&[rule])[0].contains("no line can match it"), "{rule}");
    }
}

#[test]
fn credit_accounts_are_compared_where_they_are_asked_for() {
    // The two meet only on cards, where no credit account is looked for.
    accepted(&[
        r#"category = "Air", card_program = ["", "Visa"] => credit_account = "1""#,
        r#"tag = "Ohio", card_program = ["Visa", ""], category = "Hotel" => credit_account = "2""#,
    ]);
    let faults = refused(&[
        r#"category = "Air" => credit_account = "1""#,
        r#"tag = "Ohio" => credit_account = "2""#,
    ]);
    assert!(faults[0].contains("reimbursable false"), "{}", faults[0]);
}

#[test]
fn a_set_that_is_too_entangled_is_refused_with_rules_to_split() {
    // Every two of them overlap, and none is within another.
    let crossing = |number: usize, code: &dyn Fn(usize) -> usize| -> String {
        let rule = |n: usize| {
            let (all, code) = (["A", "B", "C", "D", "E", "F"], code(n));
            let some = |skip: usize| all.iter().filter(|v| **v != all[skip % 6]).collect::<Vec<_>>();
            format!(
                "[[rule]]\nwhen = {{ category = {:?}, tag = {:?}, kind = {:?} }}\nset = {{ account = \"{code}\" }}\n",
                some(n),
                some(n / 6),
                some(n / 36)
            )
        };
        (0..number).map(rule).collect::<String>() + SETTINGS
    };
    let text = crossing(216, &|n| n);
    let found = RuleSet::parse_within(&text, &mut Budget::new(1_000_000)).expect_err("accepted");
    assert!(found.len() < 100, "{}", found.len());
    let Some(RuleFault::TooEntangled { rules, dimension, .. }) = found.last() else {
        panic!("{:?}", found.last());
    };
    assert_eq!((rules.len(), *dimension), (2, Dimension::Account));
    assert!(found.last().unwrap().to_string().contains("too entangled"));
    let agreeing = crossing(216, &|_| 1);
    assert!(RuleSet::parse_within(&agreeing, &mut Budget::new(1_000_000)).is_ok());
    let found = RuleSet::parse_within(&agreeing, &mut Budget::new(1_000)).expect_err("accepted");
    assert!(matches!(found.as_slice(), [RuleFault::TooEntangled { rules, .. }] if rules.len() == 6));
}

#[test]
fn faults_are_told_in_the_order_of_the_file() {
    let faults = refused(&[
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => account = "6420", cost_centre = "C""#,
        r#"category = "Hotel", amount_from = 5, amount_to = 4 => account = "6430""#,
        r#"category = "Hotel" => cost_centre = "D""#,
    ]);
    let starts: Vec<&str> = faults.iter().map(|fault| fault.get(..17).unwrap()).collect();
    assert_eq!(
        starts,
        ["rule 1 and rule 2", "rule 2 and rule 4", "rule 3: no line c"],
        "{faults:#?}"
    );
}
