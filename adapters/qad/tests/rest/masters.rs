//! The chart, read from the stand-in.

use chrono::NaiveDate;
use tieout_domain::chart::{AccountType, AnalysisUse, DaybookUse, Limitation, MasterRead, PeriodState};
use tieout_domain::ports::{Ledger, LedgerError};
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::world::Account;
use tieout_sandbox::qad::{FaultKind, QadShape};
use toml::Table;

use crate::stand_in::{StandIn, WORKSPACE, set};

fn rows<T: std::fmt::Debug>(read: MasterRead<T>) -> Vec<T> {
    match read {
        MasterRead::Rows(rows) => rows,
        MasterRead::Failed(why) => panic!("failed: {why}"),
    }
}

#[tokio::test]
async fn every_master_is_read_in_the_profiles_words() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        set(profile, "masters.accounts.page_size", 2)
    })
    .await;
    let chart = stand_in.client.read_chart().await.unwrap();
    let accounts = rows(chart.accounts);
    assert_eq!(accounts.len(), 7, "in four pages");
    let account = |code: &str| {
        accounts
            .iter()
            .find(|account| account.code.as_str() == code)
            .unwrap()
    };
    assert_eq!(account("6410").cost_centre, AnalysisUse::Required);
    assert_eq!(account("6430").cost_centre, AnalysisUse::Optional);
    assert!(!account("6490").active);
    assert_eq!(account("2100").kind, AccountType::Other("CREDITORCONTROL".into()));
    assert_eq!(
        account("2160").only_currency.map(|currency| currency.code()),
        Some("EUR")
    );
    assert_eq!(
        rows(chart.cost_centres).iter().filter(|row| row.active).count(),
        2
    );
    assert_eq!(rows(chart.sub_accounts).len(), 2);
    assert_eq!(rows(chart.projects).len(), 2);
    let suppliers = rows(chart.suppliers);
    let supplier = suppliers
        .iter()
        .find(|supplier| supplier.code.as_str() == "EMP-E1001")
        .unwrap();
    let employees = rows(chart.employees);
    assert_eq!(
        employees[0].email.as_ref().map(|email| email.as_str()),
        Some("kim@example.com")
    );
    assert_eq!(employees[0].business_relation, supplier.business_relation);
    assert_eq!(supplier.currency.map(|currency| currency.code()), Some("USD"));
    let daybooks = rows(chart.daybooks);
    assert!(
        daybooks
            .iter()
            .any(|daybook| daybook.accepts == DaybookUse::Journals && daybook.code.as_str() == "EXPJE")
    );
    assert!(daybooks.iter().any(|daybook| !daybook.active));
    let periods = rows(chart.periods);
    let may = periods
        .iter()
        .find(|period| period.number == 5 && period.normal)
        .unwrap();
    assert_eq!(
        (may.start, may.end),
        (
            NaiveDate::from_ymd_opt(2024, 5, 1).unwrap(),
            NaiveDate::from_ymd_opt(2024, 5, 31).unwrap()
        )
    );
    assert_eq!(
        (may.general_ledger, may.purchasing),
        (PeriodState::Open, PeriodState::Open)
    );
}

/// A profile that reads what an account is analysed by.
fn analysed(profile: &mut Table) {
    let accounts = |key: &str| format!("masters.accounts.{key}");
    for (column, name) in [
        ("cost_centre", "GL.AnalysisType"),
        ("project", "GL.AnalysisType"),
        ("sub_account", "GL.GLIsDivisionAccount"),
        ("limitation", "GL.GLAnalysisLimitation"),
    ] {
        set(profile, &accounts(&format!("columns.{column}")), name);
    }
    for (word, values) in [
        ("cost_centre_required", vec!["COSTCENTRE"]),
        ("cost_centre_optional", vec!["BOTH"]),
        ("cost_centre_forbidden", vec!["NONE", "PROJECT"]),
        ("project_required", vec!["PROJECT"]),
        ("project_optional", vec!["BOTH"]),
        ("project_forbidden", vec!["NONE", "COSTCENTRE"]),
        ("sub_account_required", vec!["true"]),
        ("sub_account_forbidden", vec!["false"]),
        ("limitation_none", vec!["NONE"]),
        ("limitation_at_least_one", vec!["ATLEASTONE"]),
        ("limitation_both_required", vec!["BOTHREQUIRED"]),
        ("limitation_excluding", vec!["EXCLUDING"]),
    ] {
        set(profile, &accounts(&format!("words.{word}")), values);
    }
}

