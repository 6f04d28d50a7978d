//! The laws that are checked at the moment: when a document is sent, when a flag is set, when it goes on record that a
//! document never arrived. What is wrong for an instant only would be missed by a look at the end.
//!
//! Nothing here trusts the workflow's own views: the events are read from the log and held against both systems.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::chart::{Chart, ChartEvent};
use tieout_domain::ids::{Reference, ReportId, TransactionId};
use tieout_domain::journal::{Entry, Reader, StoredEvent};
use tieout_domain::ports::{NewEvent, Position, StreamName};
use tieout_domain::posting::Document;
use tieout_domain::report::{DocumentState, Report, ReportEvent};
use tieout_domain::rules::RuleSetVersion;
use tieout_domain::workflow::{ExpenseEvent, LedgerEvent, RulesEvent};
use tieout_memory::MemoryLog;

use crate::expensify::expenses_of;
use crate::ports::Unsealed;
use crate::qad::ACCOUNTS;
use crate::rules::rules_of;
use crate::run::STREAMS;
use crate::stage::{Process, Stage, State, now};

/// Every event of a stream, as it stands.
pub(crate) fn entries<E: StoredEvent>(stage: &Stage, stream: &StreamName) -> Vec<Entry<E>> {
    let log = stage.lock().log.clone();
    entries_in(&log, stream)
}

fn entries_in<E: StoredEvent>(log: &MemoryLog, stream: &StreamName) -> Vec<Entry<E>> {
    let reader = Reader {
        log,
        sealer: &Unsealed,
    };
    now(reader.stream::<E>(stream)).expect("the log can be read").0
}

/// A report as the log has it.
pub(crate) fn report_in(log: &MemoryLog, report: ReportId) -> Report {
    let entries = entries_in::<ReportEvent>(log, &STREAMS.report(report));
    Report::fold(entries.iter().map(|entry| &entry.event))
}

/// Every event of a report.
pub(crate) fn events_of(stage: &Stage, report: ReportId) -> Vec<Entry<ReportEvent>> {
    entries(stage, &STREAMS.report(report))
}

fn rules_in_force_at(stage: &Stage, position: Position) -> Option<RuleSetVersion> {
    entries::<RulesEvent>(stage, &STREAMS.rules())
        .into_iter()
        .filter(|entry| entry.position < position)
        .filter_map(|entry| match entry.event {
            RulesEvent::RuleSetActivated { version, .. } => Some(version),
            _ => None,
        })
        .next_back()
}

fn chart_at(stage: &Stage, position: Position) -> Chart {
    entries::<ChartEvent>(stage, &STREAMS.chart())
        .into_iter()
        .filter(|entry| entry.position < position)
        .fold(Chart::default(), |chart, entry| chart.evolve(&entry.event))
}

/// Which report claims an expense, and where in the log it does.
fn claim_on(stage: &Stage, expense: &TransactionId) -> Option<(ReportId, Position)> {
    entries::<ExpenseEvent>(stage, &STREAMS.expense(expense))
        .into_iter()
        .fold(None, |_, entry| match entry.event {
            ExpenseEvent::ExpenseClaimed { report, .. } => Some((report, entry.position)),
            ExpenseEvent::ExpenseReleased { .. } => None,
        })
}

/// Where in the log it stands that a document of the report which carried an expense was reversed, the last time.
fn reversal_of(entries: &[Entry<ReportEvent>], expense: &TransactionId) -> Option<Position> {
    let mut sent: BTreeMap<Reference, &Document> = BTreeMap::new();
    let mut last = None;
    for entry in entries {
        match &entry.event {
            ReportEvent::PostingStarted { document, .. } => drop(sent.insert(document.reference, document)),
            ReportEvent::DocumentReversed { reference, .. } => {
                let carried = sent
                    .get(reference)
                    .is_some_and(|document| document.transactions().contains(expense));
                last = carried.then_some(entry.position).or(last);
            }
            _ => {}
        }
    }
    last
}

/// The expenses that a report claims from before the document which carried them was reversed, and which no other document
/// of it carries.
pub(crate) fn spent_claims(stage: &Stage, report: ReportId) -> BTreeSet<TransactionId> {
    let entries = events_of(stage, report);
    let folded = Report::fold(entries.iter().map(|entry| &entry.event));
    let files = folded.dossier().map(|dossier| dossier.documents.as_slice());
    let carried: BTreeSet<TransactionId> = files
        .unwrap_or_default()
        .iter()
        .filter(|file| {
            !matches!(
                file.state,
                DocumentState::Planned | DocumentState::Refused { .. } | DocumentState::Reversed { .. }
            )
        })
        .flat_map(|file| file.document.transactions().into_iter().cloned())
        .collect();
    let sent = entries.iter().filter_map(|entry| match &entry.event {
        ReportEvent::PostingStarted { document, .. } => Some(document),
        _ => None,
    });
    let mut spent: BTreeSet<TransactionId> = sent
        .flat_map(|document| document.transactions().into_iter().cloned())
        .collect();
    spent.retain(|expense| {
        let claimed = claim_on(stage, expense).filter(|(owner, _)| *owner == report);
        let reversed = reversal_of(&entries, expense);
        !carried.contains(expense)
            && claimed
                .zip(reversed)
                .is_some_and(|((_, claimed), reversed)| claimed < reversed)
    });
    spent
}

