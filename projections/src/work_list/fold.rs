//! What an event makes of a row. It follows the aggregate (design §4) step for step: a property holds the two together.

use tieout_domain::ids::{DocumentKind, Reference};
use tieout_domain::journal::Entry;
use tieout_domain::ports::Revision;
use tieout_domain::posting::Document;
use tieout_domain::report::{AfterReversal, Exclusion, Payload, ReportEvent, StageName, Step};

use super::case::{self, CaseKind, CaseValue, OpenCase};
use super::row::{Captured, DocumentStanding, Reversal, Row, RowDocument, Stage, Standing};
use crate::amount::{declared_total, share_of_report, sum_of_lines};

/// Folds one event into a row. An event that the table of design §4 does not allow (which is never appended, but a
/// damaged log might hold) changes nothing but the count of steps, as in the aggregate.
pub fn apply(row: &mut Row, entry: &Entry<ReportEvent>) {
    let step = Step(row.steps);
    row.steps = row.steps.saturating_add(1);
    row.last_change = Some(entry.envelope.recorded_at);
    if !allows(row, &entry.event) {
        return;
    }
    change(row, step, entry);
    let waypoint = matches!(
        entry.event,
        ReportEvent::Discovered { .. }
            | ReportEvent::Revised { .. }
            | ReportEvent::Mapped(_)
            | ReportEvent::Rejected { .. }
            | ReportEvent::Held { .. }
    );
    if waypoint {
        row.waypoints.insert(step, row.now.clone());
    }
}

/// The table of design §4, over a row.
fn allows(row: &Row, event: &ReportEvent) -> bool {
    use ReportEvent as E;
    use StageName as S;
    let stage = row.stage();
    let standing = |reference: &Reference| {
        let documents = &row.now.documents;
        documents
            .iter()
            .find(|document| document.reference == *reference)
            .map(|document| &document.standing)
    };
    let touches_the_ledger = row
        .now
        .documents
        .iter()
        .any(|document| document.standing.in_flight() || document.standing.stands());
    let under_way = |document: &super::row::RowDocument| document.standing.in_flight();
    let rests_in_the_ledger = row
        .now
        .documents
        .iter()
        .any(|document| document.standing.stands())
        && !row.now.documents.iter().any(under_way);
    match event {
        E::Discovered { .. } => stage == S::Unseen,
        E::Revised { .. } => matches!(
            stage,
            S::Discovered | S::Mapped | S::Rejected | S::Held | S::Withdrawn
        ),
        E::Withdrawn => matches!(stage, S::Discovered | S::Mapped | S::Rejected | S::Held),
        E::Mapped(mapping) => {
            matches!(stage, S::Discovered | S::Held)
                && !mapping.documents.is_empty()
                && mapping.documents.iter().all(|document| document.balances())
        }
        E::Rejected { .. } | E::Held { .. } => matches!(stage, S::Discovered | S::Held),
        E::PostingStarted { document, .. } => {
            matches!(stage, S::Mapped | S::PartlyPosted | S::Posting)
                && match standing(&document.reference) {
                    Some(DocumentStanding::Planned) => true,
                    Some(DocumentStanding::Refused { .. }) => stage == S::PartlyPosted,
                    _ => false,
                }
        }
        E::DocumentPosted { reference, .. }
        | E::DocumentRefused { reference, .. }
        | E::PostingInDoubt { reference, .. }
        | E::PostingFailed { reference, .. } => {
            stage == S::Posting && standing(reference).is_some_and(DocumentStanding::in_flight)
        }
        E::Posted => {
            let documents = &row.now.documents;
            stage == S::Posting
                && documents.iter().any(|document| document.standing.stands())
                && documents.iter().all(|document| {
                    document.standing.stands()
                        || matches!(document.standing, DocumentStanding::Reversed { .. })
                })
        }
        E::MarkingStarted { .. } => stage == S::Posted,
        E::MarkedExported { .. } => stage == S::Posted && row.now.label.is_some(),
        E::Rewound { to, .. } => stage != S::Unseen && !touches_the_ledger && row.waypoints.contains_key(to),
        E::Excluded(_) => stage != S::Unseen && !touches_the_ledger,
        E::DocumentReversed { reference, .. } => standing(reference).is_some_and(DocumentStanding::stands),
        E::SourceDrifted { .. } | E::SourceGone | E::DocumentDrifted { .. } | E::PaidAtSource => {
            rests_in_the_ledger
        }
        E::CaseClosed { case, reference } => {
            let kind = CaseKind::from(*case);
            rests_in_the_ledger
                && row
                    .cases
                    .iter()
                    .any(|open| open.case == kind && open.reference == *reference)
        }
    }
}

