//! The look at the end, when nothing goes wrong any more and nothing moves: both systems held against the log, report by
//! report and document by document, by rules written here a second time.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::ids::{Reference, ReportId};
use tieout_domain::journal::Entry;
use tieout_domain::posting::{Document, DocumentKey, differences};
use tieout_domain::report::{
    Case as Opened, DocumentState, Dossier, Doubt, Proof, ReasonCode, Report, ReportEvent, Stage as Reached,
    admit,
};

use crate::expensify::{SourceReport, There, expenses_of};
use crate::law::{carrier_of, events_of, standing_expenses};
use crate::qad::Held;
use crate::run::STREAMS;
use crate::stage::Stage;

/// Audits everything; returns how many reports ended in which stage.
pub(crate) fn audit(stage: &Stage) -> BTreeMap<String, u32> {
    let mut stages = BTreeMap::new();
    let sources = stage.lock().expensify.reports.clone();
    for source in &sources {
        let entries = events_of(stage, source.id);
        let mut case = Case::of(stage, source);
        let report = case.fold(&entries);
        *stages.entry(report.stage().name().to_string()).or_default() += 1;
        case.is_accounted_for(&report);
        case.is_explained(&entries);
        case.holds_nothing_it_let_go(&report, stage);
        let mut state = stage.lock();
        for what in case.wrong {
            state.broken(format!("report {}, {}: {what}", source.id, report.stage().name()));
        }
    }
    nothing_stands_twice(stage);
    nothing_is_of_nobody(stage, &sources);
    stages
}

/// One report, as both systems hold it.
struct Case<'a> {
    source: &'a SourceReport,
    /// Every document in QAD that bears a reference of it.
    held: Vec<Held>,
    /// Expenses of it that another report carries.
    carried: BTreeSet<ReportId>,
    /// What was sent of it since the log was last put back.
    sent: Vec<Reference>,
    standing_expenses: BTreeMap<tieout_domain::ids::TransactionId, i64>,
    /// Documents that a person explained, which the log could not.
    explained: BTreeSet<DocumentKey>,
    /// The log was put back to a copy.
    restored: bool,
    wrong: Vec<String>,
}

impl<'a> Case<'a> {
    fn of(stage: &Stage, source: &'a SourceReport) -> Self {
        let carried = source
            .facts
            .lines
            .iter()
            .filter_map(|line| carrier_of(stage, &line.transaction))
            .filter(|owner| *owner != source.id)
            .collect();
        let state = stage.lock();
        let sent = state
            .sends
            .iter()
            .filter(|sent| !sent.forgotten)
            .map(|sent| sent.reference);
        Self {
            source,
            held: state.qad.of(source.id).cloned().collect(),
            carried,
            sent: sent.filter(|reference| reference.report == source.id).collect(),
            standing_expenses: standing_expenses(&state, source.id),
            explained: state.explained.clone(),
            restored: state.restored,
            wrong: Vec::new(),
        }
    }

