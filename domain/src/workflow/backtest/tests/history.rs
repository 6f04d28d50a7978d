//! Which part of a report's history is judged again: the last verdict of the rules over the last capture.

use std::sync::Arc;

use super::world::{Past, captured, captured_anew, date, id, ruled, travel_elsewhere};
use crate::ids::{DocumentKind, Generation, Reference, SubjectId};
use crate::journal::tests::world::{kim, now, poller};
use crate::journal::{Draft, Streams};
use crate::ports::Expected;
use crate::posting::DocumentTexts;
use crate::posting::tests::world::{RULES, owed, report};
use crate::report::tests::samples::{by_hand, document_posted, instant, owner};
use crate::report::{AfterReversal, Attempt, Personal, ReportEvent, Step};
use crate::rules::{ChartOf, RuleSet, Span};
use crate::workflow::{ChangeKind as Kind, Trial, Verdict, WhatIf};

#[test]
fn a_report_that_was_never_judged_waits_and_is_shown_with_what_would_become_of_it() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.keep(1, vec![captured(1, &case)]);
    let told = past.under(RULES);
    assert_eq!(told.kinds(), [(1, Kind::NewlyMapped)]);
    assert_eq!(told.changes[0].before, Verdict::Waiting);
}

#[test]
fn one_that_was_revised_since_it_was_judged_waits_as_it_is_now() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.coded(1, &case);
    past.keep(1, vec![captured_anew(1, &report(vec![owed(6_000)]))]);
    let told = past.under(RULES);
    assert_eq!(told.kinds(), [(1, Kind::NewlyMapped)]);
    assert_eq!(
        told.moved(),
        [
            "USD 2026/11 6410 OH: 0 0 > 60.00 0",
            "USD 2026/11 EMP-E1001: 0 0 > 0 60.00"
        ]
    );
    past.keep(1, vec![past.judged(1, &report(vec![owed(6_000)]))]);
    past.under(RULES).nothing_changes();
}

#[test]
fn one_that_was_judged_twice_is_held_against_the_last_verdict() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.coded(
        1,
        &case
            .clone()
            .ruled(r#"set = { account = "6410" }"#, r#"set = { account = "1010" }"#),
    );
    let back = ReportEvent::Rewound {
        to: Step(0),
        why: "mapped again".into(),
    };
    past.keep(1, vec![back, past.judged(1, &case)]);
    past.under(RULES).nothing_changes();
    assert_eq!(
        past.under(&travel_elsewhere()).kinds(),
        [(1, Kind::DocumentsChanged)]
    );
}

#[test]
fn one_that_was_reversed_and_posted_again_bears_its_second_generation_on_both_sides() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.coded(1, &case);
    let ReportEvent::Mapped(mapping) = past.judged(1, &case) else {
        panic!("it maps")
    };
    let document = mapping.documents[0].clone();
    let first = Reference {
        report: id(1),
        kind: DocumentKind::SupplierInvoice,
        generation: Generation::FIRST,
    };
    let started = ReportEvent::PostingStarted {
        document,
        attempt: Attempt(1),
        owner: owner(),
        material_hash: case.payload.material_hash(""),
    };
    let reversed = ReportEvent::DocumentReversed {
        reference: first,
        ledger_reference: "2026/EXPINV/4800".into(),
        then: AfterReversal::PlannedAgain,
        why: None,
    };
    let back = ReportEvent::Rewound {
        to: Step(0),
        why: "another account".into(),
    };
    past.keep(1, vec![started, document_posted(first), ReportEvent::Posted]);
    past.under(RULES).nothing_changes();
    past.keep(1, vec![reversed]);
    past.under(RULES).nothing_changes();
    let again = past.judged_again(1, &case, Generation::FIRST.next());
    past.keep(1, vec![back, again]);
    past.under(RULES).nothing_changes();
    let told = past.under(&travel_elsewhere());
    let generation = |verdict: &Verdict| verdict.documents()[0].reference.generation;
    let change = &told.changes[0];
    assert_eq!(
        (generation(&change.before), generation(&change.after)),
        (Generation::FIRST.next(), Generation::FIRST.next())
    );
}

#[test]
fn what_a_person_decided_is_not_what_the_rules_said() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.coded(1, &case);
    past.keep(1, vec![ReportEvent::Excluded(by_hand())]);
    past.under(RULES).nothing_changes();
    assert_eq!(
        past.under(&travel_elsewhere()).kinds(),
        [(1, Kind::DocumentsChanged)]
    );
}

#[test]
fn one_that_went_away_before_it_was_judged_is_no_history_of_the_rules() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.keep(1, vec![captured(1, &case), ReportEvent::Excluded(by_hand())]);
    past.keep(2, vec![captured(2, &case), ReportEvent::Withdrawn]);
    let told = past.under(RULES);
    told.nothing_changes();
    assert_eq!(told.said.backtest.counts.reports, 0);
    past.keep(2, vec![captured_anew(2, &case)]);
    assert_eq!(
        past.under(RULES).kinds(),
        [(2, Kind::NewlyMapped)],
        "it came back, and waits"
    );
}

