//! What a stored view needs of the store, as a trait: named tables of JSON rows with the position they are folded to.

use std::future::Future;

use serde_json::Value;
use tieout_domain::ids::{Email, SubjectId};
use tieout_domain::ports::{LogError, Opened, Position, SealError, Sealer};

/// One row of a stored view.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewRow {
    /// Unique in its view; rows are listed in the order of its bytes.
    pub key: String,
    /// The row.
    pub row: Value,
}

/// What folding the events after `since`, up to `checkpoint`, came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewStep {
    /// Where the view stood when the folding began; `None` for one that does not exist yet.
    pub since: Option<Position>,
    /// Where it stands then.
    pub checkpoint: Position,
    /// Rows new or changed.
    pub upserts: Vec<ViewRow>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// It was applied, whole.
    Applied,
    /// Somebody else moved or dropped the view since; nothing was changed.
    Overtaken,
}

/// Where views are kept. A view can be dropped at any time: it is folded again from the log.
pub trait ViewPort: Send + Sync {
    /// The last position folded into a view; `None` if there is no such view.
    fn checkpoint(&self, view: &str) -> impl Future<Output = Result<Option<Position>, LogError>> + Send;
    /// One row.
    fn get(&self, view: &str, key: &str) -> impl Future<Output = Result<Option<Value>, LogError>> + Send;
    /// Up to `limit` rows whose keys come after `after` (from the first with `None`), by key.
    fn page(
        &self,
        view: &str,
        after: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ViewRow>, LogError>> + Send;
    /// Applies a step, all of it or nothing; `Overtaken` unless the view stands at `since`.
    fn apply(&self, view: &str, step: ViewStep) -> impl Future<Output = Result<Stepped, LogError>> + Send;
    /// Forgets a view and its checkpoint.
    fn drop_view(&self, view: &str) -> impl Future<Output = Result<(), LogError>> + Send;
}

/// A sealer that opens nothing. Rows are folded with it, so that nothing personal can reach them, and a view that is
/// rebuilt after a person was forgotten is the one that was folded before.
pub(crate) struct KeptShut;

impl Sealer for KeptShut {
    fn subject_for(&self, _person: &Email) -> Result<SubjectId, SealError> {
        Err(never("sealed"))
    }
    fn seal(&self, _subject: SubjectId, _plain: &[u8], _context: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(never("sealed"))
    }
    fn open(&self, _subject: SubjectId, _sealed: &[u8], _context: &[u8]) -> Result<Opened, SealError> {
        Ok(Opened::Forgotten)
    }
}

fn never(doing: &'static str) -> SealError {
    SealError {
        doing,
        detail: "a view is only read from the log; nothing is sealed for it".into(),
    }
}
