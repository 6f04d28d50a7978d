//! The two promises of the work list: a row tells the same story as the aggregate, and a rebuilt view is the live one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::sample::Index;
use tieout_domain::journal::Reader;
use tieout_domain::posting::Document;
use tieout_domain::report::{
    AfterReversal, CaseName, DocumentState, Doubt, Exclusion, Reason, ReasonCode, Report, ReportEvent, Step,
};
use tieout_memory::MemoryLog;

use super::{CaseKind, DocumentStanding, Row, VIEW, WorkListView, apply, submitter_of};
use crate::testing::{
    Envelopes, MemoryViews, SUBMITTER, Ticking, append, append_foreign, basis, connection, discovered,
    entries, facts, instance, journal_of, key, mapped, moment, note_a_move, payable_of, payload, posted,
    posted_whole, report, revised, row_of, started,
};
use tieout_domain::ids::{Label, PersonName};
use tieout_domain::ports::{LedgerMessage, Log};

const LINES: [(&str, i64); 2] = [("1", 21_250), ("2", -1_250)];

fn invoice(generation: u32) -> Document {
    let mut document = payable_of(7, &LINES);
    for _ in 1..generation {
        document.reference.generation = document.reference.generation.next();
    }
    document
}

fn label() -> Label {
    Label::new("tieout-acme").unwrap()
}

/// Any event at all, allowed or not, over a small universe so that sequences often go somewhere.
fn any_event() -> impl Strategy<Value = ReportEvent> {
    let reason = Reason::of_report(ReasonCode::NoPeriod, "no period of QAD contains 2031-01-01");
    let documents = prop_oneof![
        (1u32..3).prop_map(invoice),
        Just(journal_of(7, &[("3", 4_000)])),
        Just(payable_of(7, &[("1", -500)])),
    ];
    let either = documents.clone();
    prop_oneof![
        2 => Just(discovered(7, &LINES)),
        1 => Just(revised(7, &[("1", 100)])),
        1 => Just(ReportEvent::Withdrawn),
        4 => (documents, any::<bool>()).prop_map(|(document, two)| {
            let second = two.then(|| journal_of(7, &[("3", 4_000)]));
            let second = second.filter(|second| second.reference != document.reference);
            mapped(std::iter::once(document).chain(second).collect())
        }),
        1 => Just(mapped(Vec::new())),
        1 => Just(ReportEvent::Rejected { basis: basis(1), reasons: vec![reason.clone()] }),
        1 => Just(ReportEvent::Held { basis: basis(1), reasons: vec![reason], until: None }),
        12 => (either, 0u8..8, any::<bool>()).prop_map(|(document, which, flag)| match which {
            0 | 1 => started(&document, 1),
            2 | 3 => posted(&document, 1001),
            4 => ReportEvent::DocumentRefused {
                reference: document.reference,
                messages: vec![LedgerMessage { field: "glAccount".into(), message: "is not active".into(), code: "1".into() }],
            },
            5 => ReportEvent::PostingInDoubt {
                reference: document.reference,
                doubt: if which == 5 && document.reference.kind == tieout_domain::ids::DocumentKind::Journal && flag {
                    Doubt::WarnedOfDuplicate { key: Some(key(8)), warning: "it already exists".into() }
                } else if flag {
                    Doubt::Abandoned { owner: instance() }
                } else {
                    Doubt::Differs { key: key(9), differences: Vec::new() }
                },
                since: if flag { moment() } else { tieout_domain::time::Moment { at: crate::testing::at(99), ..moment() } },
            },
            6 => ReportEvent::PostingFailed { reference: document.reference, why: "connection refused".into() },
            _ => ReportEvent::DocumentReversed {
                reference: document.reference,
                ledger_reference: "REV1".into(),
                then: if flag { AfterReversal::PlannedAgain } else { AfterReversal::Excluded },
                why: flag.then(|| "the wrong account".to_owned()),
            },
        }),
        4 => Just(ReportEvent::Posted),
        2 => Just(ReportEvent::MarkingStarted { label: label() }),
        3 => Just(ReportEvent::MarkedExported { label: label(), listed_at: crate::testing::at(5) }),
        2 => (0u32..12).prop_map(|step| ReportEvent::Rewound { to: Step(step), why: "again".into() }),
        1 => Just(ReportEvent::Excluded(Exclusion::NothingToPost)),
        1 => Just(ReportEvent::SourceGone),
        2 => prop::sample::select(vec![
            (CaseName::SourceDrifted, None),
            (CaseName::SourceGone, None),
            (CaseName::PaidAtSource, None),
            (CaseName::DocumentDrifted, Some(invoice(1).reference)),
        ])
        .prop_map(|(case, reference)| ReportEvent::CaseClosed { case, reference }),
        1 => Just(ReportEvent::PaidAtSource),
        1 => Just(ReportEvent::DocumentDrifted { reference: invoice(1).reference, differences: Vec::new() }),
        1 => Just(match discovered(7, &[("1", 1)]) {
            ReportEvent::Discovered { payload, payload_hash, material_hash } => {
                ReportEvent::SourceDrifted { payload, payload_hash, material_hash, differences: Vec::new() }
            }
            other => other,
        }),
    ]
}

