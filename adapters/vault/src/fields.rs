//! The secret fields of one set, in memory.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::framing::{frame, unframe};

/// A small map from a field's name to its secret: `partnerUserID` and `partnerUserSecret` for Expensify
/// (contract expensify §1.1), `username` and `password` for QAD (contract qad §1.4).
///
/// The names are not secret, the values are; `Debug` shows the names only.
#[derive(Clone, Debug, Default)]
pub struct SecretFields(BTreeMap<String, SecretString>);

/// A set lacks a field that its user needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credentials lack the field {field}; they have {present:?}: put the set again with every field")]
pub struct MissingField {
    /// The field that was asked for.
    pub field: String,
    /// The names of the fields that are there.
    pub present: Vec<String>,
}

impl SecretFields {
    /// No fields yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These fields and one more; a field of the same name is replaced.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.insert(field, secret);
        self
    }

    /// Adds a field, or replaces it.
    pub fn insert(&mut self, field: impl Into<String>, secret: impl Into<SecretString>) {
        self.0.insert(field.into(), secret.into());
    }

    /// The secret of a field, if it is there.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&SecretString> {
        self.0.get(field)
    }

    /// The secret of a field that must be there.
    ///
    /// # Errors
    /// [`MissingField`], naming the fields that are there instead.
    pub fn require(&self, field: &str) -> Result<&SecretString, MissingField> {
        self.get(field).ok_or_else(|| MissingField {
            field: field.to_owned(),
            present: self.0.keys().cloned().collect(),
        })
    }

    /// The names of the fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is no field at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that are sealed: name, value, name, value. Framed rather than JSON, because a JSON writer and reader keep
    /// scratch buffers that nobody wipes.
    pub(crate) fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let parts: Vec<&[u8]> = self
            .0
            .iter()
            .flat_map(|(name, secret)| [name.as_bytes(), secret.expose_secret().as_bytes()])
            .collect();
        frame(&parts)
    }

    /// The fields again; `None` if the bytes are not what [`SecretFields::to_plaintext`] makes.
    pub(crate) fn from_plaintext(plaintext: &[u8]) -> Option<Self> {
        let parts = unframe(plaintext)?;
        let (pairs, odd) = parts.as_chunks::<2>();
        if !odd.is_empty() {
            return None;
        }
        let mut fields = Self::new();
        for [name, secret] in pairs {
            fields.insert(std::str::from_utf8(name).ok()?, std::str::from_utf8(secret).ok()?);
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_missing_field_is_named_with_those_that_are_there() {
        let fields = SecretFields::new().with("username", "svc");
        let missing = fields.require("password").unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the credentials lack the field password; they have [\"username\"]: put the set again with every field"
        );
    }

    #[test]
    fn debug_shows_names_and_no_secret() {
        let shown = format!("{:?}", SecretFields::new().with("password", "hunter2"));
        assert!(
            shown.contains("password") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn an_odd_number_of_parts_is_no_set() {
        assert!(SecretFields::from_plaintext(&frame(&[b"name"])).is_none());
        assert!(SecretFields::from_plaintext(&frame(&[b"name", b"\xff"])).is_none());
    }

    proptest! {
        #[test]
        fn any_fields_come_back(map in prop::collection::btree_map(any::<String>(), any::<String>(), 0..6)) {
            let mut fields = SecretFields::new();
            for (name, secret) in &map {
                fields.insert(name.as_str(), secret.as_str());
            }
            let back = SecretFields::from_plaintext(&fields.to_plaintext()).unwrap();
            let back: BTreeMap<String, String> =
                back.0.iter().map(|(name, secret)| (name.clone(), secret.expose_secret().to_owned())).collect();
            prop_assert_eq!(back, map);
        }
    }
}
