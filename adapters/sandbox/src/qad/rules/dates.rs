//! When a document posts: date, year and period agree, and the period is open for the entity and the module.

use chrono::NaiveDate;

use super::Case;
use crate::qad::entity::Draft;
use crate::qad::envelope::Problem;
use crate::qad::shape::HeaderField;
use crate::qad::world::{DocumentKind, Period};

/// What a document's dates came to.
pub(super) struct Dates {
    pub(super) posting_date: NaiveDate,
    pub(super) year: i32,
    pub(super) period: u32,
}

/// A posting date that is sent must lie in the year and period that are sent, and the period must be open. One that
/// is left out defaults to the invoice date, and is moved without a word to the first day of the first open period
/// after it if that is closed (contract qad §4, *silent date shift*).
pub(super) fn judge(
    case: &Case<'_>,
    draft: &Draft,
    today: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Option<Dates> {
    let module = case.kind.module();
    let mut posting_date = draft
        .posting_date
        .unwrap_or_else(|| draft.invoice_date.unwrap_or(today));
    if draft.posting_date.is_none() && case.kind == DocumentKind::SupplierInvoice {
        let closed = case
            .workspace
            .period_of(posting_date)
            .is_none_or(|period| !period.is_open_for(module));
        if closed && let Some(open) = first_open_after(case, posting_date) {
            posting_date = open.start;
        }
    }
    let own = case.workspace.period_of(posting_date);
    let shown = posting_date.format("%Y-%m-%d").to_string();
    let (year, number) = match (draft.year, draft.period, own) {
        (Some(year), Some(number), _) => (year, number),
        (year, number, Some(own)) => (year.unwrap_or(own.year), number.unwrap_or(own.number)),
        (_, _, None) => {
            let message = format!("No period is defined for {shown}.");
            problems.push(case.error(HeaderField::PostingDate, &shown, "SIM-PERIOD-UNKNOWN", message));
            return None;
        }
    };
    let named = format!("{year}/{number:02}");
    let Some(period) = case.workspace.period(year, number) else {
        let message = format!("Period {named} does not exist.");
        problems.push(case.error(
            HeaderField::PostingPeriod,
            &number.to_string(),
            "SIM-PERIOD-UNKNOWN",
            message,
        ));
        return None;
    };
    if !period.contains(posting_date) {
        let message = format!("The posting date {shown} is not in period {named}.");
        problems.push(case.error(HeaderField::PostingDate, &shown, "SIM-PERIOD-DATE", message));
    }
    if !period.is_open_for(module) {
        let message = format!("Period {named} is closed for postings.");
        problems.push(case.error(HeaderField::PostingDate, &shown, "SIM-PERIOD", message));
    }
    Some(Dates {
        posting_date,
        year,
        period: number,
    })
}

fn first_open_after<'a>(case: &Case<'a>, day: NaiveDate) -> Option<&'a Period> {
    case.workspace
        .periods
        .iter()
        .filter(|period| period.start > day && period.is_open_for(case.kind.module()))
        .min_by_key(|period| period.start)
}
