//! The vault: named sets of secrets in one file, and what may be done with them.

mod error;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::cipher::{CipherError, SecretKey, random_uuid};
use crate::document::{Body, Document, LockEntry, Locking, NotAVault, PeopleEntry, SetEntry};
use crate::fields::SecretFields;
use crate::files::{self, FileError, Lock};
use crate::key_source::KeySource;
use crate::name::SetName;
use crate::passphrase::PassphraseCost;
use crate::people::PeopleKeys;

pub use self::error::VaultError;

/// What may be told of a set without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetInfo {
    /// Its name.
    pub name: SetName,
    /// 1 when first put, one more with each rotation.
    pub version: u64,
    /// When this version was put.
    pub put_at: DateTime<Utc>,
}

/// An open vault: the file as it was read, still encrypted, and the key to it. A secret is decrypted when it is asked for.
///
/// A handle sees what it read; [`Vault::reload`] looks again. A write is refused ([`VaultError::Changed`]) when the file is
/// no longer what the handle read.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    body: Body,
    key: SecretKey,
}

impl Vault {
    /// Creates an empty vault, locked with the key of `source`.
    ///
    /// # Errors
    /// [`FileError::AlreadyExists`] when there is a file already, which is left as it is; [`VaultError::Key`] without a key.
    pub fn create(path: &Path, source: &KeySource, now: DateTime<Utc>) -> Result<Self, VaultError> {
        let path = files::resolve(path)?;
        let (key, passphrase) = source.new_key()?;
        let by = Locking {
            vault: random_uuid()?,
            version: 1,
            key: &key,
        };
        let body = Body {
            vault: by.vault,
            generation: 1,
            key: LockEntry::new(by, now, passphrase)?,
            people: PeopleEntry::wrap(by, random_uuid()?, &SecretKey::random()?, &SecretKey::random()?)?,
            sets: BTreeMap::new(),
        };
        let vault = Self { path, body, key };
        let _lock = Lock::of(&vault.path)?;
        if vault.path.exists() {
            return Err(FileError::AlreadyExists { path: vault.path }.into());
        }
        vault.write(&vault.body, &vault.key)?;
        Ok(vault)
    }

    /// Opens a vault and checks the whole file against its key.
    ///
    /// # Errors
    /// [`VaultError::Absent`], [`VaultError::WrongKey`], [`VaultError::Damaged`], [`VaultError::OtherFormat`], or that the
    /// file or the key cannot be read or may be read by others.
    pub fn open(path: &Path, source: &KeySource) -> Result<Self, VaultError> {
        let path = files::resolve(path)?;
        let document = read(&path)?;
        let key = source.key_for(document.body.key.passphrase.as_ref())?;
        verify(&path, &document, &key, source)?;
        Ok(Self {
            path,
            body: document.body,
            key,
        })
    }

    /// Puts a set: the first version of it, or the next one, which replaces the last (a rotation of the secret).
    /// Answers the version.
    ///
    /// # Errors
    /// [`VaultError::EmptySet`], [`VaultError::Changed`], or that the file cannot be written; then nothing has changed.
    pub fn put(
        &mut self,
        set: &SetName,
        fields: &SecretFields,
        now: DateTime<Utc>,
    ) -> Result<u64, VaultError> {
        if fields.is_empty() {
            return Err(VaultError::EmptySet { set: set.clone() });
        }
        let mut body = self.body.clone();
        let version = body
            .sets
            .get(set)
            .map_or(0, |entry| entry.version)
            .saturating_add(1);
        let entry = SetEntry::seal(self.locking(), set, version, now, &fields.to_plaintext())?;
        body.sets.insert(set.clone(), entry);
        self.commit(body, None)?;
        tracing::info!(vault = %self.path.display(), %set, version, "credentials put");
        Ok(version)
    }

    /// The secrets of a set, as this handle read them.
    ///
    /// # Errors
    /// [`VaultError::NoSuchSet`]; [`VaultError::Damaged`] when the entry does not open under its own key.
    pub fn get(&self, set: &SetName) -> Result<SecretFields, VaultError> {
        let plaintext = self
            .entry(set)?
            .open(self.locking(), set)
            .map_err(|_| self.damaged_set(set))?;
        SecretFields::from_plaintext(&plaintext).ok_or_else(|| self.damaged_set(set))
    }

