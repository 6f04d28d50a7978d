//! What a line amounts to: edits, foreign currencies, tax, remainders, totals.

use super::world::{Case, carded, owed, report, shown};
use crate::money::Hundredths;
use crate::report::tests::samples::amount;
use crate::report::{Flag, LineFacts, OriginalAmount, ReasonCode};

/// Forty euros that Expensify made forty-five dollars.
fn foreign() -> LineFacts {
    LineFacts {
        amount: Hundredths::Of(4_000),
        converted_amount: Hundredths::Of(4_500),
        currency: "EUR".into(),
        rate: "1.125".into(),
        ..owed(0)
    }
}

fn taxed(hundredths: i64, tax: i64, code: &str) -> LineFacts {
    LineFacts {
        has_tax: Flag::Yes,
        tax_amount: Hundredths::Of(tax),
        tax_code: code.into(),
        tax_name: "VAT".into(),
        ..owed(hundredths)
    }
}

fn one(line: LineFacts) -> Case {
    report(vec![line])
}

// ── edits ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_edited_amount_wins_over_the_original() {
    let mut line = owed(5_000);
    line.modified_amount = Hundredths::Of(4_000);
    line.converted_amount = Hundredths::Of(4_000);
    assert_eq!(shown(&one(line).document()), ["6410 OH debit 40.00"]);
}

#[test]
fn an_amount_edited_to_zero_is_zero_and_not_unedited() {
    let mut line = owed(5_000);
    line.modified_amount = Hundredths::Of(0);
    line.converted_amount = Hundredths::Blank;
    let mut case = report(vec![owed(100), line]);
    case.payload.facts.total = Hundredths::Of(100);
    assert_eq!(shown(&case.document()), ["6410 OH debit 1.00"]);
}

#[test]
fn in_the_reports_currency_the_effective_and_the_converted_amount_must_agree() {
    let mut line = owed(5_000);
    line.modified_amount = Hundredths::Of(4_000);
    one(line).rejected_for(
        ReasonCode::AmountsDisagree,
        "modifiedAmount is 4000 hundredths, convertedAmount 5000",
    );
}

#[test]
fn in_the_reports_currency_no_converted_amount_is_needed() {
    for nothing in [Hundredths::Blank, Hundredths::Of(0)] {
        let mut line = owed(5_000);
        line.converted_amount = nothing;
        let mut case = one(line);
        case.payload.facts.total = Hundredths::Of(5_000);
        assert_eq!(case.document().amount(), amount("50.00"));
    }
}

// ── foreign lines ────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_an_amount_was_taken_from_is_the_field_that_holds_it() {
    let source = |line: LineFacts| {
        let why = one(line).mapped().lines[0].fields.clone();
        why.into_iter().find(|why| why.field == "amount").unwrap().source
    };
    assert_eq!(source(owed(5_000)), "amount = 5000 hundredths");
    let edited = LineFacts {
        modified_amount: Hundredths::Of(4_000),
        converted_amount: Hundredths::Of(4_000),
        ..owed(5_000)
    };
    assert_eq!(source(edited), "modifiedAmount = 4000 hundredths");
}

#[test]
fn a_foreign_line_posts_its_converted_amount_and_keeps_the_original_in_lineage_and_text() {
    let mapping = one(foreign()).mapped();
    assert_eq!(shown(&mapping.documents[0]), ["6410 OH debit 45.00"]);
    assert_eq!(
        mapping.documents[0].currency.code(),
        "USD",
        "the document bears the report's currency"
    );
    let original = OriginalAmount {
        amount: amount("40.00"),
        currency: "EUR".into(),
        rate: "1.125".into(),
    };
    assert_eq!(mapping.lines[0].original, Some(original));
    let texts = mapping.documents[0].texts.known().unwrap();
    assert_eq!(texts.lines, ["Merchant 1 (40.00 EUR at 1.125)"]);
}

#[test]
fn a_foreign_line_without_a_converted_amount_is_rejected() {
    for nothing in [Hundredths::Blank, Hundredths::Of(0)] {
        let mut case = one(foreign());
        case.payload.facts.lines[0].converted_amount = nothing;
        case.rejected_for(
            ReasonCode::MissingConversion,
            "4000 hundredths of EUR came without an amount in USD",
        );
    }
}

