//! What may go wrong with a vault, each with what to do.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cipher::CipherError;
use crate::fields::MissingField;
use crate::files::FileError;
use crate::key_source::KeyError;
use crate::name::SetName;

/// A vault could not do what was asked. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no file at the path.
    #[error("there is no vault at {}: create one (`tieout init`), or correct the path", path.display())]
    Absent {
        /// The path.
        path: PathBuf,
    },
    /// The file could not be read, written or locked, or others may use it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key-encryption key could not be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file is whole, but another key locks it.
    #[error("{offered} does not open the vault {}: the file is undamaged, the key is another one (its version {key_version} locks since {since}); find the right one", path.display())]
    WrongKey {
        /// The vault file.
        path: PathBuf,
        /// Which key was offered, by its place.
        offered: String,
        /// The version of the key that locks the vault.
        key_version: u64,
        /// Since when that key locks it.
        since: DateTime<Utc>,
    },
    /// The file is not a whole vault, or was altered by someone without the key.
    #[error("the vault {} is damaged: {what}; restore it from a backup, or create a new one and put the credentials again", path.display())]
    Damaged {
        /// The vault file.
        path: PathBuf,
        /// What does not hold.
        what: String,
    },
    /// The file's layout is not one that this build knows.
    #[error("{} is not a vault that this build can read: {what}; correct the path, or use the build that wrote it", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        what: String,
    },
    /// Somebody else wrote the file since this handle read it; nothing was written.
    #[error("the vault {} was changed by another process (generation {found}, expected {expected}); nothing was written: open it again, look, and repeat", path.display())]
    Changed {
        /// The vault file.
        path: PathBuf,
        /// The generation that this handle had read.
        expected: u64,
        /// The generation that is there now.
        found: u64,
    },
    /// The file at the path is another vault than the one that was opened.
    #[error("another vault lies at {} now: open it again", path.display())]
    Replaced {
        /// The path.
        path: PathBuf,
    },
    /// There is no set of that name.
    #[error("the vault {} has no set {set}; it has {present:?}: put it (`tieout credentials`), or correct the name", path.display())]
    NoSuchSet {
        /// The vault file.
        path: PathBuf,
        /// The name that was asked for.
        set: SetName,
        /// The names that are there.
        present: Vec<String>,
    },
    /// A set without any field was to be put.
    #[error("the set {set} would be empty: give its fields, or remove it")]
    EmptySet {
        /// The set.
        set: SetName,
    },
    /// A set lacks a field.
    #[error("in the set {set}: {source}")]
    MissingField {
        /// The set.
        set: SetName,
        /// Which field, and which there are.
        source: MissingField,
    },
    /// Nothing could be sealed.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}
