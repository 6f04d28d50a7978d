//! The auditor's own book: what the source showed of each report and when, and the ledger held against that. It looks at
//! the stand-ins' worlds and at nothing of the product.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use tieout_domain::ids::Reference;
use tieout_sandbox::expensify::world::{Report, ReportId, World};
use tieout_sandbox::month::{Expectation, PlannedKind};
use tieout_sandbox::qad::world::Document;

use crate::Scene;
use crate::must::{Must, Sheet, documents, kind_of};

/// The longest between a program's decision to send a document and its arrival: no stand-in delivers more than three
/// seconds late, and a busy machine adds to that.
const ON_THE_WAY: TimeDelta = TimeDelta::seconds(8);

/// A report as the source showed it for a while.
#[derive(Clone, Debug)]
pub struct Version {
    /// The report.
    pub report: Report,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; still, if there is no end.
    pub until: Option<DateTime<Utc>>,
}

impl Version {
    /// What must stand for it, if all of it resolves. Nothing for one that is not approved.
    fn must(&self) -> BTreeMap<PlannedKind, Must> {
        if listed(&self.report) {
            documents(&self.report)
        } else {
            BTreeMap::new()
        }
    }
}

/// Whether a listing of what is approved or reimbursed shows it.
pub fn listed(report: &Report) -> bool {
    use tieout_sandbox::expensify::world::ReportState::{Approved, Reimbursed};
    matches!(report.state, Approved | Reimbursed)
}

/// A document of ours in the ledger.
struct Standing {
    reference: String,
    report: ReportId,
    kind: PlannedKind,
    sheet: Sheet,
    stored_at: DateTime<Utc>,
}

/// What the book says of the two worlds at one moment.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Everything that is wrong.
    pub wrong: Vec<String>,
    /// Reports whose documents are those of an earlier version: the edit came too late, which nobody can prevent.
    pub overtaken: BTreeSet<ReportId>,
    /// Reports with a document in the ledger.
    pub posted: BTreeSet<ReportId>,
    /// Reports with our label.
    pub marked: BTreeSet<ReportId>,
}

/// The book of one scene.
#[derive(Default)]
pub struct Book {
    versions: BTreeMap<ReportId, Vec<Version>>,
    meant: BTreeMap<ReportId, Expectation>,
    /// When the program was started, each time.
    starts: Vec<DateTime<Utc>>,
}

impl Book {
    /// Opens the book on a world that nobody has polled yet.
    pub fn open(scene: &Scene) -> Self {
        let mut book = Self::default();
        let now = scene.now();
        scene
            .stand_ins
            .expensify
            .world()
            .read(|world| book.note(world, world.reports.keys(), now));
        book
    }

    /// What the scenes mean to become of reports.
    pub fn means(&mut self, meant: impl IntoIterator<Item = (ReportId, Expectation)>) {
        self.meant.extend(meant);
    }

    /// What is meant to become of a report.
    pub fn meaning(&self, report: ReportId) -> Option<&Expectation> {
        self.meant.get(&report)
    }

    /// The program is started now.
    pub fn started(&mut self, at: DateTime<Utc>) {
        self.starts.push(at);
    }

    /// Changes the source's world and keeps what these reports were and are.
    pub fn change<T>(
        &mut self,
        scene: &Scene,
        reports: &[ReportId],
        change: impl FnOnce(&mut World) -> T,
    ) -> T {
        scene.stand_ins.expensify.world().edit(|world| {
            let result = change(world);
            // Within the lock: no call of the program sees the change before it is in the book.
            self.note(world, reports.iter(), scene.now());
            result
        })
    }

