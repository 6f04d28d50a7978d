//! After posting: cases open, change and close, and a reversal ends what was about its document. Nothing posted is changed.

use super::asks::*;
use super::given::{Given, given};
use super::samples::*;
use crate::posting::Difference;
use crate::report::{
    AfterReversal, Case, CaseName, Command, Payload, ReportEvent, SourceStatus, StageName, source_differences,
};

fn see(payload: Box<Payload>) -> Command {
    Command::Observe(payload)
}

fn exported() -> Vec<ReportEvent> {
    [both_posted(), vec![marking(), marked()]].concat()
}

fn closed(mut payload: Box<Payload>) -> Box<Payload> {
    payload.facts.status = SourceStatus::Other("Closed".into());
    payload
}

fn drifts(differences: Vec<Difference>) -> Command {
    Command::RaiseDocumentDrift {
        reference: i1(),
        differences,
    }
}

fn in_qad(held: &str) -> Vec<Difference> {
    vec![Difference {
        field: "state".into(),
        sent: "posted".into(),
        held: held.into(),
    }]
}

#[track_caller]
fn cases(given: &Given, expected: &[CaseName]) {
    let open: Vec<CaseName> = given.0.cases().iter().map(Case::name).collect();
    assert_eq!(open, expected);
}

// ── the source ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_drift_says_of_each_field_what_was_posted_and_what_is_shown() {
    let ReportEvent::SourceDrifted { differences, .. } = source_drifted(edited()) else {
        panic!()
    };
    let said: Vec<(&str, &str, &str)> = differences
        .iter()
        .map(|d| (d.field.as_str(), d.sent.as_str(), d.held.as_str()))
        .collect();
    let expense = transaction(1);
    let (amount, converted) = (
        format!("expense {expense} amount"),
        format!("expense {expense} converted amount"),
    );
    assert_eq!(
        said,
        [
            ("total", "257.50", "258.50"),
            (amount.as_str(), "212.50", "213.50"),
            (converted.as_str(), "212.50", "213.50"),
        ]
    );
    given(exported())
        .when(see(edited()))
        .then([source_drifted(edited())]);
}

#[test]
fn a_drift_names_an_expense_that_came_or_went_and_of_a_person_only_that_it_is_another() {
    let mut shown = payload();
    shown.facts.lines.pop();
    if let crate::report::Personal::Known(personal) = &mut shown.personal {
        personal.submitter = "lee@acme.example".into();
        personal.lines[0].merchant = "Moonrise Air".into();
    }
    let differences = source_differences(&payload(), &shown);
    let line = differences
        .iter()
        .find(|d| d.field == format!("expense {}", transaction(2)))
        .unwrap();
    assert_eq!((line.sent.as_str(), line.held.as_str()), ("40.00 EUR", "nothing"));
    let text = format!("{differences:?}");
    for personal in ["kim@", "lee@", "Moonrise", "Sundown"] {
        assert!(!text.contains(personal), "{text}");
    }
    assert_eq!(differences.len(), 3, "{text}");
}

#[test]
fn a_drift_that_was_taken_back_at_the_source_closes() {
    let back = given(exported())
        .and([source_drifted(edited())])
        .when(see(payload()))
        .then([case_closed(CaseName::SourceDrifted, None)]);
    cases(&back, &[]);
    back.when(see(payload())).then_nothing();
}

#[test]
fn a_payment_that_was_taken_back_at_the_source_closes_with_its_drift() {
    let back = given(exported())
        .and([ReportEvent::PaidAtSource, source_drifted(paid())])
        .when(see(payload()))
        .then([
            case_closed(CaseName::PaidAtSource, None),
            case_closed(CaseName::SourceDrifted, None),
        ]);
    cases(&back, &[]);
}

#[test]
fn a_report_that_is_merely_closed_at_the_source_is_no_news_and_one_that_is_closed_and_edited_is() {
    let posted = given(exported());
    posted.clone().when(see(closed(payload()))).then_nothing();
    let mut archived = payload();
    archived.facts.status = SourceStatus::Other("ARCHIVED".into());
    posted.clone().when(see(archived)).then_nothing();
    let edited = closed(edited());
    posted.when(see(edited.clone())).then([source_drifted(edited)]);
    // Of payment a closed report's status says nothing.
    given(exported())
        .and([ReportEvent::PaidAtSource, source_drifted(paid())])
        .when(see(closed(payload())))
        .then([case_closed(CaseName::SourceDrifted, None)]);
}

