//! A log to keep reports in, with time, chance, envelopes and views, all in memory and at a test's command.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tieout_domain::ids::{Email, EventId, PersonName, SubjectId};
use tieout_domain::journal::{Cause, Draft, Journal, Stamp, Streams};
use tieout_domain::ports::{
    Clock, Entropy, Expected, Log, LogError, Opened, Position, SealError, Sealer, StreamName,
};
use tieout_domain::report::ReportEvent;
use tieout_domain::time::Steady;
use tieout_domain::workflow::{LogEvent, person};
use uuid::Uuid;

use super::{at, connection, report, stamp};
use crate::view::{Stepped, ViewPort, ViewRow, ViewStep};

/// Time that goes on by a second at each look, chance that counts.
#[derive(Default)]
pub(crate) struct Ticking {
    now: AtomicU64,
    ids: AtomicU64,
}
impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        at(self.now.fetch_add(1, Ordering::SeqCst) as i64)
    }
    fn steady(&self) -> Steady {
        Steady {
            epoch: "boot".into(),
            millis: self.now.load(Ordering::SeqCst),
        }
    }
    async fn sleep(&self, _duration: std::time::Duration) {}
}
impl Entropy for Ticking {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::SeqCst)) + 1)
    }
    fn salt(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// "Seals" by reversing bytes; forgets on demand.
#[derive(Default)]
pub(crate) struct Envelopes {
    pub(crate) forgotten: std::sync::atomic::AtomicBool,
}
impl Sealer for Envelopes {
    fn subject_for(&self, _person: &Email) -> Result<SubjectId, SealError> {
        Ok(SubjectId(Uuid::from_u128(0x5)))
    }
    fn seal(&self, _subject: SubjectId, plain: &[u8], _context: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plain.iter().rev().copied().collect())
    }
    fn open(&self, _subject: SubjectId, sealed: &[u8], _context: &[u8]) -> Result<Opened, SealError> {
        if self.forgotten.load(Ordering::SeqCst) {
            return Ok(Opened::Forgotten);
        }
        Ok(Opened::Plain(sealed.iter().rev().copied().collect()))
    }
}

/// Appends events to the stream of a report, one append each.
pub(crate) async fn append<L: Log>(
    log: &L,
    world: &Ticking,
    sealer: &Envelopes,
    id: u64,
    events: Vec<ReportEvent>,
) {
    let journal = Journal::new(log, world, world, sealer, "tieout 0.1.0 (test)");
    let stream = Streams(connection()).report(report(id));
    for event in events {
        let subject = Some(SubjectId(Uuid::from_u128(0x5)));
        let draft = Draft {
            event,
            effective_at: at(-86_400),
            subject,
        };
        journal
            .append(&stream, Expected::Any, &stamp(), vec![draft])
            .await
            .unwrap();
    }
}

/// Records in the log that it was moved; everything before that counts.
pub(crate) async fn note_a_move<L: Log>(log: &L, world: &Ticking, sealer: &Envelopes, events: u64) {
    let draft = Draft {
        event: LogEvent::LogMoved {
            from: "/srv/tieout.db".into(),
            to: "esdb://n1:2113?tls=true".into(),
            events,
            streams: 2,
            sha256: "ef".repeat(32),
        },
        effective_at: at(0),
        subject: None,
    };
    let stamp = Stamp {
        actor: person(PersonName::new("anna").unwrap()),
        cause: Cause::Command {
            name: "log copy".into(),
        },
    };
    Journal::new(log, world, world, sealer, "tieout 0.1.0 (test)")
        .append(&LogEvent::stream(), Expected::Any, &stamp, vec![draft])
        .await
        .unwrap();
}

/// An event of a stream that is no report's, with data nobody here could read.
pub(crate) async fn append_foreign<L: Log>(log: &L, world: &Ticking, stream: &str) {
    let event = tieout_domain::ports::NewEvent {
        id: EventId(world.uuid()),
        kind: "PollCompleted".into(),
        data: b"{}".to_vec(),
        metadata: b"{}".to_vec(),
    };
    log.append(&StreamName(stream.to_owned()), Expected::Any, vec![event])
        .await
        .unwrap();
}

/// A view: where it stands, and its rows.
type View = (Option<Position>, BTreeMap<String, Value>);

/// Views in memory.
#[derive(Default)]
pub(crate) struct MemoryViews {
    views: Mutex<BTreeMap<String, View>>,
}
impl MemoryViews {
    /// Everything a view holds, as bytes.
    pub(crate) fn bytes(&self, view: &str) -> Vec<u8> {
        let views = self.views.lock().unwrap();
        serde_json::to_vec(
            &views
                .get(view)
                .map(|(position, rows)| (position.map(|p| (p.0, p.1)), rows)),
        )
        .unwrap()
    }
}
impl ViewPort for MemoryViews {
    async fn checkpoint(&self, view: &str) -> Result<Option<Position>, LogError> {
        Ok(self
            .views
            .lock()
            .unwrap()
            .get(view)
            .and_then(|(position, _)| *position))
    }
    async fn get(&self, view: &str, key: &str) -> Result<Option<Value>, LogError> {
        Ok(self
            .views
            .lock()
            .unwrap()
            .get(view)
            .and_then(|(_, rows)| rows.get(key).cloned()))
    }
    async fn page(&self, view: &str, after: Option<&str>, limit: usize) -> Result<Vec<ViewRow>, LogError> {
        let views = self.views.lock().unwrap();
        let Some((_, rows)) = views.get(view) else {
            return Ok(Vec::new());
        };
        let beyond = rows
            .iter()
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
            .take(limit);
        Ok(beyond
            .map(|(key, row)| ViewRow {
                key: key.clone(),
                row: row.clone(),
            })
            .collect())
    }
    async fn apply(&self, view: &str, step: ViewStep) -> Result<Stepped, LogError> {
        let mut views = self.views.lock().unwrap();
        let (position, rows) = views.entry(view.to_owned()).or_default();
        if *position != step.since {
            return Ok(Stepped::Overtaken);
        }
        *position = Some(step.checkpoint);
        // As the store does: rows go through text.
        let through_text = |row: Value| serde_json::from_str(&row.to_string()).unwrap();
        rows.extend(
            step.upserts
                .into_iter()
                .map(|ViewRow { key, row }| (key, through_text(row))),
        );
        Ok(Stepped::Applied)
    }
    async fn drop_view(&self, view: &str) -> Result<(), LogError> {
        self.views.lock().unwrap().remove(view);
        Ok(())
    }
}
