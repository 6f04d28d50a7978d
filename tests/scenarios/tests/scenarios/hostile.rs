//! Hostile text goes from Expensify to QAD unharmed: quotes, newlines, emoji, right-to-left, template and markup text,
//! entities, ten thousand characters.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a surprise must end them"
)]

use serde_json::Value;
use tieout::ports::SystemClock;
use tieout_domain::ports::Clock as _;
use tieout_sandbox::clock::Clock;
use tieout_sandbox::expensify::{Config, ExpensifyStandIn, Limits, Quirks};
use tieout_sandbox::month::{self, Size};
use tieout_scenarios::{SHRINK, Scene, text};

fn hostile() -> Vec<String> {
    [
        "\"quoted\" and 'single' and \\back\\slashed\\",
        "two\nlines\tand a tab",
        "emoji 🍽️🧾 and accents éüßñ",
        "right to left: שלום עולם and مرحبا",
        "</script><script>alert(1)</script>",
        "${7*7} ${.now} #{x}",
        "<#list reports as r>${r}</#list> <#include \"/etc/passwd\">",
        "{\"json\":[1,2,{}]} }} ]]",
        "'; DROP TABLE events; --",
        "=cmd|' /C calc'!A0",
    ]
    .into_iter()
    .map(ToOwned::to_owned)
    .chain([format!("long {}", "comment ".repeat(1_250))])
    .collect()
}

#[tokio::test]
async fn hostile_text_arrives_in_qad_as_it_was_written() {
    let texts = hostile();
    let given = texts.clone();
    let scene = Scene::with(
        Size::Many {
            reports: 1,
            lines: 11,
        },
        move |world| {
            for report in world.reports.values_mut() {
                report.name = given[0].clone();
                for (expense, text) in report.expenses.iter_mut().zip(&given) {
                    expense.merchant = "M".into();
                    expense.comment.clone_from(text);
                }
            }
        },
    )
    .await;
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    let ledger = scene.ledger();
    let held: Vec<&str> = ledger[0]
        .lines
        .iter()
        .map(|line| line.description.as_str())
        .collect();
    for text in &texts {
        let wanted = format!("M: {text}");
        assert!(
            held.contains(&wanted.as_str()),
            "{wanted:.80} is not among {held:#?}"
        );
    }
    assert_eq!(ledger[0].description, texts[0]);

    // And in the trail, beside what was posted.
    let id = scene
        .stand_ins
        .expensify
        .world()
        .read(|world| world.reports.keys().next().unwrap().0);
    let output = scene.tieout(&["trail", &id.to_string(), "--json"]).await;
    let trail: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    let shown: Vec<&str> = trail["report"]["lines"]
        .as_array()
        .unwrap_or_else(|| panic!("{trail:#}"))
        .iter()
        .filter_map(|line| line["comment"].as_str())
        .collect();
    assert_eq!(shown, texts);
    assert_eq!(trail["report"]["title"], texts[0].as_str());
}

/// A server that sends text HTML-escaped: what was typed arrives, entities that were typed as such included.
#[tokio::test]
async fn what_a_server_escapes_arrives_as_it_was_typed() {
    let mut texts = hostile();
    texts.push("typed so: &amp; &lt;b&gt; &amp;amp; &quot;&apos; &nbsp; &#39;".into());
    let given = texts.clone();
    let mut scene = Scene::uncertified(
        Size::Many {
            reports: 1,
            lines: texts.len(),
        },
        move |world| {
            for report in world.reports.values_mut() {
                report.name.clone_from(&given[given.len() - 1]);
                for (expense, text) in report.expenses.iter_mut().zip(&given) {
                    expense.merchant = "\"M\" & <Co>".into();
                    expense.comment.clone_from(text);
                }
            }
        },
    )
    .await;
    let clock = SystemClock::set_to(month::now());
    let config = Config {
        clock: Clock::from_fn(move || clock.now()),
        limits: Some(Limits::shrunk_by(SHRINK)),
        quirks: Quirks {
            html_escaped_text: true,
            ..Quirks::observed()
        },
        ..Config::new(scene.stand_ins.expensify.world().read(Clone::clone))
    };
    let plain = scene.stand_ins.expensify.url();
    scene.stand_ins.expensify = ExpensifyStandIn::start(config).await.unwrap();
    scene.reconfigure(|text| text.replace(&plain, &scene.stand_ins.expensify.url()));
    scene.certify().await;
    let last = scene.settle(6).await;
    assert_eq!(last["stages"]["marked_exported"], 1, "{last:#}");
    let ledger = scene.ledger();
    let held: Vec<&str> = ledger[0]
        .lines
        .iter()
        .map(|line| line.description.as_str())
        .collect();
    let wanted: Vec<String> = texts.iter().map(|text| format!("\"M\" & <Co>: {text}")).collect();
    assert_eq!(held, wanted);
    assert_eq!(ledger[0].description, texts[texts.len() - 1]);
}

/// The stand-in's quirk of contract expensify §4.2: text that comes HTML-escaped is decoded once, and once only.
#[tokio::test]
async fn entities_are_decoded_once() {
    let scene = Scene::with(Size::Many { reports: 1, lines: 1 }, |world| {
        for report in world.reports.values_mut() {
            report.expenses[0].merchant = "Smith &amp; Sons &lt;Ohio&gt;".into();
            report.expenses[0].comment = String::new();
        }
    })
    .await;
    scene.settle(6).await;
    assert_eq!(scene.ledger()[0].lines[0].description, "Smith & Sons <Ohio>");
}
