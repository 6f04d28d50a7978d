//! What is found, in the words in which it is told.

use crate::chart::{
    AccountType, AnalysisUse, Chart, Daybook, DaybookUse, Limitation, MasterRead, Project, SubAccount,
    Supplier,
};
use crate::ids::{DaybookCode, PolicyId, ProjectCode, SubAccountCode, SupplierCode};
use crate::money::Currency;
use crate::rules::testing::{Made, SETTINGS, accepted, read, reading};
use crate::rules::{RuleSet, Severity};

const ACCOUNTS: [Made; 13] = [
    ("6410", |_| {}),
    ("6411", |account| account.active = false),
    ("1120", |account| account.kind = AccountType::Other("BANK".into())),
    ("6412", |account| {
        account.only_currency = Currency::new("EUR").ok()
    }),
    ("6413", |account| account.cost_centre = AnalysisUse::Required),
    ("6414", |account| account.cost_centre = AnalysisUse::Forbidden),
    ("2160", |_| {}),
    ("6416", |account| account.project = AnalysisUse::Required),
    ("6417", |account| account.project = AnalysisUse::Forbidden),
    ("6418", |account| account.sub_account = AnalysisUse::Required),
    ("6420", |account| account.limitation = Limitation::AtLeastOne),
    ("6421", |account| account.limitation = Limitation::ExactlyOne),
    ("6415", |_| {}),
];

/// Daybooks and suppliers beside the accounts; account 6415 is not shown any more.
fn chart() -> Chart {
    let mut before = reading(&ACCOUNTS, &[("CC1", true), ("CC9", false)]);
    let daybook = |code: &str, accepts, active| Daybook {
        code: DaybookCode::new(code).unwrap(),
        accepts,
        active,
    };
    before.daybooks = MasterRead::Rows(vec![
        daybook("INV", DaybookUse::SupplierInvoices, true),
        daybook("OLD", DaybookUse::Journals, false),
    ]);
    let supplier = |code: &str, active| Supplier {
        code: SupplierCode::new(code).unwrap(),
        business_relation: None,
        currency: None,
        active,
    };
    before.suppliers = MasterRead::Rows(vec![supplier("S1", true), supplier("S9", false)]);
    before.projects = MasterRead::Rows(vec![Project {
        code: ProjectCode::new("P1").unwrap(),
        description: String::new(),
        active: true,
    }]);
    before.sub_accounts = MasterRead::Rows(vec![SubAccount {
        code: SubAccountCode::new("S1").unwrap(),
        description: String::new(),
        active: true,
    }]);
    let mut after = before.clone();
    after.accounts = reading(&ACCOUNTS[..12], &[]).accounts;
    read(&[before, after])
}

fn told(set: &RuleSet) -> Vec<String> {
    set.against(&chart())
        .iter()
        .map(|finding| format!("{} {} {finding}", finding.at, finding.severity().as_str()))
        .collect()
}

/// Code, severity and subject of each finding.
fn found(rules: &[&str]) -> Vec<String> {
    accepted(rules)
        .against(&chart())
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding.severity().as_str(),
                finding.fault.code(),
                finding.subject
            )
        })
        .collect()
}

/// A cost centre for every line, so that nothing is said of that.
const EVERY: &str = r#" => cost_centre = { from = "tag_gl_code" }"#;

