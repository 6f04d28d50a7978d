//! Rendering what clients send over what people typed.

use serde_json::{Value, json};
use tieout_sandbox::expensify::Expensify;
use tieout_sandbox::expensify::world::{ReportId, Units};

use crate::support::*;

fn hostile() -> Vec<String> {
    [
        "quotes \" ' and \\ backslashes \\n",
        "line\nbreaks\r\nand\ttabs",
        "emoji 🚀👩‍👩‍👧 and عربى and \u{202e}right to left",
        "</script><!-- ]]> --> <?",
        "${7*7} #{7} <#list reports as r> <@m/> <#-- x",
        "&amp; &lt; &quot; &#39; & <b>",
        "\u{1}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([String::from("x\"\\🚀\n").repeat(2_000)])
    .collect()
}

#[tokio::test]
async fn hostile_text_survives_as_json() {
    for text in hostile() {
        let stand_in = stand_in();
        stand_in.world().edit(|world| {
            let report = world.reports.get_mut(&ReportId(1000)).unwrap();
            report.name = text.clone();
            report.expenses[0].merchant = text.clone();
            report.expenses[0].comment = text.clone();
        });
        let file = exported(
            &stand_in,
            json!({"filters": {"reportIDList": "1000"}}),
            json!([]),
            TEMPLATE,
        )
        .await;
        assert_eq!(file.lines().count(), 1, "{text:?}");
        let report: Value = serde_json::from_str(&file).unwrap();
        for shown in [
            &report["name"],
            &report["expenses"][0]["merchant"],
            &report["expenses"][0]["comment"],
        ] {
            assert_eq!(shown.as_str(), Some(text.as_str()));
        }
    }
}

#[tokio::test]
async fn the_template_holds_under_every_reading_of_the_contract() {
    let (base, _) = config();
    let mut readings = vec![];
    for strict_numbers in [false, true] {
        for abort_on_error in [false, true] {
            for blanks_are_missing in [false, true] {
                let mut config = base.clone();
                config.quirks.rendering.strict_numbers = strict_numbers;
                config.quirks.rendering.abort_on_error = abort_on_error;
                config.quirks.blanks_are_missing = blanks_are_missing;
                readings.push(config);
            }
        }
    }
    let mut in_passes = base.clone();
    in_passes.quirks.reports_per_pass = Some(1);
    readings.push(in_passes);
    let mut files = Vec::new();
    for config in readings {
        let stand_in = Expensify::new(config);
        files.push(
            exported(
                &stand_in,
                json!({"filters": {"startDate": "2026-01-01"}}),
                json!([]),
                TEMPLATE,
            )
            .await,
        );
    }
    assert_eq!(
        files[0]
            .lines()
            .filter(|line| serde_json::from_str::<Value>(line).is_ok())
            .count(),
        4
    );
    assert!(files.iter().all(|file| file == &files[0]));
}

#[tokio::test]
async fn html_entities_stand_in_text_when_asked_for() {
    let (mut config, _) = config();
    config.quirks.html_escaped_text = true;
    let stand_in = Expensify::new(config);
    stand_in
        .world()
        .edit(|w| w.reports.get_mut(&ReportId(1000)).unwrap().name = "A & B's <\"x\">".to_owned());
    let only = json!({"filters": {"reportIDList": "1000"}});
    let file = exported(&stand_in, only, json!([]), "${reports[0].reportName}").await;
    assert_eq!(file, "A &amp; B&apos;s &lt;&quot;x&quot;&gt;");
}

#[tokio::test]
async fn booleans_are_blank_mileage_is_nested_and_headers_come_once() {
    let (mut config, _) = config();
    config.quirks.reports_per_pass = Some(1);
    let stand_in = Expensify::new(config);
    stand_in.world().edit(|w| {
        let units = Units {
            count: "12.5".parse().unwrap(),
            rate: 67.into(),
            unit: "mi".to_owned(),
        };
        w.reports.get_mut(&ReportId(1000)).unwrap().expenses[0].units = Some(units);
    });
    let template = "<#if addHeader>id,flag\n</#if><#list reports as r><#list r.transactionList as e>\
        ${r.oldReportID?c},[${e.reimbursable}],[${e.units.count}${e.units.unit}],[${e.nosuch}]\n</#list></#list>";
    let file = exported(
        &stand_in,
        json!({"filters": {"reportIDList": "1000,2000"}}),
        json!([]),
        template,
    )
    .await;
    assert_eq!(file, "id,flag\n1000,[],[12.5mi],[]\n2000,[],[],[]\n");
}

#[tokio::test]
async fn a_template_that_does_not_parse_answers_an_envelope_and_marks_nothing() {
    let stand_in = stand_in();
    let mark = json!([{"actionName": "markAsExported", "label": "x"}]);
    let job = export_job(json!({"filters": {"reportIDList": "1000"}}), mark);
    let answer = call(&stand_in, &job, &[("template", "${reports?no_such}")])
        .await
        .json();
    assert_eq!(answer["responseCode"], 500);
    assert!(answer["responseMessage"].as_str().unwrap().contains("no_such"));
    assert!(
        !stand_in
            .world()
            .read(|world| world.reports[&ReportId(1000)].is_marked("x"))
    );
}
