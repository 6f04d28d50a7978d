//! What a controller must find in a trail.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use tieout_domain::journal::Reader;
use tieout_domain::ports::{Leaf, LedgerMessage};
use tieout_domain::report::{FieldWhy, Personal, Reason, ReasonCode, ReportEvent, StageName};
use tieout_memory::MemoryLog;

use super::{Trail, TrailField, render};
use crate::testing::{
    Envelopes, SUBMITTER, Ticking, append, basis, connection, discovered, entries, journal_of, mapped,
    note_a_move, payable_of, posted, posted_whole, report, started, transaction,
};
use crate::work_list::properties::any_story;

const LINES: [(&str, i64); 2] = [("1", 21_250), ("2", -1_250)];

fn trail_of(events: Vec<ReportEvent>) -> Trail {
    let entries = entries(7, events);
    let leaves: Vec<Leaf> = entries.iter().map(|entry| Leaf(entry.position.0)).collect();
    Trail::of("acme-us", connection(), report(7), &entries, &leaves)
}

fn text_of(trail: &Trail, columns: usize) -> String {
    let mut text = String::new();
    render(trail, &mut text, columns).unwrap();
    text
}

#[test]
fn a_posted_report_shows_every_event_and_every_why() {
    let trail = trail_of(posted_whole(7, &LINES, vec![payable_of(7, &LINES)]));
    let names: Vec<_> = trail.steps.iter().map(|step| step.event).collect();
    assert_eq!(
        names,
        [
            "Discovered",
            "Mapped",
            "PostingStarted",
            "DocumentPosted",
            "Posted"
        ]
    );
    assert!(trail.steps.iter().all(|step| step.not_allowed.is_none()));
    assert_eq!(trail.documents[0].voucher.as_deref(), Some("2026/EXPINV/70"));

    let mapping = trail.steps[1].mapping.as_ref().unwrap();
    let account = mapping.lines[0]
        .fields
        .iter()
        .find(|field| field.why.field == "account")
        .unwrap();
    assert_eq!(
        (
            account.why.source.as_str(),
            account.why.rule.as_str(),
            account.chart.as_deref(),
            account.why.value.as_str()
        ),
        (
            "category = Travel:Air",
            "rule `air travel`",
            Some("chart 12"),
            "6400"
        )
    );
    assert_eq!(
        mapping.lines[1].posted[0].side,
        tieout_domain::posting::Side::Credit,
        "a refund posts on the other side"
    );
}

#[test]
fn only_what_the_chart_holds_is_said_to_be_in_a_chart() {
    let mut events = posted_whole(7, &LINES, vec![payable_of(7, &LINES)]);
    let ReportEvent::Mapped(mapping) = &mut events[1] else {
        panic!("{:?}", events[1])
    };
    let of_the_chart = [
        "supplier",
        "daybook",
        "period",
        "account",
        "cost centre",
        "sub-account",
        "project",
        "credit account",
        "tax account",
        "tax cost centre",
    ];
    let of_itself = [
        "posting date",
        "document date",
        "currency",
        "invoice status",
        "total",
        "amount",
        "tax",
        "tax amount",
    ];
    Arc::make_mut(mapping).headers[0].fields = of_the_chart
        .iter()
        .chain(&of_itself)
        .map(|field| FieldWhy {
            field: (*field).into(),
            value: "1".into(),
            source: "2".into(),
            rule: "3".into(),
        })
        .collect();
    let trail = trail_of(events);
    let told = &trail.steps[1].mapping.as_ref().unwrap().headers[0].fields;
    let (in_chart, alone): (Vec<_>, Vec<_>) = told.iter().partition(|field| field.chart.is_some());
    let names = |fields: Vec<&TrailField>| {
        fields
            .iter()
            .map(|field| field.why.field.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(in_chart), names(alone)),
        (
            of_the_chart.map(String::from).into(),
            of_itself.map(String::from).into()
        )
    );
}

