//! Who is credited, on which side, in which document.

use super::world::{Case, carded, orphan, owed, report, shown, signed};
use crate::ids::DocumentKind;
use crate::posting::{Body, LineOrigin, Side};
use crate::report::tests::samples::{amount, transaction};
use crate::report::{Exclusion, Flag, ReasonCode, SourceStatus};

fn paid(mut case: Case) -> Case {
    case.payload.facts.status = SourceStatus::Reimbursed;
    case
}

// ── the rows of the table ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_the_employee_is_owed_is_an_invoice_on_the_employees_own_supplier() {
    let invoice = report(vec![owed(21_250), owed(10_000)]).document();
    let Body::SupplierInvoice {
        supplier,
        status,
        total,
    } = &invoice.body
    else {
        panic!("{invoice:?}")
    };
    assert_eq!((supplier.as_str(), status.as_str()), ("EMP-E1001", "AP-INITIAL"));
    assert_eq!(*total, amount("312.50"));
    assert_eq!(shown(&invoice), ["6410 OH debit 212.50", "6410 OH debit 100.00"]);
    assert_eq!(invoice.daybook.as_str(), "EXPINV");
    assert_eq!(invoice.reference.to_string(), "E000KHJVOP5PT7I1");
    assert_eq!(invoice.currency.code(), "USD");
}

#[test]
fn what_the_source_already_paid_is_a_journal_against_reimbursement_clearing_and_never_payable() {
    let by_ach = |mut case: Case| {
        case.payload.facts.ach_reimbursed = Flag::Yes;
        case
    };
    let by_entry = |mut case: Case| {
        case.payload.facts.entry_id = "889".into();
        case
    };
    let open = || report(vec![owed(21_250), owed(5_000)]);
    for case in [paid(open()), by_ach(open()), by_entry(open())] {
        let journal = case.document();
        assert_eq!(
            (journal.kind(), &journal.body),
            (DocumentKind::Journal, &Body::Journal)
        );
        assert_eq!(
            shown(&journal),
            [
                "6410 OH debit 212.50",
                "6410 OH debit 50.00",
                "2155 - credit 262.50"
            ]
        );
        assert_eq!(journal.supplier(), None);
    }
}

#[test]
fn what_the_source_already_paid_is_rejected_where_no_clearing_account_is_named() {
    paid(report(vec![owed(21_250)]))
        .ruled("reimbursement = \"2155\"", "")
        .rejected_for(ReasonCode::NoReimbursementClearing, "paid at the source");
}

#[test]
fn a_card_line_is_a_journal_against_the_clearing_account_of_its_program() {
    let journal = report(vec![carded(4_500), carded(500)]).document();
    assert_eq!(
        shown(&journal),
        ["6410 OH debit 45.00", "6410 OH debit 5.00", "2161 - credit 50.00"]
    );
    assert_eq!(journal.daybook.as_str(), "EXPJE");
    assert_eq!(journal.lines[2].origin, LineOrigin::Clearing);
}

#[test]
fn the_clearing_account_of_a_card_is_found_by_name_then_by_bank_then_by_default() {
    let on = |name: &str, bank: &str| {
        let mut line = carded(4_500);
        line.card_name = name.into();
        line.bank = bank.into();
        report(vec![line])
    };
    let credited = |case: &Case| shown(&case.document())[1].clone();
    assert_eq!(credited(&on("Corp Visa 7", "Amex")), "2161 - credit 45.00");
    assert_eq!(credited(&on("Somebody's", "Chase")), "2161 - credit 45.00");
    assert_eq!(credited(&on("Somebody's", "Amex")), "2160 - credit 45.00");
    on("Somebody's", "Amex")
        .ruled("cards_default = \"2160\"", "")
        .rejected_for(ReasonCode::NoCardClearing, "card `Somebody's` of bank `Amex`");
}

#[test]
fn a_card_without_a_name_is_a_card_all_the_same() {
    let by_id = |id: &str, mcc: &str| {
        let mut line = orphan(4_500);
        line.card_id = id.into();
        line.mcc = mcc.into();
        report(vec![line])
    };
    for case in [by_id("11", ""), by_id("", "5812")] {
        assert_eq!(shown(&case.document())[1], "2160 - credit 45.00");
        case.ruled("cards_default = \"2160\"", "")
            .rejected_for(ReasonCode::NoCardClearing, "has no clearing account");
    }
    by_id("", "0").rejected_for(ReasonCode::NoCreditAccount, "neither reimbursable nor on a card");
}

