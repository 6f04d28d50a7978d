//! The whole file, looked at.

use rusqlite::Connection;

use crate::number::from_sql;
use crate::read::all_page;
use crate::trouble::{Place, RESTORE, Trouble};

/// Events read at a time.
const PAGE: usize = 1_000;

/// What a log that was found sound holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Events.
    pub events: u64,
    /// Streams.
    pub streams: u64,
}

/// Each finds a breach of what the writer and the triggers promise; 0 is sound.
const PROMISES: [(&str, &str); 4] = [
    ("events are missing", "SELECT coalesce(max(leaf) + 1, 0) - count(*) FROM events"),
    (
        "streams have gaps or do not end where they say",
        "SELECT count(*) FROM (SELECT stream, count(*) AS events, max(revision) + 1 AS ends FROM events GROUP BY stream) e
         LEFT JOIN streams s ON s.id = e.stream WHERE s.id IS NULL OR e.events <> e.ends OR s.head + 1 <> e.ends",
    ),
    (
        "streams have no events",
        "SELECT count(*) FROM streams s WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.stream = s.id)",
    ),
    (
        "events have lost their sums",
        "SELECT count(*) FROM events WHERE sum IS NULL AND leaf > (SELECT min(leaf) FROM events WHERE sum IS NOT NULL)",
    ),
];

pub(crate) fn verify(connection: &Connection, place: &Place) -> Result<Verified, Trouble> {
    // One transaction, so that all questions are asked of the same state.
    let reading = connection.unchecked_transaction()?;
    let faults: Vec<String> = {
        // With the indexes held against their tables, which the quick one leaves out: by them streams and ids are found.
        let mut check = reading.prepare("PRAGMA integrity_check(10)")?;
        let rows = check.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    if faults != ["ok"] {
        return Err(place
            .unusable(format!("the file is damaged: {}; {RESTORE}", faults.join("; ")))
            .into());
    }
    for (what, question) in PROMISES {
        let breaches: i64 = reading.query_row(question, [], |row| row.get(0))?;
        if breaches != 0 {
            return Err(place
                .unusable(format!(
                    "{what} ({breaches}): it was altered by other means than tieout; {RESTORE}"
                ))
                .into());
        }
    }
    check_sums(&reading)?;
    let (events, streams) = reading.query_row(
        "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM streams)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Verified {
        events: from_sql(events),
        streams: from_sql(streams),
    })
}

/// Reads every event, and with it checks its sum.
fn check_sums(connection: &Connection) -> Result<(), Trouble> {
    let mut after = None;
    loop {
        let page = all_page(connection, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position);
    }
}
