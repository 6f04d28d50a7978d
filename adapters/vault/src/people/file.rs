//! The people file and what was read of it.
//!
//! Everything is read under the file's lock and made durable before it is believed: a key that a power cut could still take
//! away must not seal anything.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tieout_domain::ids::SubjectId;

use super::record::{self, FORMAT, Header, Lookup, Record};
use super::{PeopleError, PeopleKeys};
use crate::cipher::{SealedBox, SecretKey};
use crate::files::{self, FileError, Lock};

/// What the file says of a person.
#[derive(Debug)]
pub(super) enum Person {
    /// A key, unwrapped when first used and kept from then on.
    Known {
        lookup: Lookup,
        wrapped: SealedBox,
        key: Option<Arc<SecretKey>>,
        line: u64,
    },
    /// None any more.
    Forgotten { proof: SealedBox },
}

/// What was read of the file, and how far.
#[derive(Debug)]
pub(super) struct Index {
    /// Kept open, so that the file's identity stays taken and a replaced file is noticed for certain.
    file: File,
    /// Bytes read: whole lines only.
    read: u64,
    /// Lines read.
    lines: u64,
    by_lookup: HashMap<Lookup, SubjectId>,
    by_subject: BTreeMap<SubjectId, Person>,
}

impl Index {
    /// Reads the whole file.
    pub(super) fn load(path: &Path, keys: &PeopleKeys, lock: &Lock) -> Result<Self, PeopleError> {
        let file = files::open_private_to_append(path).map_err(|error| absent_or(path, error))?;
        let mut index = Self {
            file,
            read: 0,
            lines: 0,
            by_lookup: HashMap::new(),
            by_subject: BTreeMap::new(),
        };
        index.read_on(path, keys, lock)?;
        if index.lines == 0 {
            return Err(index.damaged(path, "it has no complete first line"));
        }
        Ok(index)
    }

    /// Whether the path still leads to the file that was read, and that file has not grown.
    pub(super) fn is_current(&self, path: &Path) -> Result<bool, PeopleError> {
        let there = std::fs::metadata(path)
            .map_err(FileError::doing("look at", path))
            .map_err(|error| absent_or(path, error))?;
        Ok(self.is_at(path, &there)? && there.len() == self.read)
    }

    /// Reads what was added, or everything if the file was replaced.
    pub(super) fn catch_up(
        &mut self,
        path: &Path,
        keys: &PeopleKeys,
        lock: &Lock,
    ) -> Result<(), PeopleError> {
        let there = std::fs::metadata(path)
            .map_err(FileError::doing("look at", path))
            .map_err(|error| absent_or(path, error))?;
        if !self.is_at(path, &there)? {
            *self = Self::load(path, keys, lock)?;
        } else if there.len() < self.read {
            return Err(self.damaged(path, "lines that were there are gone"));
        } else if there.len() > self.read {
            self.read_on(path, keys, lock)?;
        }
        Ok(())
    }

    /// Adds lines, durably; all or none. The index must have caught up under the same lock.
    pub(super) fn append(
        &mut self,
        path: &Path,
        keys: &PeopleKeys,
        records: Vec<Record>,
        _lock: &Lock,
    ) -> Result<(), PeopleError> {
        let mut lines = Vec::new();
        for record in &records {
            push_line(&mut lines, record).map_err(|error| self.damaged(path, error))?;
        }
        if let Err(error) = self.file.write_all(&lines).and_then(|()| self.file.sync_data()) {
            // A line half written, on a full disk for instance, is taken back; if that fails too, the next reader does it.
            let _ = self.file.set_len(self.read);
            return Err(FileError::doing("write", path)(error).into());
        }
        self.read = self.read.saturating_add(lines.len() as u64);
        for record in records {
            self.apply(path, keys, record)?;
            self.lines = self.lines.saturating_add(1);
        }
        Ok(())
    }

    pub(super) fn find(&self, lookup: &Lookup) -> Option<SubjectId> {
        self.by_lookup.get(lookup).copied()
    }

    pub(super) fn person_mut(&mut self, subject: SubjectId) -> Option<&mut Person> {
        self.by_subject.get_mut(&subject)
    }

    /// How many have a key, how many were forgotten.
    pub(super) fn count(&self) -> (usize, usize) {
        (
            self.by_lookup.len(),
            self.by_subject.len().saturating_sub(self.by_lookup.len()),
        )
    }

