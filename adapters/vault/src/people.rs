//! A key for each person whose data lies sealed in the log, so that the person can be forgotten and the log stay as it is.
//!
//! The file has a header and one line a person (see `record`); a new person is one line more, made durable before it is used.
//! A person is found by HMAC-SHA256 of the e-mail address: the file itself names nobody. To forget is to write the
//! file again without the person's key, with a tombstone in its place, in one step; a tombstone merely added below the key
//! would forget nothing. Other processes notice at their next call, because the path then leads to another file.

mod file;
mod record;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tieout_domain::ids::{Email, SubjectId};
use tieout_domain::ports::{Opened, SealError, Sealer};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::file::{Index, Person};
use self::record::{Lookup, Record};
use crate::cipher::{CipherError, NONCE_LEN, SealedBox, SecretKey, random_uuid};
use crate::files::{self, FileError, Lock};
use crate::framing::frame;

/// The first byte of every sealed section: its layout, then 24 bytes of nonce, then ciphertext and tag.
const SECTION_V1: u8 = 1;

/// A people file could not do what was asked. No variant names a person, only the subject.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// There is no file at the path.
    #[error("there is no file of people's keys at {}: restore it from a backup; without it, what was sealed in the log cannot be read", path.display())]
    Absent {
        /// The path.
        path: PathBuf,
    },
    /// The file could not be read, written or locked, or others may use it.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line is not one of ours, or was altered or moved.
    #[error("the file of people's keys {} is damaged in line {line}: {what}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 for the file as a whole.
        line: u64,
        /// What does not hold.
        what: String,
    },
    /// The file's layout is not one that this build knows.
    #[error("{} says it is {found:?}, which this build cannot read: correct the path, or use the build that wrote it", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        found: String,
    },
    /// The file belongs to another vault.
    #[error("the file of people's keys {} belongs to another vault (its keyring is {found}, the vault's is {expected}): name the file and the vault that belong together", path.display())]
    OtherVault {
        /// The file.
        path: PathBuf,
        /// The keyring that the vault names.
        expected: Uuid,
        /// The keyring that the file names.
        found: Uuid,
    },
    /// The file has neither a key nor a tombstone for the subject. This is a loss, not a forgetting.
    #[error("{} knows no person {subject}, neither a key nor that it was forgotten: the file is older than the log, or another one; restore the newest", path.display())]
    UnknownSubject {
        /// The file.
        path: PathBuf,
        /// Who.
        subject: SubjectId,
    },
    /// Nothing can be sealed for a person who was forgotten.
    #[error(
        "the person {subject} was forgotten, so nothing can be sealed under that name: ask for the person's subject again"
    )]
    Forgotten {
        /// Who.
        subject: SubjectId,
    },
    /// The sealed bytes do not open under the person's key.
    #[error(
        "a sealed section of {subject} does not open: it was altered, cut, or belongs to another event or person"
    )]
    Altered {
        /// Whose.
        subject: SubjectId,
    },
    /// Nothing could be sealed.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// The keys to one people file, which its vault keeps ([`Vault::people_keys`](crate::Vault::people_keys)).
#[derive(Debug)]
pub struct PeopleKeys {
    keyring: Uuid,
    lookup: SecretKey,
    wrapping: SecretKey,
}

impl PeopleKeys {
    pub(crate) fn new(keyring: Uuid, lookup: SecretKey, wrapping: SecretKey) -> Self {
        Self {
            keyring,
            lookup,
            wrapping,
        }
    }

    /// What finds a person without naming one.
    fn lookup_of(&self, person: &Email) -> Result<Lookup, CipherError> {
        // HMAC takes keys of any length; the error is there for algorithms that do not.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.lookup.bytes()).map_err(|_| CipherError::NotAuthentic)?;
        mac.update(person.as_str().as_bytes());
        Ok(Lookup(mac.finalize().into_bytes().into()))
    }
}

/// An open people file. Shared freely between threads; several processes may use one file.
#[derive(Debug)]
pub struct People {
    path: PathBuf,
    keys: PeopleKeys,
    index: Mutex<Index>,
}