#[test]
fn the_text_is_aligned_and_says_what_happened_in_order() {
    let text = text_of(
        &trail_of(posted_whole(7, &LINES, vec![payable_of(7, &LINES)])),
        100,
    );
    let wanted = "\
  1  2026-11-02T06:00:01Z Mapped
     Every line resolved under rules 3 (abababababab) and chart 12, into supplier invoice
     E0000000000007I1 of 200.00 USD, dated 2026-10-31.
     effective   2026-11-01T06:00:00Z
     by          system: poster
     because of  cycle 00000000-0000-0000-0000-000000000007
     written by  tieout 0.1.0 (test)
     log         leaf 1, event 00000000-0000-0000-0000-000000000002
     supplier invoice E0000000000007I1
       text: October travel
       posting date  2026-10-31  from approved = 2026-11-01 02:00:00, in America/New_York, by
                                 posting.date
     expense 1  212.50, on the supplier invoice
       merchant: Merchant of 1
       amount       212.50  from amount = 21250 hundredths, by hundredths of USD, exactly
       account      6400    from category = Travel:Air, by rule `air travel`, in chart 12
       cost centre  CC-OH   from tag = Ohio, by rule `plants`, in chart 12
       posted: debit 212.50 on account 6400, cost centre CC-OH
               text: a flight
";
    assert!(text.contains(wanted), "{text}");
    assert!(
        text.starts_with(
            "Report R00000000007 of acme-us: Posted (counts as posted)\n  submitter  ada.byron@example.com\n"
        ),
        "{text}"
    );
    for line in text_of(
        &trail_of(posted_whole(7, &LINES, vec![payable_of(7, &LINES)])),
        60,
    )
    .lines()
    {
        assert!(
            crate::text::width(line) <= 60 || !line.trim().contains(' '),
            "{line}"
        );
    }
}

#[test]
fn reasons_come_with_their_remedies_and_refusals_in_qads_own_words() {
    let reason = Reason::of_line(
        ReasonCode::UnmappedAccount,
        &transaction("1"),
        "no rule sets an account for category `Zoo`",
    );
    let rejected = trail_of(vec![
        discovered(7, &LINES),
        ReportEvent::Rejected {
            basis: basis(1),
            reasons: vec![reason],
        },
    ]);
    let text = text_of(&rejected, 200);
    assert!(
        text.contains("- unmapped_account: no rule sets an account for category `Zoo` (expense 1)"),
        "{text}"
    );
    assert!(
        text.contains("Add a rule that gives this category an account"),
        "{text}"
    );

    let (invoice, journal) = (payable_of(7, &LINES), journal_of(7, &[("3", 4_000)]));
    let words = LedgerMessage {
        field: "tGLLine.GL".into(),
        message: "Konto 6400 ist \"gesperrt\" <b>".into(),
        code: "GL-17".into(),
    };
    let refused = trail_of(vec![
        discovered(7, &LINES),
        mapped(vec![invoice.clone(), journal.clone()]),
        started(&invoice, 1),
        posted(&invoice, 70),
        started(&journal, 1),
        ReportEvent::DocumentRefused {
            reference: journal.reference,
            messages: vec![words.clone()],
        },
    ]);
    assert_eq!(refused.steps[5].messages, [words]);
    assert!(text_of(&refused, 200).contains("QAD says: tGLLine.GL: Konto 6400 ist \"gesperrt\" <b> [GL-17]"));
}

#[test]
fn an_event_that_the_table_does_not_allow_is_shown_as_such() {
    let trail = trail_of(vec![discovered(7, &LINES), ReportEvent::Posted]);
    assert!(trail.steps[1].not_allowed.is_some());
    assert!(text_of(&trail, 100).contains("NOT ALLOWED HERE"));
}

#[test]
fn hostile_text_is_verbatim_in_json_and_harmless_on_a_terminal() {
    let hostile = "\"q\" \\ </script> ${7*7} <#list x> &amp; 😀 שלום\u{202e} \u{1b}[2J\nnext";
    let mut event = discovered(7, &LINES);
    if let ReportEvent::Discovered { payload, .. } = &mut event
        && let Personal::Known(personal) = &mut Arc::make_mut(payload).personal
    {
        personal.lines[0].comment = hostile.to_owned();
        personal.lines[1].comment = "漢".repeat(10_000);
    }
    let trail = trail_of(vec![event]);
    let json = serde_json::to_value(&trail).unwrap();
    assert_eq!(json["steps"][0]["captured"]["lines"][0]["comment"], hostile);
    let text = text_of(&trail, 100);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    assert!(
        text.contains("\"q\" \\ </script> ${7*7} <#list x> &amp; 😀 שלום\\u{202e} \\u{1b}[2J\\nnext"),
        "{text}"
    );
    assert_eq!(
        text.matches('漢').count(),
        10_000,
        "a long comment is there to its end"
    );
}

