//! What an expense amounts to in the report's currency, and its tax (design §6, contract expensify §4.5, §4.6).

use rust_decimal::Decimal;

use crate::money::{Currency, Hundredths};
use crate::posting::Coding;
use crate::report::{Flag, LineFacts, OriginalAmount, Reason, ReasonCode, ReportFacts};
use crate::rules::{RuleSet, TaxTreatment};

/// A line's amount, judged.
pub(super) struct LineAmount<'r> {
    /// In the report's currency, signed as at the source.
    pub(super) amount: Decimal,
    /// The same in hundredths, for the sum.
    pub(super) hundredths: i64,
    /// Which source field it is.
    pub(super) source: String,
    /// The foreign amount, where the line has another currency.
    pub(super) original: Option<OriginalAmount>,
    /// Tax that posts on an account of its own.
    pub(super) tax: Option<LineTax<'r>>,
    /// What was decided of the tax, for the record.
    pub(super) tax_note: Option<String>,
}

/// Tax that posts on an account of its own.
pub(super) struct LineTax<'r> {
    /// In the report's currency, signed like the line's amount.
    pub(super) amount: Decimal,
    /// Which source field it is.
    pub(super) source: &'static str,
    /// What it is coded to.
    pub(super) coding: &'r Coding,
}

fn number(line: &LineFacts, name: &str, value: &Hundredths, reasons: &mut Vec<Reason>) -> Option<i64> {
    if let Hundredths::Unreadable(text) = value {
        let shown: String = text.chars().take(40).collect();
        let message = format!("{name} is `{shown}`, not a whole number of hundredths");
        reasons.push(Reason::of_line(
            ReasonCode::UnreadableAmount,
            &line.transaction,
            message,
        ));
    }
    value.get()
}

/// The amount of a line, or every reason why it has none.
pub(super) fn line_amount<'r>(
    line: &LineFacts,
    report: Currency,
    rules: &'r RuleSet,
) -> Result<LineAmount<'r>, Vec<Reason>> {
    let mut reasons = Vec::new();
    let id = &line.transaction;
    let own = Currency::new(&line.currency)
        .map_err(|e| {
            reasons.push(Reason::of_line(
                ReasonCode::UnknownCurrency,
                id,
                format!("the line's currency: {e}"),
            ))
        })
        .ok();
    let original = number(line, "amount", &line.amount, &mut reasons);
    let modified = number(line, "modifiedAmount", &line.modified_amount, &mut reasons);
    let converted = number(line, "convertedAmount", &line.converted_amount, &mut reasons);
    let (effective, effective_name) = if line.modified_amount == Hundredths::Blank {
        (original, "amount")
    } else {
        (modified, "modifiedAmount")
    };
    if reasons.is_empty() && effective.is_none() {
        reasons.push(Reason::of_line(
            ReasonCode::UnreadableAmount,
            id,
            "no amount was sent",
        ));
    }
    let (Some(own), Some(effective)) = (own, effective) else {
        return Err(reasons);
    };
    if !reasons.is_empty() {
        return Err(reasons);
    }
    // A converted amount of zero beside an original that is none means: not converted.
    let converted = converted.filter(|c| *c != 0 || effective == 0);
    let (hundredths, source) = match converted {
        Some(converted) if own == report && converted != effective => {
            let message = format!(
                "{effective_name} is {effective} hundredths, convertedAmount {converted}, both in {own}"
            );
            return Err(vec![Reason::of_line(ReasonCode::AmountsDisagree, id, message)]);
        }
        Some(converted) if own != report => (converted, format!("convertedAmount = {converted} hundredths")),
        _ if own == report => (effective, format!("{effective_name} = {effective} hundredths")),
        _ => {
            let message = format!("{effective} hundredths of {own} came without an amount in {report}");
            return Err(vec![Reason::of_line(ReasonCode::MissingConversion, id, message)]);
        }
    };
    let amount = report
        .from_hundredths(hundredths)
        .map_err(|e| vec![Reason::of_line(ReasonCode::AmountRemainder, id, e.to_string())])?;
    let original = (own != report).then(|| OriginalAmount {
        amount: Decimal::new(effective, 2),
        currency: own.code().to_owned(),
        rate: line.rate.clone(),
    });
    let (tax, tax_note) = line_tax(line, own, report, hundredths, rules)?;
    Ok(LineAmount {
        amount,
        hundredths,
        source,
        original,
        tax,
        tax_note,
    })
}

type TaxSplit<'r> = (Option<LineTax<'r>>, Option<String>);

