//! Double entry: one side a line, no finer than the currency, debits equal to credits, lines equal to the total.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Case;
use crate::qad::amount;
use crate::qad::entity::Draft;
use crate::qad::envelope::Problem;
use crate::qad::shape::{HeaderField, LineField};
use crate::qad::world::{DocumentKind, InvoiceType, Line};

pub(super) fn judge(case: &Case<'_>, draft: &Draft, problems: &mut Vec<Problem>) {
    for line in &draft.lines {
        sides(case, line, problems);
        decimals(
            case,
            case.names.line_path(LineField::Debit),
            line.debit,
            &line.currency,
            problems,
        );
        decimals(
            case,
            case.names.line_path(LineField::Credit),
            line.credit,
            &line.currency,
            problems,
        );
    }
    match case.kind {
        DocumentKind::JournalEntry => balance(case, draft, problems),
        DocumentKind::SupplierInvoice => {
            for field in [HeaderField::TotalCredit, HeaderField::TotalDebit] {
                let total = if field == HeaderField::TotalCredit {
                    draft.total_credit
                } else {
                    draft.total_debit
                };
                decimals(
                    case,
                    case.names.header_path(field),
                    total,
                    &draft.currency,
                    problems,
                );
            }
            totals(case, draft, problems);
        }
    }
}

fn sides(case: &Case<'_>, line: &Line, problems: &mut Vec<Problem>) {
    let debit = case.names.line_path(LineField::Debit);
    if line.debit.is_sign_negative() && !line.debit.is_zero()
        || line.credit.is_sign_negative() && !line.credit.is_zero()
    {
        let message = format!(
            "Line {} has a negative amount; it belongs on the other side.",
            line.sequence
        );
        problems.push(Problem::error(
            debit,
            &line.debit.to_string(),
            "SIM-SIGN",
            message,
        ));
    }
    match (line.debit.is_zero(), line.credit.is_zero()) {
        (true, true) => {
            let message = format!("Line {} has no amount.", line.sequence);
            problems.push(Problem::error(debit, "", "SIM-ZERO", message));
        }
        (false, false) => {
            let message = format!("Line {} has a debit and a credit.", line.sequence);
            problems.push(Problem::error(
                debit,
                &line.debit.to_string(),
                "SIM-SIDE",
                message,
            ));
        }
        _ => {}
    }
}

fn decimals(case: &Case<'_>, path: &str, amount: Decimal, currency: &str, problems: &mut Vec<Problem>) {
    let Some(places) = case.world.decimals(currency) else {
        return;
    };
    if !amount::fits(amount, places) {
        let message = format!("{amount} is finer than {currency} allows ({places} decimals).");
        problems.push(Problem::error(path, &amount.to_string(), "SIM-DECIMALS", message));
    }
}

/// Per currency; text and code of contract qad §7.9.
fn balance(case: &Case<'_>, draft: &Draft, problems: &mut Vec<Problem>) {
    let mut nets: BTreeMap<String, Decimal> = BTreeMap::new();
    for line in &draft.lines {
        *nets.entry(line.currency.to_uppercase()).or_default() += line.debit - line.credit;
    }
    if nets.values().any(|net| !net.is_zero()) {
        problems.push(Problem::error(
            &case.names.lines,
            "",
            "SIM-BALANCE",
            "Debit and credit totals differ.",
        ));
    }
}

/// An invoice owes: its lines are debits net, its total a credit. A credit note is the mirror.
fn totals(case: &Case<'_>, draft: &Draft, problems: &mut Vec<Problem>) {
    let Some(kind) = case.invoice_type else { return };
    let net: Decimal = draft.lines.iter().map(|line| line.debit - line.credit).sum();
    let (field, total, other_field, other, lines) = match kind {
        InvoiceType::Invoice => (
            HeaderField::TotalCredit,
            draft.total_credit,
            HeaderField::TotalDebit,
            draft.total_debit,
            net,
        ),
        InvoiceType::CreditNote => (
            HeaderField::TotalDebit,
            draft.total_debit,
            HeaderField::TotalCredit,
            draft.total_credit,
            -net,
        ),
    };
    if !other.is_zero() {
        let message = "The total is on the wrong side for this type of invoice.";
        problems.push(case.error(other_field, &other.to_string(), "SIM-TOTAL-SIDE", message));
    }
    if total <= Decimal::ZERO {
        let message = "The total must be greater than zero.";
        problems.push(case.error(field, &total.to_string(), "SIM-ZERO", message));
    } else if lines != total {
        let message = format!("The lines add up to {lines}, the total is {total}.");
        problems.push(case.error(field, &total.to_string(), "SIM-TOTAL", message));
    }
}
