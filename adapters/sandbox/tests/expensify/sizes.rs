//! Large populations and large reports.

use serde_json::{Value, json};
use tieout_sandbox::expensify::Expensify;
use tieout_sandbox::expensify::world::ReportId;

use crate::support::*;

#[tokio::test]
async fn a_population_comes_in_one_download_of_many_chunks() {
    let stand_in = stand_in();
    stand_in.world().edit(|world| {
        world.reports.clear();
        for number in 0..20_000 {
            let mut report = report(100_000 + number, "2026-09-02 10:11:12");
            for line in 0..8 {
                report = report.with_expense(expense(
                    &format!("{}", 4_000_000_000_000_000_000 + number * 8 + line),
                    1_000,
                ));
            }
            world.add_report(report);
        }
    });
    let file = exported(
        &stand_in,
        json!({"filters": {"startDate": "2026-01-01"}}),
        json!([]),
        TEMPLATE,
    )
    .await;
    assert!(file.len() > 4 << 20, "the file waits on disk");
    assert_eq!(file.lines().count(), 20_000);
    let last: Value = serde_json::from_str(file.lines().last().unwrap()).unwrap();
    assert_eq!((&last["n"], &last["total"]), (&json!("8"), &json!("8000")));
}

#[tokio::test]
async fn a_report_of_twenty_megabytes_passes() {
    let (config, _) = config();
    let stand_in = Expensify::new(config);
    let comment = "0123456789".repeat(2 << 20);
    stand_in.world().edit(|world| {
        world.reports.get_mut(&ReportId(1000)).unwrap().expenses[0].comment = comment.clone();
    });
    let file = exported(
        &stand_in,
        json!({"filters": {"reportIDList": "1000"}}),
        json!([]),
        TEMPLATE,
    )
    .await;
    let report: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(report["expenses"][0]["comment"].as_str(), Some(comment.as_str()));
}