fn change(row: &mut Row, step: Step, entry: &Entry<ReportEvent>) {
    use ReportEvent as E;
    let capture = row.now.capture;
    let at = |stage: StageName| Standing {
        stage: Stage(stage),
        capture,
        ..Standing::default()
    };
    let since = entry.envelope.recorded_at;
    let open_case = |row: &mut Row, case: CaseKind, message: String, values: Vec<CaseValue>| {
        row.cases.push(OpenCase {
            case,
            reference: None,
            message,
            values,
            since,
        });
    };
    match &entry.event {
        E::Discovered { payload, .. } | E::Revised { payload, .. } => {
            row.captures.insert(step, captured(payload, entry.revision));
            row.now = Standing {
                capture: Some(step),
                ..at(StageName::Discovered)
            };
        }
        E::Withdrawn => row.now = at(StageName::Withdrawn),
        E::Mapped(mapping) => {
            let documents = mapping
                .documents
                .iter()
                .map(|document| filed(document, DocumentStanding::Planned))
                .collect();
            row.now = Standing {
                documents,
                approved_by_submitter: mapping.approved_by_submitter.is_some(),
                ..at(StageName::Mapped)
            };
        }
        E::Rejected { reasons, .. } => {
            row.now = Standing {
                reasons: reasons.clone(),
                ..at(StageName::Rejected)
            }
        }
        E::Held { reasons, until, .. } => {
            row.now = Standing {
                reasons: reasons.clone(),
                until: *until,
                ..at(StageName::Held)
            };
        }
        E::PostingStarted {
            document, attempt, ..
        } => {
            row.attempts = row.attempts.saturating_add(1);
            let sent = filed(document, DocumentStanding::Sending { attempt: *attempt });
            with(row, document.reference, |file| *file = sent);
        }
        E::DocumentPosted {
            reference,
            key,
            date,
            proof,
            ..
        } => with(row, *reference, |file| {
            file.posting_date = *date;
            file.standing = DocumentStanding::Posted {
                key: key.clone(),
                proof: *proof,
            };
        }),
        E::DocumentRefused { reference, messages } => with(row, *reference, |file| {
            file.standing = DocumentStanding::Refused {
                messages: messages.clone(),
            };
        }),
        E::PostingInDoubt {
            reference,
            doubt,
            since,
        } => with(row, *reference, |file| {
            let (attempt, first) = match &file.standing {
                DocumentStanding::InDoubt { attempt, since, .. } => (*attempt, *since),
                DocumentStanding::Sending { attempt } => (*attempt, since.at),
                _ => return,
            };
            let (doubt, needs_a_person) = (doubt.describe(), doubt.is_incident());
            file.standing = DocumentStanding::InDoubt {
                attempt,
                doubt,
                needs_a_person,
                since: first,
            };
        }),
        E::PostingFailed { reference, .. } => {
            with(row, *reference, |file| file.standing = DocumentStanding::Planned)
        }
        E::Posted => row.now.stage = Stage(StageName::Posted),
        E::MarkingStarted { label } => row.now.label = Some(label.clone()),
        E::MarkedExported { label, .. } => {
            row.now.stage = Stage(StageName::MarkedExported);
            row.now.label = Some(label.clone());
        }
        E::Rewound { to, .. } => {
            if let Some(standing) = row.waypoints.get(to) {
                row.now = standing.clone();
                for document in &mut row.now.documents {
                    // A mapping from before a reversal names references that are spent.
                    let first = tieout_domain::ids::Generation::FIRST;
                    let kind = document.reference.kind;
                    document.reference.generation = row.generations.get(&kind).copied().unwrap_or(first);
                }
            }
        }
        E::Excluded(why) => {
            row.now = Standing {
                excluded: Some(why.clone()),
                ..at(StageName::Excluded)
            }
        }
        E::DocumentReversed {
            reference,
            ledger_reference,
            then,
            ..
        } => {
            let next = reference.generation.next();
            row.generations.insert(reference.kind, next);
            let reversal = Reversal {
                reference: *reference,
                ledger_reference: ledger_reference.clone(),
            };
            row.reversals.push(reversal);
            with(row, *reference, |file| match then {
                AfterReversal::Excluded => {
                    file.standing = DocumentStanding::Reversed {
                        ledger_reference: ledger_reference.clone(),
                    };
                }
                AfterReversal::PlannedAgain => {
                    file.reference.generation = next;
                    file.standing = DocumentStanding::Planned;
                }
            });
            close_with_the_document(row, *reference);
        }
        E::SourceDrifted {
            payload, differences, ..
        } => {
            row.cases.retain(|case| case.case != CaseKind::SourceDrifted);
            let shows = captured(payload, entry.revision);
            let values = case::drifted(row.capture(), &shows, differences);
            let paid = case::paid(row, differences);
            for open in row
                .cases
                .iter_mut()
                .filter(|open| open.case == CaseKind::PaidAtSource)
            {
                open.values.clone_from(&paid);
            }
            let amount = shows
                .line_amount
                .map_or_else(|| "an amount that cannot be read".to_owned(), |a| a.to_string());
            let (status, currency, lines) = (String::from(shows.status), shows.currency, shows.line_count);
            let message = format!(
                "the source changed after posting: it now shows {status}, {lines} lines, {amount} {currency}"
            );
            open_case(row, CaseKind::SourceDrifted, message, values);
        }
        E::SourceGone => {
            let values = case::gone(row.capture());
            let message = "the source no longer shows it: unapproved, deleted or moved".to_owned();
            open_case(row, CaseKind::SourceGone, message, values);
        }
        E::DocumentDrifted {
            reference,
            differences,
        } => {
            row.cases.retain(|open| open.reference != Some(*reference));
            row.cases.push(OpenCase {
                case: CaseKind::DocumentDrifted,
                reference: Some(*reference),
                message: case::changed_in_qad(*reference, differences),
                values: case::values(differences),
                since,
            });
        }
        E::PaidAtSource => {
            let message =
                "a payable was posted, then the source paid it: it must not be paid again".to_owned();
            let values = case::paid(row, &[]);
            open_case(row, CaseKind::PaidAtSource, message, values);
        }
        E::CaseClosed { case, reference } => {
            let kind = CaseKind::from(*case);
            row.cases
                .retain(|open| open.case != kind || open.reference != *reference);
        }
    }
}