/// Which report carries an expense: the one that claims it, unless its claim is spent.
pub(crate) fn carrier_of(stage: &Stage, expense: &TransactionId) -> Option<ReportId> {
    let (owner, _) = claim_on(stage, expense)?;
    (!spent_claims(stage, owner).contains(expense)).then_some(owner)
}

/// Is the connection in recovery, by its log?
pub(crate) fn in_recovery(stage: &Stage) -> bool {
    entries::<LedgerEvent>(stage, &STREAMS.ledger())
        .iter()
        .fold(false, |open, entry| match entry.event {
            LedgerEvent::RecoveryOpened { .. } => true,
            LedgerEvent::RecoveryClosed { .. } => false,
            LedgerEvent::LedgerDocumentExplained { .. } => open,
        })
}

/// Something is about to be written. A process to which the log failed knows no more what stands in it: its cycle ends.
pub(crate) fn about_to_write(stage: &Stage, process: &Process, events: &[NewEvent], fails: bool) {
    let judged = |event: &NewEvent| ["Mapped", "Rejected", "Held"].contains(&event.kind.as_str());
    if events.iter().any(judged) && entries::<ChartEvent>(stage, &STREAMS.chart()).is_empty() {
        let what = "a report is judged, and no chart was ever read".to_owned();
        stage.lock().broken(what);
    }
    let mut state = stage.lock();
    let told = state.told(process);
    let failed_before = told.log_failed;
    told.log_failed |= fails;
    if failed_before {
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        state.broken(format!(
            "{} is written though the log failed in this cycle",
            kinds.join(", ")
        ));
    }
}

/// A document is about to go out (laws 3, 4, 5, 10).
pub(crate) fn about_to_send(stage: &Stage, process: &Process, document: &Document) {
    let reference = document.reference;
    let entries = events_of(stage, reference.report);
    let report = Report::fold(entries.iter().map(|entry| &entry.event));
    let mut wrong: Vec<String> = Vec::new();

    // Law 3: the intent for exactly this stands in the log, is ours, and nobody took it over.
    match report.dossier().and_then(|dossier| dossier.file(reference)) {
        Some(file) if *file.document == *document => match &file.state {
            DocumentState::Sending { owner, .. } if *owner == process.id => {}
            // Somebody took over between the last look and the send: the instant that nothing can close.
            DocumentState::InDoubt { .. } if owned(&entries, reference, process) => {}
            other => wrong.push(format!(
                "{reference} is sent while it is {} by the log",
                other.name()
            )),
        },
        _ => wrong.push(format!(
            "{reference} is sent, and the log knows of no such document"
        )),
    }

    // Law 4: between two attempts stands what became of the first.
    let about = |event: &ReportEvent| matches!(event, ReportEvent::PostingStarted { document, .. } if document.reference == reference);
    let attempts: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| about(&entry.event))
        .map(|(at, _)| at)
        .collect();
    for pair in attempts.windows(2) {
        let settled = entries[pair[0]..pair[1]].iter().any(|entry| match &entry.event {
            ReportEvent::PostingFailed { reference: of, .. }
            | ReportEvent::DocumentRefused { reference: of, .. } => *of == reference,
            _ => false,
        });
        if !settled {
            wrong.push(format!(
                "{reference} is sent again, and nothing says what came of the attempt before"
            ));
        }
    }

    // Law 5: under the rules and the chart in force when its intent was written, as the source showed it in this cycle.
    let intent = attempts.last().and_then(|at| entries.get(*at));
    if let Some((intent, dossier)) = intent.zip(report.dossier()) {
        let beside_a_posted_one = dossier
            .documents
            .iter()
            .any(|file| matches!(file.state, DocumentState::Posted { .. }));
        let in_force = rules_in_force_at(stage, intent.position);
        let basis = &dossier.mapping.basis;
        if !beside_a_posted_one && in_force.as_ref() != Some(&basis.rules) {
            wrong.push(format!(
                "{reference} is sent under {}, and {in_force:?} was in force",
                basis.rules
            ));
        }
        let chart = chart_at(stage, intent.position);
        if !beside_a_posted_one && chart.version() != basis.chart {
            wrong.push(format!(
                "{reference} is sent under {}, and {} was in force",
                basis.chart,
                chart.version()
            ));
        }
        let travel = in_force
            .and_then(|version| rules_of(&version.hash))
            .map(|which| ACCOUNTS[which]);
        for line in &document.lines {
            let account = line.coding.account.as_str();
            let coded = match &line.origin {
                tieout_domain::posting::LineOrigin::Clearing => ["2155", "2161"].contains(&account),
                _ => Some(account) == travel,
            };
            if !coded
                || chart
                    .account(&line.coding.account)
                    .is_none_or(|account| !account.active)
            {
                wrong.push(format!(
                    "{reference} is sent with account {account}, which is not what is in force"
                ));
            }
        }
        let captured = expenses_of(&dossier.capture.payload.facts);
        let state = stage.lock();
        let showed = state
            .expensify
            .report(reference.report)
            .is_some_and(|source| source.showed_since(process.began, &captured));
        drop(state);
        if !showed {
            wrong.push(format!(
                "{reference} is sent, and the source did not show it like this in this cycle"
            ));
        }
    }

    // Law 5 and design §7: only where QAD showed its masters and the certified contract in this cycle, and the source was
    // listed whole.
    let told = stage.lock().told(process).clone();
    if told.in_recovery && in_recovery(stage) {
        wrong.push(format!("{reference} is sent in recovery"));
    }
    if !told.chart || !told.contract || told.listed_badly {
        wrong.push(format!(
            "{reference} is sent by a cycle in which QAD showed its masters: {}, the certified contract: {}; and the source was \
             listed badly: {}",
            told.chart, told.contract, told.listed_badly
        ));
    }

    // Law 10: the report carries every expense of it.
    for expense in document.transactions() {
        let claim = claim_on(stage, expense);
        if claim.is_none_or(|(owner, _)| owner != reference.report) {
            wrong.push(format!(
                "{reference} is sent with expense {expense}, on which {claim:?} is the claim"
            ));
        }
        let spent = claim
            .zip(reversal_of(&entries, expense))
            .is_some_and(|((_, claimed), reversed)| claimed < reversed);
        if spent {
            wrong.push(format!(
                "{reference} is sent with expense {expense} on a claim from before its reversal"
            ));
        }
    }
    tell(stage, wrong);
}