#[test]
fn a_report_that_was_gone_and_shows_again_is_not_gone_and_is_judged_like_any_other() {
    let gone = given(exported())
        .when(Command::RaiseGone)
        .then([ReportEvent::SourceGone]);
    let as_posted = gone
        .clone()
        .when(see(payload()))
        .then([case_closed(CaseName::SourceGone, None)]);
    cases(&as_posted, &[]);
    as_posted.when(Command::RaiseGone).then([ReportEvent::SourceGone]);
    let otherwise = gone
        .when(see(edited()))
        .then([case_closed(CaseName::SourceGone, None), source_drifted(edited())]);
    cases(&otherwise, &[CaseName::SourceDrifted]);
}

#[test]
fn a_case_that_is_not_open_is_not_closed() {
    for (life, name) in [(exported(), "MarkedExported"), (two_planned(), "Mapped")] {
        let report = given(life).0;
        let refusal = crate::report::admit(&report, &case_closed(CaseName::SourceGone, None)).unwrap_err();
        assert!(refusal.to_string().contains(name), "{refusal}");
    }
}

#[test]
fn of_a_person_who_was_forgotten_a_payment_is_told_and_a_drift_is_not() {
    let forgotten = |mut payload: Box<Payload>| {
        payload.personal = crate::report::Personal::Forgotten;
        payload
    };
    let captured = ReportEvent::Discovered {
        payload_hash: payload().payload_hash().unwrap(),
        material_hash: payload().material_hash(SALT),
        payload: forgotten(payload()).into(),
    };
    let life = vec![
        captured,
        mapped_one(),
        started(i1()),
        document_posted(i1()),
        ReportEvent::Posted,
    ];
    given(life.clone()).when(see(edited())).then_nothing();
    let paid_once = given(life.clone())
        .when(see(paid()))
        .then([ReportEvent::PaidAtSource]);
    paid_once.when(see(paid())).then_nothing();
    given(life)
        .and([ReportEvent::SourceGone])
        .when(see(edited()))
        .then([case_closed(CaseName::SourceGone, None)]);
}

// ── QAD ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_qad_holds_now_takes_the_place_of_what_it_held_before() {
    let changed = given(exported())
        .when(drifts(differences()))
        .then([document_drifted(i1())]);
    let gone = changed
        .when(drifts(in_qad("nothing")))
        .then([ReportEvent::DocumentDrifted {
            reference: i1(),
            differences: in_qad("nothing"),
        }]);
    cases(&gone, &[CaseName::DocumentDrifted]);
    gone.when(drifts(in_qad("nothing"))).then_nothing();
}

#[test]
fn a_document_that_is_again_as_it_was_posted_closes_its_case_and_no_other() {
    let both = given(exported()).and([document_drifted(i1()), document_drifted(j1())]);
    let one = both
        .when(Command::ConfirmDocument { reference: i1() })
        .then([case_closed(CaseName::DocumentDrifted, Some(i1()))]);
    assert!(one.0.has_case(CaseName::DocumentDrifted, Some(j1())));
    one.when(Command::ConfirmDocument { reference: i1() })
        .then_nothing();
}

// ── reversal ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_case_about_a_document_goes_when_that_document_is_reversed() {
    let report = given(exported())
        .and([
            ReportEvent::PaidAtSource,
            source_drifted(paid()),
            document_drifted(i1()),
            document_drifted(j1()),
        ])
        .when(reverse(i1(), AfterReversal::PlannedAgain))
        .then([reversed(i1(), AfterReversal::PlannedAgain)]);
    // No payable stands any more. The journal does: what the source shows is still not what was posted.
    cases(&report, &[CaseName::SourceDrifted, CaseName::DocumentDrifted]);
    let none = report
        .when(reverse(j1(), AfterReversal::PlannedAgain))
        .then([reversed(j1(), AfterReversal::PlannedAgain)]);
    cases(&none, &[]);
    stage(&none, StageName::Mapped);
}

