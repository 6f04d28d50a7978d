//! Law 6 as a specification: a month that ties out, and each way in which it can stop doing so.

mod month;

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use tieout_domain::ids::DocumentKind;
use tieout_domain::report::{AfterReversal, ReportEvent};

use super::{Ends, SourceRow, What, render, tie_out};
use crate::testing::{discovered, discovered_as, facts, payable_of, posted_whole, report, row_of};
use crate::work_list::Bucket;
use month::{Month, TRIP, ZONE, card, in_ledger, month, refund, trip};

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_month_with_a_report_in_every_bucket_ties_out_by_count_and_by_amount() {
    let result = month().tie_out();
    assert_eq!(result.differences, []);
    assert!(result.ties());
    let [row] = result.rows.as_slice() else {
        panic!("one currency, one month")
    };
    assert_eq!(
        (
            row.group.currency.as_str(),
            row.group.period.unwrap().to_string().as_str()
        ),
        ("USD", "2026-10")
    );
    assert_eq!((row.seen.count, row.seen.amount), (9, amount("258.00")));
    assert_eq!((row.gone.count, row.gone.amount), (1, amount("8.00")));
    let posted = row.of(Bucket::Posted);
    assert_eq!(
        (posted.count, posted.amount),
        (3, amount("230.00")),
        "200.00 - 40.00 + 70.00"
    );
    assert_eq!(posted.reports, [report(1), report(2), report(3)]);
    for bucket in Bucket::ALL {
        assert!(row.of(bucket).count >= 1, "{}", bucket.as_str());
    }
}

#[test]
fn a_document_in_doubt_may_be_in_the_ledger_or_not() {
    let mut month = month();
    month.ledger.push(in_ledger(&payable_of(9, &[("12", 700)]), 90));
    assert!(month.tie_out().ties());
}

#[test]
fn a_report_missing_in_the_log_breaks_it() {
    let mut month = month();
    month.rows.retain(|row| row.report_id != report(4));
    let wanted = What::MissingInLog {
        report_id: report(4),
        lines: 1,
        amount: Some(amount("1.00")),
        currency: "USD".into(),
    };
    assert_eq!(month.differences(), [wanted]);
    assert!(!month.tie_out().rows[0].balances(), "the sums show it as well");
}

#[test]
fn a_report_missing_at_the_source_breaks_it() {
    let mut month = month();
    month.source.retain(|row| row.report_id != report(5));
    assert_eq!(
        month.differences(),
        [What::NotAtSource {
            report_id: report(5),
            bucket: Bucket::Rejected
        }]
    );
}

#[test]
fn a_report_listed_twice_breaks_it() {
    let mut month = month();
    let twice = month.source(1).clone();
    month.source.push(twice);
    assert_eq!(month.differences(), [What::ListedTwice { report_id: report(1) }]);
}

#[test]
fn a_line_missing_from_a_report_breaks_it_even_if_it_is_of_zero() {
    let mut month = month();
    month.source(1).lines = 3;
    let [
        What::ReportDiffers {
            report_id,
            field: "lines",
            source,
            log,
            ..
        },
    ] = &month.differences()[..]
    else {
        panic!()
    };
    assert_eq!((*report_id, source.as_str(), log.as_str()), (report(1), "3", "2"));
}

#[test]
fn a_line_that_the_template_lost_breaks_it_by_the_count_the_source_declares() {
    let mut month = month();
    let mut lost = facts(4, "USD", &[("6", 100)]);
    lost.declared_lines = Some(2);
    *month.source(4) = SourceRow::of(&lost, ZONE);
    assert!(matches!(
        &month.differences()[..],
        [What::ReportDiffers { field: "lines", .. }]
    ));
}

