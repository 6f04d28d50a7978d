//! The same world on SQLite and on EventStoreDB: the same documents, the same views, the same trails, byte for byte, with
//! nothing taken out of them but the positions of the log. Over the cluster's engine, faults befall the wire.
#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;
use tieout_domain::ids::{Email, SubjectId};
use tieout_domain::journal::Reader;
use tieout_domain::ports::{Log, LogError, Opened, Position, SealError, Sealer};
use tieout_projections::trail::{Trail, render};
use tieout_projections::view::{Stepped, ViewPort, ViewRow, ViewStep};
use tieout_projections::work_list::WorkListView;
use tieout_simulation::real::Real;
use tieout_simulation::{Engine, STREAMS, random};

/// The simulation seals nothing.
struct Unsealed;
impl Sealer for Unsealed {
    fn subject_for(&self, _person: &Email) -> Result<SubjectId, SealError> {
        Ok(SubjectId(uuid::Uuid::from_u128(5)))
    }
    fn seal(&self, _subject: SubjectId, plain: &[u8], _context: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plain.to_vec())
    }
    fn open(&self, _subject: SubjectId, sealed: &[u8], _context: &[u8]) -> Result<Opened, SealError> {
        Ok(Opened::Plain(sealed.to_vec()))
    }
}

/// A view in memory.
#[derive(Default)]
struct Shelf(Mutex<(Option<Position>, BTreeMap<String, Value>)>);
impl ViewPort for Shelf {
    async fn checkpoint(&self, _view: &str) -> Result<Option<Position>, LogError> {
        Ok(self.0.lock().unwrap().0)
    }
    async fn get(&self, _view: &str, key: &str) -> Result<Option<Value>, LogError> {
        Ok(self.0.lock().unwrap().1.get(key).cloned())
    }
    async fn page(&self, _view: &str, after: Option<&str>, limit: usize) -> Result<Vec<ViewRow>, LogError> {
        let shelf = self.0.lock().unwrap();
        let beyond = shelf
            .1
            .iter()
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let row = |(key, row): (&String, &Value)| ViewRow {
            key: key.clone(),
            row: row.clone(),
        };
        Ok(beyond.take(limit).map(row).collect())
    }
    async fn apply(&self, _view: &str, step: ViewStep) -> Result<Stepped, LogError> {
        let mut shelf = self.0.lock().unwrap();
        shelf.0 = Some(step.checkpoint);
        shelf
            .1
            .extend(step.upserts.into_iter().map(|row| (row.key, row.row)));
        Ok(Stepped::Applied)
    }
    async fn drop_view(&self, _view: &str) -> Result<(), LogError> {
        *self.0.lock().unwrap() = Default::default();
        Ok(())
    }
}

/// Everything that people read of a log, and the log itself without its positions.
async fn told(log: &Real) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut reports = Vec::new();
    let mut after = None;
    let mut rank = 0;
    loop {
        let page = log.read_all(after, 500).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        for event in page {
            // Each report's trail asks for more of them.
            if rank % 40 == 0 {
                let leaf = log.leaf(event.position).await.unwrap();
                assert_eq!(leaf.map(|leaf| leaf.0), Some(rank));
            }
            rank += 1;
            if let Some(report) = STREAMS.report_of(&event.stream)
                && !reports.contains(&report)
            {
                reports.push(report);
            }
            told.push(format!("{} {} {:?}", event.stream, event.revision.0, event.event));
        }
    }
    let shelf = Shelf::default();
    WorkListView::default().catch_up(log, &shelf).await.unwrap();
    told.extend(
        shelf
            .0
            .lock()
            .unwrap()
            .1
            .iter()
            .map(|(key, row)| format!("{key} {row}")),
    );
    let reader = Reader {
        log,
        sealer: &Unsealed,
    };
    for report in reports {
        let trail = Trail::read(&reader, "acme", STREAMS.0, report)
            .await
            .unwrap()
            .unwrap();
        let mut words = String::new();
        render(&trail, &mut words, 100).unwrap();
        told.push(serde_json::to_string(&trail).unwrap());
        told.push(words);
    }
    told
}

#[test]
fn on_sqlite_and_on_eventstoredb_the_same_world_is_told_byte_for_byte() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut lines = 0;
    for seed in 0..4 {
        let plan = random::plan(seed);
        let (in_a_file, file) = Engine::Sqlite.kept(&plan);
        let (on_a_cluster, cluster) = Engine::EventStore.kept(&plan);
        assert_eq!(
            (&in_a_file.violations, &on_a_cluster.violations),
            (&vec![], &vec![]),
            "seed {seed}"
        );
        // The trace names every document that was sent, and what became of it.
        assert_eq!(in_a_file.trace, on_a_cluster.trace, "seed {seed}");
        let (file, cluster) = (file.unwrap(), cluster.unwrap());
        let (one, other) = (runtime.block_on(told(&file)), runtime.block_on(told(&cluster)));
        assert!(
            one == other,
            "seed {seed}: {:?}",
            one.iter().zip(&other).find(|(one, other)| one != other)
        );
        lines += one.len();
    }
    assert!(lines > 200, "something is told: {lines} lines");
}