/// Events of which most are allowed where they come, so that stories go all the way; a few are not.
pub(crate) fn any_story(tries: usize) -> impl Strategy<Value = Vec<ReportEvent>> {
    prop::collection::vec((any_event(), prop::bool::weighted(0.15)), 0..tries).prop_map(|tried| {
        let mut report = Report::default();
        let mut story = Vec::new();
        for (event, anyway) in tried {
            if anyway || tieout_domain::report::admit(&report, &event).is_ok() {
                report = report.evolve(&event);
                story.push(event);
            }
        }
        story
    })
}

/// What the row says of a document, in the aggregate's words.
fn tells_the_same(standing: &DocumentStanding, state: &DocumentState) -> bool {
    match (standing, state) {
        (DocumentStanding::Planned, DocumentState::Planned) => true,
        (DocumentStanding::Sending { attempt: a }, DocumentState::Sending { attempt: b, .. }) => a == b,
        (
            DocumentStanding::InDoubt {
                attempt: a,
                doubt: da,
                since: sa,
                ..
            },
            DocumentState::InDoubt {
                attempt: b,
                doubt: db,
                since: sb,
            },
        ) => a == b && *da == db.describe() && *sa == sb.at,
        (
            DocumentStanding::Posted { key: a, proof: pa },
            DocumentState::Posted {
                key: b, proof: pb, ..
            },
        ) => a == b && pa == pb,
        (DocumentStanding::Refused { messages: a }, DocumentState::Refused { messages: b }) => a == b,
        (
            DocumentStanding::Reversed { ledger_reference: a },
            DocumentState::Reversed { ledger_reference: b },
        ) => a == b,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_row_tells_the_story_of_the_aggregate_after_any_events(events in any_story(160)) {
        let mut aggregate = Report::default();
        let mut row = Row::new(connection(), report(7));
        for entry in entries(7, events) {
            aggregate = aggregate.evolve(&entry.event);
            apply(&mut row, &entry);
            // What is stored and read again is what the next event meets.
            row = serde_json::from_value(serde_json::to_value(&row).unwrap()).unwrap();

            prop_assert_eq!(row.stage(), aggregate.stage().name());
            prop_assert_eq!(Step(row.steps), aggregate.next_step());
            let told: Vec<_> = row.cases.iter().map(|case| (case.case, case.reference)).collect();
            let open = aggregate.cases().iter();
            let open: Vec<_> = open.map(|case| (CaseKind::from(case.name()), case.reference())).collect();
            prop_assert_eq!(told, open);
            let files = aggregate.dossier().map(|dossier| dossier.documents.as_slice()).unwrap_or_default();
            prop_assert_eq!(row.now.documents.len(), files.len());
            for (document, file) in row.now.documents.iter().zip(files) {
                prop_assert_eq!(document.reference, file.document.reference);
                prop_assert_eq!(document.amount, file.document.amount());
                prop_assert!(tells_the_same(&document.standing, &file.state), "{:?} {:?}", document, file.state);
            }
            match aggregate.stage() {
                tieout_domain::report::Stage::Rejected { reasons, .. } | tieout_domain::report::Stage::Held { reasons, .. } => {
                    prop_assert_eq!(&row.now.reasons, reasons);
                }
                tieout_domain::report::Stage::Excluded { why, .. } => prop_assert_eq!(row.now.excluded.as_ref(), Some(why)),
                _ => prop_assert!(row.now.reasons.is_empty() && row.now.excluded.is_none()),
            }
            let label = match aggregate.stage() {
                tieout_domain::report::Stage::Posted { marking, .. } => marking.as_ref(),
                tieout_domain::report::Stage::MarkedExported { label, .. } => Some(label),
                _ => None,
            };
            prop_assert_eq!(row.now.label.as_ref(), label);
            let captured = aggregate.capture().map(|capture| capture.payload.facts.lines.len() as u64);
            prop_assert_eq!(row.capture().map(|capture| capture.line_count), captured);
            let waypoints: Vec<_> = row.waypoints.iter().map(|(step, standing)| (*step, standing.stage.0)).collect();
            prop_assert_eq!(waypoints, aggregate.waypoints().collect::<Vec<_>>());
        }
    }
}

/// Interleaves the events of several reports, keeping the order within each.
fn interleaved(mut stories: Vec<(u64, Vec<ReportEvent>)>, picks: &[Index]) -> Vec<(u64, ReportEvent)> {
    let mut woven = Vec::new();
    for pick in picks {
        stories.retain(|(_, events)| !events.is_empty());
        if stories.is_empty() {
            break;
        }
        let which = pick.index(stories.len());
        let (id, events) = &mut stories[which];
        woven.push((*id, events.remove(0)));
    }
    woven
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_rebuilt_view_is_byte_for_byte_the_live_one_however_the_log_was_split(
        seven in any_story(60),
        picks in prop::collection::vec(any::<Index>(), 40),
        stops in prop::collection::vec(any::<bool>(), 40),
        page in 1usize..9,
    ) {
        runtime().block_on(async {
            let (log, world, sealer) = (MemoryLog::new(), Ticking::default(), Envelopes::default());
            let (live, rebuilt) = (MemoryViews::default(), MemoryViews::default());
            let whole = posted_whole(8, &LINES, vec![payable_of(8, &LINES)]);
            let view = WorkListView::with_pages_of(page);
            for ((id, event), stop) in interleaved(vec![(7, seven), (8, whole)], &picks).into_iter().zip(stops) {
                append(&log, &world, &sealer, id, vec![event]).await;
                append_foreign(&log, &world, "poll-of-somebody").await;
                if stop {
                    view.catch_up(&log, &live).await.unwrap();
                }
            }
            view.catch_up(&log, &live).await.unwrap();
            // Somebody is forgotten between: a view holds nothing of a person, so it is the same view.
            sealer.forgotten.store(true, Ordering::SeqCst);
            WorkListView::default().rebuild(&log, &rebuilt).await.unwrap();
            prop_assert_eq!(live.bytes(VIEW), rebuilt.bytes(VIEW));
            WorkListView::with_pages_of(2).rebuild(&log, &live).await.unwrap();
            prop_assert_eq!(live.bytes(VIEW), rebuilt.bytes(VIEW));
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_stored_row_holds_nothing_personal_and_the_submitter_is_opened_from_the_log_until_forgotten() {
    let (log, world, sealer, views) = (
        MemoryLog::new(),
        Ticking::default(),
        Envelopes::default(),
        MemoryViews::default(),
    );
    append(
        &log,
        &world,
        &sealer,
        8,
        posted_whole(8, &LINES, vec![payable_of(8, &LINES)]),
    )
    .await;
    let view = WorkListView::default();
    view.catch_up(&log, &views).await.unwrap();

    let stored = String::from_utf8(views.bytes(VIEW)).unwrap();
    for personal in [
        SUBMITTER,
        "Ada",
        "Merchant",
        "Munich",
        "October travel",
        "a flight",
        "charles",
    ] {
        assert!(!stored.contains(personal), "{personal}");
    }
    let row = view.row(&views, connection(), report(8)).await.unwrap().unwrap();
    let reader = Reader {
        log: &log,
        sealer: &sealer,
    };
    assert_eq!(
        submitter_of(&reader, &row).await.unwrap().as_deref(),
        Some(SUBMITTER)
    );
    sealer.forgotten.store(true, Ordering::SeqCst);
    assert_eq!(submitter_of(&reader, &row).await.unwrap(), None);
}

#[tokio::test]
async fn a_payload_split_over_many_events_is_folded_and_its_submitter_found() {
    let (log, world, sealer, views) = (
        MemoryLog::new(),
        Ticking::default(),
        Envelopes::default(),
        MemoryViews::default(),
    );
    let mut large = facts(9, "USD", &LINES);
    large.lines[0].external_id = "x".repeat(1_500_000);
    let payload = payload(large);
    let (material_hash, payload_hash) = (payload.material_hash("00"), payload.payload_hash().unwrap());
    let event = ReportEvent::Discovered {
        payload,
        payload_hash,
        material_hash,
    };
    append(&log, &world, &sealer, 9, vec![event]).await;

    let view = WorkListView::with_pages_of(2);
    let caught = view.catch_up(&log, &views).await.unwrap();
    assert_eq!(caught.events, 1);
    let row = view.row(&views, connection(), report(9)).await.unwrap().unwrap();
    assert_eq!(row.capture().unwrap().line_count, 2);
    assert!(
        views.bytes(VIEW).len() < 2_000,
        "a row is small whatever the payload"
    );
    let reader = Reader {
        log: &log,
        sealer: &sealer,
    };
    assert_eq!(
        submitter_of(&reader, &row).await.unwrap().as_deref(),
        Some(SUBMITTER)
    );
}

#[tokio::test]
async fn the_record_that_the_log_was_moved_is_passed_over_and_changes_no_row() {
    let (log, world, sealer) = (MemoryLog::new(), Ticking::default(), Envelopes::default());
    let (before, after) = (MemoryViews::default(), MemoryViews::default());
    let view = WorkListView::with_pages_of(1);
    append(&log, &world, &sealer, 7, vec![discovered(7, &LINES)]).await;
    view.catch_up(&log, &before).await.unwrap();
    note_a_move(&log, &world, &sealer, 1).await;
    // As the first event that a view meets, behind what it knows, and between two of a report's.
    for views in [&before, &after] {
        view.catch_up(&log, views).await.unwrap();
        assert_eq!(view.rows_of(views, connection()).await.unwrap().len(), 1);
    }
    append(
        &log,
        &world,
        &sealer,
        7,
        vec![mapped(vec![payable_of(7, &LINES)])],
    )
    .await;
    let caught = view.catch_up(&log, &before).await.unwrap();
    assert_eq!((caught.events, caught.position), (1, log.head().await.unwrap()));
    let rebuilt = view.rebuild(&log, &after).await.unwrap();
    assert_eq!((rebuilt.events, rebuilt.position), (2, caught.position));
    assert_eq!(
        view.rows_of(&before, connection()).await.unwrap(),
        view.rows_of(&after, connection()).await.unwrap()
    );
}

#[tokio::test]
async fn the_rows_of_a_connection_are_its_own_page_by_page() {
    let (log, world, sealer, views) = (
        MemoryLog::new(),
        Ticking::default(),
        Envelopes::default(),
        MemoryViews::default(),
    );
    for id in [3, 20, 100] {
        append(&log, &world, &sealer, id, vec![discovered(id, &LINES)]).await;
    }
    let view = WorkListView::with_pages_of(2);
    view.catch_up(&log, &views).await.unwrap();
    let rows = view.rows_of(&views, connection()).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.report_id.decimal()).collect::<Vec<_>>(),
        [3, 20, 100]
    );
    let after = view
        .rows_after(&views, Some((connection(), report(3))), 1)
        .await
        .unwrap();
    assert_eq!(
        after
            .iter()
            .map(|row| row.report_id.decimal())
            .collect::<Vec<_>>(),
        [20]
    );
    let nobody = tieout_domain::ids::ConnectionId(uuid::Uuid::from_u128(1));
    assert!(view.rows_of(&views, nobody).await.unwrap().is_empty());
}

#[test]
fn a_report_whose_total_and_currency_cannot_be_read_is_listed_all_the_same() {
    let mut odd = facts(4, "no such money", &LINES);
    odd.total = tieout_domain::money::Hundredths::Unreadable("many".into());
    let row = row_of(4, vec![crate::testing::discovered_as(odd)]);
    let listed = super::Listed::of(&row, "acme-us", chrono_tz::America::New_York, None);
    assert_eq!(
        (listed.total, listed.currency.as_str(), listed.line_count),
        (None, "no such money", 2)
    );
}

#[test]
fn a_row_is_listed_as_the_design_says() {
    let journal = journal_of(8, &[("3", 4_000)]);
    let mut events = posted_whole(8, &LINES, vec![payable_of(8, &LINES), journal.clone()]);
    events.pop();
    events[5] = ReportEvent::PostingInDoubt {
        reference: journal.reference,
        doubt: Doubt::Unknown {
            detail: "502 Bad Gateway".into(),
        },
        since: moment(),
    };
    let listed = super::Listed::of(
        &row_of(8, events),
        "acme-us",
        chrono_tz::America::New_York,
        Some(SUBMITTER.into()),
    );
    let json = serde_json::to_value(&listed).unwrap();
    let wanted = serde_json::json!({
        "connection": "acme-us", "report_id": report(8), "state": "posting", "bucket": "in_doubt",
        "submitter": SUBMITTER, "currency": "USD", "total": "200.00", "period": "2026-10",
        "line_count": 2, "line_amount": "200.00",
        "documents": [
            { "kind": "supplier_invoice", "reference": payable_of(8, &LINES).reference, "state": "posted", "voucher": 80,
              "posting_date": "2026-10-31", "amount": "200.00", "currency": "USD", "doubt": null },
            { "kind": "journal", "reference": journal.reference, "state": "in_doubt", "voucher": null,
              "posting_date": "2026-10-31", "amount": "40.00", "currency": "USD", "doubt": "the answer is unknown: 502 Bad Gateway" },
        ],
        "approved_by_submitter": false, "reasons": [], "held_until": null, "excluded": null, "attempts": 2, "cases": [],
        "last_change": "2026-11-02T06:00:05Z",
    });
    assert_eq!(json, wanted);
}

#[test]
fn that_the_submitter_approved_the_rules_stays_with_the_mapping_it_is_said_of() {
    let mut events = posted_whole(8, &LINES, vec![payable_of(8, &LINES)]);
    let ReportEvent::Mapped(mapping) = &mut events[1] else {
        panic!("{:?}", events[1])
    };
    Arc::make_mut(mapping).approved_by_submitter = Some(PersonName::new("ada").unwrap());
    let said = |events: &[ReportEvent]| {
        let row = row_of(8, events.to_vec());
        super::Listed::of(&row, "acme-us", chrono_tz::UTC, None).approved_by_submitter
    };
    assert!(!said(&events[..1]), "captured");
    assert!(said(&events[..2]), "mapped");
    assert!(said(&events), "posted");
    let rewound = |to| ReportEvent::Rewound {
        to: Step(to),
        why: "a test".into(),
    };
    let back = [&events[..2], &[rewound(0)]].concat();
    assert!(!said(&back), "taken back to its capture");
    let again = [&events[..2], &[rewound(0), mapped(vec![payable_of(8, &LINES)])]].concat();
    assert!(!said(&again), "mapped again under rules of another");
}

#[test]
fn a_month_end_approval_counts_in_the_month_of_the_connections_zone() {
    let row = row_of(4, vec![discovered(4, &LINES)]);
    assert_eq!(
        row.approved_in(chrono_tz::America::New_York).unwrap().to_string(),
        "2026-10"
    );
    assert_eq!(
        row.approved_in(chrono_tz::Pacific::Auckland).unwrap().to_string(),
        "2026-11"
    );
}

#[test]
fn a_report_one_of_whose_documents_was_reversed_for_good_is_not_posted_whole() {
    let invoice = payable_of(8, &LINES);
    let mut events = posted_whole(8, &LINES, vec![invoice.clone(), journal_of(8, &[("3", 4_000)])]);
    assert_eq!(row_of(8, events.clone()).bucket(), super::Bucket::Posted);
    events.push(ReportEvent::DocumentReversed {
        reference: invoice.reference,
        ledger_reference: "REV".into(),
        then: AfterReversal::Excluded,
        why: None,
    });
    assert_eq!(row_of(8, events).bucket(), super::Bucket::PartlyPosted);
}
