//! The posting date and the period it falls in (design §6).

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::chart::{Chart, Master, Period, PeriodState};
use crate::ids::DocumentKind;
use crate::posting::PostingPeriod;
use crate::report::{LineFacts, Reason, ReasonCode, ReportFacts};
use crate::rules::{ClosedPeriod, PostingDate};
use crate::time::SourceTime;

/// The date of an expense, after edits.
pub(super) fn expense_date(line: &LineFacts, zone: Tz) -> Result<NaiveDate, Reason> {
    let time = if line.modified_created.is_blank() {
        &line.created
    } else {
        &line.modified_created
    };
    time.date_in(zone).ok_or_else(|| {
        let shown: String = time.as_str().chars().take(40).collect();
        Reason::of_line(
            ReasonCode::UnreadableDate,
            &line.transaction,
            format!("the expense date is `{shown}`"),
        )
    })
}

/// The date the rule set's policy names, before any period is looked at, and the source field it comes from.
pub(super) fn policy_date(
    policy: PostingDate,
    facts: &ReportFacts,
    zone: Tz,
    today: NaiveDate,
) -> Result<(NaiveDate, String), Vec<Reason>> {
    let of = |name: &str, time: &SourceTime| {
        time.date_in(zone)
            .map(|date| (date, format!("{name} = {}, in {zone}", time.as_str())))
            .ok_or_else(|| {
                let shown: String = time.as_str().chars().take(40).collect();
                vec![Reason::of_report(
                    ReasonCode::UnreadableDate,
                    format!("{name} is `{shown}`"),
                )]
            })
    };
    match policy {
        PostingDate::Submitted => of("submitted", &facts.submitted),
        PostingDate::Approved => of("approved", &facts.approved),
        PostingDate::Posted => Ok((today, format!("the day of posting, in {zone}"))),
        PostingDate::LastExpense => {
            let (dates, faults): (Vec<_>, Vec<_>) = facts
                .lines
                .iter()
                .map(|line| expense_date(line, zone))
                .partition(Result::is_ok);
            let faults: Vec<Reason> = faults.into_iter().filter_map(Result::err).collect();
            match dates.into_iter().filter_map(Result::ok).max() {
                Some(date) if faults.is_empty() => Ok((date, "the latest expense date".to_owned())),
                _ => Err(faults),
            }
        }
    }
}

/// Where a document posts.
pub(super) enum Placed {
    /// Here.
    In(PostingPeriod, Option<String>),
    /// Not yet.
    Hold(Reason),
    /// Nowhere.
    Reject(Reason),
}

fn open_for(period: &Period, kind: DocumentKind) -> bool {
    let ledger = period.general_ledger == PeriodState::Open;
    match kind {
        DocumentKind::Journal => ledger,
        DocumentKind::SupplierInvoice | DocumentKind::CreditNote => {
            ledger && period.purchasing == PeriodState::Open
        }
    }
}

/// Finds the period of a date for a kind of document; a closed one holds it, or moves it to the first day of the next
/// open one, as the rule set says.
pub(super) fn place(chart: &Chart, kind: DocumentKind, date: NaiveDate, closed: ClosedPeriod) -> Placed {
    let at = |period: &Period, date| PostingPeriod {
        date,
        year: period.year,
        number: period.number,
    };
    let Some(period) = chart.periods().find(|period| period.contains(date)) else {
        if chart.held().iter().any(|held| held.master == Master::Periods) {
            return Placed::Hold(Reason::of_report(
                ReasonCode::ChartHeld,
                format!("QAD's periods were not confirmed today; {date} cannot be placed"),
            ));
        }
        return Placed::Reject(Reason::of_report(
            ReasonCode::NoPeriod,
            format!("no period of QAD contains {date}"),
        ));
    };
    if open_for(period, kind) {
        return Placed::In(at(period, date), None);
    }
    let shut = Reason::of_report(
        ReasonCode::ClosedPeriod,
        format!("period {period} is closed for {kind} postings, and the posting date is {date}"),
    );
    match closed {
        ClosedPeriod::Hold => Placed::Hold(shut),
        ClosedPeriod::NextOpen => {
            let next = chart
                .periods()
                .filter(|p| p.start > period.end && open_for(p, kind))
                .min_by_key(|p| p.start);
            match next {
                Some(next) => {
                    let note = format!(
                        "{date} lies in period {period}, which is closed for {kind} postings: moved to {}, the first day of {next}",
                        next.start
                    );
                    Placed::In(at(next, next.start), Some(note))
                }
                None => Placed::Hold(shut),
            }
        }
    }
}
