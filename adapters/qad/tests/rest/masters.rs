//! The chart, read from the stand-in.

use chrono::NaiveDate;
use tieout_domain::chart::{AccountType, CostCentreUse, DaybookUse, MasterRead, PeriodState};
use tieout_domain::ports::{Ledger, LedgerError};
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::{FaultKind, QadShape};
use toml::Table;

use crate::stand_in::{StandIn, set};

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
    assert_eq!(account("6410").cost_centre, CostCentreUse::Required);
    assert_eq!(account("6430").cost_centre, CostCentreUse::Optional);
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

#[tokio::test]
async fn a_master_that_cannot_be_believed_fails_alone() {
    type Change = fn(&mut Table);
    let cases: [(Change, &str); 6] = [
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
