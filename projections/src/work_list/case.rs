//! What happened after posting that a person should look at: what was posted, what the source or QAD shows now, field by
//! field, and what to do.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tieout_domain::ids::{DocumentKind, Reference, ReportId};
use tieout_domain::posting::Difference;
use tieout_domain::report::CaseName;

use super::row::{Captured, DocumentStanding, Row};

/// The kinds of open cases (design §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// The source shows something else than was posted.
    SourceDrifted,
    /// The source no longer has it.
    SourceGone,
    /// QAD holds something else than was posted.
    DocumentDrifted,
    /// A payable was posted, then the source paid it.
    PaidAtSource,
}

impl From<CaseName> for CaseKind {
    fn from(name: CaseName) -> Self {
        match name {
            CaseName::SourceDrifted => Self::SourceDrifted,
            CaseName::SourceGone => Self::SourceGone,
            CaseName::DocumentDrifted => Self::DocumentDrifted,
            CaseName::PaidAtSource => Self::PaidAtSource,
        }
    }
}

/// One field of a case, with both values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseValue {
    /// Which field.
    pub field: String,
    /// What was posted.
    pub posted: String,
    /// What the source, or QAD, shows now.
    pub shows: String,
}

impl CaseValue {
    fn new(field: impl Into<String>, posted: impl Into<String>, shows: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            posted: posted.into(),
            shows: shows.into(),
        }
    }
}

/// The most fields a row holds of one case: a row stays small however much changed. The trail has all of them.
const MOST: usize = 100;

/// Differences with both values.
pub(super) fn values(differences: &[Difference]) -> Vec<CaseValue> {
    let value = |d: &Difference| CaseValue::new(&d.field, &d.sent, &d.held);
    let mut values: Vec<CaseValue> = differences.iter().take(MOST).map(value).collect();
    let more = differences.len().saturating_sub(MOST);
    if more > 0 {
        values.push(CaseValue::new(
            format!("{more} more fields"),
            "see the trail",
            "see the trail",
        ));
    }
    values
}

/// Something after posting that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCase {
    /// What kind.
    pub case: CaseKind,
    /// The document it is about; `null` where it is about the report.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// In words.
    pub message: String,
    /// What was posted, and what is shown now.
    #[serde(default)]
    pub values: Vec<CaseValue>,
    /// When it was recorded.
    pub since: DateTime<Utc>,
}

/// A case as it is listed: with what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedCase {
    /// The case.
    #[serde(flatten)]
    pub case: OpenCase,
    /// What to do.
    pub remedy: String,
}

impl ListedCase {
    /// The cases of a row.
    pub fn of(row: &Row) -> Vec<Self> {
        let listed = |case: &OpenCase| Self {
            remedy: case.remedy(row.report_id),
            case: case.clone(),
        };
        row.cases.iter().map(listed).collect()
    }
}

impl OpenCase {
    /// Does QAD hold the document no more, or as reversed?
    fn state_in_qad(&self) -> Option<&str> {
        let state = self.values.iter().find(|value| value.field == "state");
        state.map(|value| value.shows.as_str())
    }

    /// What a person can do about it, with the command that records it.
    pub fn remedy(&self, report: ReportId) -> String {
        let reverse = format!("tieout reverse {report} --by WHERE_IN_QAD");
        match (self.case, self.state_in_qad()) {
            (CaseKind::SourceDrifted, _) => format!(
                "If what was posted is wrong: reverse it in QAD, then `{reverse} --again --why …`; the next cycle posts the report \
                 as Expensify shows it. If it is right, have the report set back in Expensify: the case then closes."
            ),
            (CaseKind::SourceGone, _) => format!(
                "Find out in Expensify why the report was unapproved, deleted or moved. If it should not stand: reverse it in \
                 QAD, then `{reverse} --leave-out --why …` (or --again, to post it when it comes back). If it shows again, the \
                 case closes."
            ),
            (CaseKind::DocumentDrifted, Some("reversed")) => format!(
                "Say that it was reversed, and what is to become of it: `{reverse} --again --why …` posts the report again under \
                 the next reference, `--leave-out` does not."
            ),
            (CaseKind::DocumentDrifted, Some(_)) => {
                "Have it looked at in QAD: a posted document is reversed there and not taken out. The case closes when it shows \
                 again."
                    .to_owned()
            }
            (CaseKind::DocumentDrifted, None) => format!(
                "See in QAD who changed it, and why. If it is wrong: reverse it there, then `{reverse} --again --why …`. The case \
                 closes when it is as it was posted."
            ),
            (CaseKind::PaidAtSource, _) => format!(
                "Take the payable out of QAD's next payment run: it would be paid twice. Then reverse it in QAD and run \
                 `{reverse} --again --why …`; the next cycle posts the report as paid by Expensify."
            ),
        }
    }
}