    /// Everything as lines again, in the order of the subjects, which tells nothing of when a person came.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.by_subject.iter().map(|(&subject, person)| match person {
            Person::Known { lookup, wrapped, .. } => Record::Person {
                lookup: *lookup,
                subject,
                key: wrapped.clone(),
            },
            Person::Forgotten { proof } => Record::Forgotten {
                subject,
                proof: proof.clone(),
            },
        })
    }

    fn is_at(&self, path: &Path, there: &std::fs::Metadata) -> Result<bool, PeopleError> {
        let ours = self.file.metadata().map_err(FileError::doing("look at", path))?;
        Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    }

    /// Reads the lines after those that were read. A last line without an end was never acknowledged by the process that died
    /// over it, and is cut off.
    fn read_on(&mut self, path: &Path, keys: &PeopleKeys, _lock: &Lock) -> Result<(), PeopleError> {
        let mut bytes = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.read))
            .and_then(|_| self.file.read_to_end(&mut bytes))
            // Its writer may have died before it was durable.
            .and_then(|_| self.file.sync_data())
            .map_err(FileError::doing("read", path))?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\n") else {
                if self.lines > 0 {
                    self.cut_off(path, line.len())?;
                }
                break;
            };
            if self.lines == 0 {
                self.apply_header(path, keys, text)?;
            } else {
                let record = serde_json::from_slice(text).map_err(|error| self.damaged(path, error))?;
                self.apply(path, keys, record)?;
            }
            // Only now: after an error the next call stands before the same line again.
            self.lines = self.lines.saturating_add(1);
            self.read = self.read.saturating_add(line.len() as u64);
        }
        Ok(())
    }

    fn cut_off(&self, path: &Path, length: usize) -> Result<(), FileError> {
        tracing::warn!(
            file = %path.display(),
            bytes = length,
            "a line of the people file was never finished; it is cut off, since nothing was sealed under it"
        );
        let cut = self.file.set_len(self.read).and_then(|()| self.file.sync_all());
        cut.map_err(FileError::doing("cut an unfinished line off", path))
    }

    fn apply_header(&self, path: &Path, keys: &PeopleKeys, text: &[u8]) -> Result<(), PeopleError> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let Format { format } = serde_json::from_slice(text).map_err(|error| self.damaged(path, error))?;
        if format != FORMAT {
            return Err(PeopleError::OtherFormat {
                path: path.to_owned(),
                found: format,
            });
        }
        let header: Header = serde_json::from_slice(text).map_err(|error| self.damaged(path, error))?;
        if header.keyring != keys.keyring {
            return Err(PeopleError::OtherVault {
                path: path.to_owned(),
                expected: keys.keyring,
                found: header.keyring,
            });
        }
        header
            .verify(keys)
            .map_err(|_| self.damaged(path, "the header was altered"))
    }

    fn apply(&mut self, path: &Path, keys: &PeopleKeys, record: Record) -> Result<(), PeopleError> {
        match record {
            Record::Person { lookup, subject, key } => {
                if self.by_lookup.contains_key(&lookup) || self.by_subject.contains_key(&subject) {
                    return Err(self.damaged(
                        path,
                        format!("{subject} or the same person is there twice, or was forgotten"),
                    ));
                }
                self.by_lookup.insert(lookup, subject);
                let line = self.lines.saturating_add(1);
                self.by_subject.insert(
                    subject,
                    Person::Known {
                        lookup,
                        wrapped: key,
                        key: None,
                        line,
                    },
                );
            }
            Record::Forgotten { subject, proof } => {
                record::verify_tombstone(keys, subject, &proof).map_err(|_| {
                    self.damaged(path, format!("the tombstone of {subject} was altered or moved"))
                })?;
                if let Some(Person::Known { lookup, .. }) =
                    self.by_subject.insert(subject, Person::Forgotten { proof })
                {
                    self.by_lookup.remove(&lookup);
                }
            }
        }
        Ok(())
    }

    /// Something does not hold in the line after those that were read.
    fn damaged(&self, path: &Path, what: impl ToString) -> PeopleError {
        let line = self.lines.saturating_add(1);
        PeopleError::Damaged {
            path: path.to_owned(),
            line,
            what: what.to_string(),
        }
    }
}

/// A whole file: the header and these lines.
pub(super) fn content_of(
    records: impl IntoIterator<Item = Record>,
    keys: &PeopleKeys,
    path: &Path,
) -> Result<Vec<u8>, PeopleError> {
    let unwritable = |error: serde_json::Error| FileError::doing("write", path)(io::Error::from(error));
    let mut content = Vec::new();
    push_line(&mut content, &Header::new(keys)?).map_err(unwritable)?;
    for record in records {
        push_line(&mut content, &record).map_err(unwritable)?;
    }
    Ok(content)
}

fn push_line(to: &mut Vec<u8>, line: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.push(b'\n');
    Ok(())
}

fn absent_or(path: &Path, error: FileError) -> PeopleError {
    if error.is_absent() {
        PeopleError::Absent {
            path: path.to_owned(),
        }
    } else {
        error.into()
    }
}