#[tokio::test]
async fn what_was_forgotten_says_so_and_everything_else_stays() {
    let (log, world, sealer) = (MemoryLog::new(), Ticking::default(), Envelopes::default());
    append(
        &log,
        &world,
        &sealer,
        7,
        posted_whole(7, &LINES, vec![payable_of(7, &LINES)]),
    )
    .await;
    let reader = Reader {
        log: &log,
        sealer: &sealer,
    };
    let before = Trail::read(&reader, "acme-us", connection(), report(7))
        .await
        .unwrap()
        .unwrap();
    assert!(text_of(&before, 100).contains(SUBMITTER));

    sealer.forgotten.store(true, Ordering::SeqCst);
    let after = Trail::read(&reader, "acme-us", connection(), report(7))
        .await
        .unwrap()
        .unwrap();
    let (text, json) = (text_of(&after, 100), serde_json::to_string(&after).unwrap());
    for personal in [
        SUBMITTER,
        "Ada",
        "Merchant of",
        "Munich",
        "October travel",
        "a flight",
    ] {
        assert!(!text.contains(personal) && !json.contains(personal), "{personal}");
    }
    assert!(
        text.contains("submitter  (forgotten: this person's data was removed)"),
        "{text}"
    );
    let capture = |trail: &Trail| {
        trail
            .report
            .as_ref()
            .map(|report| (report.payload_hash.clone(), report.total))
            .unwrap()
    };
    assert_eq!(capture(&before), capture(&after), "hashes and amounts stay");
    assert!(after.report.unwrap().forgotten);
    assert!(
        Trail::read(&reader, "acme-us", connection(), report(8))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn the_trail_of_a_log_that_was_moved_says_so_where_it_happened() {
    let (log, world, sealer) = (MemoryLog::new(), Ticking::default(), Envelopes::default());
    let reader = Reader {
        log: &log,
        sealer: &sealer,
    };
    let trail = async || {
        Trail::read(&reader, "acme-us", connection(), report(7))
            .await
            .unwrap()
            .unwrap()
    };
    let mut events = posted_whole(7, &LINES, vec![payable_of(7, &LINES)]);
    let later = events.split_off(4);
    append(&log, &world, &sealer, 7, events).await;
    let unmoved = trail().await;
    assert!(unmoved.moved.is_empty());
    assert_eq!(serde_json::to_value(&unmoved).unwrap().get("moved"), None);
    assert!(!text_of(&unmoved, 100).contains("moved: "));

    note_a_move(&log, &world, &sealer, 4).await;
    append(&log, &world, &sealer, 7, later).await;
    note_a_move(&log, &world, &sealer, 6).await;
    let moved = trail().await;
    let ranks: Vec<_> = moved
        .moved
        .iter()
        .map(|moved| (moved.leaf, moved.events))
        .collect();
    assert_eq!(ranks, [(4, 4), (6, 6)]);
    let json = serde_json::to_value(&moved).unwrap();
    assert_eq!(json["moved"][0]["who"]["name"], "anna");
    assert_eq!(json["moved"][0]["sha256"], "ef".repeat(32));
    let text = text_of(&moved, 400);
    let line = |leaf: u64| {
        let line = format!(
            "\n     moved: everything before leaf {leaf} was copied from /srv/tieout.db to esdb://n1:2113?tls=true, \
             verified event by event, by anna, 2026-11-0"
        );
        text.find(&line).unwrap_or_else(|| panic!("{text}"))
    };
    let last = text.find(" Posted\n").unwrap();
    assert!(
        text.find(" DocumentPosted\n").unwrap() < line(4) && line(4) < last && last < line(6),
        "{text}"
    );
    assert!(text.contains(&format!("; sha256 {}\n", "ef".repeat(32))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_of_any_story_says_something_and_nothing_personal(events in any_story(100), columns in 60usize..200) {
        let count = events.len();
        let trail = trail_of(events);
        prop_assert_eq!(trail.steps.len(), count);
        for step in &trail.steps {
            prop_assert!(step.says.ends_with('.'), "{}", step.says);
            for personal in [SUBMITTER, "Merchant", "Munich", "October travel"] {
                prop_assert!(!step.says.contains(personal), "{}", step.says);
            }
        }
        prop_assert_eq!(trail.state, trail.steps.last().map_or(StageName::Unseen, |step| step.state));
        let text = text_of(&trail, columns);
        prop_assert!(trail.steps.iter().all(|step| text.contains(step.event)));
        let json = serde_json::to_value(&trail).unwrap();
        prop_assert_eq!(json["steps"].as_array().map(Vec::len), Some(count));
    }
}