#[test]
fn a_set_whose_codes_can_all_be_posted_to_has_no_finding() {
    assert_eq!(
        found(&[r#"category = "Air" => account = "6410""#, EVERY]),
        [""; 0]
    );
}

#[test]
fn every_code_that_cannot_be_posted_to_is_found_at_its_rule() {
    let findings = found(&[
        r#"category = "A" => account = "9999""#,
        r#"category = "B" => account = "6411""#,
        r#"category = "C" => account = "1120""#,
        r#"category = "D" => account = "6415""#,
        r#"category = "E" => cost_centre = "CC9", sub_account = "S5", project = "P5""#,
        r#"category = "F", reimbursable = false => credit_account = "6413""#,
        EVERY,
    ]);
    assert_eq!(
        findings,
        [
            "error unknown_account rule 1",
            "error inactive_account rule 2",
            "error account_not_postable rule 3",
            "warning account_held rule 4",
            "error inactive_cost_centre rule 5",
            "error unknown_project rule 5",
            "error unknown_sub_account rule 5",
            "error cost_centre_required rule 6",
        ]
    );
}

#[test]
fn a_finding_says_where_what_and_what_to_do() {
    let findings = told(&accepted(&[EVERY, r#"category = "A" => account = "9999""#]));
    assert_eq!(
        findings,
        [
            "4:1 error rule 2: QAD has no account 9999. Correct the code, or create it in QAD and let a cycle read it"
        ]
    );
}

#[test]
fn an_account_of_one_currency_under_a_rule_for_others_is_odd_and_no_more() {
    let findings = found(&[
        r#"category = "A", currency = ["USD", "GBP"] => account = "6412""#,
        r#"category = "B", currency = ["USD", "EUR"] => account = "6412""#,
        r#"category = "C" => account = "6412""#,
        EVERY,
    ]);
    assert_eq!(findings, ["warning account_currency rule 1"]);
}

#[test]
fn settings_are_found_where_they_stand() {
    let text = r#"
[[card_program]]
name = "Visa"
clearing = { account = "2160", cost_centre = "CC9" }
[daybooks]
invoice = "INV"
credit_note = "INV"
journal = "OLD"
[clearing]
reimbursement = "6413"
cards_default = { account = "6414", cost_centre = "CC1" }
[tax.codes]
VAT = "1120"
"#;
    let suppliers = "[suppliers.table]\n\"a@example.com\" = \"S1\"\n\"b@example.com\" = \"S9\"\n\"c@example.com\" = \"S7\"\n";
    let set = RuleSet::parse(&(text.to_owned() + SETTINGS + suppliers)).unwrap();
    let findings: Vec<String> = set
        .against(&chart())
        .iter()
        .map(|finding| format!("{} {} {}", finding.at, finding.fault.code(), finding.subject))
        .collect();
    assert_eq!(
        findings,
        [
            "4:12 inactive_cost_centre [[card_program]] \"Visa\"",
            "7:15 wrong_daybook [daybooks] credit_note",
            "8:11 inactive_daybook [daybooks] journal",
            "10:17 cost_centre_required [clearing] reimbursement",
            "11:17 cost_centre_forbidden [clearing] cards_default",
            "13:7 account_not_postable [tax.codes] VAT",
            "24:19 inactive_supplier [suppliers.table]",
            "25:19 unknown_supplier [suppliers.table]",
        ]
    );
    assert!(
        set.against(&chart())
            .iter()
            .all(|finding| !finding.to_string().contains("@example.com")),
        "an address is no word of a finding: findings are shown where the file may not be"
    );
}

#[test]
fn an_account_that_requires_a_cost_centre_shows_a_line_without_one() {
    let rules = [
        r#"category = "Air" => account = "6413""#,
        r#"tag = "Ohio" => cost_centre = "CC1""#,
    ];
    assert_eq!(
        told(&accepted(&rules)),
        [
            "1:1 warning rule 1: account 6413 requires a cost centre, and some that get it by this rule have none from any \
             rule: a line with category \"Air\", tag \"another tag\". Add a rule that sets `cost_centre` for such lines, or \
             narrow this one"
        ]
    );
}

#[test]
fn that_no_line_can_have_one_is_an_error_whether_qad_requires_it_or_only_we() {
    for (account, code) in [("6413", "cost_centre_required"), ("6410", "cost_centre_required")] {
        let air = format!("category = \"Air\" => account = \"{account}\"");
        let findings = found(&[&air, r#"category = "Hotel" => cost_centre = "CC1""#]);
        assert_eq!(findings, [format!("error {code} rule 1")]);
    }
    let findings = found(&[
        r#"category = "Air" => account = "6410""#,
        r#"tag = "Ohio" => cost_centre = "CC1""#,
    ]);
    assert_eq!(findings, [""; 0], "some line can, and QAD does not insist");
}

#[test]
fn lines_that_a_more_specific_rule_takes_do_not_count() {
    let rules = [
        r#"category = "Air" => account = "6413""#,
        r#"category = "Air", tag = ["Ohio", "Texas"] => account = "6410""#,
        r#"tag = ["Ohio", "Texas"] => cost_centre = "CC1""#,
    ];
    assert_eq!(
        found(&rules),
        ["error cost_centre_required rule 1"],
        "what has a cost centre has another account"
    );
}

#[test]
fn an_account_that_takes_none_shows_a_line_with_one_and_the_rule_that_sets_it() {
    let set = accepted(&[
        r#"category = "Gift" => account = "6414""#,
        r#"tag = "Ohio" => cost_centre = "CC1""#,
    ]);
    let findings = set.against(&chart());
    let finding = findings.first().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(finding.other_at.map(|at| at.to_string()).as_deref(), Some("4:1"));
    assert_eq!(
        finding.fault.to_string(),
        "account 6414 takes no cost centre, and some lines that get it by this rule have one, as rule 2 sets CC1 for a \
         line with category \"Gift\", tag \"Ohio\""
    );
    assert_eq!(finding.severity(), Severity::Warning);
    assert_eq!(
        found(&[
            r#"category = "Gift" => account = "6414""#,
            r#"category = ["Gift", "Air"] => cost_centre = "CC1""#,
        ]),
        ["error cost_centre_forbidden rule 1"],
        "every line has one"
    );
}

#[test]
fn an_account_that_requires_a_project_or_a_sub_account_shows_a_line_without() {
    let project = r#"category = "Air", tag = "Ohio" => project = "P1""#;
    assert_eq!(
        found(&[r#"category = "Air" => account = "6416""#, project, EVERY]),
        ["warning project_required rule 1"]
    );
    assert_eq!(
        found(&[r#"category = "Air" => account = "6416""#, EVERY]),
        ["error project_required rule 1"],
        "no rule sets one at all"
    );
    assert_eq!(
        found(&[r#"category = "Air" => account = "6416", project = "P1""#, EVERY]),
        [""; 0]
    );
    assert_eq!(
        found(&[r#"category = "Air" => account = "6410""#, project, EVERY]),
        [""; 0],
        "an account that may have one asks for nothing"
    );
    assert_eq!(
        found(&[r#"category = "Air" => account = "6418""#, EVERY]),
        ["error sub_account_required rule 1"]
    );
    assert_eq!(
        found(&[r#"reimbursable = false => credit_account = "6416""#, EVERY]),
        ["error project_required rule 1"],
        "a credit account stands alone"
    );
}

#[test]
fn an_account_that_takes_no_project_shows_a_line_with_one() {
    let rules = [
        r#"category = "Air" => account = "6417""#,
        r#"tag = "Ohio" => project = "P1""#,
        EVERY,
    ];
    assert_eq!(
        told(&accepted(&rules)),
        [
            "1:1 warning rule 1: account 6417 takes no project, and some lines that get it by this rule have one, as rule 2 \
             sets P1 for a line with category \"Air\", tag \"Ohio\". Narrow the rule that sets the project so that it leaves \
             out such lines, or name an account that takes one"
        ]
    );
}

#[test]
fn an_account_that_wants_a_cost_centre_or_a_project_shows_a_line_with_neither_and_one_with_both() {
    let (centre, project) = (
        r#"tag = ["Ohio", "Texas"] => cost_centre = "CC1""#,
        r#"tag = ["Texas", "Utah"] => project = "P1""#,
    );
    assert_eq!(
        found(&[r#"category = "Air" => account = "6420""#, centre, project]),
        ["warning cost_centre_or_project_required rule 1"],
        "that some lines have both is in order"
    );
    assert_eq!(
        found(&[r#"category = "Air" => account = "6420""#]),
        ["error cost_centre_or_project_required rule 1"]
    );
    assert_eq!(
        told(&accepted(&[
            r#"category = "Air" => account = "6421""#,
            centre,
            project
        ])),
        [
            "1:1 warning rule 1: account 6421 takes a cost centre or a project, not both, and some lines that get it by this \
             rule have both, as rule 2 sets CC1 and rule 3 sets P1 for a line with category \"Air\", tag \"Texas\". Narrow \
             the rule that sets the cost centre, or the one that sets the project, so that it leaves out such lines",
            "1:1 warning rule 1: account 6421 requires a cost centre or a project, and some that get it by this rule have \
             neither from any rule: a line with category \"Air\", tag \"another tag\". Add a rule that sets `cost_centre` or \
             `project` for such lines, or narrow this one",
        ]
    );
    assert_eq!(
        found(&[
            r#"category = "Air" => account = "6421""#,
            r#"category = "Air" => cost_centre = "CC1""#,
            r#"category = "Hotel" => project = "P1""#,
        ]),
        [""; 0],
        "no line has both, and each has one"
    );
}

#[test]
fn a_code_that_the_line_carries_is_not_judged() {
    for rules in [
        [r#"category = "Gift" => account = "6414""#, EVERY],
        [r#"category = "Air" => account = "6413""#, EVERY],
        [
            r#" => account = { from = "category_gl_code" }"#,
            r#"tag = "Ohio" => cost_centre = "CC1""#,
        ],
    ] {
        assert_eq!(found(&rules), [""; 0]);
    }
}

#[test]
fn a_policy_that_the_connection_has_not_got_shows_nothing() {
    let set = accepted(&[
        r#"category = "Air" => account = "6413""#,
        r#"policy = "AA" => cost_centre = "CC1""#,
    ]);
    let policy = |id: &str| PolicyId::new(id).unwrap();
    assert_eq!(set.against_for(&chart(), &[policy("AA")]), []);
    let findings = set.against_for(&chart(), &[policy("AA"), policy("BB")]);
    assert!(
        findings.len() == 1 && findings[0].to_string().contains("policy \"BB\""),
        "{findings:?}"
    );
}