    /// The secrets of a set that must have these fields.
    ///
    /// # Errors
    /// As [`Vault::get`], and [`VaultError::MissingField`] naming the first field that is not there.
    pub fn require(&self, set: &SetName, fields: &[&str]) -> Result<SecretFields, VaultError> {
        let found = self.get(set)?;
        for field in fields {
            found.require(field).map_err(|source| VaultError::MissingField {
                set: set.clone(),
                source,
            })?;
        }
        Ok(found)
    }

    /// What sets there are, in the order of their names.
    pub fn sets(&self) -> impl Iterator<Item = SetInfo> {
        self.body.sets.iter().map(|(name, entry)| SetInfo {
            name: name.clone(),
            version: entry.version,
            put_at: entry.put_at,
        })
    }

    /// Removes a set.
    ///
    /// # Errors
    /// [`VaultError::NoSuchSet`], [`VaultError::Changed`], or that the file cannot be written; then nothing has changed.
    pub fn remove(&mut self, set: &SetName) -> Result<(), VaultError> {
        self.entry(set)?;
        let mut body = self.body.clone();
        body.sets.remove(set);
        self.commit(body, None)?;
        tracing::info!(vault = %self.path.display(), %set, "credentials removed");
        Ok(())
    }

    /// Locks the vault with another key. Only data keys are wrapped again: every secret stays sealed as it was.
    ///
    /// # Errors
    /// [`VaultError::Key`] without the new key, [`VaultError::Changed`], [`VaultError::Damaged`], or that the file cannot be
    /// written; then the old key still locks it.
    pub fn rotate_key(&mut self, source: &KeySource, now: DateTime<Utc>) -> Result<(), VaultError> {
        let (key, passphrase) = source.new_key()?;
        let body = self.rewrapped(&key, passphrase, now)?;
        self.commit(body, Some(key))?;
        tracing::info!(vault = %self.path.display(), key_version = self.body.key.version, "key of the vault rotated");
        Ok(())
    }

    /// Looks at the file again; `true` when it had changed. A long-running program calls this before it uses secrets, and so
    /// sees a rotation without being started again.
    ///
    /// # Errors
    /// As [`Vault::open`]; [`VaultError::WrongKey`] when the key was rotated meanwhile, [`VaultError::Replaced`] when another
    /// vault lies there. The handle then stays as it was.
    pub fn reload(&mut self) -> Result<bool, VaultError> {
        let document = self.read_again()?;
        let changed = document.body.generation != self.body.generation;
        self.body = document.body;
        Ok(changed)
    }

    /// The keys to the people file that belongs to this vault.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when they do not open.
    pub fn people_keys(&self) -> Result<PeopleKeys, VaultError> {
        let people = &self.body.people;
        let (lookup, wrapping) = people
            .unwrap_keys(self.locking())
            .map_err(|_| self.damaged_people())?;
        Ok(PeopleKeys::new(people.keyring, lookup, wrapping))
    }

    /// The file, with symbolic links followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the key that locks the vault: 1 at first, one more with each rotation.
    #[must_use]
    pub fn key_version(&self) -> u64 {
        self.body.key.version
    }

    /// Since when that key locks it.
    #[must_use]
    pub fn key_since(&self) -> DateTime<Utc> {
        self.body.key.since
    }

    fn entry(&self, set: &SetName) -> Result<&SetEntry, VaultError> {
        self.body.sets.get(set).ok_or_else(|| VaultError::NoSuchSet {
            path: self.path.clone(),
            set: set.clone(),
            present: self.body.sets.keys().map(ToString::to_string).collect(),
        })
    }

