//! The vault file as it lies on disk: one JSON document, of which nothing is secret.
//!
//! Three checks, in this order, tell what is wrong with a file:
//! 1. a plain SHA-256 over the body: an accident (a torn copy, a flipped bit) shows without any key;
//! 2. the key check, an empty text sealed under the key-encryption key: it fails only with another key;
//! 3. the seal, over the whole body under that key: it fails when someone edited the file and mended the SHA-256.
//!
//! Each box in the body also names its place (vault, set, version, key) in its associated data.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::cipher::{CipherError, SealedBox, SecretKey, base64_array, base64_out, random_uuid};
use crate::framing::frame;
use crate::name::SetName;
use crate::passphrase::PassphraseCost;

/// What a file of ours says it is. Another number, another layout.
pub(crate) const FORMAT: &str = "tieout-vault/1";

/// Why bytes are not a vault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAVault {
    #[error("it says it is {0:?}, this program knows {FORMAT:?}")]
    OtherFormat(String),
    #[error("it is not a complete document: {0}")]
    Garbled(serde_json::Error),
    #[error("its content does not match its checksum")]
    Checksum,
}

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    format: String,
    pub(crate) body: Body,
    /// SHA-256 of the body.
    #[serde(serialize_with = "base64_out", deserialize_with = "digest_in")]
    sha256: [u8; 32],
    /// An empty text sealed with the body as associated data.
    seal: SealedBox,
}

/// Everything but the proofs of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    /// Minted when the vault is created; every box names it.
    pub(crate) vault: Uuid,
    /// Counts every write of the file.
    pub(crate) generation: u64,
    /// The key-encryption key, without the key.
    pub(crate) key: LockEntry,
    /// The keys of the people file.
    pub(crate) people: PeopleEntry,
    /// The sets, by name.
    pub(crate) sets: BTreeMap<SetName, SetEntry>,
}

/// What is known of the key-encryption key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockEntry {
    /// 1 at first, one more with each rotation.
    pub(crate) version: u64,
    /// Since when it locks the vault.
    pub(crate) since: DateTime<Utc>,
    /// There if a passphrase locks the vault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) passphrase: Option<PassphraseCost>,
    /// An empty text sealed under the key: opens under this key only.
    pub(crate) check: SealedBox,
}

/// The two keys of the people file, wrapped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleEntry {
    /// Names the people file that belongs to this vault.
    pub(crate) keyring: Uuid,
    /// Finds a person.
    pub(crate) lookup: SealedBox,
    /// Wraps the keys of persons.
    pub(crate) wrapping: SealedBox,
}

/// One set of secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetEntry {
    /// 1 at first, one more with each rotation.
    pub(crate) version: u64,
    /// When this version was put.
    pub(crate) put_at: DateTime<Utc>,
    /// Names the data key.
    pub(crate) key: Uuid,
    /// The data key, under the key-encryption key.
    pub(crate) wrapped: SealedBox,
    /// The fields, under the data key.
    pub(crate) fields: SealedBox,
}

/// A key-encryption key in its place: what every wrapping names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Locking<'a> {
    /// The vault it locks.
    pub(crate) vault: Uuid,
    /// Its version there.
    pub(crate) version: u64,
    /// The key itself.
    pub(crate) key: &'a SecretKey,
}

impl LockEntry {
    /// The entry for a key that locks the vault from now on.
    pub(crate) fn new(
        by: Locking<'_>,
        since: DateTime<Utc>,
        passphrase: Option<PassphraseCost>,
    ) -> Result<Self, CipherError> {
        let check = by.key.seal(&check_context(by, passphrase.as_ref()), b"")?;
        Ok(Self {
            version: by.version,
            since,
            passphrase,
            check,
        })
    }

    /// Fails unless this is the key that locks the vault.
    pub(crate) fn verify(&self, by: Locking<'_>) -> Result<(), CipherError> {
        by.key
            .open(&check_context(by, self.passphrase.as_ref()), &self.check)
            .map(drop)
    }
}

impl PeopleEntry {
    /// Wraps the two keys of a people file.
    pub(crate) fn wrap(
        by: Locking<'_>,
        keyring: Uuid,
        lookup: &SecretKey,
        wrapping: &SecretKey,
    ) -> Result<Self, CipherError> {
        Ok(Self {
            keyring,
            lookup: by.key.wrap(&people_context(by, b"lookup", keyring), lookup)?,
            wrapping: by.key.wrap(&people_context(by, b"wrapping", keyring), wrapping)?,
        })
    }

    /// The key that finds persons, and the key that wraps theirs.
    pub(crate) fn unwrap_keys(&self, by: Locking<'_>) -> Result<(SecretKey, SecretKey), CipherError> {
        Ok((
            by.key
                .unwrap_key(&people_context(by, b"lookup", self.keyring), &self.lookup)?,
            by.key
                .unwrap_key(&people_context(by, b"wrapping", self.keyring), &self.wrapping)?,
        ))
    }
}