    fn blame(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn blame_if(&mut self, wrong: bool, what: impl FnOnce() -> String) {
        if wrong {
            self.blame(what());
        }
    }

    /// Somebody changed or reversed a document of it in QAD.
    fn touched(&self) -> bool {
        self.held.iter().any(|held| held.tampered || held.foreign)
    }

    fn standing(&self) -> BTreeSet<DocumentKey> {
        let standing = self.held.iter().filter(|held| held.stands());
        standing.map(|held| held.held.key.clone()).collect()
    }

    /// Folds the report, and looks whether the table of the design has a place for every event of it.
    fn fold(&mut self, entries: &[Entry<ReportEvent>]) -> Report {
        let mut report = Report::default();
        for entry in entries {
            if let Err(refusal) = admit(&report, &entry.event) {
                self.blame(format!("event {} has no place: {refusal}", entry.revision.0));
            }
            report = report.evolve(&entry.event);
        }
        report
    }

    /// Laws 2, 5 and 6: where the report is, and what both systems hold of it, agree.
    fn is_accounted_for(&mut self, report: &Report) {
        let shown = self.source.there == There::Shown;
        let marked = !self.source.labels.is_empty();
        match report.stage() {
            Reached::Unseen => self.blame_if(shown, || {
                "the source shows it, and the log does not know it".into()
            }),
            Reached::Posted { dossier, .. } | Reached::MarkedExported { dossier, .. } => {
                self.stands_whole(dossier);
                self.has_its_cases(report, dossier);
                self.blame_if(shown && !marked, || "posted, approved, and never marked".into());
                let unproven = matches!(report.stage(), Reached::Posted { .. });
                self.blame_if(shown && marked && unproven, || "its mark was never proven".into());
            }
            Reached::Posting(dossier) => {
                let moved_on = |case: &Opened| matches!(case, Opened::SourceDrifted(_) | Opened::SourceGone);
                let told = dossier.documents.iter().any(|file| for_a_person(&file.state))
                    || report.cases().iter().any(moved_on);
                self.blame_if(!told, || {
                    "it is stuck, and nothing of it is for a person to settle".into()
                });
                self.is_unmarked(marked);
                self.has_nothing_but(&named_in(dossier));
            }
            Reached::PartlyPosted(dossier) => {
                let says = dossier.documents.iter().any(
                    |file| matches!(&file.state, DocumentState::Refused { messages } if !messages.is_empty()),
                );
                self.blame_if(!says, || "nothing says what is missing".into());
                self.is_unmarked(marked);
                self.has_nothing_but(&posted_in(dossier));
            }
            Reached::Rejected { reasons, .. } => {
                let uncoded = self
                    .source
                    .facts
                    .lines
                    .iter()
                    .any(|line| line.category == "Mystery");
                let of = |code| reasons.iter().any(|reason| reason.code == code);
                let carried = of(ReasonCode::ExpenseClaimed) && !self.carried.is_empty();
                let rightly = uncoded || carried || of(ReasonCode::RefusedByQad);
                self.blame_if(!rightly, || format!("nothing rejects it: {reasons:?}"));
                self.is_unmarked(marked);
                self.has_nothing_but(&BTreeSet::new());
                self.is_as_the_source_shows(report, shown);
            }
            Reached::Excluded { .. } => {
                self.is_unmarked(marked);
                self.has_nothing_but(&BTreeSet::new());
            }
            Reached::Withdrawn(_) => {
                self.blame_if(shown, || "the source shows it".into());
                self.has_nothing_but(&BTreeSet::new());
            }
            Reached::Discovered(_) | Reached::Mapped(_) | Reached::Held { .. } => {
                self.blame("it waits, and nothing is in its way");
                self.has_nothing_but(&BTreeSet::new());
            }
        }
    }

    /// What changed after posting, at the source or in QAD, is open as a case; and nothing else is.
    fn has_its_cases(&mut self, report: &Report, dossier: &Dossier) {
        let mut due = BTreeSet::new();
        let (was, is) = (&dossier.capture.payload.facts, &self.source.facts);
        if self.source.there != There::Shown {
            due.insert("SourceGone");
        } else if expenses_of(was) != expenses_of(is)
            || (&was.status, &was.reimbursed) != (&is.status, &is.reimbursed)
        {
            due.insert("SourceDrifted");
        }
        let posted: BTreeMap<Reference, (DocumentKey, Proof)> = posted_files(dossier)
            .map(|(document, key, proof)| (document.reference, (key.clone(), proof)))
            .collect();
        let otherwise = |held: &Held| {
            match posted.get(&held.sent.reference) {
                // Ours by the log, whoever made it. What differed when a person took it for ours is the person's.
                Some((key, proof)) if *key == held.held.key => {
                    held.tampered && (*proof != Proof::Decided || held.held.reversed)
                }
                // A second one under the reference of one that stands.
                Some(_) => held.foreign && held.stands(),
                None => false,
            }
        };
        if self.held.iter().any(otherwise) {
            due.insert("DocumentDrifted");
        }
        let names = |case: &Opened| match case {
            Opened::SourceDrifted(_) => "SourceDrifted",
            Opened::SourceGone => "SourceGone",
            Opened::DocumentDrifted { .. } => "DocumentDrifted",
            Opened::PaidAtSource => "PaidAtSource",
        };
        let mut open: BTreeSet<&str> = report.cases().iter().map(names).collect();
        open.remove("PaidAtSource");
        // While it is gone, nothing can be said of how it differs.
        if due.contains("SourceGone") {
            open.remove("SourceDrifted");
        }
        self.blame_if(open != due, || {
            format!("cases {due:?} are due, and {open:?} are open")
        });
    }

    /// Every document of it stands as it was mapped, and comes to what was captured, to the cent.
    fn stands_whole(&mut self, dossier: &Dossier) {
        if self.touched() {
            return;
        }
        let (posted, standing) = (posted_in(dossier), self.standing());
        self.blame_if(posted != standing, || {
            format!("the log says {posted:?}, QAD shows {standing:?}")
        });
        for (document, key, proof) in posted_files(dossier) {
            let there = self.held.iter().find(|held| held.held.key == *key);
            let differing = there
                .map(|held| differences(document, &held.held))
                .unwrap_or_default();
            let taken = proof != Proof::Decided && !differing.is_empty();
            self.blame_if(taken, || {
                format!("{key} was taken as agreeing, and differs: {differing:?}")
            });
        }
        // What a person took for ours despite its differences is the person's to answer for.
        if posted_files(dossier).any(|(_, _, proof)| proof == Proof::Decided) {
            return;
        }
        let captured = expenses_of(&dossier.capture.payload.facts);
        let standing = self.standing_expenses.clone();
        self.blame_if(captured != standing, || {
            format!("captured {captured:?}, and QAD holds {standing:?}")
        });
    }

    fn is_unmarked(&mut self, marked: bool) {
        // A log that was put back may not know that it marked.
        let excused = self.touched() || self.restored;
        self.blame_if(marked && !excused, || "it is marked, and not posted whole".into());
    }

    fn has_nothing_but(&mut self, named: &BTreeSet<DocumentKey>) {
        let mut more = self.standing();
        more.retain(|key| !named.contains(key) && !self.explained.contains(key));
        self.blame_if(!more.is_empty(), || {
            format!("QAD shows {more:?} of it, and its state names none of them")
        });
    }

    fn is_as_the_source_shows(&mut self, report: &Report, shown: bool) {
        let captured = report
            .capture()
            .map(|capture| expenses_of(&capture.payload.facts));
        let there = expenses_of(&self.source.facts);
        let stale = shown && captured.as_ref() != Some(&there);
        self.blame_if(stale, || {
            format!("captured {captured:?}, and the source shows {there:?}")
        });
    }

    /// Law 10: what a reversed document carried may travel in any report. Of a report that is posted again or left out, the
    /// claims that were cut off are released when another report meets them.
    fn holds_nothing_it_let_go(&mut self, report: &Report, stage: &Stage) {
        let lazily = matches!(
            report.stage(),
            Reached::Posted { .. } | Reached::MarkedExported { .. } | Reached::Excluded { .. }
        );
        let spent = crate::law::spent_claims(stage, self.source.id);
        self.blame_if(!lazily && !spent.is_empty(), || {
            format!("its document was reversed, and it still claims {spent:?}")
        });
    }

    /// The trail explains every document, and names every attempt.
    fn is_explained(&mut self, entries: &[Entry<ReportEvent>]) {
        let mut named: BTreeSet<DocumentKey> = BTreeSet::new();
        let mut attempts: BTreeMap<Reference, usize> = BTreeMap::new();
        for entry in entries {
            match &entry.event {
                ReportEvent::PostingStarted { document, .. } => {
                    *attempts.entry(document.reference).or_default() += 1;
                }
                ReportEvent::DocumentPosted { key, .. } => {
                    named.insert(key.clone());
                }
                ReportEvent::PostingInDoubt { doubt, .. } => named.extend(keys_of(doubt)),
                _ => {}
            }
        }
        let unexplained: Vec<String> = self
            .held
            .iter()
            // What somebody else made and reversed again holds no money, and is nobody's here to explain.
            .filter(|held| !(held.foreign && held.held.reversed))
            .filter(|held| !named.contains(&held.held.key) && !self.explained.contains(&held.held.key))
            .map(|held| format!("{} ({})", held.held.key, held.sent.reference))
            .collect();
        self.blame_if(!unexplained.is_empty(), || {
            format!("the trail does not explain {unexplained:?}")
        });
        let mut sent: BTreeMap<Reference, usize> = BTreeMap::new();
        for reference in &self.sent {
            *sent.entry(*reference).or_default() += 1;
        }
        for (reference, times) in sent {
            let known = attempts.get(&reference).copied().unwrap_or(0);
            self.blame_if(known < times, || {
                format!("{reference} was sent {times} times, the trail names {known}")
            });
        }
    }
}

/// The documents that the log says stand, with where and how that is known.
fn posted_files(dossier: &Dossier) -> impl Iterator<Item = (&Document, &DocumentKey, Proof)> {
    dossier.documents.iter().filter_map(|file| match &file.state {
        DocumentState::Posted { key, proof, .. } => Some((file.document.as_ref(), key, *proof)),
        _ => None,
    })
}

fn posted_in(dossier: &Dossier) -> BTreeSet<DocumentKey> {
    posted_files(dossier).map(|(_, key, _)| key.clone()).collect()
}

/// Those, and the ones that a doubt names.
fn named_in(dossier: &Dossier) -> BTreeSet<DocumentKey> {
    let doubtful = dossier.documents.iter().filter_map(|file| match &file.state {
        DocumentState::InDoubt { doubt, .. } => Some(keys_of(doubt)),
        _ => None,
    });
    doubtful.flatten().chain(posted_in(dossier)).collect()
}

fn keys_of(doubt: &Doubt) -> Vec<DocumentKey> {
    match doubt {
        Doubt::Differs { key, .. }
        | Doubt::Unread { key: Some(key), .. }
        | Doubt::WarnedOfDuplicate { key: Some(key), .. } => vec![key.clone()],
        Doubt::Duplicated { sightings } => sightings.iter().map(|sighting| sighting.key.clone()).collect(),
        _ => Vec::new(),
    }
}

/// May only a person settle it: an incident, or a document that was seen and is not shown any more?
fn for_a_person(state: &DocumentState) -> bool {
    match state {
        DocumentState::InDoubt { doubt, .. } => {
            doubt.is_incident() || matches!(doubt, Doubt::Unread { key: Some(_), .. })
        }
        _ => false,
    }
}

/// Law 10 and the heart of the matter: no reference and no expense stands twice.
fn nothing_stands_twice(stage: &Stage) {
    let mut wrong = Vec::new();
    {
        let state = stage.lock();
        let mut references = BTreeSet::new();
        let mut expenses = BTreeMap::new();
        let ours = |held: &&Held| held.stands() && !held.foreign;
        for held in state.qad.documents.iter().filter(ours) {
            if !references.insert(held.sent.reference) {
                wrong.push(format!("{} stands twice", held.sent.reference));
            }
            for expense in held.expenses().into_keys() {
                if let Some(other) = expenses.insert(expense.clone(), held.held.key.clone()) {
                    wrong.push(format!(
                        "expense {expense} stands in {other} and in {}",
                        held.held.key
                    ));
                }
            }
        }
    }
    let mut state = stage.lock();
    wrong.into_iter().for_each(|what| state.broken(what));
}

/// The log knows no report that never was at the source.
fn nothing_is_of_nobody(stage: &Stage, sources: &[SourceReport]) {
    let mut state = stage.lock();
    let events = state.events();
    let known: BTreeSet<ReportId> = events
        .iter()
        .filter_map(|event| STREAMS.report_of(&event.stream))
        .collect();
    for stranger in known
        .iter()
        .filter(|id| !sources.iter().any(|source| source.id == **id))
    {
        state.broken(format!("the log knows a report {stranger} that never was"));
    }
}