#[test]
fn a_currency_that_is_none_is_rejected_and_named() {
    let mut case = one(owed(5_000));
    case.payload.facts.currency = "XQQ".into();
    case.rejected_for(ReasonCode::UnknownCurrency, "the report's currency: `XQQ`");
    let mut case = one(owed(5_000));
    case.payload.facts.lines[0].currency = "Dollars".into();
    case.rejected_for(ReasonCode::UnknownCurrency, "the line's currency: `Dollars`");
}

// ── remainders ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn half_a_yen_is_rejected_and_never_rounded() {
    let yen = |hundredths| one(owed(hundredths)).in_currency("JPY");
    assert_eq!(shown(&yen(100_000).document()), ["6410 OH debit 1000"]);
    yen(100_050).rejected_for(
        ReasonCode::AmountRemainder,
        "1000.5 JPY has a remainder that JPY cannot bear",
    );
}

#[test]
fn remainders_that_cancel_out_are_rejected_all_the_same() {
    report(vec![owed(100_050), owed(100_050)])
        .in_currency("JPY")
        .rejected_for(ReasonCode::AmountRemainder, "JPY");
}

#[test]
fn the_third_decimal_of_a_dinar_is_zero_because_the_source_lost_it() {
    assert_eq!(
        shown(&one(owed(12_345)).in_currency("KWD").document()),
        ["6410 OH debit 123.450"]
    );
}

// ── tax ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn mapped_tax_posts_on_its_own_account_and_the_rest_on_the_expenses() {
    let invoice = one(taxed(12_000, 2_000, "VAT20")).document();
    assert_eq!(shown(&invoice), ["6410 OH debit 100.00", "1410 - debit 20.00"]);
    assert_eq!(invoice.amount(), amount("120.00"));
    let mut card = taxed(12_000, 2_000, "VAT20");
    card.reimbursable = Flag::No;
    card.bank = "Chase".into();
    let journal = one(card).document();
    assert_eq!(
        shown(&journal),
        [
            "6410 OH debit 100.00",
            "1410 - debit 20.00",
            "2161 - credit 120.00"
        ]
    );
}

#[test]
fn a_refund_takes_its_tax_back() {
    let note = one(taxed(-12_000, -2_000, "VAT20")).document();
    assert_eq!(shown(&note), ["6410 OH credit 100.00", "1410 - credit 20.00"]);
}

#[test]
fn a_line_that_is_all_tax_posts_only_tax() {
    let invoice = one(taxed(2_000, 2_000, "VAT20")).document();
    assert_eq!(shown(&invoice), ["1410 - debit 20.00"]);
    assert_eq!(invoice.transactions().len(), 1);
}

#[test]
fn edited_tax_wins_over_the_original() {
    let mut line = taxed(12_000, 2_000, "VAT20");
    line.modified_tax_amount = Hundredths::Of(1_000);
    assert_eq!(
        shown(&one(line).document()),
        ["6410 OH debit 110.00", "1410 - debit 10.00"]
    );
}

#[test]
fn tax_that_is_cost_stays_in_the_expense_and_says_so() {
    let mapping = one(taxed(12_000, 2_000, "GST"))
        .ruled("treat_as_cost = false", "treat_as_cost = true")
        .mapped();
    assert_eq!(shown(&mapping.documents[0]), ["6410 OH debit 120.00"]);
    let why = mapping.lines[0]
        .fields
        .iter()
        .find(|why| why.field == "tax")
        .unwrap();
    assert_eq!(
        (why.value.as_str(), why.source.as_str()),
        ("tax code `GST` is cost", "taxCode = GST")
    );
}

#[test]
fn a_mapped_code_wins_over_tax_is_cost() {
    let case = one(taxed(12_000, 2_000, "VAT20")).ruled("treat_as_cost = false", "treat_as_cost = true");
    assert_eq!(shown(&case.document()).len(), 2);
}

#[test]
fn tax_the_set_does_not_speak_of_is_rejected() {
    one(taxed(12_000, 2_000, "GST"))
        .rejected_for(ReasonCode::UnmappedTax, "tax code `GST` (VAT) is not mapped");
    let mut unsaid = taxed(12_000, 2_000, "GST");
    unsaid.has_tax = Flag::Blank;
    one(unsaid).rejected_for(ReasonCode::UnmappedTax, "GST");
}

