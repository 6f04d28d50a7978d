//! The name of a set of credentials.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a set is called, `acme-us/expensify` for instance. Not secret: names show in lists, errors and logs.
///
/// Never empty, without control characters, and without blanks at either end, so that two names that look alike are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

/// The text cannot be the name of a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a set of credentials: use something like acme-us/expensify, not empty, without control characters and without blanks at its ends"
)]
pub struct InvalidSetName(String);

impl SetName {
    /// The name, if it can be one.
    ///
    /// # Errors
    /// [`InvalidSetName`] when it is empty, has control characters, or begins or ends with a blank.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidSetName> {
        let name = name.into();
        if name.is_empty() || name.trim() != name || name.chars().any(char::is_control) {
            return Err(InvalidSetName(name));
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SetName {
    type Err = InvalidSetName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for SetName {
    type Error = InvalidSetName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<SetName> for String {
    fn from(name: SetName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_and_a_system_make_a_name() {
        assert_eq!(
            SetName::new("acme-us/expensify").unwrap().to_string(),
            "acme-us/expensify"
        );
    }

    #[test]
    fn names_that_cannot_be_told_apart_by_eye_are_refused() {
        for bad in ["", " ", " acme", "acme ", "ac\nme", "ac\u{0}me"] {
            let refusal = SetName::new(bad).unwrap_err();
            assert!(refusal.to_string().contains("cannot name a set"), "{refusal}");
        }
    }
}
