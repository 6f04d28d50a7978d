//! A small world, and a way to call a stand-in in process.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use tieout_sandbox::clock::{Clock, ManualClock};
use tieout_sandbox::expensify::world::{
    Category, Employee, Expense, Person, Policy, Report, ReportId, ReportState, Role, Tag, TagLevel, TaxRate,
    Taxes, World,
};
use tieout_sandbox::expensify::{Config, Expensify, PATH};
use tower::ServiceExt;

pub const POLICY: &str = "0123456789ABCDEF";
pub const SECRET: &str = "S-very-secret";

/// A template as contract §4.9 describes it.
pub const TEMPLATE: &str = r#"<#list reports as report>
{"reportID":"${(report.reportID)!""?json_string}","oldReportID":"${(report.oldReportID?c)!""}","status":"${(report.status)!""?json_string}","name":"${((report.reportName)!"")?json_string}","currency":"${((report.currency)!"")?json_string}","total":"${(report.total?c)!""}","approved":"${((report.approved)!"")?json_string}","ach":"${(report.isACHReimbursed?c)!""}","field":"${((report.customField.Reason_of_trip)!"")?json_string}","expenses":[<#list report.transactionList as expense>{"id":"${((expense.transactionID)!"")?json_string}","amount":"${(expense.amount?c)!""}","modifiedAmount":"<#if (expense.modifiedAmount)?has_content>${expense.modifiedAmount?c}</#if>","convertedAmount":"<#if (expense.convertedAmount)?has_content>${expense.convertedAmount?c}</#if>","currency":"${((expense.currency)!"")?json_string}","merchant":"${((expense.merchant)!"")?json_string}","comment":"${((expense.comment)!"")?json_string}","category":"${((expense.category)!"")?json_string}","gl":"${((expense.categoryGlCode)!"")?json_string}","tag1":"${((expense.ntag1)!"")?json_string}","tag2":"${((expense.ntag2)!"")?json_string}","mileage":"${(expense.units.count?c)!""}","card":"${((expense.cardName)!"")?json_string}","reimbursable":"${(expense.reimbursable?c)!""}"}<#sep>,</#sep></#list>],"n":"${(report.transactionList?size?c)!"0"}"}
</#list>
"#;

pub const IDS_ONLY: &str = "<#list reports as r>${r.reportID}<#lt>\n</#list>";

pub fn utc(text: &str) -> DateTime<Utc> {
    format!("{}Z", text.replace(' ', "T")).parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn expense(transaction: &str, amount: i64) -> Expense {
    Expense {
        transaction_id: transaction.to_owned(),
        kind: "cash".to_owned(),
        amount,
        converted_amount: Some(amount),
        created: day("2026-08-30"),
        merchant: "Cab".to_owned(),
        category: "Meals".to_owned(),
        ..Expense::default()
    }
}

pub fn report(id: u64, approved: &str) -> Report {
    Report {
        submitter: Person {
            email: "ann@acme.com".to_owned(),
            first_name: "Ann".to_owned(),
            ..Person::default()
        },
        ..Report::approved(ReportId(id), POLICY, "USD", utc(approved))
    }
}

/// Four reports: an approved one of contract E2, a paid one, one in each of two other states.
pub fn world() -> World {
    let mut world = World::with_account("aa_etl_acme_com", SECRET);
    let mut policy = Policy::new(POLICY, "Acme US", "USD");
    policy.categories.push(Category {
        name: "Meals".to_owned(),
        enabled: true,
        gl_code: Some("6100".to_owned()),
        are_comments_required: Some(false),
        ..Category::default()
    });
    let tag = |name: &str| Tag {
        name: name.to_owned(),
        enabled: true,
        gl_code: None,
    };
    policy.tags = vec![
        TagLevel {
            name: "Dept".to_owned(),
            tags: vec![tag("Eng"), tag("Ops")],
        },
        TagLevel {
            name: "Team".to_owned(),
            tags: vec![tag("Core")],
        },
    ];
    let rate = |rate: i64, name: &str, id: &str| TaxRate {
        rate: rate.into(),
        name: name.into(),
        rate_id: id.into(),
    };
    policy.tax = Some(Taxes {
        default: "4".to_owned(),
        name: "Tax".to_owned(),
        rates: vec![rate(20, "Standard", "2"), rate(0, "Zero", "4")],
    });
    policy.employees.push(Employee {
        email: "ann@acme.com".to_owned(),
        role: Role::User,
        submits_to: "boss@acme.com".to_owned(),
        employee_id: Some("42".to_owned()),
        custom_field1: None,
        custom_field2: None,
    });
    world.add_policy(policy);

    let mut foreign = expense("4056343049275634494", 10_900);
    foreign.currency = "EUR".to_owned();
    foreign.converted_amount = Some(12_900);
    foreign.tag = "Eng:Core".to_owned();
    let mut first = report(1000, "2026-09-02 10:11:12").with_expense(foreign);
    first
        .custom_fields
        .insert("Reason of trip".to_owned(), "fair".to_owned());
    world.add_report(first);
    let mut paid = report(2000, "2026-09-10 08:00:00").with_expense(expense("4056343049275634495", 500));
    paid.state = ReportState::Reimbursed;
    world.add_report(paid);
    let mut open = report(3000, "2026-09-11 08:00:00").with_expense(expense("4056343049275634496", 700));
    open.state = ReportState::Open;
    open.approved = None;
    open.submitted = None;
    world.add_report(open);
    let mut processing = report(4000, "2026-09-12 08:00:00");
    processing.state = ReportState::Processing;
    processing.approved = None;
    world.add_report(processing);
    world
}

pub fn id(decimal: u64) -> String {
    ReportId(decimal).to_string()
}

/// A config at a fixed time, without limits.
pub fn config() -> (Config, ManualClock) {
    let (clock, hand) = Clock::manual(utc("2026-09-30 12:00:00"));
    (
        Config {
            clock,
            limits: None,
            ..Config::new(world())
        },
        hand,
    )
}

pub fn stand_in() -> Expensify {
    Expensify::new(config().0)
}

pub fn credentials() -> Value {
    json!({"partnerUserID": "aa_etl_acme_com", "partnerUserSecret": SECRET})
}

/// An export job with these `inputSettings` beside their type.
pub fn export_job(input: Value, on_finish: Value) -> Value {
    let mut settings = json!({"type": "combinedReportData"});
    settings
        .as_object_mut()
        .unwrap()
        .extend(input.as_object().unwrap().clone());
    json!({
        "type": "file", "credentials": credentials(), "onReceive": {"immediateResponse": ["returnRandomFileName"]},
        "inputSettings": settings, "outputSettings": {"fileExtension": "txt", "fileBasename": "acme"},
        "onFinish": on_finish,
    })
}

pub fn download_job(name: &str) -> Value {
    json!({"type": "download", "credentials": credentials(), "fileName": name, "fileSystem": "integrationServer"})
}

pub fn form(job: &Value, fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    let mut form = format!("requestJobDescription={}", encode(&job.to_string()));
    for (name, value) in fields {
        form += &format!("&{name}={}", encode(value));
    }
    form
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub body: String,
    pub dropped: bool,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub async fn send(stand_in: &Expensify, request: Request<Body>) -> Answer {
    let response = stand_in.router().oneshot(request).await.unwrap();
    let status = response.status();
    let dropped = response
        .extensions()
        .get::<tieout_sandbox::server::ConnectionDropped>()
        .is_some();
    let content_type = response
        .headers()
        .get("content-type")
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer {
        status,
        content_type,
        body: String::from_utf8(body.into()).unwrap(),
        dropped,
    }
}

pub async fn call(stand_in: &Expensify, job: &Value, fields: &[(&str, &str)]) -> Answer {
    send(
        stand_in,
        Request::post(PATH).body(Body::from(form(job, fields))).unwrap(),
    )
    .await
}

pub async fn control(stand_in: &Expensify, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    send(stand_in, request.body(Body::from(body.to_string())).unwrap()).await
}

/// Exports with `template` and downloads; the file.
pub async fn exported(stand_in: &Expensify, input: Value, on_finish: Value, template: &str) -> String {
    let name = call(stand_in, &export_job(input, on_finish), &[("template", template)]).await;
    assert_eq!(name.status, StatusCode::OK);
    assert!(
        name.body.starts_with("acme") && name.body.ends_with(".txt"),
        "no file name: {}",
        name.body
    );
    call(stand_in, &download_job(&name.body), &[]).await.body
}

/// The decimal ids an export selects.
pub async fn selected(stand_in: &Expensify, input: Value) -> Vec<u64> {
    let template = "<#list reports as r>${r.oldReportID?c}\n</#list>";
    let file = exported(stand_in, input, json!([]), template).await;
    file.lines().map(|line| line.parse().unwrap()).collect()
}