#[test]
fn a_document_missing_in_the_ledger_breaks_it() {
    let mut month = month();
    month
        .ledger
        .retain(|row| row.reference != refund().reference.to_string().to_lowercase());
    let [
        What::DocumentMissing {
            report_id, reference, ..
        },
    ] = &month.differences()[..]
    else {
        panic!()
    };
    assert_eq!((*report_id, *reference), (report(2), refund().reference));
    let row = &month.tie_out().rows[0];
    assert_eq!(row.of(Bucket::Posted).count, 2, "posted is what QAD shows");
    assert!(!row.balances());
}

#[test]
fn a_document_too_many_breaks_it_whether_its_report_is_unknown_or_not_posted() {
    for (id, why) in [(99, "is not in the log"), (5, "is rejected there")] {
        let mut month = month();
        month.ledger.push(in_ledger(&payable_of(id, &TRIP), 999));
        let [
            What::DocumentUnexplained {
                report_id,
                why: said,
                voucher,
                ..
            },
        ] = &month.differences()[..]
        else {
            panic!()
        };
        assert_eq!(
            (*report_id, said.as_str(), voucher.as_str()),
            (report(id), why, "2026/EXPINV/999")
        );
    }
}

#[test]
fn the_documents_of_a_certification_stand_apart_and_those_of_others_are_only_counted() {
    let mut month = month();
    let test = payable_of(99, &TRIP);
    month.ledger.push(in_ledger(&test, 999));
    month.apart.insert(test.reference);
    let mut other = in_ledger(&test, 1);
    other.reference = "ECANARYINV1".into();
    month.ledger.push(other);
    let result = month.tie_out();
    assert!(result.ties());
    assert_eq!(result.not_ours, 1);
}

#[test]
fn a_duplicate_document_breaks_it_by_name_and_by_amount() {
    let mut month = month();
    month.ledger.push(in_ledger(&trip(), 11));
    let [
        What::DocumentDuplicated {
            reference, vouchers, ..
        },
    ] = &month.differences()[..]
    else {
        panic!()
    };
    assert_eq!(
        (*reference, vouchers.join(" ").as_str()),
        (trip().reference, "2026/EXPINV/10 2026/EXPINV/11")
    );
    assert_eq!(
        month.tie_out().rows[0].of(Bucket::Posted).amount,
        amount("430.00")
    );
}

#[test]
fn an_amount_that_differs_breaks_it_at_the_source_and_in_the_ledger() {
    let mut at_source = month();
    at_source.source(3).amount = Some(amount("70.01"));
    let [
        What::ReportDiffers {
            field: "amount",
            source,
            log,
            ..
        },
    ] = &at_source.differences()[..]
    else {
        panic!()
    };
    assert_eq!((source.as_str(), log.as_str()), ("70.01", "70.00"));

    for document in [trip(), refund(), card()] {
        let mut in_ledger = month();
        in_ledger
            .ledger
            .iter_mut()
            .for_each(|row| row.reference = row.reference.to_uppercase());
        in_ledger.ledger(&document).amount += amount("0.01");
        let [
            What::DocumentDiffers {
                reference,
                field: "amount",
                ..
            },
        ] = &in_ledger.differences()[..]
        else {
            panic!()
        };
        assert_eq!(*reference, document.reference);
        let off = if document.kind() == DocumentKind::CreditNote {
            "229.99"
        } else {
            "230.01"
        };
        assert_eq!(
            in_ledger.tie_out().rows[0].of(Bucket::Posted).amount,
            amount(off),
            "the sum shows it as well"
        );
    }
}

#[test]
fn an_edit_after_posting_is_a_difference_that_names_its_open_case() {
    let mut month = month();
    let ReportEvent::Discovered {
        payload,
        payload_hash,
        material_hash,
    } = discovered(1, &[("1", 1)])
    else {
        panic!()
    };
    let mut events = posted_whole(1, &TRIP, vec![trip()]);
    events.push(ReportEvent::SourceDrifted {
        payload,
        payload_hash,
        material_hash,
        differences: Vec::new(),
    });
    month.row(1, events);
    month.source(1).amount = Some(amount("0.01"));
    let [What::ReportDiffers { case: Some(case), .. }] = &month.differences()[..] else {
        panic!()
    };
    assert!(case.starts_with("the source changed after posting"), "{case}");
}

