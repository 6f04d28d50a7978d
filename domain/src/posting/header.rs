//! What stands above a document's lines: daybook, posting date and period, each with its why.

use chrono::NaiveDate;

use super::coding::Objections;
use super::dates::{Placed, place, policy_date};
use super::map::MapInputs;
use crate::chart::Master;
use crate::ids::DocumentKind;
use crate::report::{FieldWhy, Reason, ReasonCode, ReportFacts};

/// The header of a document, with every why.
pub(super) struct Header {
    pub(super) daybook: crate::ids::DaybookCode,
    pub(super) period: super::document::PostingPeriod,
    pub(super) document_date: NaiveDate,
    pub(super) fields: Vec<FieldWhy>,
    pub(super) note: Option<String>,
}

/// Finds daybook, date and period of a document; every objection is noted.
pub(super) fn header(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    kind: DocumentKind,
    against: &mut Objections,
) -> Option<Header> {
    let posting = &inputs.rules.settings().posting;
    let daybook = daybook(inputs, kind, against);
    let (date, source) = match policy_date(posting.date, facts, inputs.zone, inputs.today) {
        Ok(found) => found,
        Err(reasons) => {
            for reason in reasons {
                if !against.reject.contains(&reason) {
                    against.reject.push(reason);
                }
            }
            return None;
        }
    };
    let (period, note) = match place(inputs.chart, kind, date, posting.closed_period) {
        Placed::In(period, note) => (period, note),
        Placed::Hold(reason) => {
            against.hold.push(reason);
            return None;
        }
        Placed::Reject(reason) => {
            against.reject.push(reason);
            return None;
        }
    };
    let daybook = daybook?;
    // An invoice keeps its own date where a closed period moves its posting; a journal has no other date.
    let document_date = if kind == DocumentKind::Journal {
        period.date
    } else {
        date
    };
    let fields = vec![
        FieldWhy {
            field: "daybook".into(),
            value: daybook.to_string(),
            source: format!("a {kind}"),
            rule: "[daybooks]".into(),
        },
        FieldWhy {
            field: "posting date".into(),
            value: period.date.to_string(),
            source: source.clone(),
            rule: note.clone().unwrap_or_else(|| "posting.date".to_owned()),
        },
        FieldWhy {
            field: "period".into(),
            value: format!("{}/{}", period.year, period.number),
            source: format!("posting date {}", period.date),
            rule: "the periods of QAD".into(),
        },
        FieldWhy {
            field: "document date".into(),
            value: document_date.to_string(),
            source: if kind == DocumentKind::Journal {
                format!("posting date {}", period.date)
            } else {
                source
            },
            rule: "posting.date".into(),
        },
    ];
    Some(Header {
        daybook,
        period,
        document_date,
        fields,
        note,
    })
}

fn daybook(
    inputs: &MapInputs<'_>,
    kind: DocumentKind,
    against: &mut Objections,
) -> Option<crate::ids::DaybookCode> {
    let reject = |message: String| Reason::of_report(ReasonCode::BadDaybook, message);
    let Some(code) = inputs.rules.settings().daybooks.of(kind) else {
        against
            .reject
            .push(reject(format!("the rule set names no daybook for a {kind}")));
        return None;
    };
    match inputs.chart.daybook(code) {
        Some(book) if !book.active => against.reject.push(reject(format!("daybook {code} is inactive"))),
        Some(book) => {
            if book.accepts.takes(kind) {
                return Some(code.clone());
            }
            against
                .reject
                .push(reject(format!("daybook {code} does not take a {kind}")));
        }
        None if inputs.chart.is_missing(Master::Daybooks, code.as_str()) => {
            against.hold.push(Reason::of_report(
                ReasonCode::ChartHeld,
                format!("daybook {code} was not shown when QAD was last asked"),
            ));
        }
        None => against.reject.push(reject(format!("QAD has no daybook {code}"))),
    }
    None
}