/// A case about a document goes with it; that a payable was paid, with the last payable; what the source shows, with the
/// last document of the report.
fn close_with_the_document(row: &mut Row, reversed: Reference) {
    let standing = || row.now.documents.iter().filter(|file| file.standing.stands());
    let any = standing().next().is_some();
    let payable = standing().any(|file| file.reference.kind != DocumentKind::Journal);
    row.cases.retain(|open| match open.case {
        CaseKind::DocumentDrifted => open.reference != Some(reversed),
        CaseKind::PaidAtSource => payable,
        CaseKind::SourceDrifted | CaseKind::SourceGone => any,
    });
}

pub(super) fn captured(payload: &Payload, revision: Revision) -> Captured {
    let facts = &payload.facts;
    Captured {
        revision,
        policy: facts.policy.clone(),
        status: facts.status.clone(),
        currency: facts.currency.clone(),
        total: declared_total(facts),
        line_count: facts.lines.len() as u64,
        line_amount: sum_of_lines(facts),
        approved: facts.approved.clone(),
    }
}

fn filed(document: &Document, standing: DocumentStanding) -> RowDocument {
    RowDocument {
        reference: document.reference,
        amount: document.amount(),
        share: share_of_report(document),
        currency: document.currency.to_string(),
        posting_date: document.period.date,
        standing,
    }
}

/// Changes a document and derives the stage anew from the states of all.
fn with(row: &mut Row, reference: Reference, change: impl FnOnce(&mut RowDocument)) {
    let now = &mut row.now;
    if let Some(file) = now
        .documents
        .iter_mut()
        .find(|document| document.reference == reference)
    {
        change(file);
    }
    let any = |test: &dyn Fn(&DocumentStanding) -> bool| {
        now.documents.iter().any(|document| test(&document.standing))
    };
    let refused = any(&|standing| matches!(standing, DocumentStanding::Refused { .. }));
    let stage = if any(&DocumentStanding::in_flight) {
        StageName::Posting
    } else if any(&DocumentStanding::stands) {
        if refused {
            StageName::PartlyPosted
        } else {
            StageName::Posting
        }
    } else if any(&|standing| matches!(standing, DocumentStanding::Reversed { .. })) {
        let reversals = now
            .documents
            .iter()
            .filter_map(|document| match &document.standing {
                DocumentStanding::Reversed { ledger_reference } => Some(ledger_reference.clone()),
                _ => None,
            });
        let references: Vec<String> = reversals.collect();
        now.excluded = Some(Exclusion::Decided {
            reason: "a document was reversed in QAD for good".into(),
            ledger_reference: Some(references.join(", ")),
        });
        now.documents.clear();
        StageName::Excluded
    } else if refused {
        now.reasons = now
            .documents
            .iter()
            .flat_map(RowDocument::refusal_reasons)
            .collect();
        now.documents.clear();
        StageName::Rejected
    } else {
        StageName::Mapped
    };
    now.stage = Stage(stage);
    now.label = None;
}
