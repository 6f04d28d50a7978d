//! Hostile text goes from Expensify to QAD unharmed: quotes, newlines, emoji, right-to-left, template and markup text,
//! entities, ten thousand characters.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a surprise must end them"
)]

use tieout_sandbox::month::Size;
use tieout_scenarios::Scene;

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
