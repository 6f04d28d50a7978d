//! Which reports an export means (contract §2.2 to §2.4).

use serde_json::{Value, json};
use tieout_sandbox::expensify::Expensify;
use tieout_sandbox::expensify::world::{Account, Employee, ReportId, Role};

use crate::support::*;

async fn refusal(stand_in: &Expensify, input: Value) -> Value {
    call(stand_in, &export_job(input, json!([])), &[("template", IDS_ONLY)])
        .await
        .json()["responseCode"]
        .clone()
}

#[tokio::test]
async fn one_bound_is_needed() {
    let stand_in = stand_in();
    assert_eq!(
        refusal(&stand_in, json!({"reportState": "APPROVED", "filters": {}})).await,
        410
    );
    assert_eq!(refusal(&stand_in, json!({"reportState": "APPROVED"})).await, 410);
    let narrow = json!({"policyIDList": POLICY, "markedAsExported": "x"});
    assert_eq!(refusal(&stand_in, json!({"filters": narrow})).await, 410);
}

#[tokio::test]
async fn states_filter_only_where_they_belong() {
    let stand_in = stand_in();
    let all = json!({"startDate": "2026-01-01"});
    assert_eq!(
        selected(&stand_in, json!({"filters": all})).await,
        [1000, 2000, 3000, 4000]
    );
    assert_eq!(
        selected(
            &stand_in,
            json!({"reportState": "APPROVED,REIMBURSED", "filters": all})
        )
        .await,
        [1000, 2000]
    );
    assert_eq!(
        selected(&stand_in, json!({"reportState": "SUBMITTED", "filters": all})).await,
        [4000]
    );
    // Inside the filters it is ignored, and every state comes.
    let misplaced = json!({"startDate": "2026-01-01", "reportState": "APPROVED"});
    assert_eq!(
        selected(&stand_in, json!({"filters": misplaced})).await,
        [1000, 2000, 3000, 4000]
    );
    assert_eq!(
        selected(&stand_in, json!({"limit": "1", "filters": all})).await,
        [1000]
    );
}

#[tokio::test]
async fn the_window_looks_at_the_later_of_submitted_and_created_and_includes_both_ends() {
    let stand_in = stand_in();
    stand_in.world().edit(|w| {
        let report = w.reports.get_mut(&ReportId(1000)).unwrap();
        report.created = utc("2026-03-01 00:00:00");
        report.submitted = Some(utc("2026-03-05 23:59:59"));
        report.approved = Some(utc("2026-05-01 00:00:00"));
    });
    let within = |start: &str, end: &str| {
        let input = json!({"reportState": "APPROVED", "filters": {"startDate": start, "endDate": end}});
        let stand_in = &stand_in;
        async move { selected(stand_in, input).await }
    };
    assert_eq!(within("2026-03-05", "2026-03-05").await, [1000]);
    assert_eq!(within("2026-03-06", "2026-04-30").await, Vec::<u64>::new());
    assert_eq!(within("2026-03-01", "2026-03-04").await, Vec::<u64>::new());
}

#[tokio::test]
async fn approved_after_has_two_readings_and_spares_what_was_never_approved() {
    let (mut config, _) = config();
    let input = || json!({"filters": {"approvedAfter": "2026-09-10"}});
    assert_eq!(
        selected(&Expensify::new(config.clone()), input()).await,
        [2000, 3000, 4000]
    );
    config.quirks.approved_after_is_inclusive = false;
    assert_eq!(selected(&Expensify::new(config), input()).await, [3000, 4000]);
}