/// Is the last intent of a document this process's own?
fn owned(entries: &[Entry<ReportEvent>], reference: Reference, process: &Process) -> bool {
    entries
        .iter()
        .rev()
        .find_map(|entry| match &entry.event {
            ReportEvent::PostingStarted { document, owner, .. } if document.reference == reference => {
                Some(*owner)
            }
            _ => None,
        })
        .is_some_and(|owner| owner == process.id)
}

/// Flags are about to be set (law 2): only for reports that QAD holds whole, as the source showed them at some time.
pub(crate) fn about_to_mark(stage: &Stage, reports: &[ReportId]) {
    let mut wrong = Vec::new();
    {
        let state = stage.lock();
        for id in reports {
            let Some(source) = state.expensify.report(*id) else {
                wrong.push(format!("{id} is marked and does not exist"));
                continue;
            };
            let held = standing_expenses(&state, *id);
            let whole = source
                .versions
                .iter()
                .filter_map(|(_, facts)| facts.as_ref())
                .any(|facts| expenses_of(facts) == held);
            // What a person changed or reversed in QAD after it was confirmed is another matter (cases).
            let touched = state.qad.of(*id).any(|held| held.tampered);
            if !whole && !touched {
                wrong.push(format!("{id} is marked, and QAD holds {held:?} of it"));
            }
        }
    }
    tell(stage, wrong);
}

/// What the standing documents of a report carry.
pub(crate) fn standing_expenses(state: &State, report: ReportId) -> BTreeMap<TransactionId, i64> {
    state
        .qad
        .of(report)
        .filter(|held| held.stands())
        .flat_map(|held| held.expenses())
        .collect()
}

/// It goes on record that a document never arrived, is absent, or was refused (law 4).
pub(crate) fn said_to_have_failed(stage: &Stage, event: &NewEvent) {
    let data: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
    let reference: Reference = serde_json::from_value(data["facts"]["reference"].clone()).unwrap();
    let mut wrong = Vec::new();
    {
        let state = stage.lock();
        let sent: BTreeSet<Reference> = state
            .sends
            .iter()
            .filter(|sent| !sent.forgotten)
            .map(|sent| sent.reference)
            .collect();
        if sent.contains(&reference) {
            if state.qad.expects(reference) {
                wrong.push(format!(
                    "{reference} is said not to stand while a request for it is on its way"
                ));
            }
            let stands = |held: &&crate::qad::Held| held.stands() && held.sent.reference == reference;
            if let Some(held) = state.qad.documents.iter().find(stands) {
                wrong.push(format!(
                    "{reference} is said not to stand, and stands as {}",
                    held.held.key
                ));
            }
        }
    }
    tell(stage, wrong);
}

/// It goes on record that a document stands: the look-up before it showed one with its reference, where no person says so
/// (law 3).
pub(crate) fn taken_for_ours(stage: &Stage, process: &Process, event: &NewEvent) {
    let data: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
    let facts = &data["facts"];
    if facts["proof"] == "decided" {
        return;
    }
    let reference: Reference = serde_json::from_value(facts["reference"].clone()).unwrap();
    let looked = stage.lock().told(process).looked.get(&reference.report).cloned();
    let shown = looked.map(|shown| shown.iter().filter(|one| one.reference == reference).count());
    if shown != Some(1) {
        let what = format!("{reference} is taken for ours, and the look-up showed {shown:?} of it");
        tell(stage, vec![what]);
    }
}

fn tell(stage: &Stage, wrong: Vec<String>) {
    let mut state = stage.lock();
    wrong.into_iter().for_each(|what| state.broken(what));
}