#[test]
fn a_report_of_somebody_forgotten_is_counted_and_left_as_it_is() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    let lee = SubjectId(uuid::Uuid::from_u128(0x1EE));
    past.coded(1, &case);
    let events = vec![captured(2, &case), past.judged(2, &case)];
    past.keep_of(lee, 2, events);
    assert_eq!(past.under(&travel_elsewhere()).kinds().len(), 2);

    past.plant.world.keys.forgotten.lock().unwrap().insert(lee);
    past.under(RULES).nothing_changes();
    let told = past.under(&travel_elsewhere());
    assert_eq!(told.kinds(), [(1, Kind::DocumentsChanged)]);
    assert_eq!(
        (
            told.said.backtest.counts.reports,
            told.said.backtest.counts.forgotten
        ),
        (2, 1)
    );
}

#[test]
fn where_a_set_posts_by_the_day_of_posting_that_is_the_day_it_was_judged_for() {
    let by_day = ruled(r#"date = "approved""#, r#"date = "posted""#);
    let case = report(vec![owed(5_000)]).ruled(r#"date = "approved""#, r#"date = "posted""#);
    let mut past = Past::of(&case.masters);
    // Judged in the last second of the sixth, recorded on the seventh.
    let ReportEvent::Mapped(mut mapping) = past.judged(1, &case) else {
        panic!("it maps")
    };
    let sixth = date("2026-11-06");
    let judged = Arc::make_mut(&mut mapping);
    judged.basis.day = Some(sixth);
    let document = Arc::make_mut(&mut judged.documents[0]);
    document.period.date = sixth;
    document.document_date = sixth;
    past.keep(1, vec![captured(1, &case), ReportEvent::Mapped(mapping)]);
    let told = past.under(&by_day);
    told.nothing_changes();
}

#[test]
fn what_is_appended_while_it_is_read_is_not_looked_at() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.coded(1, &case);
    past.coded(2, &case);
    let as_it_was = past.under(&travel_elsewhere());
    let rules = RuleSet::parse(&travel_elsewhere()).unwrap();
    let trial = Trial {
        rules: &rules,
        against: None,
        span: Span::default(),
        chart: ChartOf::Then,
    };
    // The second report is revised once the first was read.
    let stream = Streams(past.plant.connection.id).report(id(2));
    let revise = || {
        let draft = Draft {
            event: captured_anew(2, &report(vec![owed(9_900)])),
            effective_at: instant("2026-11-07T06:00:00Z"),
            subject: Some(kim()),
        };
        let journal = past.plant.world.journal();
        now(journal.append(&stream, Expected::Any, &poller(), vec![draft])).unwrap();
    };
    let what_if = WhatIf::new(past.plant.world.reader(), &past.plant.connection)
        .reading_ahead(1)
        .telling(&revise);
    let said = now(what_if.backtest(trial, past.reports.clone(), |_| Ok(()))).unwrap();
    assert_eq!(said, as_it_was.said);
    assert_ne!(
        past.under(&travel_elsewhere()).said,
        said,
        "and it is the next time"
    );
}

#[test]
fn a_report_that_the_log_names_and_that_reads_as_empty_is_no_report_without_a_past() {
    let case = report(vec![owed(5_000)]);
    let mut past = Past::of(&case.masters);
    past.coded(1, &case);
    let rules = RuleSet::parse(&travel_elsewhere()).unwrap();
    let trial = Trial {
        rules: &rules,
        against: None,
        span: Span::default(),
        chart: ChartOf::Then,
    };
    let what_if = WhatIf::new(past.plant.world.reader(), &past.plant.connection);
    let refused = now(what_if.backtest(trial, vec![id(1), id(2)], |_| Ok(()))).unwrap_err();
    assert!(refused.to_string().contains("reads as empty"), "{refused}");
}

#[test]
fn a_text_that_an_earlier_build_put_otherwise_is_no_change_and_no_part_of_the_hash() {
    let case = report(vec![owed(5_000)]);
    let hash_where_it_read = |header: &str| {
        let mut past = Past::of(&case.masters);
        let ReportEvent::Mapped(mut mapping) = past.judged(1, &case) else {
            panic!("it maps")
        };
        let texts = DocumentTexts {
            header: header.into(),
            lines: vec!["a line".into()],
        };
        let documents = &mut Arc::make_mut(&mut mapping).documents;
        Arc::make_mut(&mut documents[0]).texts = Personal::Known(texts);
        past.keep(1, vec![captured(1, &case), ReportEvent::Mapped(mapping)]);
        past.under(RULES).nothing_changes();
        past.under(&travel_elsewhere()).hash().to_owned()
    };
    assert_eq!(hash_where_it_read("Toledo"), hash_where_it_read("Kim in Toledo"));
}