#[test]
fn what_is_neither_owed_nor_on_a_card_is_rejected_unless_a_rule_names_the_credit_account() {
    let case = report(vec![orphan(9_900)]);
    case.rejected_for(ReasonCode::NoCreditAccount, "neither reimbursable nor on a card");
    case.rejected_for(
        ReasonCode::NoCreditAccount,
        "nearest is rule 5 \"Petty cash\", which wants category \"Hotel\", where the line has \"Airfare\"",
    );
    let mut hotel = case;
    hotel.payload.facts.lines[0].category = "Hotel".into();
    let journal = hotel.document();
    assert_eq!(shown(&journal), ["6410 OH debit 99.00", "1010 - credit 99.00"]);
}

#[test]
fn a_paid_report_clears_its_card_lines_against_the_card_and_the_rest_against_reimbursement() {
    let journal = paid(report(vec![owed(10_000), carded(4_500)])).document();
    assert_eq!(
        shown(&journal),
        [
            "6410 OH debit 100.00",
            "6410 OH debit 45.00",
            "2155 - credit 100.00",
            "2161 - credit 45.00"
        ]
    );
}

#[test]
fn a_report_of_both_kinds_is_two_documents() {
    let mapping = report(vec![owed(21_250), carded(4_500)]).mapped();
    let kinds: Vec<DocumentKind> = mapping.documents.iter().map(|document| document.kind()).collect();
    assert_eq!(kinds, [DocumentKind::SupplierInvoice, DocumentKind::Journal]);
    let on: Vec<_> = mapping
        .lines
        .iter()
        .map(|why| (why.transaction.clone(), why.document))
        .collect();
    assert_eq!(
        on,
        [(transaction(1), Some(kinds[0])), (transaction(2), Some(kinds[1]))]
    );
    assert_eq!(mapping.headers.len(), 2);
}

// ── signs and nets ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_negative_line_posts_on_the_other_side_and_never_as_a_negative_amount() {
    let invoice = report(vec![owed(21_250), owed(-1_250)]).document();
    assert_eq!(shown(&invoice), ["6410 OH debit 212.50", "6410 OH credit 12.50"]);
    assert_eq!(invoice.amount(), amount("200.00"));
    let journal = report(vec![carded(4_500), carded(-500)]).document();
    assert_eq!(
        shown(&journal),
        [
            "6410 OH debit 45.00",
            "6410 OH credit 5.00",
            "2161 - credit 40.00"
        ]
    );
    let refund = report(vec![carded(-500)]).document();
    assert_eq!(shown(&refund), ["6410 OH credit 5.00", "2161 - debit 5.00"]);
}

#[test]
fn a_net_below_zero_is_a_credit_note_for_the_absolute_value_in_its_own_daybook() {
    let note = report(vec![owed(1_000), owed(-5_000)]).document();
    let Body::CreditNote { supplier, total, .. } = &note.body else {
        panic!("{note:?}")
    };
    assert_eq!((supplier.as_str(), *total), ("EMP-E1001", amount("40.00")));
    assert_eq!(shown(&note), ["6410 OH debit 10.00", "6410 OH credit 50.00"]);
    assert_eq!(note.daybook.as_str(), "EXPCN");
    assert!(note.reference.to_string().ends_with("C1"));
}

#[test]
fn a_net_of_zero_with_lines_is_a_journal_between_the_accounts() {
    let mut refund = owed(-5_000);
    refund.category = "Fees".into();
    refund.tag_gl = String::new();
    let case = report(vec![owed(5_000), refund]);
    let journal = case.document();
    assert_eq!(journal.kind(), DocumentKind::Journal);
    assert_eq!(shown(&journal), ["6410 OH debit 50.00", "6900 - credit 50.00"]);
    assert_eq!(signed(&journal), amount("0"));
}

#[test]
fn the_net_is_taken_for_each_document() {
    let mapping = report(vec![owed(-3_000), carded(4_500)]).mapped();
    let kinds: Vec<DocumentKind> = mapping.documents.iter().map(|document| document.kind()).collect();
    assert_eq!(kinds, [DocumentKind::CreditNote, DocumentKind::Journal]);
}