/// The source shows something else: the differences as the event has them; of an event from before it had them, what the
/// two captures say in short.
pub(super) fn drifted(
    posted: Option<&Captured>,
    shows: &Captured,
    differences: &[Difference],
) -> Vec<CaseValue> {
    if !differences.is_empty() {
        return values(differences);
    }
    let Some(posted) = posted else { return Vec::new() };
    let amount = |captured: &Captured| {
        let amount = captured.line_amount.or(captured.total);
        amount.map_or_else(
            || "cannot be read".to_owned(),
            |amount| format!("{amount} {}", captured.currency),
        )
    };
    let fields = [
        (
            "status",
            String::from(posted.status.clone()),
            String::from(shows.status.clone()),
        ),
        (
            "number of expenses",
            posted.line_count.to_string(),
            shows.line_count.to_string(),
        ),
        ("amount", amount(posted), amount(shows)),
    ];
    fields
        .into_iter()
        .filter(|(_, was, is)| was != is)
        .map(|(field, was, is)| CaseValue::new(field, was, is))
        .collect()
}

/// The fields of a report that say that it was paid.
const OF_PAYMENT: [&str; 4] = ["status", "reimbursed", "paid by ACH", "reimbursement id"];

/// A payable was paid at the source: the payables that stand, and what says that they were paid.
pub(super) fn paid(row: &Row, differences: &[Difference]) -> Vec<CaseValue> {
    let payables = row.now.documents.iter().filter_map(|document| {
        let DocumentStanding::Posted { key, .. } = &document.standing else {
            return None;
        };
        (document.reference.kind != DocumentKind::Journal).then(|| {
            CaseValue::new(
                format!("{} {}", document.reference.kind, document.reference),
                format!(
                    "{} {} as {key}, to be paid by QAD",
                    document.amount, document.currency
                ),
                "paid by Expensify",
            )
        })
    });
    let said: Vec<Difference> = differences
        .iter()
        .filter(|difference| OF_PAYMENT.contains(&difference.field.as_str()))
        .cloned()
        .collect();
    payables.chain(values(&said)).collect()
}

/// The source has it no more.
pub(super) fn gone(posted: Option<&Captured>) -> Vec<CaseValue> {
    let Some(posted) = posted else { return Vec::new() };
    let total = posted.total.or(posted.line_amount);
    let total = total.map_or_else(String::new, |total| format!(", {total} {}", posted.currency));
    let was = format!(
        "{}, {} expense(s){total}",
        String::from(posted.status.clone()),
        posted.line_count
    );
    vec![CaseValue::new("report", was, "nothing")]
}