fn line_tax<'r>(
    line: &LineFacts,
    own: Currency,
    report: Currency,
    amount: i64,
    rules: &'r RuleSet,
) -> Result<TaxSplit<'r>, Vec<Reason>> {
    let id = &line.transaction;
    let mut reasons = Vec::new();
    let sent = number(line, "taxAmount", &line.tax_amount, &mut reasons);
    let modified = number(line, "modifiedTaxAmount", &line.modified_tax_amount, &mut reasons);
    if let Flag::Unreadable(text) = &line.has_tax {
        let shown: String = text.chars().take(40).collect();
        reasons.push(Reason::of_line(
            ReasonCode::UnreadableFlag,
            id,
            format!("hasTax is `{shown}`"),
        ));
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let (tax, source) = match modified {
        Some(modified) => (Some(modified), "modifiedTaxAmount"),
        None => (sent, "taxAmount"),
    };
    match tax {
        Some(0) => return Ok((None, None)),
        None if line.has_tax != Flag::Yes => return Ok((None, None)),
        _ => {}
    }
    match (rules.tax_treatment(&line.tax_code), tax) {
        (TaxTreatment::Cost, _) => Ok((None, Some(format!("tax code `{}` is cost", line.tax_code)))),
        (TaxTreatment::Unmapped, _) => {
            let message = format!("tax code `{}` ({}) is not mapped", line.tax_code, line.tax_name);
            Err(vec![Reason::of_line(ReasonCode::UnmappedTax, id, message)])
        }
        (TaxTreatment::Mapped(_), None) => Err(vec![Reason::of_line(
            ReasonCode::UnreadableAmount,
            id,
            "the line has tax, and no tax amount was sent",
        )]),
        (TaxTreatment::Mapped(_), Some(_)) if own != report => {
            let message = format!("its tax is in {own}, the report in {report}");
            Err(vec![Reason::of_line(ReasonCode::TaxNotConvertible, id, message)])
        }
        (TaxTreatment::Mapped(coding), Some(tax)) => {
            if tax.signum() != amount.signum() || tax.unsigned_abs() > amount.unsigned_abs() {
                let message = format!("tax of {tax} hundredths on an amount of {amount}");
                return Err(vec![Reason::of_line(ReasonCode::AmountsDisagree, id, message)]);
            }
            let amount = report.from_hundredths(tax).map_err(|e| {
                vec![Reason::of_line(
                    ReasonCode::AmountRemainder,
                    id,
                    format!("tax: {e}"),
                )]
            })?;
            Ok((
                Some(LineTax {
                    amount,
                    source,
                    coding,
                }),
                Some(format!("tax code `{}` has its own account", line.tax_code)),
            ))
        }
    }
}

/// The report's currency and total, and what contradicts its lines.
pub(super) fn report_faults(facts: &ReportFacts) -> (Option<Currency>, Vec<Reason>) {
    let mut reasons = Vec::new();
    let currency = Currency::new(&facts.currency)
        .map_err(|e| {
            reasons.push(Reason::of_report(
                ReasonCode::UnknownCurrency,
                format!("the report's currency: {e}"),
            ))
        })
        .ok();
    match facts.declared_lines {
        Some(declared) if declared == facts.lines.len() as u64 => {}
        Some(declared) => {
            let message = format!(
                "the source says {declared} expenses and sent {}",
                facts.lines.len()
            );
            reasons.push(Reason::of_report(ReasonCode::LineCountDisagrees, message));
        }
        None => reasons.push(Reason::of_report(
            ReasonCode::LineCountDisagrees,
            "the source sent no count of its expenses",
        )),
    }
    let mut seen = std::collections::BTreeSet::new();
    for line in &facts.lines {
        if !seen.insert(&line.transaction) {
            let message = format!("expense {} stands on the report twice", line.transaction);
            reasons.push(Reason::of_line(
                ReasonCode::DuplicateLine,
                &line.transaction,
                message,
            ));
        }
    }
    (currency, reasons)
}

/// Do the lines add up to the total? `None` for a line means that it has reasons of its own.
pub(super) fn total_fault(facts: &ReportFacts, lines: &[i64]) -> Option<Reason> {
    match &facts.total {
        Hundredths::Of(total) => {
            let sum: i128 = lines.iter().map(|line| i128::from(*line)).sum();
            (sum != i128::from(*total)).then(|| {
                let message = format!(
                    "the report says {total} hundredths of {}, its lines add up to {sum}",
                    facts.currency
                );
                Reason::of_report(ReasonCode::TotalDisagrees, message)
            })
        }
        other => {
            let shown: String = other.to_string().chars().take(40).collect();
            Some(Reason::of_report(
                ReasonCode::UnreadableAmount,
                format!("the report's total is `{shown}`"),
            ))
        }
    }
}