#[test]
fn cards_whose_lines_cancel_out_need_no_clearing_line() {
    let journal = report(vec![carded(4_500), carded(-4_500)]).document();
    assert_eq!(shown(&journal), ["6410 OH debit 45.00", "6410 OH credit 45.00"]);
}

#[test]
fn nothing_at_all_is_left_out_as_nothing_to_post() {
    assert_eq!(report(vec![]).excluded(), Exclusion::NothingToPost);
    assert_eq!(
        report(vec![owed(0), carded(0)]).excluded(),
        Exclusion::NothingToPost
    );
    // Who has no supplier is not asked for one when nothing is owed.
    let stranger = report(vec![owed(0)]).with(|case| case.masters.suppliers.clear());
    assert_eq!(stranger.excluded(), Exclusion::NothingToPost);
}

#[test]
fn a_line_of_zero_posts_nothing_and_stays_in_the_lineage() {
    let mapping = report(vec![owed(5_000), owed(0)]).mapped();
    assert_eq!(shown(&mapping.documents[0]), ["6410 OH debit 50.00"]);
    assert_eq!((mapping.lines.len(), mapping.lines[1].document), (2, None));
    assert_eq!(mapping.lines[1].amount, amount("0"));
}

// ── what else a document bears ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_dimension_the_rules_set_is_on_the_line_with_its_why() {
    let mut tool = owed(5_000);
    tool.category = "Tooling".into();
    let mapping = report(vec![tool]).mapped();
    let coding = &mapping.documents[0].lines[0].coding;
    assert_eq!(coding.sub_account.as_ref().unwrap().as_str(), "01");
    assert_eq!(coding.project.as_ref().unwrap().as_str(), "P-7");
    let why = |field: &str| {
        mapping.lines[0]
            .fields
            .iter()
            .find(|why| why.field == field)
            .unwrap()
    };
    assert_eq!(
        (why("account").value.as_str(), why("account").source.as_str()),
        ("6410", "category = Tooling")
    );
    assert!(why("account").rule.contains("Tooling"));
    assert!(
        why("cost centre").source.contains("OH"),
        "{:?}",
        why("cost centre")
    );
    for field in ["sub-account", "project"] {
        assert!(!why(field).value.is_empty());
    }
    let header = |field: &str| {
        mapping.headers[0]
            .fields
            .iter()
            .find(|why| why.field == field)
            .unwrap()
    };
    assert_eq!(header("supplier").value, "EMP-E1001");
    assert_eq!(header("daybook").value, "EXPINV");
    assert_eq!(header("posting date").value, "2026-11-06");
}

#[test]
fn the_basis_names_the_rules_and_the_chart() {
    let mapping = report(vec![owed(5_000)]).mapped();
    assert_eq!(
        (
            mapping.basis.rules.number,
            mapping.basis.chart.0,
            mapping.basis.day
        ),
        (3, 1, None)
    );
}

#[test]
fn a_document_says_the_title_of_the_report_and_each_line_its_merchant_and_comment() {
    let mut case = report(vec![owed(5_000), carded(100)]);
    case.personal().lines[0].comment = "flight".into();
    case.personal().lines[1].modified_merchant = "Edited".into();
    let mapping = case.mapped();
    let texts = |at: usize| mapping.documents[at].texts.known().unwrap().clone();
    assert_eq!(
        (texts(0).header.as_str(), texts(0).lines),
        ("Toledo, November", vec!["Merchant 1: flight".into()])
    );
    assert_eq!(texts(1).lines, ["Edited", ""]);
    case.personal().report_name = " ".into();
    assert_eq!(
        case.mapped().documents[0].texts.known().unwrap().header,
        "Expense report R009WqAY45L1"
    );
}

#[test]
fn after_a_reversal_the_documents_bear_the_next_generation() {
    let mut case = report(vec![owed(5_000)]);
    case.generation = case.generation.next();
    assert!(case.document().reference.to_string().ends_with("I2"));
}

#[test]
fn why_names_no_person() {
    let mapping = report(vec![owed(5_000), carded(100)]).mapped();
    let open = serde_json::to_string(&mapping).unwrap().to_lowercase();
    assert!(!open.contains("kim") && !open.contains("merchant 1"), "{open}");
}

#[test]
fn sides_are_each_others_other() {
    assert_eq!(
        (Side::Debit.other(), Side::Credit.other()),
        (Side::Credit, Side::Debit)
    );
}
