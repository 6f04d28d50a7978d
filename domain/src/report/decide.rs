//! `decide`: what a command makes happen, as a list of facts, or why it is refused. Total and pure.
//!
//! An empty list means that what was asked is already so: a retry is not an error.

use std::sync::Arc;
use std::time::Duration;

use super::admit::{Refusal, admit, event_name};
use super::after_posting;
use super::command::{Command, Decision, MapOutcome};
use super::event::{AfterReversal, Basis, Doubt, Proof, ReportEvent};
use super::payload::{MaterialHash, Payload, Personal};
use super::state::{DocumentState, Report, Stage, StageName};
use crate::ids::{InstanceId, Reference};
use crate::posting::Document;
use crate::time::Moment;

/// Decides what a command makes happen.
pub fn decide(report: &Report, command: Command) -> Result<Vec<ReportEvent>, Refusal> {
    let events = propose(report, command)?;
    // Each event must be allowed by the table after the ones before it.
    let mut state = std::borrow::Cow::Borrowed(report);
    for event in &events {
        admit(&state, event)?;
        if events.len() > 1 {
            state = std::borrow::Cow::Owned(state.into_owned().evolve(event));
        }
    }
    Ok(events)
}

fn propose(report: &Report, command: Command) -> Result<Vec<ReportEvent>, Refusal> {
    use ReportEvent as E;
    match command {
        Command::Observe(payload) => observe(report, payload),
        Command::Withdraw => Ok(match report.stage() {
            Stage::Discovered(_) | Stage::Mapped(_) | Stage::Rejected { .. } | Stage::Held { .. } => {
                vec![E::Withdrawn]
            }
            _ => Vec::new(),
        }),
        Command::Map(outcome) => map(report, outcome),
        Command::StartPosting {
            reference,
            owner,
            in_force,
            seen,
        } => start_posting(report, reference, owner, &in_force, seen),
        Command::StartRecoded {
            document,
            owner,
            seen,
        } => start_recoded(report, document, owner, seen),
        Command::RecordPosted {
            reference,
            key,
            date,
            proof,
            warnings,
        } => {
            let mut events = vec![E::DocumentPosted {
                reference,
                key,
                date,
                proof,
                warnings,
                why: None,
            }];
            complete(report, &mut events)?;
            Ok(events)
        }
        Command::RecordRefused { reference, messages } => {
            Ok(vec![E::DocumentRefused { reference, messages }])
        }
        Command::RecordDoubt {
            reference,
            doubt,
            since,
        } => match document(report, reference)? {
            // The same doubt again is no news, unless it can only be counted from now on.
            DocumentState::InDoubt {
                doubt: known,
                since: first,
                ..
            } if *known == doubt && !since.was_set_back_since(first) => Ok(Vec::new()),
            _ => Ok(vec![E::PostingInDoubt {
                reference,
                doubt,
                since,
            }]),
        },
        Command::RecordFailed { reference, why } => Ok(vec![E::PostingFailed { reference, why }]),
        Command::StartMarking(label) => match report.stage() {
            Stage::MarkedExported { label: marked, .. } if *marked == label => Ok(Vec::new()),
            _ => Ok(vec![E::MarkingStarted { label }]),
        },
        Command::ConfirmMarked { label, listed_at } => match report.stage() {
            Stage::MarkedExported { label: marked, .. } if *marked == label => Ok(Vec::new()),
            _ => Ok(vec![E::MarkedExported { label, listed_at }]),
        },
        Command::Rewind { to, why } => {
            let to = to.or_else(|| report.captured_at()).ok_or(Refusal::NotAllowed {
                stage: report.stage().name(),
                event: "Rewound",
                why: "nothing is known of it".into(),
            })?;
            Ok(vec![E::Rewound { to, why }])
        }
        Command::Exclude(why) => match report.stage() {
            Stage::Excluded { why: known, .. } if *known == why => Ok(Vec::new()),
            _ => Ok(vec![E::Excluded(why)]),
        },
        Command::Settle {
            reference,
            decision,
            why,
        } => settle(report, reference, decision, why),
        Command::Reverse {
            reference,
            ledger_reference,
            then,
            why,
        } => reverse(report, reference, ledger_reference, then, why),
        Command::RaiseDocumentDrift {
            reference,
            differences,
        } => Ok(after_posting::held_otherwise(report, reference, differences)),
        Command::ConfirmDocument { reference } => Ok(after_posting::held_as_posted(report, reference)),
        Command::RaiseGone => Ok(after_posting::gone(report)),
    }
}

