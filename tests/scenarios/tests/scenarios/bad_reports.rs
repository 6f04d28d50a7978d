//! What is wrong with one report ends in an event of that report with its reason and remedy, beside reports that post;
//! once it is put right at the source, it posts too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a surprise must end them"
)]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tieout_domain::report::StageName;
use tieout_sandbox::month::Size;
use tieout_scenarios::{Scene, text};

/// A kind of bad report: what it is, the reason it is rejected for, what the message names, and how its line in the
/// download is spoilt.
struct Bad {
    kind: &'static str,
    code: &'static str,
    names: &'static str,
    spoil: fn(&mut Value),
}

/// Sets a field of the report.
macro_rules! report {
    ($kind:literal, $code:literal, $names:literal, $($field:literal = $value:literal),+) => {
        Bad { kind: $kind, code: $code, names: $names, spoil: |report| { $(report[$field] = json!($value);)+ } }
    };
}
/// Sets a field of its first expense.
macro_rules! line {
    ($kind:literal, $code:literal, $names:literal, $($field:literal = $value:literal),+) => {
        Bad { kind: $kind, code: $code, names: $names, spoil: |report| { $(report["lines"][0][$field] = json!($value);)+ } }
    };
}

const TABLE: &[Bad] = &[
    report!(
        "a line count that disagrees",
        "line_count_disagrees",
        "3",
        "n" = "3"
    ),
    report!("no line count", "line_count_disagrees", "", "n" = ""),
    report!(
        "a status nobody knows",
        "unknown_status",
        "Blessed",
        "status" = "Blessed"
    ),
    report!(
        "a currency that is none",
        "unknown_currency",
        "XQQ",
        "currency" = "XQQ"
    ),
    line!(
        "a line in a currency that is none",
        "unknown_currency",
        "Q1",
        "currency" = "Q1"
    ),
    report!(
        "a total that is another",
        "total_disagrees",
        "100 hundredths",
        "total" = "100"
    ),
    report!(
        "a total that is no number",
        "unreadable_amount",
        "12,50",
        "total" = "12,50"
    ),
    report!("no total", "unreadable_amount", "", "total" = ""),
    line!(
        "an amount that is no number",
        "unreadable_amount",
        "12.5",
        "convertedAmount" = "12.5"
    ),
    line!(
        "an amount beyond measure",
        "unreadable_amount",
        "",
        "convertedAmount" = "99999999999999999999999"
    ),
    line!(
        "a date that is none",
        "unreadable_date",
        "31/12/2026",
        "created" = "31/12/2026"
    ),
    report!(
        "an approval that is no date",
        "unreadable_date",
        "last week",
        "approved" = "last week"
    ),
    line!(
        "a flag that is none",
        "unreadable_flag",
        "reimbursable",
        "reimbursable" = "perhaps"
    ),
    line!("no flag", "unreadable_flag", "reimbursable", "reimbursable" = ""),
    line!(
        "a foreign line without its value",
        "missing_conversion",
        "EUR",
        "currency" = "EUR",
        "convertedAmount" = ""
    ),
    line!("two amounts", "amounts_disagree", "", "modifiedAmount" = "1"),
    report!(
        "no submitter",
        "no_submitter",
        "",
        "accountEmail" = "",
        "submitterEmail" = ""
    ),
    Bad {
        kind: "one expense twice",
        code: "duplicate_line",
        names: "",
        spoil: |report| {
            let first = report["lines"][0].clone();
            report["lines"].as_array_mut().unwrap().push(first);
            report["n"] = json!("3");
        },
    },
    Bad {
        kind: "half a yen",
        code: "amount_remainder",
        names: "JPY",
        spoil: |report| {
            report["currency"] = json!("JPY");
            for line in report["lines"].as_array_mut().unwrap() {
                line["currency"] = json!("JPY");
                line["convertedAmount"] = json!("12350");
                line["amount"] = json!("12350");
            }
            report["total"] = json!("24700");
        },
    },
];