impl People {
    /// Makes an empty people file.
    ///
    /// # Errors
    /// [`FileError::AlreadyExists`] when there is a file already, which is left as it is, or that it cannot be written.
    pub fn create(path: &Path, keys: PeopleKeys) -> Result<Self, PeopleError> {
        let path = files::resolve(path)?;
        let lock = Lock::of(&path)?;
        if path.exists() {
            return Err(FileError::AlreadyExists { path }.into());
        }
        files::replace(&path, &file::content_of([], &keys, &path)?)?;
        let index = Index::load(&path, &keys, &lock)?;
        Ok(Self {
            path,
            keys,
            index: Mutex::new(index),
        })
    }

    /// Opens a people file. Each key is checked when it is first used.
    ///
    /// # Errors
    /// [`PeopleError::Absent`], [`PeopleError::OtherVault`], [`PeopleError::Damaged`], [`PeopleError::OtherFormat`], or that
    /// it cannot be read or may be read by others.
    pub fn open(path: &Path, keys: PeopleKeys) -> Result<Self, PeopleError> {
        let path = files::resolve(path)?;
        if !path.exists() {
            return Err(PeopleError::Absent { path });
        }
        let index = Index::load(&path, &keys, &Lock::of(&path)?)?;
        Ok(Self {
            path,
            keys,
            index: Mutex::new(index),
        })
    }

    /// The person's identifier in the log; minted, with a key, when the person is first met (or met again after having been
    /// forgotten: as somebody new).
    ///
    /// # Errors
    /// As [`People::subjects_for`].
    pub fn subject_for(&self, person: &Email) -> Result<SubjectId, PeopleError> {
        let subjects = self.subjects_for(std::slice::from_ref(person))?;
        // One person in, one subject out.
        subjects
            .first()
            .copied()
            .ok_or_else(|| self.damaged("no subject was found"))
    }

    /// The identifiers of many persons, in their order; all new ones are made durable together.
    ///
    /// # Errors
    /// [`PeopleError::Damaged`] when a person's line does not open; or that the file cannot be written: then nobody was added.
    pub fn subjects_for(&self, persons: &[Email]) -> Result<Vec<SubjectId>, PeopleError> {
        let lookups = persons
            .iter()
            .map(|person| self.keys.lookup_of(person))
            .collect::<Result<Vec<_>, _>>()?;
        let mut index = self.current()?;
        if lookups.iter().any(|lookup| index.find(lookup).is_none()) {
            let lock = Lock::of(&self.path)?;
            // Another process may have met one of them since.
            index.catch_up(&self.path, &self.keys, &lock)?;
            let mut new: Vec<Record> = Vec::new();
            for lookup in &lookups {
                if index.find(lookup).is_none() && !new.iter().any(|record| record.is_found_by(lookup)) {
                    let subject = SubjectId(random_uuid()?);
                    new.push(Record::person(
                        &self.keys,
                        *lookup,
                        subject,
                        &SecretKey::random()?,
                    )?);
                }
            }
            index.append(&self.path, &self.keys, new, &lock)?;
        }
        lookups
            .iter()
            .map(|lookup| {
                let subject = index
                    .find(lookup)
                    .ok_or_else(|| self.damaged("a line that was added is gone"))?;
                // Opening the key proves that the line is ours: this lookup, this subject.
                self.key_of(&mut index, subject)?;
                Ok(subject)
            })
            .collect()
    }