#[test]
fn the_reversal_of_one_document_leaves_the_case_of_the_other_open() {
    let report = given(exported())
        .and([document_drifted(i1()), document_drifted(j1())])
        .when(reverse(i1(), AfterReversal::PlannedAgain))
        .then([reversed(i1(), AfterReversal::PlannedAgain)]);
    assert!(report.0.has_case(CaseName::DocumentDrifted, Some(j1())));
    assert!(!report.0.has_case(CaseName::DocumentDrifted, Some(i1())));
}

#[test]
fn a_document_that_the_report_does_not_have_was_not_reversed() {
    given(vec![
        discovered(),
        mapped_one(),
        started(i1()),
        document_posted(i1()),
        ReportEvent::Posted,
    ])
    .when(reverse(j1(), AfterReversal::PlannedAgain))
    .then_refused("");
}

#[test]
fn before_a_reversal_nothing_posted_is_revised_withdrawn_replayed_or_left_out() {
    for life in [
        both_posted(),
        exported(),
        [exported(), vec![source_drifted(edited())]].concat(),
    ] {
        given(life.clone()).when(Command::Withdraw).then_nothing();
        let posted = given(life);
        let before = posted.0.stage().clone();
        if posted.0.cases().is_empty() {
            let seen = posted
                .clone()
                .when(see(edited()))
                .then([source_drifted(edited())]);
            assert_eq!(seen.0.stage(), &before);
        }
        posted
            .clone()
            .when(Command::Rewind {
                to: None,
                why: "again".into(),
            })
            .then_refused("a document of it is being sent, in doubt or posted");
        posted
            .when(Command::Exclude(by_hand()))
            .then_refused("a document of it is being sent, in doubt or posted");
    }
}

#[test]
fn what_the_source_shows_after_the_reversal_is_a_revision_and_what_it_does_not_show_is_withdrawn() {
    let again = |reference| reversed(reference, AfterReversal::PlannedAgain);
    let open = given(exported()).and([source_drifted(edited()), again(i1()), again(j1())]);
    let revised = open.clone().when(see(edited())).then([revised(edited())]);
    stage(&revised, StageName::Discovered);
    assert_eq!(
        revised.0.generation(i1().kind).get(),
        2,
        "what it is mapped into is of the next generation"
    );
    open.when(Command::Withdraw).then([ReportEvent::Withdrawn]);
}

#[test]
fn a_reversal_on_record_is_not_recorded_twice() {
    for then in [AfterReversal::PlannedAgain, AfterReversal::Excluded] {
        let once = given(vec![
            discovered(),
            mapped_one(),
            started(i1()),
            document_posted(i1()),
            ReportEvent::Posted,
        ])
        .when(reverse(i1(), then))
        .then([reversed(i1(), then)]);
        once.when(reverse(i1(), then)).then_nothing();
    }
    let good = given(both_posted())
        .when(reverse(j1(), AfterReversal::Excluded))
        .then([reversed(j1(), AfterReversal::Excluded), ReportEvent::Posted]);
    good.when(reverse(j1(), AfterReversal::Excluded)).then_nothing();
}

#[test]
fn a_report_was_reversed_once_a_document_of_it_was_whatever_became_of_that_since() {
    let was_reversed = |life: Vec<ReportEvent>| given(life).0.was_reversed();
    assert!(!was_reversed(both_posted()));
    for then in [AfterReversal::PlannedAgain, AfterReversal::Excluded] {
        assert!(was_reversed([both_posted(), vec![reversed(i1(), then)]].concat()));
    }
    let again = vec![
        reversed(i1(), AfterReversal::PlannedAgain),
        started(next(i1())),
        document_posted(next(i1())),
        ReportEvent::Posted,
    ];
    assert!(was_reversed([both_posted(), again].concat()));
}

#[test]
fn a_report_whose_other_document_was_reversed_for_good_is_posted_with_what_stands() {
    let rest = given(exported())
        .when(reverse(j1(), AfterReversal::Excluded))
        .then([reversed(j1(), AfterReversal::Excluded), ReportEvent::Posted]);
    stage(&rest, StageName::Posted);
    // It is marked again, and held against both systems like any other.
    rest.clone()
        .when(Command::StartMarking(label()))
        .then([marking()]);
    rest.when(see(edited())).then([source_drifted(edited())]);
}