/// What is said of a document that QAD holds otherwise.
pub(super) fn changed_in_qad(reference: Reference, differences: &[Difference]) -> String {
    let state = differences.iter().find(|difference| difference.field == "state");
    match state.map(|difference| difference.held.as_str()) {
        Some("nothing") => format!("document {reference} is not in QAD any more"),
        Some(held) => format!("document {reference} is {held} in QAD"),
        None => {
            let list: Vec<String> = differences
                .iter()
                .map(|d| format!("{}: posted {}, QAD holds {}", d.field, d.sent, d.held))
                .collect();
            format!("document {reference} was changed in QAD: {}", list.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use tieout_domain::report::{Payload, ReportEvent, source_differences};

    use std::sync::Arc;

    use super::*;
    use crate::testing::{SUBMITTER, facts, payable_of, payload, posted_whole, report, row_of};

    const LINES: [(&str, i64); 2] = [("1", 21_250), ("2", -1_250)];

    fn drifted_to(shown: Arc<Payload>, differences: Vec<Difference>) -> ReportEvent {
        ReportEvent::SourceDrifted {
            payload_hash: shown.payload_hash().unwrap(),
            material_hash: shown.material_hash("00"),
            payload: shown,
            differences,
        }
    }

    fn with(event: ReportEvent) -> Row {
        let mut events = posted_whole(8, &LINES, vec![payable_of(8, &LINES)]);
        events.push(event);
        row_of(8, events)
    }

    fn both(values: &[CaseValue]) -> Vec<(&str, &str, &str)> {
        values
            .iter()
            .map(|v| (v.field.as_str(), v.posted.as_str(), v.shows.as_str()))
            .collect()
    }

    #[test]
    fn a_drift_is_told_field_by_field_with_both_values_and_what_to_do() {
        let (was, is) = (
            payload(facts(8, "USD", &LINES)),
            payload(facts(8, "USD", &[("1", 22_250), ("2", -1_250)])),
        );
        let row = with(drifted_to(is.clone(), source_differences(&was, &is)));
        let told = both(&row.cases[0].values);
        assert!(told.contains(&("total", "200.00", "210.00")), "{told:?}");
        let listed = &ListedCase::of(&row)[0];
        assert!(
            listed
                .remedy
                .contains(&format!("tieout reverse {} --by", report(8))),
            "{listed:?}"
        );
        let json = serde_json::to_value(listed).unwrap();
        assert_eq!(json["case"], "source_drifted");
        assert_eq!(json["values"][0]["posted"], told[0].1);
        assert!(!json.to_string().contains(SUBMITTER));
    }

    #[test]
    fn a_drift_from_before_differences_were_recorded_is_told_in_short() {
        let row = with(drifted_to(payload(facts(8, "USD", &[("1", 100)])), Vec::new()));
        assert_eq!(
            both(&row.cases[0].values),
            [
                ("number of expenses", "2", "1"),
                ("amount", "200.00 USD", "1.00 USD")
            ]
        );
    }

    #[test]
    fn a_row_stays_small_however_much_changed() {
        let many: Vec<Difference> = (0..250)
            .map(|number| Difference {
                field: format!("field {number}"),
                sent: "a".into(),
                held: "b".into(),
            })
            .collect();
        let row = with(drifted_to(payload(facts(8, "USD", &[("1", 100)])), many));
        let values = &row.cases[0].values;
        assert_eq!(values.len(), MOST + 1);
        assert_eq!(values[MOST].field, "150 more fields");
    }

    #[test]
    fn what_qad_holds_is_told_by_what_became_of_the_document() {
        let reference = payable_of(8, &LINES).reference;
        let state = |held: &str| {
            vec![Difference {
                field: "state".into(),
                sent: "posted".into(),
                held: held.into(),
            }]
        };
        let told = |differences| {
            let row = with(ReportEvent::DocumentDrifted {
                reference,
                differences,
            });
            let case = &row.cases[0];
            (case.message.clone(), case.remedy(report(8)))
        };
        let (message, remedy) = told(state("reversed"));
        assert!(
            message.contains("is reversed in QAD") && remedy.contains("--again"),
            "{message} {remedy}"
        );
        let (message, remedy) = told(state("nothing"));
        assert!(
            message.contains("not in QAD any more") && !remedy.contains("tieout reverse"),
            "{message} {remedy}"
        );
        let (message, _) = told(vec![Difference {
            field: "line 1 account".into(),
            sent: "6410".into(),
            held: "6420".into(),
        }]);
        assert!(
            message.contains("line 1 account: posted 6410, QAD holds 6420"),
            "{message}"
        );
    }
}