#[tokio::test]
async fn what_an_account_is_analysed_by_is_read_in_the_profiles_words() {
    use tieout_sandbox::qad::world::{AnalysisUse as Used, Limitation as Joined};
    let stand_in = StandIn::with(QadShape::default(), analysed).await;
    let accounts = [
        (
            "7000",
            Used::Forbidden,
            Used::Forbidden,
            Used::Forbidden,
            Joined::None,
        ),
        (
            "7001",
            Used::Required,
            Used::Forbidden,
            Used::Forbidden,
            Joined::None,
        ),
        (
            "7002",
            Used::Forbidden,
            Used::Required,
            Used::Required,
            Joined::None,
        ),
        (
            "7003",
            Used::Optional,
            Used::Optional,
            Used::Forbidden,
            Joined::None,
        ),
        (
            "7004",
            Used::Required,
            Used::Required,
            Used::Forbidden,
            Joined::None,
        ),
        (
            "7005",
            Used::Optional,
            Used::Optional,
            Used::Forbidden,
            Joined::AtLeastOne,
        ),
        (
            "7006",
            Used::Optional,
            Used::Optional,
            Used::Forbidden,
            Joined::Excluding,
        ),
    ];
    stand_in.handle.edit(|world| {
        let workspace = world.workspace_mut(WORKSPACE).unwrap();
        workspace.accounts.extend(
            accounts.map(|(code, cost_centre, project, sub_account, limitation)| Account {
                cost_centre,
                project,
                sub_account,
                limitation,
                ..Account::expense(code, "Analysed")
            }),
        );
    });
    let read = rows(stand_in.client.read_chart().await.unwrap().accounts);
    let told: Vec<_> = read
        .iter()
        .filter(|account| account.code.as_str().starts_with('7'))
        .map(|account| {
            (
                account.code.as_str(),
                account.cost_centre,
                account.project,
                account.sub_account,
                account.limitation,
            )
        })
        .collect();
    use AnalysisUse::{Forbidden, Optional, Required};
    assert_eq!(
        told,
        [
            ("7000", Forbidden, Forbidden, Forbidden, Limitation::None),
            ("7001", Required, Forbidden, Forbidden, Limitation::None),
            ("7002", Forbidden, Required, Required, Limitation::None),
            ("7003", Optional, Optional, Forbidden, Limitation::None),
            ("7004", Required, Required, Forbidden, Limitation::None),
            ("7005", Optional, Optional, Forbidden, Limitation::AtLeastOne),
            ("7006", Optional, Optional, Forbidden, Limitation::ExactlyOne),
        ]
    );
}

#[tokio::test]
async fn a_master_that_cannot_be_believed_fails_alone() {
    type Change = fn(&mut Table);
    let cases: [(Change, &str); 8] = [
        (
            |profile| set(profile, "masters.accounts.canary", "9999"),
            "did not find its canary 9999",
        ),
        (
            |profile| set(profile, "masters.accounts.columns.code", "ac_mstr.ac_kode"),
            "`ac_mstr.ac_kode`",
        ),
        (
            |profile| set(profile, "masters.accounts.columns.currency", "ac_mstr.currency"),
            "`ac_mstr.currency`",
        ),
        (
            |profile| set(profile, "masters.accounts.words.active", vec!["1"]),
            "`ac_mstr.ac_active`",
        ),
        (
            |profile| set(profile, "masters.accounts.words.cost_centre_required", vec!["CC"]),
            "REQUIRED",
        ),
        (
            |profile| {
                analysed(profile);
                set(profile, "masters.accounts.words.project_required", vec!["PRJ"]);
                set(profile, "masters.accounts.words.project_optional", vec!["PRJ"]);
            },
            "the use of projects",
        ),
        (
            |profile| {
                analysed(profile);
                set(profile, "masters.accounts.words.limitation_none", vec!["-"]);
                set(
                    profile,
                    "masters.accounts.words.cost_centre_optional",
                    vec!["BOTH", "COSTCENTRE"],
                );
                set(
                    profile,
                    "masters.accounts.words.cost_centre_required",
                    Vec::<&str>::new(),
                );
                set(
                    profile,
                    "masters.accounts.words.project_optional",
                    vec!["BOTH", "COSTCENTRE"],
                );
                set(profile, "masters.accounts.words.project_forbidden", vec!["NONE"]);
            },
            "the limitation of its analysis",
        ),
        (
            |profile| set(profile, "masters.accounts.browse_id", "urn:browse:mfg:none"),
            "Invalid URI",
        ),
    ];
    for (change, expected) in cases {
        let stand_in = StandIn::with(QadShape::default(), change).await;
        let chart = stand_in.client.read_chart().await.unwrap();
        assert!(
            matches!(&chart.accounts, MasterRead::Failed(why) if why.contains(expected)),
            "{expected}: {:?}",
            chart.accounts
        );
        assert!(matches!(chart.cost_centres, MasterRead::Rows(_)));
    }
    let stand_in = StandIn::start().await;
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("browse:accounts", FaultKind::EmptyBrowse));
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("browse:suppliers", FaultKind::BrowseFails));
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("browse:periods", FaultKind::HtmlPage));
    let chart = stand_in.client.read_chart().await.unwrap();
    assert!(matches!(chart.accounts, MasterRead::Failed(_)));
    assert!(matches!(chart.suppliers, MasterRead::Failed(_)));
    assert!(matches!(chart.periods, MasterRead::Failed(_)));
    assert!(matches!(chart.daybooks, MasterRead::Rows(_)));
}

#[tokio::test]
async fn a_filter_narrows_a_master_and_knows_the_workspace() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        set(
            profile,
            "masters.periods.filters",
            vec!["Company.CompanyCode,eq,{entity},literal"],
        );
        set(
            profile,
            "masters.cost_centres.filters",
            vec!["cc_mstr.cc_active,eq,true,literal"],
        );
    })
    .await;
    let chart = stand_in.client.read_chart().await.unwrap();
    assert!(rows(chart.periods).len() >= 12);
    assert_eq!(rows(chart.cost_centres).len(), 2);
}

#[tokio::test]
async fn an_unused_master_is_not_asked_for() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        let unused: Table = [("unused".to_owned(), true.into())].into_iter().collect();
        set(profile, "masters.projects", unused);
    })
    .await;
    assert!(rows(stand_in.client.read_chart().await.unwrap().projects).is_empty());
    assert_eq!(stand_in.handle.calls().count("browse:projects"), 0);
}

#[tokio::test]
async fn a_denied_browse_fails_the_whole_reading() {
    let stand_in = StandIn::start().await;
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("browse:employees", FaultKind::Forbidden));
    assert!(matches!(
        stand_in.client.read_chart().await,
        Err(LedgerError::Denied { .. })
    ));
}
