//! A witness of the log: after each death it looks at a copy of the files as they were left, so that the next start of
//! the program meets them untouched; it keeps its own view, folded on from death to death.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tieout::config::Config;
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout_domain::journal::Streams;
use tieout_domain::ports::{Log as _, LogError, Position, Revision};
use tieout_projections::tie_out::What;
use tieout_projections::view::{Stepped, ViewPort, ViewRow, ViewStep};
use tieout_projections::work_list::{Bucket, Row, WorkListView};
use tieout_sandbox::expensify::world::ReportId;

use crate::Scene;
use crate::book::{Book, Verdict, listed};

/// A view kept in memory.
#[derive(Default)]
struct Shelf(Mutex<(Option<Position>, BTreeMap<String, Value>)>);

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, (Option<Position>, BTreeMap<String, Value>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ViewPort for Shelf {
    async fn checkpoint(&self, _view: &str) -> Result<Option<Position>, LogError> {
        Ok(self.lock().0)
    }
    async fn get(&self, _view: &str, key: &str) -> Result<Option<Value>, LogError> {
        Ok(self.lock().1.get(key).cloned())
    }
    async fn page(&self, _view: &str, after: Option<&str>, limit: usize) -> Result<Vec<ViewRow>, LogError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept = self.lock();
        let rows = kept.1.range::<str, _>((from, Bound::Unbounded)).take(limit);
        Ok(rows
            .map(|(key, row)| ViewRow {
                key: key.clone(),
                row: row.clone(),
            })
            .collect())
    }
    async fn apply(&self, _view: &str, step: ViewStep) -> Result<Stepped, LogError> {
        let mut kept = self.lock();
        assert_eq!(kept.0, step.since, "nobody else keeps this view");
        kept.0 = Some(step.checkpoint);
        kept.1
            .extend(step.upserts.into_iter().map(|row| (row.key, row.row)));
        Ok(Stepped::Applied)
    }
    async fn drop_view(&self, _view: &str) -> Result<(), LogError> {
        *self.lock() = (None, BTreeMap::new());
        Ok(())
    }
}

/// What the witness saw of one death.
#[derive(Debug, Default)]
pub struct Testimony {
    /// Everything that is wrong.
    pub wrong: Vec<String>,
    /// Reports of which law 6 could be said.
    pub tied: usize,
    /// Reports of which it could not yet: they came or changed after the last poll that ended, or too late.
    pub unsaid: usize,
    /// Reports with a document in doubt.
    pub in_doubt: usize,
    /// Documents in doubt that only a person may settle.
    pub incidents: usize,
    /// Events in the log.
    pub events: u64,
}

/// The witness of one scene.
#[derive(Default)]
pub struct Witness {
    shelf: Shelf,
    polls: u64,
    /// When the last complete poll ended.
    polled: Option<DateTime<Utc>>,
    /// Reports with a document under way, at the last look.
    under_way: BTreeSet<ReportId>,
    /// When a report was last seen under way, or to be so no more.
    settled: BTreeMap<ReportId, DateTime<Utc>>,
}

impl Witness {
    /// Looks at the log as a death left it, and holds law 6 against it. `began` is when the program that died began:
    /// a poll of it that ended showed it everything that was there by then.
    pub async fn look(
        &mut self,
        scene: &Scene,
        book: &Book,
        starts: &[DateTime<Utc>],
        verdict: &Verdict,
    ) -> Testimony {
        let mut seen = Testimony::default();
        let folder = tempfile::tempdir().expect("a folder");
        copy(scene.config.parent().expect("a folder"), folder.path());
        let config = Config::read(&folder.path().join("tieout.toml")).expect("the configuration");
        let id = config.connection[0].id;
        let installation = Installation::open_at(config, SystemClock::set_to(scene.now()))
            .await
            .expect("a log that a death left opens");
        match tieout::commands::log::sound::verify(&installation.log).await {
            Ok(sound) => seen.events = sound.events,
            Err(error) => seen.wrong.push(format!("the log is not sound: {error}")),
        }
        let folded_to = self.shelf.lock().0;
        let head = installation.log.head().await.expect("the head");
        if head < folded_to {
            seen.wrong.push(format!(
                "the log ended at {folded_to:?} and ends at {head:?}: events are lost"
            ));
            return seen;
        }
        let view = WorkListView::default();
        view.catch_up(installation.log.as_ref(), &self.shelf)
            .await
            .expect("the log is folded");
        let rows = view.rows_of(&self.shelf, id).await.expect("the rows");
        self.read_polls(&installation, Streams(id)).await;

        seen.in_doubt = rows.iter().filter(|row| row.bucket() == Bucket::InDoubt).count();
        seen.incidents = rows
            .iter()
            .flat_map(|row| &row.now.documents)
            .filter(|d| needs_a_person(d))
            .count();
        let unsaid = self.unsaid(scene, book, starts, verdict, &rows);
        seen.unsaid = unsaid.len();
        seen.tied = rows
            .iter()
            .filter(|row| !unsaid.contains(&ReportId(row.report_id.decimal())))
            .count();
        let tied = scene.tie_out_without(&unsaid, rows).await;
        let explained = |what: &What| matches!(what, What::ReportDiffers { case: Some(_), .. });
        seen.wrong.extend(
            tied.differences
                .iter()
                .filter(|found| !explained(&found.what))
                .map(|found| found.what.to_string()),
        );
        if tied.differences.is_empty() {
            let off = tied.rows.iter().filter(|row| !row.balances());
            seen.wrong
                .extend(off.map(|row| format!("{:?} does not balance: {:?}", row.group, row.sides())));
        }
        seen
    }