    /// The body with every data key under another key-encryption key.
    fn rewrapped(
        &self,
        key: &SecretKey,
        passphrase: Option<PassphraseCost>,
        now: DateTime<Utc>,
    ) -> Result<Body, VaultError> {
        let from = self.locking();
        let to = Locking {
            vault: from.vault,
            version: from.version.saturating_add(1),
            key,
        };
        let people = &self.body.people;
        let (lookup, wrapping) = people.unwrap_keys(from).map_err(|_| self.damaged_people())?;
        let sets = self
            .body
            .sets
            .iter()
            .map(|(name, entry)| match entry.rewrap(from, to, name) {
                Ok(entry) => Ok((name.clone(), entry)),
                Err(CipherError::NotAuthentic) => Err(self.damaged_set(name)),
                Err(other) => Err(other.into()),
            });
        Ok(Body {
            sets: sets.collect::<Result<_, VaultError>>()?,
            people: PeopleEntry::wrap(to, people.keyring, &lookup, &wrapping)?,
            key: LockEntry::new(to, now, passphrase)?,
            ..self.body.clone()
        })
    }

    /// Writes the next generation, under the lock and only over the one that this handle read.
    fn commit(&mut self, mut body: Body, new_key: Option<SecretKey>) -> Result<(), VaultError> {
        let _lock = Lock::of(&self.path)?;
        let found = read(&self.path)?.body;
        if found.vault != self.body.vault {
            return Err(VaultError::Replaced {
                path: self.path.clone(),
            });
        }
        if found.generation != self.body.generation {
            return Err(VaultError::Changed {
                path: self.path.clone(),
                expected: self.body.generation,
                found: found.generation,
            });
        }
        body.generation = body.generation.saturating_add(1);
        self.write(&body, new_key.as_ref().unwrap_or(&self.key))?;
        self.body = body;
        if let Some(key) = new_key {
            self.key = key;
        }
        Ok(())
    }

    fn write(&self, body: &Body, key: &SecretKey) -> Result<(), VaultError> {
        let document = Document::seal(body.clone(), key)?;
        let bytes = document.to_bytes().map_err(|error| damaged(&self.path, error))?;
        Ok(files::replace(&self.path, &bytes)?)
    }

    fn read_again(&self) -> Result<Document, VaultError> {
        let document = read(&self.path)?;
        if document.body.vault != self.body.vault {
            return Err(VaultError::Replaced {
                path: self.path.clone(),
            });
        }
        verify(&self.path, &document, &self.key, &"the key in use")?;
        Ok(document)
    }

    fn locking(&self) -> Locking<'_> {
        self.body.locking(&self.key)
    }

    fn damaged_people(&self) -> VaultError {
        damaged(&self.path, "the keys of the people file do not open")
    }

    fn damaged_set(&self, set: &SetName) -> VaultError {
        damaged(
            &self.path,
            format!("the set {set} does not open under its own key"),
        )
    }
}

fn damaged(path: &Path, what: impl ToString) -> VaultError {
    VaultError::Damaged {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

fn read(path: &Path) -> Result<Document, VaultError> {
    let mut file = files::open_private(path).map_err(|error| match error {
        absent if absent.is_absent() => VaultError::Absent {
            path: path.to_owned(),
        },
        other => other.into(),
    })?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(FileError::doing("read", path))?;
    Document::parse(&bytes).map_err(|reason| match reason {
        NotAVault::OtherFormat(_) => VaultError::OtherFormat {
            path: path.to_owned(),
            what: reason.to_string(),
        },
        NotAVault::Garbled(_) | NotAVault::Checksum => damaged(path, reason),
    })
}

/// The checks that need the key: first whether it is the key, then whether the file is what its holder wrote.
fn verify(
    path: &Path,
    document: &Document,
    key: &SecretKey,
    offered: &dyn std::fmt::Display,
) -> Result<(), VaultError> {
    let lock = &document.body.key;
    lock.verify(document.body.locking(key))
        .map_err(|_| VaultError::WrongKey {
            path: path.to_owned(),
            offered: offered.to_string(),
            key_version: lock.version,
            since: lock.since,
        })?;
    document
        .verify_seal(key)
        .map_err(|_| damaged(path, "it was altered by someone without its key"))
}

#[cfg(test)]
mod tests;