#[tokio::test]
async fn no_range_is_longer_than_a_year() {
    let stand_in = stand_in();
    // Today is 2026-09-30.
    for (filters, refused) in [
        (json!({"startDate": "2025-09-30"}), false),
        (json!({"startDate": "2025-09-29"}), true),
        (json!({"approvedAfter": "2025-09-29"}), true),
        (json!({"startDate": "2024-01-01", "endDate": "2025-01-01"}), false),
        (json!({"startDate": "2024-01-01", "endDate": "2025-01-02"}), true),
        (json!({"startDate": "26-01-01"}), true),
    ] {
        let answer = call(
            &stand_in,
            &export_job(json!({"filters": filters}), json!([])),
            &[("template", IDS_ONLY)],
        )
        .await;
        assert_eq!(
            answer.body.contains("\"responseCode\":410"),
            refused,
            "{filters}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn ids_come_in_both_spellings_and_unknown_ones_select_nothing() {
    let stand_in = stand_in();
    let list = format!("{},2000,R00unknown00,99", id(1000));
    assert_eq!(
        selected(&stand_in, json!({"filters": {"reportIDList": list}})).await,
        [1000, 2000]
    );
    assert_eq!(
        selected(&stand_in, json!({"filters": {"reportIDList": "99"}})).await,
        Vec::<u64>::new()
    );
    let other_policy = json!({"reportIDList": "1000", "policyIDList": "FFFFFFFFFFFFFFFF"});
    assert_eq!(
        selected(&stand_in, json!({"filters": other_policy})).await,
        Vec::<u64>::new()
    );
}

#[tokio::test]
async fn accounts_see_what_their_role_shows_and_act_for_others_only_by_grant() {
    let (mut config, _) = config();
    let account = config.world.accounts.get_mut("aa_etl_acme_com").unwrap();
    *account = Account {
        everywhere: false,
        domain_admin: false,
        ..account.clone()
    };
    let everything = || json!({"filters": {"startDate": "2026-01-01"}});
    assert_eq!(
        selected(&Expensify::new(config.clone()), everything()).await,
        Vec::<u64>::new()
    );
    config
        .world
        .policies
        .get_mut(POLICY)
        .unwrap()
        .employees
        .push(Employee {
            email: "owner@sandbox.example".to_owned(),
            role: Role::Auditor,
            submits_to: String::new(),
            employee_id: None,
            custom_field1: None,
            custom_field2: None,
        });
    config.world.reports.get_mut(&ReportId(1000)).unwrap().expenses[0].card_name = "Visa 1".to_owned();
    let stand_in = Expensify::new(config.clone());
    assert_eq!(selected(&stand_in, everything()).await.len(), 4);
    let only = json!({"filters": {"reportIDList": "1000"}});
    let file = exported(
        &stand_in,
        only,
        json!([]),
        "${reports[0].transactionList[0].cardName}",
    )
    .await;
    assert_eq!(file, "Unknown");
    let as_ann = || json!({"employeeEmail": "ann@acme.com", "filters": {"startDate": "2026-01-01"}});
    assert_eq!(refusal(&stand_in, as_ann()).await, 500);
    config
        .world
        .accounts
        .get_mut("aa_etl_acme_com")
        .unwrap()
        .acts_for_others = true;
    assert_eq!(
        selected(&Expensify::new(config), as_ann()).await,
        [1000, 2000, 4000]
    );
}

#[tokio::test]
async fn an_export_needs_its_receiver_its_type_and_its_template() {
    let stand_in = stand_in();
    let job = export_job(json!({"filters": {"reportIDList": "1000"}}), json!([]));
    let answer = call(&stand_in, &job, &[]).await.json();
    assert_eq!(
        answer,
        json!({"responseMessage": "No Template Submitted", "responseCode": 500})
    );
    let mut nested = job.clone();
    nested["template"] = json!("x");
    assert_eq!(call(&stand_in, &nested, &[]).await.json()["responseCode"], 500);
    let mut bare = job.clone();
    bare.as_object_mut().unwrap().remove("onReceive");
    assert_eq!(
        call(&stand_in, &bare, &[("template", "x")]).await.json(),
        json!({"responseCode": 500})
    );
    let mut blank = job.clone();
    blank["inputSettings"]["type"] = json!("");
    assert_eq!(
        call(&stand_in, &blank, &[("template", "x")]).await.json()["responseCode"],
        410
    );
    let mut pdf = job;
    pdf["inputSettings"]["filters"]["reportIDList"] = json!("1000,2000");
    pdf["outputSettings"]["fileExtension"] = json!("pdf");
    assert_eq!(
        call(&stand_in, &pdf, &[("template", "default")])
            .await
            .body
            .split(',')
            .count(),
        2
    );
}

#[tokio::test]
async fn file_names_within_input_settings_are_not_seen() {
    let job = json!({"type": "download", "credentials": credentials(), "inputSettings": {"fileName": "x", "fileSystem": "y"}});
    assert_eq!(call(&stand_in(), &job, &[]).await.json()["responseCode"], 410);
}
