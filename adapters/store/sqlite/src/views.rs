//! Views: named tables of JSON rows, each with the position up to which it is folded. They share the log's file and can
//! be dropped at any time, because they are folded again from the log.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tieout_domain::ports::{LogError, Position};

use crate::bench::Desk;
use crate::file::make_view_tables;
use crate::number::{from_sql, to_sql};
use crate::sqlite::Inner;
use crate::trouble::Trouble;
use crate::writer::Work;

/// The views of one log. Views are named by their owner, who also puts a version into the name or the rows if their
/// shape changes.
#[derive(Clone)]
pub struct ViewStore {
    log: Arc<Inner>,
}

/// One row of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewRow {
    /// Unique in its view; rows are listed in the order of its bytes.
    pub key: String,
    /// The row.
    pub row: Value,
}

/// A view as it stood at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedView {
    /// The last position folded into it; `None` for a view that was never applied to, or dropped.
    pub checkpoint: Option<Position>,
    /// Every row, by key.
    pub rows: Vec<ViewRow>,
}

/// A step of a view: what folding the events after `since`, up to `checkpoint`, came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewStep {
    /// Where the view stood when the folding began.
    pub since: Option<Position>,
    /// Where it stands then.
    pub checkpoint: Position,
    /// Rows new or changed.
    pub upserts: Vec<ViewRow>,
    /// Keys of rows that are gone; applied before the upserts.
    pub deletes: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// It was applied, whole.
    Applied,
    /// Somebody else (another process, say) has moved or dropped the view since; nothing was changed. Load it again and
    /// fold from there.
    Overtaken {
        /// Where the view stands.
        actual: Option<Position>,
    },
}

impl ViewStore {
    pub(crate) fn new(log: Arc<Inner>) -> Self {
        Self { log }
    }

    /// The last position folded into a view; `None` if there is no such view.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn checkpoint(&self, view: &str) -> Result<Option<Position>, LogError> {
        let view = view.to_owned();
        self.log
            .readers
            .read(move |connection| checkpoint(connection, &view))
            .await
    }

    /// The whole view with its checkpoint, both of one instant. For views that fit into memory.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn load(&self, view: &str) -> Result<LoadedView, LogError> {
        let view = view.to_owned();
        let read = move |connection: &Connection| {
            let snapshot = connection.unchecked_transaction()?;
            let checkpoint = checkpoint(&snapshot, &view)?;
            let rows = rows(&snapshot, &view, None, usize::MAX)?;
            Ok(LoadedView { checkpoint, rows })
        };
        self.log.readers.read(read).await
    }

    /// Up to `limit` rows whose keys come after `after` (from the first with `None`).
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn page(
        &self,
        view: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ViewRow>, LogError> {
        let (view, after) = (view.to_owned(), after.map(str::to_owned));
        self.log
            .readers
            .read(move |connection| rows(connection, &view, after.as_deref(), limit))
            .await
    }

    /// One row.
    ///
    /// # Errors
    /// As every reading of the log.
    pub async fn get(&self, view: &str, key: &str) -> Result<Option<Value>, LogError> {
        let (view, key) = (view.to_owned(), key.to_owned());
        let read = move |connection: &Connection| {
            let text: Option<String> = connection
                .prepare_cached("SELECT row FROM view_rows WHERE view = ?1 AND key = ?2")?
                .query_row([&view, &key], |row| row.get(0))
                .optional()?;
            text.map(|text| parse(&text)).transpose()
        };
        self.log.readers.read(read).await
    }

    /// Applies a step, all of it or nothing. It survives the death of the process; a power cut may take the view back to
    /// an earlier checkpoint, from which it is folded again.
    ///
    /// # Errors
    /// As every write to the log.
    pub async fn apply(&self, view: &str, step: ViewStep) -> Result<Stepped, LogError> {
        self.log
            .writer
            .order(Apply {
                view: view.to_owned(),
                step,
            })
            .await
    }

    /// Forgets a view and its checkpoint.
    ///
    /// # Errors
    /// As every write to the log.
    pub async fn drop_view(&self, view: &str) -> Result<(), LogError> {
        self.log
            .writer
            .order(Forget {
                view: view.to_owned(),
            })
            .await
    }
}

fn checkpoint(connection: &Connection, view: &str) -> Result<Option<Position>, Trouble> {
    let found = connection
        .prepare_cached("SELECT commit_at, prepare_at FROM view_checkpoints WHERE view = ?1")?
        .query_row([view], |row| {
            Ok(Position(from_sql(row.get(0)?), from_sql(row.get(1)?)))
        })
        .optional()?;
    Ok(found)
}

fn rows(
    connection: &Connection,
    view: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<ViewRow>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT key, row FROM view_rows WHERE view = ?1 AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3",
    )?;
    let mut found = select.query(params![view, after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        rows.push(ViewRow {
            key: row.get(0)?,
            row: parse(text)?,
        });
    }
    Ok(rows)
}

fn parse(text: &str) -> Result<Value, Trouble> {
    serde_json::from_str(text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(e)).into()
    })
}

struct Apply {
    view: String,
    step: ViewStep,
}

impl Work for Apply {
    type Answer = Stepped;

    fn apply(&mut self, desk: &mut Desk<'_>) -> Result<Stepped, Trouble> {
        let connection = desk.connection;
        make_view_tables(connection)?;
        let actual = checkpoint(connection, &self.view)?;
        if actual != self.step.since {
            return Ok(Stepped::Overtaken { actual });
        }
        let mut delete = connection.prepare_cached("DELETE FROM view_rows WHERE view = ?1 AND key = ?2")?;
        for key in &self.step.deletes {
            delete.execute([&self.view, key])?;
        }
        let mut upsert = connection.prepare_cached(
            "INSERT INTO view_rows (view, key, row) VALUES (?1, ?2, ?3) ON CONFLICT (view, key) DO UPDATE SET row = excluded.row",
        )?;
        for ViewRow { key, row } in &self.step.upserts {
            upsert.execute(params![self.view, key, row.to_string()])?;
        }
        let Position(commit_at, prepare_at) = self.step.checkpoint;
        connection
            .prepare_cached(
                "INSERT INTO view_checkpoints (view, commit_at, prepare_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (view) DO UPDATE SET commit_at = excluded.commit_at, prepare_at = excluded.prepare_at",
            )?
            .execute(params![self.view, to_sql(commit_at), to_sql(prepare_at)])?;
        Ok(Stepped::Applied)
    }

    fn must_survive_power_cut(&self) -> bool {
        false
    }

    fn weight(&self) -> usize {
        // A guess is enough to keep a commit from growing without end; writing the rows out to weigh them is not worth it.
        self.step.upserts.len().saturating_mul(512)
    }
}

struct Forget {
    view: String,
}

impl Work for Forget {
    type Answer = ();

    fn apply(&mut self, desk: &mut Desk<'_>) -> Result<(), Trouble> {
        let connection = desk.connection;
        make_view_tables(connection)?;
        connection
            .prepare_cached("DELETE FROM view_rows WHERE view = ?1")?
            .execute([&self.view])?;
        connection
            .prepare_cached("DELETE FROM view_checkpoints WHERE view = ?1")?
            .execute([&self.view])?;
        Ok(())
    }

    fn must_survive_power_cut(&self) -> bool {
        false
    }

    fn weight(&self) -> usize {
        0
    }
}