#[test]
fn a_posted_report_that_the_source_lost_is_gone_and_ties_out_once_the_log_says_so() {
    let mut month = month();
    month.source.retain(|row| row.report_id != report(1));
    assert_eq!(
        month.differences(),
        [What::NotAtSource {
            report_id: report(1),
            bucket: Bucket::Posted
        }]
    );
    let mut events = posted_whole(1, &TRIP, vec![trip()]);
    events.push(ReportEvent::SourceGone);
    month.row(1, events);
    assert!(month.tie_out().ties());
    assert_eq!(month.tie_out().rows[0].gone.count, 2);
}

#[test]
fn a_withdrawn_report_that_the_source_shows_again_is_named() {
    let mut month = month();
    month
        .source
        .push(SourceRow::of(&facts(10, "USD", &[("13", 800)]), ZONE));
    assert_eq!(
        month.differences(),
        [What::ShownThoughWithdrawn {
            report_id: report(10)
        }]
    );
}

#[test]
fn a_reversal_counts_only_where_both_the_log_and_the_ledger_have_it() {
    let reversed = |then| {
        let mut events = posted_whole(1, &TRIP, vec![trip()]);
        events.push(ReportEvent::DocumentReversed {
            reference: trip().reference,
            ledger_reference: "REV9".into(),
            then,
            why: None,
        });
        events
    };
    let mut log_only = month();
    log_only.row(1, reversed(AfterReversal::Excluded));
    assert!(matches!(
        &log_only.differences()[..],
        [What::DocumentDiffers {
            field: "reversed",
            ..
        }]
    ));

    let mut ledger_only = month();
    ledger_only.ledger[0].reversed = true;
    assert!(matches!(
        &ledger_only.differences()[..],
        [What::DocumentDiffers {
            field: "reversed",
            ..
        }]
    ));

    for (then, bucket) in [
        (AfterReversal::Excluded, Bucket::Excluded),
        (AfterReversal::PlannedAgain, Bucket::Waiting),
    ] {
        let mut both = month();
        both.row(1, reversed(then));
        both.ledger[0].reversed = true;
        let result = both.tie_out();
        assert!(result.ties(), "{:?}", result.differences);
        assert!(result.rows[0].of(bucket).reports.contains(&report(1)));
    }
}

#[test]
fn documents_that_do_not_come_to_what_the_lines_do_are_named() {
    let mut month = month();
    month.row(1, posted_whole(1, &[("1", 21_250)], vec![trip()]));
    *month.source(1) = SourceRow::of(&facts(1, "USD", &[("1", 21_250)]), ZONE);
    assert!(matches!(
        &month.differences()[..],
        [What::DocumentsDoNotAddUp { .. }]
    ));
}

#[test]
fn a_report_without_a_readable_amount_counts_on_both_sides() {
    let mut odd = facts(20, "no such money", &[("20", 100)]);
    odd.total = tieout_domain::money::Hundredths::Unreadable("many".into());
    odd.approved = tieout_domain::time::SourceTime::new("some day");
    let mut month = month();
    month.source.push(SourceRow::of(&odd, ZONE));
    month.row(20, vec![discovered_as(odd)]);
    let result = month.tie_out();
    assert!(result.ties());
    let row = result.rows.iter().find(|row| row.group.period.is_none()).unwrap();
    assert_eq!(
        (
            row.seen.count,
            row.seen.without_amount,
            row.of(Bucket::Waiting).without_amount
        ),
        (1, 1, 1)
    );
}

