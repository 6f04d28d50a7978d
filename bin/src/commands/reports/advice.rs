//! Why a report is not simply done, and what to do about it: the first thing a person should know of it.

use tieout_domain::report::Exclusion;
use tieout_projections::work_list::{DocumentStanding, Row, RowDocument};

/// The first reason and its remedy. Both are empty for a report that is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice {
    /// The first reason, and how many more there are.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl Advice {
    /// For a row of the work list. What only a person can settle comes first, then what else is under way, why it does
    /// not post, and what happened after posting.
    pub fn of(row: &Row) -> Self {
        Self::for_a_person(row)
            .or_else(|| Self::under_way(row))
            .or_else(|| Self::not_posting(row))
            .or_else(|| Self::to_be_sent(row))
            .or_else(|| Self::after_posting(row))
            .unwrap_or_default()
    }

    fn new(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            remedy: remedy.into(),
        }
    }

    fn for_a_person(row: &Row) -> Option<Self> {
        row.now.documents.iter().find_map(|document| match &document.standing {
            DocumentStanding::InDoubt {
                doubt,
                needs_a_person: true,
                ..
            } => Some(Self::new(
                doubt,
                format!(
                    "Look at it in QAD, then settle it: `tieout resolve {} --adopt YEAR/DAYBOOK/VOUCHER`.",
                    row.report_id
                ),
            )),
            _ => None,
        })
    }

    fn under_way(row: &Row) -> Option<Self> {
        let why = row
            .now
            .documents
            .iter()
            .find_map(|document| match &document.standing {
                DocumentStanding::InDoubt { doubt, .. } => Some(doubt.clone()),
                DocumentStanding::Sending { .. } => {
                    Some("its intent is on record, and no outcome".to_owned())
                }
                _ => None,
            })?;
        Some(Self::new(
            why,
            "Nothing yet: each cycle looks for it in QAD, and sends it again only once it is proven absent after the quarantine.",
        ))
    }

    fn not_posting(row: &Row) -> Option<Self> {
        let reasons = row.reasons();
        if let Some(first) = reasons.first() {
            let why = format!("{}: {}{}", first.code, first.message, and_more(reasons.len()));
            return Some(Self::new(why, first.remedy()));
        }
        let why = row.now.excluded.as_ref()?;
        Some(Self::new(left_out(why), ""))
    }

    /// A document that is planned beside one that stands.
    fn to_be_sent(row: &Row) -> Option<Self> {
        let documents = &row.now.documents;
        let planned = |document: &&RowDocument| matches!(document.standing, DocumentStanding::Planned);
        let missing = documents.iter().find(planned)?;
        documents
            .iter()
            .any(|document| document.standing.stands())
            .then(|| {
                Self::new(
                    format!("its {} is still to be sent", missing.reference.kind),
                    "Nothing, as long as Expensify shows the report as it was posted: the next cycle sends it. If it was edited there, \
                     reverse the document that stands too, or set the report back.",
                )
            })
    }

    fn after_posting(row: &Row) -> Option<Self> {
        let case = row.cases.first()?;
        Some(Self::new(
            format!("{}{}", case.message, and_more(row.cases.len())),
            case.remedy(row.report_id),
        ))
    }
}

fn and_more(count: usize) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    }
}

fn left_out(why: &Exclusion) -> String {
    match why {
        Exclusion::BeforeGoLive { approved, go_live } => {
            format!("approved {approved}, before go-live {go_live}: keyed by hand")
        }
        Exclusion::NothingToPost => "nothing on it posts".to_owned(),
        Exclusion::Decided {
            reason,
            ledger_reference: None,
        } => reason.clone(),
        Exclusion::Decided {
            reason,
            ledger_reference: Some(there),
        } => format!("{reason}; in the ledger it is {there}"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use rust_decimal::Decimal;
    use tieout_domain::ids::{
        ConnectionId, DaybookCode, DocumentKind, Generation, Reference, ReportId, Voucher,
    };
    use tieout_domain::posting::DocumentKey;
    use tieout_domain::report::{Attempt, Proof, Reason, ReasonCode};
    use tieout_projections::work_list::{CaseKind, OpenCase};

    use super::*;

    fn report() -> ReportId {
        ReportId::from_decimal(17).unwrap()
    }

    fn row(standings: Vec<DocumentStanding>) -> Row {
        let kinds = [DocumentKind::SupplierInvoice, DocumentKind::Journal];
        let mut row = Row::new(ConnectionId(uuid::Uuid::nil()), report());
        row.now.documents = kinds
            .into_iter()
            .zip(standings)
            .map(|(kind, standing)| RowDocument {
                reference: Reference {
                    report: report(),
                    kind,
                    generation: Generation::FIRST,
                },
                amount: Decimal::ONE,
                share: Decimal::ONE,
                currency: "USD".into(),
                posting_date: NaiveDate::from_ymd_opt(2026, 10, 1).unwrap(),
                standing,
            })
            .collect();
        row
    }

    fn in_doubt(doubt: &str, needs_a_person: bool) -> DocumentStanding {
        DocumentStanding::InDoubt {
            attempt: Attempt(1),
            doubt: doubt.into(),
            needs_a_person,
            since: DateTime::UNIX_EPOCH,
        }
    }

    fn posted() -> DocumentStanding {
        DocumentStanding::Posted {
            key: DocumentKey {
                year: 2026,
                daybook: DaybookCode::new("EXPINV").unwrap(),
                voucher: Voucher(7),
            },
            proof: Proof::Confirmed,
        }
    }

    #[test]
    fn what_only_a_person_can_settle_comes_before_what_settles_itself() {
        let both = row(vec![in_doubt("lost", false), in_doubt("twice", true)]);
        let advice = Advice::of(&both);
        assert_eq!(advice.why, "twice");
        assert!(
            advice.remedy.contains("tieout resolve R0000000000H --adopt"),
            "{}",
            advice.remedy
        );
        let one = Advice::of(&row(vec![in_doubt("lost", false), DocumentStanding::Planned]));
        assert!(one.why == "lost" && one.remedy.starts_with("Nothing yet"));
    }

    #[test]
    fn a_reason_comes_with_its_remedy_and_how_many_more_there_are() {
        let mut row = row(vec![]);
        row.now.reasons = vec![
            Reason::of_report(ReasonCode::NoSupplier, "none"),
            Reason::of_report(ReasonCode::NoPeriod, "none either"),
        ];
        let advice = Advice::of(&row);
        assert_eq!(advice.why, "no_supplier: none (and 1 more)");
        assert_eq!(advice.remedy, ReasonCode::NoSupplier.remedy());
    }

    #[test]
    fn what_is_done_has_none_and_what_is_half_done_or_changed_since_has() {
        assert_eq!(Advice::of(&row(vec![posted()])), Advice::default());
        assert_eq!(
            Advice::of(&row(vec![DocumentStanding::Planned])),
            Advice::default()
        );
        let half = Advice::of(&row(vec![posted(), DocumentStanding::Planned]));
        assert_eq!(half.why, "its journal entry is still to be sent");
        let mut paid = row(vec![posted()]);
        paid.cases = vec![OpenCase {
            case: CaseKind::PaidAtSource,
            reference: None,
            values: Vec::new(),
            message: "paid".into(),
            since: DateTime::UNIX_EPOCH,
        }];
        let advice = Advice::of(&paid);
        assert!(advice.why == "paid" && advice.remedy.contains("paid twice"));
    }
}