#[test]
fn tax_of_a_foreign_line_cannot_be_split_and_can_be_cost() {
    let line = LineFacts {
        has_tax: Flag::Yes,
        tax_amount: Hundredths::Of(500),
        tax_code: "VAT20".into(),
        ..foreign()
    };
    one(line.clone()).rejected_for(
        ReasonCode::TaxNotConvertible,
        "its tax is in EUR, the report in USD",
    );
    let as_cost = LineFacts {
        tax_code: "GST".into(),
        ..line
    };
    let case = one(as_cost).ruled("treat_as_cost = false", "treat_as_cost = true");
    assert_eq!(shown(&case.document()), ["6410 OH debit 45.00"]);
}

#[test]
fn no_tax_is_no_tax_however_it_is_said() {
    let mut zero = taxed(12_000, 0, "GST");
    assert_eq!(one(zero.clone()).document().lines.len(), 1);
    zero.has_tax = Flag::No;
    assert_eq!(one(zero).document().lines.len(), 1);
}

#[test]
fn tax_larger_than_its_line_or_of_the_other_sign_is_rejected() {
    one(taxed(1_000, 2_000, "VAT20")).rejected_for(
        ReasonCode::AmountsDisagree,
        "tax of 2000 hundredths on an amount of 1000",
    );
    one(taxed(12_000, -2_000, "VAT20")).rejected_for(ReasonCode::AmountsDisagree, "tax of -2000 hundredths");
}

#[test]
fn tax_with_a_remainder_is_rejected_although_the_line_has_none() {
    one(taxed(100_000, 10_050, "VAT20"))
        .in_currency("JPY")
        .rejected_for(ReasonCode::AmountRemainder, "tax: 100.5 JPY");
}

#[test]
fn tax_without_an_amount_is_rejected() {
    let mut line = taxed(12_000, 0, "VAT20");
    line.tax_amount = Hundredths::Blank;
    one(line).rejected_for(ReasonCode::UnreadableAmount, "no tax amount was sent");
}

// ── totals ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn lines_that_do_not_add_up_to_the_total_are_rejected() {
    let mut case = report(vec![owed(5_000), carded(4_500)]);
    case.payload.facts.total = Hundredths::Of(9_499);
    case.rejected_for(
        ReasonCode::TotalDisagrees,
        "the report says 9499 hundredths of USD, its lines add up to 9500",
    );
}

#[test]
fn a_total_is_not_judged_while_an_amount_cannot_be_read() {
    let mut case = report(vec![owed(5_000), owed(1)]);
    case.payload.facts.lines[1].amount = Hundredths::from("4.50");
    case.payload.facts.lines[1].converted_amount = Hundredths::Blank;
    case.rejected_for(
        ReasonCode::UnreadableAmount,
        "amount is `4.50`, not a whole number of hundredths",
    );
}

#[test]
fn a_line_rejected_for_its_coding_counts_in_the_total_all_the_same() {
    let mut case = report(vec![owed(5_000), owed(100)]);
    case.payload.facts.lines[1].category = "Unheard".into();
    case.rejected_for(ReasonCode::UnmappedAccount, "Unheard");
}

#[test]
fn a_total_that_is_none_is_rejected() {
    for total in [Hundredths::Blank, Hundredths::from("12.00")] {
        let mut case = one(owed(1_200));
        case.payload.facts.total = total;
        case.rejected_for(ReasonCode::UnreadableAmount, "the report's total is");
    }
}

#[test]
fn a_line_without_any_amount_is_rejected() {
    let mut case = one(owed(1_200));
    case.payload.facts.lines[0].amount = Hundredths::Blank;
    case.payload.facts.lines[0].converted_amount = Hundredths::Blank;
    case.rejected_for(ReasonCode::UnreadableAmount, "no amount was sent");
}

#[test]
fn the_largest_amounts_are_added_without_overflow() {
    let mut case = report(vec![owed(i64::MAX), owed(i64::MAX)]);
    case.payload.facts.total = Hundredths::Of(-2);
    case.rejected_for(
        ReasonCode::TotalDisagrees,
        "its lines add up to 18446744073709551614",
    );
}