/// The download with each report that stands in `which` spoilt.
fn spoilt(download: &str, which: &BTreeMap<String, usize>) -> String {
    let line = |line: &str| -> String {
        let Ok(mut report) = serde_json::from_str::<Value>(line) else {
            return line.to_owned();
        };
        let Some(place) = report["oldReportID"].as_str().and_then(|id| which.get(id)) else {
            return line.to_owned();
        };
        (TABLE[*place].spoil)(&mut report);
        report.to_string()
    };
    download
        .split_inclusive('\n')
        .map(|text| format!("{}\n", line(text.trim_end_matches('\n'))))
        .collect()
}

#[tokio::test]
async fn a_bad_report_is_rejected_with_its_reason_and_posts_once_put_right() {
    // One report more than the table is long: a good one among the bad.
    let reports = TABLE.len() + 1;
    let scene = Scene::with(Size::Many { reports, lines: 2 }, |_| {}).await;
    let ids: Vec<u64> = scene
        .stand_ins
        .expensify
        .world()
        .read(|world| world.reports.keys().map(|id| id.0).collect());
    let which: BTreeMap<String, usize> = ids
        .iter()
        .take(TABLE.len())
        .enumerate()
        .map(|(at, id)| (id.to_string(), at))
        .collect();
    let proxy = scene.through_a_proxy().await;
    proxy.rewrite_answers(move |answer| {
        if answer.contains("\"trailer\"") {
            spoilt(answer, &which)
        } else {
            answer.to_owned()
        }
    });

    let output = scene.tieout(&["sync", "--json"]).await;
    let cycles: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    assert_eq!(
        output.status.code(),
        Some(1),
        "a rejected report needs a person: {}",
        text(&output)
    );
    assert_eq!(
        cycles[0]["complete"],
        true,
        "what is wrong with a report is not wrong with the poll: {}",
        text(&output)
    );
    assert_eq!(cycles[0]["stages"]["rejected"], TABLE.len(), "{:#}", cycles[0]);
    assert_eq!(
        scene.ledger().len(),
        1,
        "the good one is posted, and nothing else"
    );

    let rows: BTreeMap<u64, _> = scene
        .rows()
        .await
        .into_iter()
        .map(|row| (row.report_id.decimal(), row))
        .collect();
    assert_eq!(rows.len(), reports, "every report is on record");
    for (bad, id) in TABLE.iter().zip(&ids) {
        let row = &rows[id];
        let reasons = row.reasons();
        assert_eq!(row.stage(), StageName::Rejected, "{}: {reasons:?}", bad.kind);
        let said: Vec<&str> = reasons
            .iter()
            .filter(|reason| reason.code.as_str() == bad.code)
            .map(|reason| reason.message.as_str())
            .collect();
        assert!(
            !said.is_empty(),
            "{}: not rejected for {}: {reasons:#?}",
            bad.kind,
            bad.code
        );
        assert!(
            said.iter().any(|message| message.contains(bad.names)),
            "{}: {said:?} does not name {}",
            bad.kind,
            bad.names
        );
        assert!(
            reasons.iter().all(|reason| !reason.remedy().is_empty()),
            "{}",
            bad.kind
        );
    }
    // The command line tells the same, with what to do.
    let listed = scene.tieout(&["reports", "--json", "--state", "rejected"]).await;
    let listed: Value =
        serde_json::from_slice(&listed.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&listed)));
    assert_eq!(listed.as_array().map(Vec::len), Some(TABLE.len()), "{listed:#}");
    for report in listed.as_array().unwrap() {
        let reasons = report["reasons"].as_array().unwrap();
        assert!(
            !reasons.is_empty()
                && reasons
                    .iter()
                    .all(|r| r["remedy"].as_str().is_some_and(|text| text.len() > 10)),
            "{report:#}"
        );
    }

    proxy.be_transparent();
    let last = scene.settle(6).await;
    scene.all_is_done(reports, &last, "put right at the source").await;
}
