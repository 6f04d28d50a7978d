//! What an event says, in words a controller uses.

use tieout_domain::ids::Reference;
use tieout_domain::money::Hundredths;
use tieout_domain::posting::{Difference, Document};
use tieout_domain::report::{AfterReversal, CaseName, Exclusion, Payload, Proof, ReportEvent};

/// One or more sentences, without anything personal.
pub(super) fn says(event: &ReportEvent) -> String {
    use ReportEvent as E;
    match event {
        E::Discovered { payload, .. } => format!(
            "The source shows the report for the first time: {}.",
            shape(payload)
        ),
        E::Revised { payload, .. } => format!(
            "What decides the posting changed at the source. It is now: {}.",
            shape(payload)
        ),
        E::Withdrawn => {
            "A complete listing of the source no longer shows it: unapproved, deleted or moved.".to_owned()
        }
        E::Mapped(mapping) => {
            let documents: Vec<String> = mapping.documents.iter().map(|document| named(document)).collect();
            format!(
                "Every line resolved under {} and {}, into {}.",
                mapping.basis.rules,
                mapping.basis.chart,
                documents.join(" and ")
            )
        }
        E::Rejected { basis, reasons } => {
            format!(
                "It cannot post as it is, under {} and {}: {}.",
                basis.rules,
                basis.chart,
                counted(reasons.len(), "reason")
            )
        }
        E::Held { reasons, until, .. } => {
            let until = until.map_or_else(String::new, |day| format!(" until {day}"));
            format!(
                "It can post, but not yet{until}: {}.",
                counted(reasons.len(), "reason")
            )
        }
        E::PostingStarted {
            document,
            attempt,
            owner,
            ..
        } => {
            format!(
                "About to look for {} in QAD and, if it is not there, to send it: attempt {attempt}, by instance {owner}.",
                named(document)
            )
        }
        E::DocumentPosted {
            reference,
            key,
            date,
            proof,
            warnings,
            why,
        } => {
            let proof = match proof {
                Proof::Confirmed => "QAD confirmed it, and it reads back alike in every line",
                Proof::Adopted => "it was found by its reference, alike in every line",
                Proof::Decided => "a person decided that it stands",
            };
            let why = why
                .as_ref()
                .map_or_else(String::new, |why| format!(" Why: {why}."));
            let warnings = if warnings.is_empty() {
                String::new()
            } else {
                format!(" QAD warned: {}.", warnings.join("; "))
            };
            format!("Document {reference} stands in QAD as {key}, dated {date}: {proof}.{why}{warnings}")
        }
        E::DocumentRefused { reference, .. } => {
            format!("QAD refused document {reference}, and a look-up finds nothing.")
        }
        E::PostingInDoubt {
            reference,
            doubt,
            since,
        } => format!(
            "Nobody knows what came of document {reference}: {}. Given up at {}.{}",
            doubt.describe(),
            since.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            if doubt.is_incident() {
                " A person must settle it."
            } else {
                ""
            }
        ),
        E::PostingFailed { reference, why } => {
            format!("Document {reference} is not in QAD and may be sent again: {why}.")
        }
        E::Posted => "Every document of it stands in QAD.".to_owned(),
        E::MarkingStarted { label } => {
            format!("About to set the exported flag at the source, under the label {label}.")
        }
        E::MarkedExported { label, listed_at } => format!(
            "The exported flag is set, under the label {label}: a listing complete at {} no longer shows it as unmarked.",
            listed_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        ),
        E::Rewound { to, why } => format!("Taken back to step {to}, to go on from there. Why: {why}."),
        E::Excluded(why) => excluded(why),
        E::DocumentReversed {
            reference,
            ledger_reference,
            then,
            why,
        } => {
            let why = why
                .as_ref()
                .map_or_else(String::new, |why| format!(" Why: {why}."));
            let then = match then {
                AfterReversal::PlannedAgain => "It is to be posted again, under the next reference.",
                AfterReversal::Excluded => "It is not to be posted again.",
            };
            format!("Document {reference} was reversed in QAD by {ledger_reference}. {then}{why}")
        }
        E::SourceDrifted {
            payload, differences, ..
        } => {
            let now = format!(
                "After posting, the source shows something else: {}. What was posted is unchanged.",
                shape(payload)
            );
            if differences.is_empty() {
                now
            } else {
                format!("{now} In each field: {}.", both_values(differences, "shown now"))
            }
        }
        E::SourceGone => {
            "After posting, the source no longer shows the report: unapproved, deleted or moved. What was posted is unchanged."
                .to_owned()
        }
        E::DocumentDrifted {
            reference,
            differences,
        } => format!(
            "After posting, document {reference} is not in QAD as it was posted: {}.",
            both_values(differences, "QAD holds")
        ),
        E::CaseClosed { case, reference } => closed(*case, *reference),
        E::PaidAtSource => {
            "Posted as payable, then paid at the source: see in QAD that it is not paid a second time."
                .to_owned()
        }
    }
}

fn both_values(differences: &[Difference], now: &str) -> String {
    let list: Vec<String> = differences
        .iter()
        .map(|d| format!("{}: posted {}, {now} {}", d.field, d.sent, d.held))
        .collect();
    list.join("; ")
}

fn closed(case: CaseName, reference: Option<Reference>) -> String {
    match (case, reference) {
        (CaseName::SourceDrifted, _) => "The source shows the report as it was posted again.".to_owned(),
        (CaseName::SourceGone, _) => "The source shows the report again.".to_owned(),
        (CaseName::PaidAtSource, _) => "The source no longer says that it paid the report.".to_owned(),
        (CaseName::DocumentDrifted, Some(reference)) => {
            format!("Document {reference} stands in QAD as it was posted again.")
        }
        (CaseName::DocumentDrifted, None) => "A document stands in QAD as it was posted again.".to_owned(),
    }
}

/// Why a report is left out.
pub(super) fn excluded(why: &Exclusion) -> String {
    match why {
        Exclusion::BeforeGoLive { approved, go_live } => {
            format!(
                "Left out: approved on {approved}, before go-live on {go_live}; such reports were keyed by hand."
            )
        }
        Exclusion::NothingToPost => "Left out: nothing on it posts.".to_owned(),
        Exclusion::Decided {
            reason,
            ledger_reference,
        } => {
            let there = ledger_reference
                .as_ref()
                .map_or_else(String::new, |there| format!(" In the ledger it is {there}."));
            format!("Left out: {reason}.{there}")
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("one {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn shape(payload: &Payload) -> String {
    let facts = &payload.facts;
    let total = match (&facts.total, crate::amount::declared_total(facts)) {
        (_, Some(total)) => format!("total {total} {}", facts.currency),
        (Hundredths::Blank, None) => "no total".to_owned(),
        (other, None) => format!("a total that cannot be read (`{other}`)"),
    };
    let status = String::from(facts.status.clone());
    format!("{status}, {}, {total}", counted(facts.lines.len(), "expense"))
}

fn named(document: &Document) -> String {
    format!(
        "{} {} of {} {}, dated {}",
        document.kind(),
        document.reference,
        document.amount(),
        document.currency,
        document.period.date
    )
}