#[test]
fn a_document_of_another_connection_in_a_shared_workspace_is_explained_by_its_report() {
    let (ours, mut theirs) = (month(), month());
    let document = payable_of(50, &TRIP);
    theirs.rows = vec![row_of(50, posted_whole(50, &TRIP, vec![document.clone()]))];
    theirs.source = vec![SourceRow::of(&facts(50, "USD", &TRIP), ZONE)];
    theirs.ledger = ours
        .ledger
        .iter()
        .cloned()
        .chain([in_ledger(&document, 500)])
        .collect();
    let ends = |month: &Month| {
        let (source, rows) = (month.source.clone(), month.rows.clone());
        (source, theirs.ledger.clone(), rows)
    };
    let ((s1, l1, r1), (s2, l2, r2)) = (ends(&ours), ends(&theirs));
    let apart = BTreeSet::new();
    let one = Ends {
        connection: "a",
        zone: ZONE,
        source: &s1,
        ledger: &l1,
        apart: &apart,
        rows: &r1,
    };
    let two = Ends {
        connection: "b",
        zone: ZONE,
        source: &s2,
        ledger: &l2,
        apart: &apart,
        rows: &r2,
    };
    let result = tie_out(&[one, two]);
    assert!(result.ties(), "{:?}", result.differences);
    assert_eq!(result.rows.len(), 2);
}

#[test]
fn it_reads_as_an_equation_and_as_json() {
    let mut month = month();
    let mut text = String::new();
    render(&month.tie_out(), &mut text, 80).unwrap();
    let wanted = "\
acme-us, USD, approved in 2026-10
                             reports              amount
seen at the source                 9              258.00
+ seen once, gone since            1                8.00
= posted (as QAD shows it)         3              230.00
+ partly posted                    1               11.00
+ rejected                         1                2.00
+ held                             1                3.00
+ excluded                         1                4.00
+ in doubt                         1                7.00
+ waiting                          1                1.00
+ withdrawn                        1                8.00
  ties

It ties out.
";
    assert_eq!(text, wanted);

    month.ledger.remove(0);
    text.clear();
    render(&month.tie_out(), &mut text, 80).unwrap();
    let tail = format!(
        "  does not tie, off by             1              200.00

- acme-us: report {}: document {} (200.00 USD) was
  posted as 2026/EXPINV/10, and the ledger does not show it
It does not tie out: 1 difference, 1 sum that does not agree.
",
        report(1),
        trip().reference
    );
    assert!(text.ends_with(&tail), "{text}");

    let json = serde_json::to_value(month.tie_out()).unwrap();
    assert_eq!(json["ties"], false);
    assert_eq!(json["rows"][0]["period"], "2026-10");
    assert_eq!(json["rows"][0]["accounted"]["partly_posted"]["amount"], "11.00");
    assert_eq!(json["rows"][0]["seen"]["reports"][0], report(1).to_string());
    assert_eq!(json["differences"][0]["difference"], "document_missing");
    assert_eq!(json["differences"][0]["connection"], "acme-us");
}

#[test]
fn whatever_single_thing_is_lost_it_no_longer_ties_out() {
    let whole = month();
    // Report 7 is left out: that the source shows it no more is no loss. Report 10 it shows no more already.
    for id in whole
        .source
        .iter()
        .map(|row| row.report_id)
        .filter(|id| *id != report(7))
    {
        let mut month = month();
        month.source.retain(|row| row.report_id != id);
        assert!(!month.tie_out().ties(), "report {id} lost at the source");
    }
    for id in whole
        .rows
        .iter()
        .map(|row| row.report_id)
        .filter(|id| *id != report(10))
    {
        let mut month = month();
        month.rows.retain(|row| row.report_id != id);
        assert!(!month.tie_out().ties(), "report {id} lost in the log");
    }
    for reference in whole.ledger.iter().map(|row| row.reference.clone()) {
        let mut month = month();
        month.ledger.retain(|row| row.reference != reference);
        assert!(!month.tie_out().ties(), "document {reference} lost in the ledger");
    }
}
