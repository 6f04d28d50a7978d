//! The month against itself, against the demo's rule file as text, and its ledger behind the stand-in's own door.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::clock::Clock;
use crate::expensify::world::{Expense, Report, ReportState};
use crate::qad::{QadConfig, QadHandle};

const RULES: &str = include_str!("../../../../bin/demo/rules.toml");

/// Whether the instant lies in October by the clocks of New York, which keep summer time until 1 November.
fn october_in_new_york(instant: DateTime<Utc>) -> bool {
    let offset = TimeDelta::hours(4);
    (dice::at(dice::day(10, 1), 0) + offset..dice::at(dice::day(11, 1), 0) + offset).contains(&instant)
}

fn demo() -> Month {
    month(20_261_001, Size::Demo)
}

fn lines(month: &Month) -> impl Iterator<Item = (&Report, &Expense)> {
    month
        .expensify
        .reports
        .values()
        .flat_map(|report| report.expenses.iter().map(move |line| (report, line)))
}

#[test]
fn the_same_seed_is_the_same_month() {
    let text = |month: &Month| {
        let story = serde_json::to_string(&month.story).unwrap();
        format!("{}{story}", serde_json::to_string(&month.expensify).unwrap())
    };
    assert_eq!(text(&demo()), text(&demo()));
    assert_ne!(text(&demo()), text(&month(2, Size::Demo)));
    // The ledger has no seed.
    let ledger = |month: &Month| format!("{:?}", month.qad.workspace(credentials::QAD_WORKSPACE));
    let suppliers = |month: &Month| {
        let workspace = month.qad.workspace(credentials::QAD_WORKSPACE).unwrap();
        workspace
            .suppliers
            .iter()
            .map(|one| one.code.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(suppliers(&demo()), suppliers(&month(2, Size::Demo)));
    assert!(ledger(&demo()).contains(canary::INVOICE));
}

#[test]
fn four_hundred_reports_were_approved_in_october() {
    for seed in [1, 2, 3, 20_261_001] {
        let month = month(seed, Size::Demo);
        let listed =
            |report: &&Report| matches!(report.state, ReportState::Approved | ReportState::Reimbursed);
        let october = month
            .expensify
            .reports
            .values()
            .filter(listed)
            .filter(|report| report.approved.is_some_and(october_in_new_york))
            .count();
        assert_eq!(october, 400);
        let classes = month.story.classes();
        assert_eq!(
            classes,
            BTreeMap::from([
                ("posted", 400 - 8 - 1 - 2 - classes["rejected"]),
                ("posted or claimed", 2),
                ("rejected", 24),
                ("held", 8),
                ("excluded", 6),
                ("not listed", 17),
            ]),
            "seed {seed}"
        );
    }
}

#[test]
fn every_report_has_a_part_and_every_scene_is_played() {
    let month = demo();
    let told: BTreeSet<_> = month.story.parts.keys().collect();
    assert_eq!(told, month.expensify.reports.keys().collect());
    // The last one named stands for the whole list: an enum's variants count up from 0.
    let played: BTreeSet<usize> = month
        .story
        .parts
        .values()
        .map(|part| part.scene as usize)
        .collect();
    assert_eq!(played, (0..=Scene::NotApproved as usize).collect());
}

#[test]
fn lines_add_up_to_the_total_but_for_the_one_that_shall_not() {
    let month = demo();
    let off: Vec<_> = month
        .expensify
        .reports
        .values()
        .filter(|report| report.total != report.line_sum())
        .map(|report| report.id)
        .collect();
    assert_eq!(off, month.story.of(Scene::TotalDisagrees).collect::<Vec<_>>());
}

#[test]
fn a_transaction_stands_on_one_report_but_for_the_one_that_was_resubmitted() {
    let month = demo();
    let mut bearers: BTreeMap<&str, Vec<expensify::world::ReportId>> = BTreeMap::new();
    for (report, line) in lines(&month) {
        bearers.entry(&line.transaction_id).or_default().push(report.id);
    }
    let twice: Vec<_> = bearers
        .into_values()
        .filter(|reports| reports.len() > 1)
        .collect();
    assert_eq!(twice, [month.story.of(Scene::Resubmitted).collect::<Vec<_>>()]);
}

#[test]
fn the_month_has_the_shapes_of_real_ones() {
    let month = demo();
    let count = |test: &dyn Fn(&Report, &Expense) -> bool| lines(&month).filter(|(r, l)| test(r, l)).count();
    assert!(count(&|_, line| line.bank == pen::SUMMIT_BANK) > 40);
    assert!(count(&|_, line| line.bank == pen::ALPEN_FEED) > 20);
    assert!(count(&|report, line| line.currency != report.currency && line.conversion_rate.is_some()) > 50);
    assert!(count(&|_, line| line.is_distance && line.units.is_some()) > 20);
    assert!(count(&|_, line| !line.attendees.is_empty()) > 10);
    assert!(count(&|_, line| line.tax.is_some()) > 150);
    assert!(count(&|_, line| line.split) >= 9);
    assert!(count(&|_, line| line.amount < 0) >= 8);
    assert!(count(&|_, line| line.comment.len() > 9_000) == 1);
    assert!(count(&|report, line| report.currency == "JPY" && line.effective() % 100 != 0) == 1);
    let currencies: BTreeSet<&str> = lines(&month).map(|(_, line)| line.currency.as_str()).collect();
    assert!(currencies.len() >= 9, "{currencies:?}");
    assert!(count(&|_, line| line.transaction_id.parse::<u64>().unwrap() <= 1 << 53) == 0);
}

#[test]
fn who_is_approved_was_submitted_and_spent_before() {
    let month = demo();
    for report in month.expensify.reports.values() {
        assert!(
            report
                .submitted
                .is_none_or(|submitted| report.created <= submitted),
            "{report:?}"
        );
        if let (Some(submitted), Some(approved)) = (report.submitted, report.approved) {
            assert!(submitted <= approved && approved < now(), "{report:?}");
        }
        let booked_ahead = month.story.parts[&report.id].scene == Scene::LateApprovalOfOctober;
        let last = report.expenses.iter().map(|line| line.created).max().unwrap();
        assert!(
            booked_ahead
                || report
                    .submitted
                    .is_none_or(|submitted| last <= submitted.date_naive()),
            "{report:?}"
        );
    }
}

#[test]
fn the_rule_file_maps_every_category_but_those_left_out_on_purpose() {
    for spend in spend::ALL {
        let named = RULES.contains(&format!("category = \"{}\" }}", spend.category));
        let left_out = UNMAPPED_CATEGORIES.contains(&spend.category);
        assert_eq!(named, !left_out, "{}", spend.category);
        // Where the policy carries an account, it is the one of the rule.
        let account = format!(
            "category = \"{}\" }}\nset = {{ account = \"{}\" }}",
            spend.category, spend.account
        );
        assert!(left_out || RULES.contains(&account), "{}", spend.category);
    }
    for policy in POLICIES {
        assert!(RULES.contains(policy));
    }
}

#[test]
fn every_code_of_the_rule_file_is_in_the_ledger() {
    let world = demo().qad;
    let workspace = world.workspace(credentials::QAD_WORKSPACE).unwrap();
    let after = |key: &str| {
        let mut values = BTreeSet::new();
        for part in RULES.split(&format!("{key} = \"")).skip(1) {
            values.insert(part.split('"').next().unwrap().to_owned());
        }
        assert!(!values.is_empty(), "{key}");
        values
    };
    for account in [
        after("{ account"),
        after("credit_account"),
        after("clearing"),
        after("reimbursement"),
        after("DE19"),
    ]
    .concat_all()
    {
        assert_eq!(
            workspace.accounts.get(&account).unwrap().kind,
            "STANDARD",
            "{account}"
        );
    }
    for centre in after("cost_centre") {
        assert!(workspace.cost_centres.get(&centre).is_some(), "{centre}");
    }
    for project in after("project") {
        assert!(workspace.projects.get(&project).is_some(), "{project}");
    }
    for daybook in [after("invoice"), after("credit_note"), after("journal")].concat_all() {
        assert!(workspace.daybooks.get(&daybook).unwrap().active, "{daybook}");
    }
    let named = people::Staff::hired();
    let named = named.special(people::Standing::InTable);
    let row = format!("\"{}\" = \"EMP-{}-RK\"", named.person.email, named.code);
    assert!(RULES.contains(&row), "{row}");
}

trait ConcatAll {
    fn concat_all(self) -> BTreeSet<String>;
}

impl<const N: usize> ConcatAll for [BTreeSet<String>; N] {
    fn concat_all(self) -> BTreeSet<String> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn the_ledger_has_the_size_of_the_company() {
    let world = demo().qad;
    let workspace = world.workspace(credentials::QAD_WORKSPACE).unwrap();
    assert_eq!(workspace.employees.len(), 250);
    assert_eq!(workspace.suppliers.len(), 250 - 1 + 2);
    assert!(workspace.accounts.len() >= 40 && workspace.cost_centres.len() >= 25);
    assert_eq!(
        workspace
            .cost_centres
            .iter()
            .filter(|centre| !centre.active)
            .count(),
        1
    );
    let open: Vec<u32> = (1..=12)
        .filter(|number| {
            let period = workspace.period(2026, *number).unwrap();
            period.is_open_for(qad::world::Module::Gl) && period.is_open_for(qad::world::Module::Purchasing)
        })
        .collect();
    assert_eq!(open, [10, 11]);
    assert_eq!(workspace.ledger.len(), 3);
}

#[test]
fn many_reports_are_plain_and_one_can_be_large() {
    let many = month(
        4,
        Size::Many {
            reports: 1_000,
            lines: 8,
        },
    );
    assert_eq!(many.expensify.reports.len(), 1_000);
    assert!(many.expensify.reports.values().all(|report| {
        report.expenses.len() == 8 && report.total == report.line_sum() && report.total > 0
    }));
    assert_eq!(many.story.classes(), BTreeMap::from([("posted", 1_000)]));

    let large = one_large(3_000_000);
    let text: usize = lines(&large).map(|(_, line)| line.comment.len()).sum();
    assert!((3_000_000..3_100_000).contains(&text), "{text}");
    assert_eq!(large.expensify.reports.len(), 1);
}

/// The ledger behind the stand-in's own door, in process.
struct Door {
    router: axum::Router,
    token: String,
}

impl Door {
    async fn open() -> Self {
        let router = QadHandle::new(QadConfig {
            clock: Clock::manual(now()).0,
            world: demo().qad,
            ..QadConfig::default()
        })
        .router();
        let mut door = Self {
            router,
            token: String::new(),
        };
        let form = format!(
            "grant_type=password&client_id={}&username={}&password={}",
            credentials::QAD_CLIENT_ID,
            credentials::QAD_USER,
            credentials::QAD_PASSWORD
        );
        let request = Request::post("/clouderp/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form));
        let answer = door.send(request.unwrap()).await;
        door.token = answer["access_token"].as_str().unwrap().to_owned();
        door
    }

    async fn send(&self, request: Request<Body>) -> Value {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = Request::post(format!("/clouderp/api/erp/{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("x-qad-workspace-id", credentials::QAD_WORKSPACE)
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }
}

fn invoice(posting_date: &str, period: u32) -> Value {
    json!({"supplierInvoices": [{
        "uri": "urn:be:com.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice:",
        "dataOperation": "C", "changeStatus": "2", "entityCode": "10USACO", "supplierCode": "EMP-E1145",
        "invoiceType": "INVOICE", "reference": "E2BINV1", "description": "Sample",
        "invoiceDate": posting_date, "postingDate": posting_date, "postingYear": 2026, "postingPeriod": period,
        "daybookCode": "EXPINV", "currencyCode": "EUR", "originalCreditTC": 119.00,
        "invoiceStatusCode": "AP-INITIAL", "isTaxable": false,
        "supplierInvoicePostingLines": [
            {"sequence": 1, "glAccountCode": "6446", "costCenterCode": "1270", "subAccountCode": "20",
             "projectCode": "P100", "debitTC": 100.00, "description": "Brauhaus"},
            {"sequence": 2, "glAccountCode": "1410", "subAccountCode": "20", "debitTC": 19.00, "description": "USt"}]
    }]})
}

#[tokio::test]
async fn the_ledger_takes_an_invoice_of_october_and_none_of_september() {
    let door = Door::open().await;
    let query =
        "supplierInvoices?viewUri=urn:be:com.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice";
    let answer = door.post(query, invoice("2026-10-16T00:00:00.000Z", 10)).await;
    assert_eq!(answer["submitResult"]["success"], json!(true), "{answer}");
    let answer = door.post(query, invoice("2026-09-16T00:00:00.000Z", 9)).await;
    assert_eq!(
        answer["submitResult"]["errors"][0]["code"],
        json!("SIM-PERIOD"),
        "{answer}"
    );
}