    /// The person's identifier, if the person is known.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn find(&self, person: &Email) -> Result<Option<SubjectId>, PeopleError> {
        let lookup = self.keys.lookup_of(person)?;
        Ok(self.current()?.find(&lookup))
    }

    /// How many persons have a key, and how many were forgotten.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn count(&self) -> Result<(usize, usize), PeopleError> {
        Ok(self.current()?.count())
    }

    /// Seals bytes under the person's key. `context` must be the same to open them; the event's id, so that a section
    /// cannot be moved to another event.
    ///
    /// # Errors
    /// [`PeopleError::UnknownSubject`], [`PeopleError::Forgotten`], or that the file cannot be read.
    pub fn seal(&self, subject: SubjectId, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, PeopleError> {
        let key = self
            .key_of(&mut *self.current()?, subject)?
            .ok_or(PeopleError::Forgotten { subject })?;
        let SealedBox { nonce, text } = key.seal(&self.section_context(subject, context), plain)?;
        Ok([&[SECTION_V1][..], &nonce, &text].concat())
    }

    /// Opens what was sealed. That the person was forgotten is an answer, not an error.
    ///
    /// # Errors
    /// [`PeopleError::UnknownSubject`], [`PeopleError::Altered`], or that the file cannot be read.
    pub fn open_section(
        &self,
        subject: SubjectId,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Opened, PeopleError> {
        let Some(key) = self.key_of(&mut *self.current()?, subject)? else {
            return Ok(Opened::Forgotten);
        };
        let altered = || PeopleError::Altered { subject };
        let (version, sealed) = sealed.split_first().ok_or_else(altered)?;
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(altered)?;
        if *version != SECTION_V1 {
            return Err(altered());
        }
        let sealed = SealedBox {
            nonce: *nonce,
            text: text.to_vec(),
        };
        let mut plain = key
            .open(&self.section_context(subject, context), &sealed)
            .map_err(|_| altered())?;
        Ok(Opened::Plain(std::mem::take(&mut *plain)))
    }

    /// Forgets a person: the key is gone from the file when this returns, and everything ever sealed under it with it.
    /// Answers who that was in the log; `None` when nobody of that address is known.
    ///
    /// Backups of the file still hold the key until they are gone too.
    ///
    /// # Errors
    /// [`PeopleError::Damaged`], or that the file cannot be written; then nobody was forgotten.
    pub fn forget(&self, person: &Email) -> Result<Option<SubjectId>, PeopleError> {
        let lookup = self.keys.lookup_of(person)?;
        let mut index = self.index();
        let lock = Lock::of(&self.path)?;
        index.catch_up(&self.path, &self.keys, &lock)?;
        let Some(subject) = index.find(&lookup) else {
            return Ok(None);
        };
        let tombstone = Record::forgotten(&self.keys, subject)?;
        let others = index.records().filter(|record| record.subject() != subject);
        let content = file::content_of(others.chain([tombstone]), &self.keys, &self.path)?;
        files::replace(&self.path, &content)?;
        *index = Index::load(&self.path, &self.keys, &lock)?;
        tracing::info!(%subject, "a person was forgotten");
        Ok(Some(subject))
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A panic elsewhere leaves at worst an index that lags behind its file, and it is compared before each use.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index as the file is now: a look at the file's identity and length, and a read only when they have changed.
    fn current(&self) -> Result<MutexGuard<'_, Index>, PeopleError> {
        let mut index = self.index();
        if !index.is_current(&self.path)? {
            index.catch_up(&self.path, &self.keys, &Lock::of(&self.path)?)?;
        }
        Ok(index)
    }

    /// The person's key, `None` if forgotten.
    fn key_of(&self, index: &mut Index, subject: SubjectId) -> Result<Option<Arc<SecretKey>>, PeopleError> {
        match index.person_mut(subject) {
            None => Err(PeopleError::UnknownSubject {
                path: self.path.clone(),
                subject,
            }),
            Some(Person::Forgotten { .. }) => Ok(None),
            Some(Person::Known { key: Some(key), .. }) => Ok(Some(Arc::clone(key))),
            Some(Person::Known {
                lookup,
                wrapped,
                key,
                line,
            }) => {
                let opened = record::unwrap_key(&self.keys, lookup, subject, wrapped).map_err(|_| {
                    let what = format!("the key of {subject} was altered or moved");
                    PeopleError::Damaged {
                        path: self.path.clone(),
                        line: *line,
                        what,
                    }
                })?;
                Ok(Some(Arc::clone(key.insert(Arc::new(opened)))))
            }
        }
    }

    fn section_context(&self, subject: SubjectId, context: &[u8]) -> Zeroizing<Vec<u8>> {
        frame(&[
            b"tieout-people/1 section",
            self.keys.keyring.as_bytes(),
            subject.0.as_bytes(),
            context,
        ])
    }

    fn damaged(&self, what: &str) -> PeopleError {
        PeopleError::Damaged {
            path: self.path.clone(),
            line: 0,
            what: what.to_owned(),
        }
    }
}

impl Sealer for People {
    fn subject_for(&self, person: &Email) -> Result<SubjectId, SealError> {
        People::subject_for(self, person).map_err(while_doing("sealed"))
    }

    fn seal(&self, subject: SubjectId, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        People::seal(self, subject, plain, context).map_err(while_doing("sealed"))
    }

    fn open(&self, subject: SubjectId, sealed: &[u8], context: &[u8]) -> Result<Opened, SealError> {
        self.open_section(subject, sealed, context)
            .map_err(while_doing("opened"))
    }
}

fn while_doing(doing: &'static str) -> impl FnOnce(PeopleError) -> SealError {
    move |error| SealError {
        doing,
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