    async fn read_polls(&mut self, installation: &Installation, streams: Streams) {
        loop {
            let page = installation
                .log
                .read_stream(&streams.polls(), Revision(self.polls), 500)
                .await
                .expect("the polls");
            let Some(last) = page.last() else { return };
            self.polls = last.revision.next().0;
            for recorded in page
                .iter()
                .filter(|recorded| recorded.event.kind == "PollCompleted")
            {
                let data: Value = serde_json::from_slice(&recorded.event.data).expect("JSON");
                let at = data
                    .pointer("/listed_at")
                    .or_else(|| data.pointer("/facts/listed_at"));
                let at = at.and_then(Value::as_str).expect("when it was listed");
                self.polled = self.polled.max(Some(at.parse().expect("an instant")));
            }
        }
    }

    /// Of which reports nothing can be said at this moment, by what the auditor knows of them.
    fn unsaid(
        &mut self,
        scene: &Scene,
        book: &Book,
        starts: &[DateTime<Utc>],
        verdict: &Verdict,
        rows: &[Row],
    ) -> BTreeSet<ReportId> {
        // The last poll that ended was of a program that began then: it showed everything that was there by then.
        let shown = self
            .polled
            .and_then(|polled| starts.iter().rev().find(|start| **start <= polled));
        let mut unsaid = match shown {
            Some(shown) => book.changed_since(*shown),
            None => book.changed_since(DateTime::UNIX_EPOCH),
        };
        // Posted as they were before an edit.
        unsaid.extend(&verdict.overtaken);
        // Edited while a document of theirs was under way: the log looks at the edit in the poll after that is settled.
        let edited = book.edited();
        let bucket_of: BTreeMap<ReportId, Bucket> = rows
            .iter()
            .map(|row| (ReportId(row.report_id.decimal()), row.bucket()))
            .collect();
        let under_way = |bucket: &Bucket| matches!(bucket, Bucket::InDoubt | Bucket::PartlyPosted);
        let now = bucket_of
            .iter()
            .filter(|(_, bucket)| under_way(bucket))
            .map(|(id, _)| *id)
            .collect();
        let before = std::mem::replace(&mut self.under_way, now);
        let looked = scene.now();
        for id in self.under_way.union(&before) {
            self.settled.insert(*id, looked);
        }
        let since = self
            .settled
            .iter()
            .filter(|(id, settled)| edited.contains(id) && shown.is_none_or(|shown| shown <= *settled));
        unsaid.extend(since.map(|(id, _)| *id));
        // A poll that ended is followed by what it concludes from absence; a death may come between.
        scene.stand_ins.expensify.world().read(|world| {
            let gone = world
                .reports
                .values()
                .filter(|report| !listed(report))
                .map(|report| report.id);
            let withdrawn = |id: &ReportId| bucket_of.get(id) == Some(&Bucket::Withdrawn);
            unsaid.extend(gone.filter(|id| bucket_of.contains_key(id) && !withdrawn(id)));
        });
        unsaid
    }
}

fn needs_a_person(document: &tieout_projections::work_list::RowDocument) -> bool {
    use tieout_projections::work_list::DocumentStanding::InDoubt;
    matches!(
        document.standing,
        InDoubt {
            needs_a_person: true,
            ..
        }
    )
}

/// Copies an installation, whose program is dead.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the installation") {
        let entry = entry.expect("a file");
        if entry.file_type().expect("its type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}
