//! The arithmetic that ties source and ledger together: what a report's lines come to, and what a document is of it.
//!
//! *At the source* a report amounts to the sum of its lines in the report's own currency: a line's edited amount where
//! there is one, else its amount; for a line in another currency its converted amount (contract expensify §4.4 to §4.6).
//!
//! *In the ledger* the same lines stand as the expense and tax lines of its documents, debits less credits. For an
//! invoice that is its total, for a credit note its total below zero, for a journal what its expense lines come to
//! without the clearing side. Hence, for a report posted whole:
//!
//! ```text
//! sum of lines = invoice total - credit note total + journal's expense lines, debits less credits
//! ```

use rust_decimal::Decimal;
use tieout_domain::money::{Currency, Hundredths};
use tieout_domain::posting::{Document, LineOrigin, Side};
use tieout_domain::report::{LineFacts, ReportFacts};

/// Two currency codes, however they came, are one.
fn same_currency(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

fn line_hundredths(line: &LineFacts, report_currency: &str) -> Option<i64> {
    let effective = match &line.modified_amount {
        Hundredths::Blank => line.amount.get()?,
        modified => modified.get()?,
    };
    if same_currency(&line.currency, report_currency) {
        return Some(effective);
    }
    // A converted amount of zero beside an original that is none means: not converted.
    line.converted_amount
        .get()
        .filter(|converted| *converted != 0 || effective == 0)
}

/// Hundredths as an amount with the decimals of the currency; as they are where it has fewer, or is none we know.
pub fn in_currency(hundredths: i64, currency: &str) -> Decimal {
    let known = Currency::new(currency).ok();
    known
        .and_then(|currency| currency.from_hundredths(hundredths).ok())
        .unwrap_or_else(|| Decimal::new(hundredths, 2))
}

/// What the source says the report's total is; `None` where that is no number.
pub fn declared_total(facts: &ReportFacts) -> Option<Decimal> {
    facts
        .total
        .get()
        .map(|hundredths| in_currency(hundredths, &facts.currency))
}

/// The sum of a report's lines in its own currency; `None` where a line has no amount that can be read.
pub fn sum_of_lines(facts: &ReportFacts) -> Option<Decimal> {
    let sum = facts.lines.iter().try_fold(0i64, |sum, line| {
        sum.checked_add(line_hundredths(line, &facts.currency)?)
    })?;
    Some(in_currency(sum, &facts.currency))
}

/// What a document is of its report's amount: its expense and tax lines, debits less credits. Signed.
pub fn share_of_report(document: &Document) -> Decimal {
    document
        .lines
        .iter()
        .filter(|line| line.origin != LineOrigin::Clearing)
        .fold(Decimal::ZERO, |sum, line| match line.side {
            Side::Debit => sum.saturating_add(line.amount),
            Side::Credit => sum.saturating_sub(line.amount),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{expense, facts, journal_of, payable_of};

    #[test]
    fn a_line_counts_with_its_edited_amount_and_a_foreign_one_with_its_converted() {
        let mut report = facts(1, "USD", &[("1", 10_000), ("2", 5_000)]);
        report.lines[0].modified_amount = Hundredths::Of(9_000);
        report.lines[1].currency = "EUR".into();
        report.lines[1].converted_amount = Hundredths::Of(5_500);
        assert_eq!(sum_of_lines(&report).unwrap().to_string(), "145.00");
    }

    #[test]
    fn a_foreign_line_without_a_conversion_and_an_amount_that_is_no_number_have_no_sum() {
        let mut report = facts(1, "USD", &[("1", 10_000)]);
        report.lines[0].currency = "EUR".into();
        assert_eq!(sum_of_lines(&report), None);
        report.lines[0].currency = "usd ".into();
        assert_eq!(
            sum_of_lines(&report).unwrap().to_string(),
            "100.00",
            "a code in another case is the same currency"
        );
        report.lines[0].amount = Hundredths::Unreadable("a lot".into());
        assert_eq!(sum_of_lines(&report), None);
    }

    #[test]
    fn an_amount_bears_the_decimals_of_its_currency_and_loses_none() {
        assert_eq!(in_currency(100_000, "JPY").to_string(), "1000");
        assert_eq!(
            in_currency(100_050, "JPY").to_string(),
            "1000.50",
            "half a yen is shown, not rounded"
        );
        assert_eq!(in_currency(1_050, "no currency").to_string(), "10.50");
    }

    #[test]
    fn the_shares_of_invoice_credit_note_and_journal_are_what_their_expenses_come_to() {
        let lines = [expense("1", 10_000), expense("2", -2_500)];
        assert_eq!(share_of_report(&payable_of(1, &lines)).to_string(), "75.00");
        let refund = [expense("1", 2_000), expense("2", -2_500)];
        assert_eq!(share_of_report(&payable_of(1, &refund)).to_string(), "-5.00");
        let journal = journal_of(1, &lines);
        assert_eq!(
            journal.amount().to_string(),
            "100.00",
            "a journal's debits are not what it is of the report"
        );
        assert_eq!(share_of_report(&journal).to_string(), "75.00");
    }
}
