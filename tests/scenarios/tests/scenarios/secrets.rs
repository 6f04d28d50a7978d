//! No secret leaves the vault but to the wire, and nothing personal lies open: the whole scenario at the loudest log
//! level, with faults, and then everything that was written is searched.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a surprise must end them"
)]

use std::fs;
use std::path::Path;

use tieout_sandbox::expensify::FaultKind as Expensify;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{Size, credentials};
use tieout_sandbox::qad::FaultKind as Qad;
use tieout_scenarios::{Scene, text};

/// A secret as it could be written: plain, percent-encoded, JSON-escaped, in base64.
fn forms(secret: &str) -> Vec<String> {
    let mut percent = String::new();
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            percent.push(char::from(byte));
        } else {
            percent.push_str(&format!("%{byte:02X}"));
        }
    }
    let json = serde_json::to_string(secret).unwrap();
    vec![
        secret.to_owned(),
        percent,
        json.trim_matches('"').to_owned(),
        base64(secret.as_bytes()),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    !needle.is_empty()
        && haystack
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
}

/// Every file of the installation but the vault and its key, which may hold secrets (sealed) and keys.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_file() && name != "tieout.key" {
            found.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    found
}

#[tokio::test]
async fn nothing_that_was_written_holds_a_secret_and_the_log_holds_no_person_in_clear() {
    let scene = Scene::with(Size::Many { reports: 6, lines: 2 }, |world| {
        for report in world.reports.values_mut() {
            report.submitter.email = "kim.unmistakable@example.com".into();
            report.name = "Unmistakable title".into();
            for expense in &mut report.expenses {
                expense.merchant = "Unmistakable Merchant".into();
                expense.comment = "an unmistakable comment".into();
            }
        }
    })
    .await;
    let source = scene.stand_ins.expensify.faults();
    source.add(FaultRule::next("export", Expensify::TooManyRequestsInBody));
    source.add(FaultRule::next("download", Expensify::HtmlPage).after(1));
    // A line that cannot be read is kept as evidence: who stands on it must not be.
    source.add(FaultRule::next("download", Expensify::LineGarbled { line: 1 }));
    let ledger = scene.stand_ins.qad.handle();
    ledger
        .faults()
        .add(FaultRule::next("post:*", Qad::ErrorAfter { status: 502 }));
    ledger
        .faults()
        .add(FaultRule::next("post:*", Qad::HtmlPageAfter).after(1));
    ledger
        .faults()
        .add(FaultRule::next("post:*", Qad::TokenExpired).after(2));

    let mut said = Vec::new();
    let loud: &[(&str, &str)] = &[("RUST_BACKTRACE", "1")];
    // First answers that give our own words back, in every form in which we send them.
    let proxy = scene.through_a_proxy().await;
    proxy.rewrite_answers(|_| {
        format!(
            "<html>bad request: {}</html>",
            forms(credentials::EXPENSIFY_SECRET)[..3].join(" ")
        )
    });
    let echoed = scene.run(&["sync", "--log", "trace"], loud).await;
    assert!(
        text(&echoed).contains("bad request"),
        "the answer is shown: {}",
        text(&echoed)
    );
    said.push(("an echo".into(), echoed.stdout, echoed.stderr));
    proxy.rewrite_answers(|_| {
        format!(
            "{{\"responseCode\":410,\"responseMessage\":\"not {}\"}}",
            credentials::EXPENSIFY_SECRET
        )
    });
    let echoed = scene.run(&["sync", "--log", "trace"], loud).await;
    assert!(
        text(&echoed).contains("410 not"),
        "the answer is shown: {}",
        text(&echoed)
    );
    said.push(("an echo in an envelope".into(), echoed.stdout, echoed.stderr));
    scene.reconfigure(|text| text.replace(&proxy.url, &scene.stand_ins.expensify.url()));
    for args in [
        vec!["sync", "--log", "trace"],
        vec!["sync", "--log", "trace", "--json"],
        vec!["sync", "--log", "trace", "--dry-run"],
        vec!["reports", "--log", "trace", "--json"],
        vec!["doctor", "--log", "trace", "--json"],
    ] {
        let output = scene.run(&args, loud).await;
        said.push((args.join(" "), output.stdout, output.stderr));
    }
    // A crash in the middle of a cycle leaves nothing either.
    scene.stand_ins.expensify.world().edit(|world| {
        for report in world.reports.values_mut() {
            report.markings.clear();
        }
    });
    let crashed = scene
        .run(
            &["sync", "--log", "trace"],
            &[("TIEOUT_CRASH_AT", "polled"), ("RUST_BACKTRACE", "full")],
        )
        .await;
    said.push(("a crash".into(), crashed.stdout, crashed.stderr));
    // And wrong credentials are answered with errors, which are said.
    scene.stand_ins.qad.handle().edit(|world| {
        for user in world.users.values_mut() {
            user.password = "another".into();
        }
    });
    let refused = scene.tieout(&["sync", "--log", "trace"]).await;
    assert!(
        text(&refused).contains("QAD refused the credentials"),
        "{}",
        text(&refused)
    );
    said.push(("a refused login".into(), refused.stdout, refused.stderr));

    assert!(
        said.iter().any(|(_, _, err)| err.len() > 10_000),
        "the log was not loud"
    );
    for secret in [credentials::EXPENSIFY_SECRET, credentials::QAD_PASSWORD] {
        for form in forms(secret) {
            for (name, out, err) in &said {
                assert!(!holds(out, &form), "{name} prints `{form}`");
                assert!(!holds(err, &form), "{name} logs `{form}`");
            }
            for (name, bytes) in files(scene.config.parent().unwrap()) {
                assert!(!holds(&bytes, &form), "{name} holds `{form}`");
            }
        }
    }
    for personal in [
        "kim.unmistakable",
        "Unmistakable title",
        "Unmistakable Merchant",
        "unmistakable comment",
    ] {
        for (name, bytes) in files(scene.config.parent().unwrap()) {
            if name.starts_with("tieout.db") || name == "tieout.people" {
                assert!(!holds(&bytes, personal), "{name} holds `{personal}` in clear");
            }
        }
    }
}
