//! The changed reports on their way to JSON: in a temporary file without a name, until all else is known.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Told;
use super::told::Changed;
use crate::out::{Failure, Out};

/// A line of JSON for each.
pub(super) struct Spool(BufWriter<File>);

/// The document: what is told, then the reports.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    told: &'a Told,
    changes: Spooled,
    /// How many more there are than `changes` has.
    changes_not_named: usize,
}

/// What was spooled, read back a line at a time.
struct Spooled(RefCell<File>);

impl Spool {
    pub(super) fn open() -> Result<Self, Failure> {
        let file = tempfile::tempfile()
            .map_err(|e| Failure::Outside(format!("no temporary file for the result can be made: {e}")))?;
        Ok(Self(BufWriter::new(file)))
    }

    pub(super) fn add(&mut self, changed: &Changed) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.0, changed).map_err(|e| kept(&e))?;
        self.0.write_all(b"\n").map_err(|e| kept(&e))
    }

    pub(super) fn write(self, told: &Told, changes_not_named: usize, out: Out) -> Result<(), Failure> {
        let file = self.0.into_inner().map_err(|e| kept(e.error()))?;
        out.document(&Document {
            told,
            changes: Spooled(RefCell::new(file)),
            changes_not_named,
        })
    }
}

fn kept(error: &dyn std::fmt::Display) -> Failure {
    Failure::Outside(format!("the result cannot be kept in a temporary file: {error}"))
}

impl Serialize for Spooled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut file = self.0.borrow_mut();
        file.seek(SeekFrom::Start(0)).map_err(S::Error::custom)?;
        let mut sequence = serializer.serialize_seq(None)?;
        for line in BufReader::new(&mut *file).lines() {
            let line = line.map_err(S::Error::custom)?;
            let raw = RawValue::from_string(line).map_err(S::Error::custom)?;
            sequence.serialize_element(&raw)?;
        }
        sequence.end()
    }
}
