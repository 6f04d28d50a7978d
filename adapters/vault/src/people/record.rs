//! The lines of a people file. Each proves, under the wrapping key, that it is ours and stands where it was put.

use serde::{Deserialize, Serialize};
use tieout_domain::ids::SubjectId;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::PeopleKeys;
use crate::cipher::{CipherError, SealedBox, SecretKey, base64_array, base64_out};
use crate::framing::frame;

/// What a file of ours says it is.
pub(super) const FORMAT: &str = "tieout-people/1";

/// HMAC-SHA256 of a person's e-mail address: finds the person, names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Lookup(
    #[serde(serialize_with = "base64_out", deserialize_with = "lookup_in")] pub(super) [u8; 32],
);

fn lookup_in<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    base64_array(from)
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    /// Names the vault entry that holds this file's keys.
    pub(super) keyring: Uuid,
    /// An empty text sealed under the wrapping key.
    proof: SealedBox,
}

/// Every other line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Record {
    /// A person and the key that seals the person's data, wrapped.
    Person {
        lookup: Lookup,
        subject: SubjectId,
        key: SealedBox,
    },
    /// A person without a key for ever. Nothing here leads back to the address.
    Forgotten { subject: SubjectId, proof: SealedBox },
}

impl Header {
    pub(super) fn new(keys: &PeopleKeys) -> Result<Self, CipherError> {
        let proof = keys.wrapping.seal(&header_context(keys), b"")?;
        Ok(Self {
            format: FORMAT.to_owned(),
            keyring: keys.keyring,
            proof,
        })
    }

    pub(super) fn verify(&self, keys: &PeopleKeys) -> Result<(), CipherError> {
        keys.wrapping.open(&header_context(keys), &self.proof).map(drop)
    }
}

impl Record {
    pub(super) fn person(
        keys: &PeopleKeys,
        lookup: Lookup,
        subject: SubjectId,
        key: &SecretKey,
    ) -> Result<Self, CipherError> {
        let key = keys.wrapping.wrap(&person_context(keys, &lookup, subject), key)?;
        Ok(Self::Person { lookup, subject, key })
    }

    pub(super) fn forgotten(keys: &PeopleKeys, subject: SubjectId) -> Result<Self, CipherError> {
        let proof = keys.wrapping.seal(&tombstone_context(keys, subject), b"")?;
        Ok(Self::Forgotten { subject, proof })
    }

    pub(super) fn subject(&self) -> SubjectId {
        match self {
            Self::Person { subject, .. } | Self::Forgotten { subject, .. } => *subject,
        }
    }

    pub(super) fn is_found_by(&self, by: &Lookup) -> bool {
        matches!(self, Self::Person { lookup, .. } if lookup == by)
    }
}

/// The key of a person's line, if the line is as it was written.
pub(super) fn unwrap_key(
    keys: &PeopleKeys,
    lookup: &Lookup,
    subject: SubjectId,
    wrapped: &SealedBox,
) -> Result<SecretKey, CipherError> {
    keys.wrapping
        .unwrap_key(&person_context(keys, lookup, subject), wrapped)
}

/// Whether a tombstone was written by a holder of the keys: data must not pass for forgotten by an accident in a file.
pub(super) fn verify_tombstone(
    keys: &PeopleKeys,
    subject: SubjectId,
    proof: &SealedBox,
) -> Result<(), CipherError> {
    keys.wrapping
        .open(&tombstone_context(keys, subject), proof)
        .map(drop)
}

fn header_context(keys: &PeopleKeys) -> Zeroizing<Vec<u8>> {
    frame(&[b"tieout-people/1 header", keys.keyring.as_bytes()])
}

fn person_context(keys: &PeopleKeys, lookup: &Lookup, subject: SubjectId) -> Zeroizing<Vec<u8>> {
    frame(&[
        b"tieout-people/1 person",
        keys.keyring.as_bytes(),
        &lookup.0,
        subject.0.as_bytes(),
    ])
}

fn tombstone_context(keys: &PeopleKeys, subject: SubjectId) -> Zeroizing<Vec<u8>> {
    frame(&[
        b"tieout-people/1 forgotten",
        keys.keyring.as_bytes(),
        subject.0.as_bytes(),
    ])
}
