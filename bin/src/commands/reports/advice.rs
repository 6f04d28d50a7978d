//! Why a report is not simply done, and what to do about it: the first thing a person should know of it.

use tieout_domain::report::Exclusion;
use tieout_projections::work_list::{CaseKind, DocumentStanding, Row};

/// The first reason and its remedy. Both are empty for a report that is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice {
    /// The first reason, and how many more there are.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl Advice {
    /// For a row of the work list. What only a person can settle comes first, then what waits, then what happened after
    /// posting.
    pub fn of(row: &Row) -> Self {
        let report = row.report_id;
        let in_doubt = row
            .now
            .documents
            .iter()
            .find_map(|document| match &document.standing {
                DocumentStanding::InDoubt {
                    doubt,
                    needs_a_person,
                    ..
                } => Some((doubt.clone(), *needs_a_person)),
                DocumentStanding::Sending { .. } => {
                    Some(("its intent is on record, and no outcome".to_owned(), false))
                }
                _ => None,
            });
        match in_doubt {
            Some((why, true)) => {
                let remedy = format!(
                    "Look at it in QAD, then settle it: `tieout resolve {report} --adopt YEAR/DAYBOOK/VOUCHER`."
                );
                return Self { why, remedy };
            }
            Some((why, false)) => {
                let remedy = "Nothing yet: each cycle looks for it in QAD, and sends it again only once it is proven absent after the quarantine.".to_owned();
                return Self { why, remedy };
            }
            None => {}
        }
        let reasons = row.reasons();
        if let Some(first) = reasons.first() {
            let more = reasons.len() - 1;
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            return Self {
                why: format!("{}: {}{more}", first.code, first.message),
                remedy: first.remedy().to_owned(),
            };
        }
        if let Some(why) = &row.now.excluded {
            return Self {
                why: left_out(why),
                remedy: String::new(),
            };
        }
        if let Some(case) = row.cases.first() {
            let more = row.cases.len() - 1;
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            return Self {
                why: format!("{}{more}", case.message),
                remedy: match case.case {
                    CaseKind::SourceDrifted | CaseKind::SourceGone => {
                        "See whether what was posted still stands; if not, reverse it in QAD."
                    }
                    CaseKind::DocumentDrifted => "See who changed it in QAD, and why.",
                    CaseKind::PaidAtSource => "See in QAD that it is not paid a second time.",
                }
                .to_owned(),
            };
        }
        Self::default()
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