/// A listing shows the report: new, changed, or as it was. The salt of the first capture is kept, so that hashes of
/// one report can be compared. Of a person who was forgotten nothing is captured again, and nothing can be compared.
fn observe(report: &Report, mut payload: Box<Payload>) -> Result<Vec<ReportEvent>, Refusal> {
    if report
        .capture()
        .is_some_and(|capture| capture.payload.personal == Personal::Forgotten)
    {
        return Ok(if report.stage().rests_in_the_ledger() {
            after_posting::whereabouts(report, &payload)
        } else {
            Vec::new()
        });
    }
    let known_salt = report
        .capture()
        .and_then(|c| c.payload.personal.known())
        .map(|p| p.salt.clone());
    if let (Some(salt), Personal::Known(personal)) = (known_salt, &mut payload.personal) {
        personal.salt = salt;
    }
    let salt = payload
        .personal
        .known()
        .map_or_else(String::new, |p| p.salt.clone());
    let material_hash = payload.material_hash(&salt);
    let payload_hash = payload
        .payload_hash()
        .map_err(|e| Refusal::Unwritable(e.to_string()))?;
    let payload: Arc<Payload> = payload.into();
    let changed = report
        .capture()
        .is_none_or(|capture| capture.material_hash != material_hash);
    match report.stage().name() {
        StageName::Unseen => Ok(vec![ReportEvent::Discovered {
            payload,
            payload_hash,
            material_hash,
        }]),
        StageName::Withdrawn => Ok(vec![ReportEvent::Revised {
            payload,
            payload_hash,
            material_hash,
        }]),
        StageName::Discovered | StageName::Mapped | StageName::Rejected | StageName::Held => Ok(if changed {
            vec![ReportEvent::Revised {
                payload,
                payload_hash,
                material_hash,
            }]
        } else {
            Vec::new()
        }),
        // What is at work in QAD is not disturbed; the drift shows once it rests. What is left out stays so.
        StageName::Posting | StageName::PartlyPosted if !report.stage().rests_in_the_ledger() => {
            Ok(Vec::new())
        }
        StageName::Excluded => Ok(Vec::new()),
        StageName::Posting | StageName::PartlyPosted | StageName::Posted | StageName::MarkedExported => {
            Ok(after_posting::shown(report, payload, payload_hash, material_hash))
        }
    }
}