    fn note<'a>(&mut self, world: &World, reports: impl Iterator<Item = &'a ReportId>, now: DateTime<Utc>) {
        for id in reports {
            let Some(report) = world.reports.get(id) else {
                continue;
            };
            // What the program itself sets is no version of the report.
            let report = Report {
                markings: Vec::new(),
                ..report.clone()
            };
            let known = self.versions.entry(*id).or_default();
            if let Some(last) = known.last_mut() {
                if last.report == report {
                    continue;
                }
                last.until = Some(now);
            }
            known.push(Version {
                report,
                from: now,
                until: None,
            });
        }
    }

    /// Reports that changed (or came) at or after an instant.
    pub fn changed_since(&self, instant: DateTime<Utc>) -> BTreeSet<ReportId> {
        let late = |versions: &&Vec<Version>| versions.last().is_some_and(|last| last.from >= instant);
        self.versions
            .iter()
            .filter(|(_, versions)| late(versions))
            .map(|(id, _)| *id)
            .collect()
    }

    /// When a report changed last.
    pub fn changed_at(&self, report: ReportId) -> Option<DateTime<Utc>> {
        Some(self.versions.get(&report)?.last()?.from)
    }

    /// Reports that were edited since they came.
    pub fn edited(&self) -> BTreeSet<ReportId> {
        self.versions
            .iter()
            .filter(|(_, versions)| versions.len() > 1)
            .map(|(id, _)| *id)
            .collect()
    }

    /// The versions that a report's documents in the ledger may be of, oldest first; none for one that has no document.
    pub fn posted_versions(&self, scene: &Scene, report: ReportId) -> Vec<&Version> {
        let held: BTreeMap<PlannedKind, Sheet> = standing(scene)
            .into_iter()
            .filter(|document| document.report == report)
            .map(|document| (document.kind, document.sheet))
            .collect();
        let agrees = |version: &&Version| {
            let must = version.must();
            let same = |(kind, sheet): (&PlannedKind, &Sheet)| {
                must.get(kind).is_some_and(|must: &Must| must.sheet == *sheet)
            };
            !held.is_empty() && held.iter().all(same)
        };
        let versions = self.versions.get(&report).map(Vec::as_slice).unwrap_or_default();
        versions.iter().filter(agrees).collect()
    }

    /// Edited reports of which some documents stand that their present version does not make, or not all that it does.
    pub fn posted_otherwise(&self, scene: &Scene) -> BTreeSet<ReportId> {
        let mut held: BTreeMap<ReportId, BTreeMap<PlannedKind, Sheet>> = BTreeMap::new();
        for document in standing(scene) {
            held.entry(document.report)
                .or_default()
                .insert(document.kind, document.sheet);
        }
        let otherwise = |report: &ReportId| {
            let must = self
                .versions
                .get(report)
                .and_then(|versions| versions.last())
                .map(Version::must);
            let must = must
                .unwrap_or_default()
                .into_iter()
                .map(|(kind, must)| (kind, must.sheet));
            held.get(report).is_some_and(|held| *held != must.collect())
        };
        self.edited().into_iter().filter(otherwise).collect()
    }

    /// Holds both worlds against the book. Right at any moment, whatever is under way.
    pub fn look(&self, scene: &Scene) -> Verdict {
        // First the labels, then the ledger: what is posted in between is no offence.
        let mut verdict = Verdict {
            marked: scene.marked(),
            ..Verdict::default()
        };
        let standing = standing(scene);
        let mut references: BTreeMap<String, u32> = BTreeMap::new();
        let mut carriers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut of_report: BTreeMap<ReportId, BTreeMap<PlannedKind, &Sheet>> = BTreeMap::new();
        for document in &standing {
            *references.entry(document.reference.to_uppercase()).or_default() += 1;
            verdict.posted.insert(document.report);
            of_report
                .entry(document.report)
                .or_default()
                .insert(document.kind, &document.sheet);
            match self.version_of(document) {
                Err(why) => verdict.wrong.push(why),
                Ok((version, must)) => {
                    for expense in must.expenses {
                        carriers
                            .entry(expense)
                            .or_default()
                            .insert(document.reference.clone());
                    }
                    if version.until.is_some() {
                        verdict.overtaken.insert(document.report);
                    }
                }
            }
        }
        for (reference, count) in references.into_iter().filter(|(_, count)| *count > 1) {
            verdict.wrong.push(format!("{reference} stands {count} times"));
        }
        for (expense, carriers) in carriers.into_iter().filter(|(_, carriers)| carriers.len() > 1) {
            verdict
                .wrong
                .push(format!("expense {expense} stands in {carriers:?}"));
        }
        for report in &verdict.marked {
            let held = of_report.get(report).cloned().unwrap_or_default();
            let versions = self.versions.get(report).map(Vec::as_slice).unwrap_or_default();
            let whole = versions.iter().any(|version| {
                let must = version.must();
                must.len() == held.len()
                    && !held.is_empty()
                    && must
                        .iter()
                        .all(|(kind, must)| held.get(kind) == Some(&&must.sheet))
            });
            if !whole {
                verdict.wrong.push(format!(
                    "{report} is marked, and of its documents only {held:?} stand"
                ));
            }
        }
        verdict
    }

    /// The latest version that a document can be of.
    fn version_of(&self, document: &Standing) -> Result<(&Version, Must), String> {
        let shown = || {
            format!(
                "{} of {}: {:?}",
                document.reference, document.report, document.sheet
            )
        };
        let versions = self.versions.get(&document.report);
        let versions = versions.ok_or_else(|| format!("{}: the source never had that report", shown()))?;
        if !matches!(
            self.meant.get(&document.report),
            Some(Expectation::Posted { .. } | Expectation::PostedOrClaimed { .. })
        ) {
            return Err(format!("{}: that report was never to post", shown()));
        }
        let agreeing: Vec<(&Version, Must)> = versions
            .iter()
            .filter_map(|version| Some((version, version.must().remove(&document.kind)?)))
            .filter(|(_, must)| must.sheet == document.sheet)
            .collect();
        // The program that sent it began before it arrived, and polled after it began.
        let sent = document.stored_at - ON_THE_WAY;
        let began = self.starts.iter().rev().find(|start| **start <= sent);
        let current = |version: &Version| match (version.until, began) {
            (Some(until), Some(began)) => until >= *began,
            _ => true,
        };
        let shows = versions
            .iter()
            .map(|version| version.must().remove(&document.kind))
            .collect::<Vec<_>>();
        match agreeing.into_iter().next_back() {
            None => Err(format!("{}: the source showed only {shows:?}", shown())),
            Some((version, _)) if !current(version) => Err(format!(
                "{}: the source showed that only until {:?}, before the program that posted it at {} began",
                shown(),
                version.until,
                document.stored_at
            )),
            Some(found) => Ok(found),
        }
    }

    /// At the end: for every report in the source's world, exactly what must stand in the ledger does, to the cent, and
    /// exactly those bear our label. Returns how many documents that is.
    pub fn must_be_done(&self, scene: &Scene) -> Result<usize, Vec<String>> {
        let Verdict {
            mut wrong, marked, ..
        } = self.look(scene);
        let mut held: BTreeMap<ReportId, BTreeMap<PlannedKind, Sheet>> = BTreeMap::new();
        for document in standing(scene) {
            held.entry(document.report)
                .or_default()
                .insert(document.kind, document.sheet);
        }
        let sheets = |report: &Report| -> BTreeMap<PlannedKind, Sheet> {
            documents(report)
                .into_iter()
                .map(|(kind, must)| (kind, must.sheet))
                .collect()
        };
        let none = BTreeMap::new();
        scene.stand_ins.expensify.world().read(|world| {
            for (id, report) in &world.reports {
                let stands = held.get(id).unwrap_or(&none);
                let is_done = |must: &BTreeMap<PlannedKind, Sheet>| stands == must && marked.contains(id);
                let is_left_alone = || stands.is_empty() && !marked.contains(id);
                let right = match self.meant.get(id) {
                    // Of one that was paid after it posted, what was owed when it posted stands.
                    Some(Expectation::Posted { .. }) => {
                        is_done(&sheets(report))
                            || self.posted_versions(scene, *id).iter().any(|version| {
                                let unpaid = Report { markings: Vec::new(), ..report.clone() };
                                let unpaid =
                                    Report { state: version.report.state, reimbursed: version.report.reimbursed, ..unpaid };
                                unpaid == version.report && is_done(&sheets(&version.report))
                            })
                    }
                    Some(Expectation::PostedOrClaimed { with, .. }) => {
                        let other = held.get(with).is_some_and(|held| !held.is_empty());
                        if other { is_left_alone() } else { is_done(&sheets(report)) }
                    }
                    Some(_) => is_left_alone(),
                    None => false,
                };
                if !right {
                    wrong.push(format!(
                        "{id}, meant {:?}, is {:?} at the source and must stand as {:?}; it stands as {stands:?} and is {}marked",
                        self.meant.get(id),
                        report.state,
                        sheets(report),
                        if marked.contains(id) { "" } else { "not " }
                    ));
                }
            }
        });
        if wrong.is_empty() {
            Ok(held.values().map(BTreeMap::len).sum())
        } else {
            Err(wrong)
        }
    }
}

/// Our documents in the ledger.
fn standing(scene: &Scene) -> Vec<Standing> {
    let ours = |document: Document| {
        let reference: Reference = document.reference.parse().expect("a reference of ours");
        Standing {
            report: ReportId(reference.report.decimal()),
            kind: kind_of(&document),
            sheet: Sheet::of(&document),
            stored_at: document.stored_at,
            reference: document.reference,
        }
    };
    let ledger = scene.ledger();
    ledger
        .into_iter()
        .filter(|document| document.reversal.is_none())
        .map(ours)
        .collect()
}