impl SetEntry {
    /// Seals a version of a set under a data key of its own.
    pub(crate) fn seal(
        by: Locking<'_>,
        name: &SetName,
        version: u64,
        put_at: DateTime<Utc>,
        plaintext: &[u8],
    ) -> Result<Self, CipherError> {
        let key = random_uuid()?;
        let data_key = SecretKey::random()?;
        Ok(Self {
            version,
            put_at,
            key,
            wrapped: by
                .key
                .wrap(&data_key_context(by, name, version, key), &data_key)?,
            fields: data_key.seal(&fields_context(by.vault, name, version, put_at, key), plaintext)?,
        })
    }

    /// What was sealed, if this entry stands where it was put.
    pub(crate) fn open(&self, by: Locking<'_>, name: &SetName) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let context = fields_context(by.vault, name, self.version, self.put_at, self.key);
        self.data_key(by, name)?.open(&context, &self.fields)
    }

    /// The same entry, its data key wrapped by another key-encryption key.
    pub(crate) fn rewrap(
        &self,
        from: Locking<'_>,
        to: Locking<'_>,
        name: &SetName,
    ) -> Result<Self, CipherError> {
        let data_key = self.data_key(from, name)?;
        let wrapped = to
            .key
            .wrap(&data_key_context(to, name, self.version, self.key), &data_key)?;
        Ok(Self {
            wrapped,
            ..self.clone()
        })
    }

    fn data_key(&self, by: Locking<'_>, name: &SetName) -> Result<SecretKey, CipherError> {
        by.key
            .unwrap_key(&data_key_context(by, name, self.version, self.key), &self.wrapped)
    }
}

impl Document {
    /// Reads a file's bytes and checks what can be checked without a key.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NotAVault> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        // The format first: a later layout shall be told from a garbled one.
        let Format { format } = serde_json::from_slice(bytes).map_err(NotAVault::Garbled)?;
        if format != FORMAT {
            return Err(NotAVault::OtherFormat(format));
        }
        let document: Self = serde_json::from_slice(bytes).map_err(NotAVault::Garbled)?;
        let canonical = document.body.canonical().map_err(NotAVault::Garbled)?;
        if <[u8; 32]>::from(Sha256::digest(&canonical)) != document.sha256 {
            return Err(NotAVault::Checksum);
        }
        Ok(document)
    }

    /// The document for a body, sealed.
    pub(crate) fn seal(body: Body, key: &SecretKey) -> Result<Self, CipherError> {
        // Our own maps and numbers always have a JSON form; an error here would mean there is none to seal.
        let canonical = body.canonical().map_err(|_| CipherError::NotAuthentic)?;
        let seal = key.seal(&seal_context(&canonical), b"")?;
        Ok(Self {
            format: FORMAT.to_owned(),
            sha256: Sha256::digest(&canonical).into(),
            seal,
            body,
        })
    }

    /// Whether the body is the one that a holder of the key wrote.
    pub(crate) fn verify_seal(&self, key: &SecretKey) -> Result<(), CipherError> {
        let canonical = self.body.canonical().map_err(|_| CipherError::NotAuthentic)?;
        key.open(&seal_context(&canonical), &self.seal).map(drop)
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Body {
    /// The body in the one form that is hashed and sealed, however the file is laid out: a formatter does no harm.
    fn canonical(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// The key-encryption key in its place in this vault.
    pub(crate) fn locking<'a>(&self, key: &'a SecretKey) -> Locking<'a> {
        Locking {
            vault: self.vault,
            version: self.key.version,
            key,
        }
    }
}

// ── associated data: what a box is for, and where it belongs ─────────────────────────────────────────────────────────

fn check_context(by: Locking<'_>, passphrase: Option<&PassphraseCost>) -> Zeroizing<Vec<u8>> {
    let passphrase = passphrase.map(PassphraseCost::to_context).unwrap_or_default();
    frame(&[
        b"tieout-vault/1 key check",
        by.vault.as_bytes(),
        &by.version.to_le_bytes(),
        &passphrase,
    ])
}

fn data_key_context(by: Locking<'_>, name: &SetName, version: u64, key: Uuid) -> Zeroizing<Vec<u8>> {
    frame(&[
        b"tieout-vault/1 data key",
        by.vault.as_bytes(),
        &by.version.to_le_bytes(),
        name.as_str().as_bytes(),
        &version.to_le_bytes(),
        key.as_bytes(),
    ])
}

/// Without the key-encryption key's version: rotating that key leaves the fields as they are.
fn fields_context(
    vault: Uuid,
    name: &SetName,
    version: u64,
    put_at: DateTime<Utc>,
    key: Uuid,
) -> Zeroizing<Vec<u8>> {
    frame(&[
        b"tieout-vault/1 fields",
        vault.as_bytes(),
        name.as_str().as_bytes(),
        &version.to_le_bytes(),
        put_at.to_rfc3339_opts(SecondsFormat::Nanos, true).as_bytes(),
        key.as_bytes(),
    ])
}

fn people_context(by: Locking<'_>, purpose: &[u8], keyring: Uuid) -> Zeroizing<Vec<u8>> {
    frame(&[
        b"tieout-vault/1 people key",
        purpose,
        by.vault.as_bytes(),
        &by.version.to_le_bytes(),
        keyring.as_bytes(),
    ])
}

fn seal_context(canonical: &[u8]) -> Zeroizing<Vec<u8>> {
    frame(&[b"tieout-vault/1 document", canonical])
}

fn digest_in<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    base64_array(from)
}