/// The rules were applied. A report mapped or rejected before is taken back to its capture first, in the same append;
/// the same outcome again is no news.
fn map(report: &Report, outcome: MapOutcome) -> Result<Vec<ReportEvent>, Refusal> {
    let unchanged = match (report.stage(), &outcome) {
        (Stage::Mapped(dossier), MapOutcome::Mapped(mapping)) => dossier.mapping.as_ref() == mapping,
        // The basis moves with every change of the chart; what a controller reads does not.
        (Stage::Rejected { reasons: old, .. }, MapOutcome::Rejected { reasons, .. }) => old == reasons,
        (
            Stage::Held {
                reasons: old,
                until: was,
                ..
            },
            MapOutcome::Held { reasons, until, .. },
        ) => old == reasons && was == until,
        (Stage::Excluded { why: old, .. }, MapOutcome::Excluded(why)) => old == why,
        _ => false,
    };
    if unchanged {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    let (event, basis) = match outcome {
        MapOutcome::Mapped(mapping) => {
            let basis = mapping.basis.clone();
            (ReportEvent::Mapped(Arc::new(mapping)), Some(basis))
        }
        MapOutcome::Rejected { basis, reasons } => (
            ReportEvent::Rejected {
                basis: basis.clone(),
                reasons,
            },
            Some(basis),
        ),
        MapOutcome::Held {
            basis,
            reasons,
            until,
        } => (
            ReportEvent::Held {
                basis: basis.clone(),
                reasons,
                until,
            },
            Some(basis),
        ),
        MapOutcome::Excluded(why) => (ReportEvent::Excluded(why), None),
    };
    let back = match (report.stage().name(), report.captured_at()) {
        (StageName::Mapped | StageName::Rejected, Some(step)) if event_name(&event) != "Excluded" => {
            Some(step)
        }
        _ => None,
    };
    if let Some(to) = back {
        let why = basis.map_or_else(
            || "mapped again".to_owned(),
            |b| format!("mapped again under {} and {}", b.rules, b.chart),
        );
        events.push(ReportEvent::Rewound { to, why });
    }
    events.push(event);
    Ok(events)
}

fn start_posting(
    report: &Report,
    reference: Reference,
    owner: InstanceId,
    in_force: &Basis,
    seen: Option<MaterialHash>,
) -> Result<Vec<ReportEvent>, Refusal> {
    let dossier = report.dossier().ok_or(Refusal::NoSuchDocument(reference))?;
    let file = dossier
        .file(reference)
        .ok_or(Refusal::NoSuchDocument(reference))?;
    let mapped = &dossier.mapping.basis;
    if mapped != in_force {
        return Err(Refusal::Stale {
            mapped: format!("{} and {}", mapped.rules, mapped.chart),
            in_force: format!("{} and {}", in_force.rules, in_force.chart),
        });
    }
    if seen.as_ref() != Some(&dossier.capture.material_hash) {
        return Err(Refusal::NotSeenAsMapped);
    }
    Ok(vec![ReportEvent::PostingStarted {
        document: Arc::clone(&file.document),
        attempt: report.next_attempt(reference),
        owner,
        material_hash: dossier.capture.material_hash.clone(),
    }])
}

fn start_recoded(
    report: &Report,
    document: Arc<Document>,
    owner: InstanceId,
    seen: Option<MaterialHash>,
) -> Result<Vec<ReportEvent>, Refusal> {
    let reference = document.reference;
    let dossier = report.dossier().ok_or(Refusal::NoSuchDocument(reference))?;
    let file = dossier
        .file(reference)
        .ok_or(Refusal::NoSuchDocument(reference))?;
    if !report.stage().touches_the_ledger() {
        return Err(Refusal::NotAllowed {
            stage: report.stage().name(),
            event: "PostingStarted",
            why: "nothing of it is posted: it is mapped again as a whole".into(),
        });
    }
    if seen.as_ref() != Some(&dossier.capture.material_hash) {
        return Err(Refusal::NotSeenAsMapped);
    }
    if !document.balances() || document.transactions() != file.document.transactions() {
        return Err(Refusal::Contradicted(format!(
            "document {reference} would carry other expenses than were mapped to it"
        )));
    }
    Ok(vec![ReportEvent::PostingStarted {
        attempt: report.next_attempt(reference),
        document,
        owner,
        material_hash: dossier.capture.material_hash.clone(),
    }])
}

/// Adds `Posted` where the events make every document posted.
fn complete(report: &Report, events: &mut Vec<ReportEvent>) -> Result<(), Refusal> {
    let mut after = report.clone();
    for event in events.iter() {
        admit(&after, event)?;
        after = after.evolve(event);
    }
    if let Stage::Posting(dossier) = after.stage()
        && dossier.complete()
    {
        events.push(ReportEvent::Posted);
    }
    Ok(())
}

fn document(report: &Report, reference: Reference) -> Result<&DocumentState, Refusal> {
    report
        .dossier()
        .and_then(|d| d.file(reference))
        .map(|f| &f.state)
        .ok_or(Refusal::NoSuchDocument(reference))
}

/// A person reversed a document in QAD. Where what is left stands, and nothing is to be sent any more, the report is posted
/// with that: nothing else would say so.
fn reverse(
    report: &Report,
    reference: Reference,
    ledger_reference: String,
    then: AfterReversal,
    why: Option<String>,
) -> Result<Vec<ReportEvent>, Refusal> {
    let here = report.dossier().and_then(|dossier| dossier.file(reference));
    let already = match here.map(|file| &file.state) {
        Some(DocumentState::Reversed { .. }) => true,
        Some(_) => false,
        None => reference.generation < report.generation(reference.kind),
    };
    if already {
        return Ok(Vec::new());
    }
    let mut events = vec![ReportEvent::DocumentReversed {
        reference,
        ledger_reference,
        then,
        why,
    }];
    complete(report, &mut events)?;
    Ok(events)
}

/// A person's word on a document in doubt: refused where the log shows it cannot be true.
fn settle(
    report: &Report,
    reference: Reference,
    decision: Decision,
    why: String,
) -> Result<Vec<ReportEvent>, Refusal> {
    let DocumentState::InDoubt { doubt, since, .. } = document(report, reference)? else {
        return Err(Refusal::Contradicted(format!(
            "document {reference} is not in doubt: there is nothing to settle"
        )));
    };
    match decision {
        Decision::Adopt { key, date } => {
            let mut events = vec![ReportEvent::DocumentPosted {
                reference,
                key,
                date,
                proof: Proof::Decided,
                warnings: Vec::new(),
                why: Some(why),
            }];
            complete(report, &mut events)?;
            Ok(events)
        }
        Decision::Absent { now, quarantine } => match doubt {
            Doubt::Differs { key, .. } => Err(Refusal::Contradicted(format!(
                "document {reference} was seen in QAD as {key}: it is not absent; reverse it there first, or adopt it"
            ))),
            Doubt::Duplicated { sightings } => Err(Refusal::Contradicted(format!(
                "{} documents with reference {reference} were seen in QAD: reverse all but one there, and adopt that one",
                sightings.len()
            ))),
            Doubt::WarnedOfDuplicate { key: Some(key), .. } => Err(Refusal::Contradicted(format!(
                "QAD stored document {reference} as {key} and warned that the reference exists already: it is not absent; reverse \
                 what is too much there, and adopt the one that is left"
            ))),
            Doubt::Unread { key: Some(key), .. } => Err(Refusal::Contradicted(format!(
                "QAD confirmed document {reference} as {key}: it is not absent; adopt it"
            ))),
            _ => match still_to_wait(since, &now, quarantine) {
                // Nobody can see in QAD what has not arrived there yet.
                Some(seconds) => Err(Refusal::Contradicted(format!(
                    "QAD may still carry out the request for document {reference} that was given up: say that it is absent in \
                     {seconds} s, when the quarantine of {} s has passed, having looked again",
                    quarantine.as_secs()
                ))),
                None => Ok(vec![ReportEvent::PostingFailed {
                    reference,
                    why: format!("a person found it absent: {why}"),
                }]),
            },
        },
    }
}

/// How many seconds of the quarantine are left, counted up to whole ones.
fn still_to_wait(since: &Moment, now: &Moment, quarantine: Duration) -> Option<u64> {
    let left = quarantine
        .as_millis()
        .saturating_sub(u128::from(now.millis_since(since)));
    let seconds = u64::try_from(left.div_ceil(1_000)).unwrap_or(u64::MAX);
    (seconds > 0).then_some(seconds)
}
