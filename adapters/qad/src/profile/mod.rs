//! The profile: everything about one QAD installation that the contract does not confirm, as data (contract qad §8.1).
//!
//! It is a TOML file that a person fills in and reviews. `profile-template.toml`, at the root of this crate, is where a
//! new one begins: it says of each entry what it rests on, and its values are the contract's own examples. A key that
//! is unknown, missing or cannot work is refused when the file is read, by name and with the remedy.

mod documents;
mod layout;
mod masters;
mod names;
mod template;
mod validate;

pub use documents::{
    Constant, DocumentProfile, Documents, InvoiceFields, InvoiceWords, JournalFields, JournalWords, KeyNames,
    LineFields, LookUpColumns, LookUpProfile, TextLengths,
};
pub(crate) use layout::Layout;
pub use masters::{
    AccountColumns, AccountWords, ActiveWords, CodeColumns, DaybookColumns, DaybookWords, EmployeeColumns,
    Master, Masters, NoWords, Optional, PeriodColumns, PeriodWords, SupplierColumns,
};
pub use names::{Column, FieldPath, Fragments, Span, Words};
pub use template::{Canaries, TEMPLATE};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The file is not TOML, lacks a key, or has one that is unknown or of the wrong kind.
    #[error("the profile cannot be read; compare the place shown with the template of this build: {0}")]
    Unreadable(String),
    /// A key has a value that cannot work.
    #[error("the profile's `{key}` {what}")]
    Unfit {
        /// Dotted key.
        key: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// It is of a version this build does not know.
    #[error(
        "the profile has profile_version {found}; this build reads version {known}: take the template of this build and fill it in"
    )]
    Version {
        /// The file's.
        found: u32,
        /// Ours.
        known: u32,
    },
}

/// One QAD installation, as data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of this format.
    pub profile_version: u32,
    /// How QAD is reached.
    pub transport: Transport,
    /// How long what may take.
    pub waits: Waits,
    /// How answers to writes are read.
    pub answers: Answers,
    /// How QAD's own metadata is read.
    pub metadata: MetadataNames,
    /// The masters.
    pub masters: Masters,
    /// The documents.
    pub documents: Documents,
    #[serde(skip)]
    digest: String,
}

/// How QAD is reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transport {
    /// Which protocol.
    pub kind: TransportKind,
    /// `Accept-Language`: the language of QAD's messages.
    pub accept_language: Option<String>,
    /// The largest answer that is read, in bytes: a bound against an answer without end.
    pub max_answer_bytes: usize,
    /// The most pages that one browse is read for: a bound against a browse that never says it is done.
    pub max_pages: u32,
}

/// Which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// QAD's REST (contract qad §1.4 to §1.10).
    Rest,
}

/// How long what may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// To connect.
    pub connect_timeout: Span,
    /// From sending a request to the end of its answer.
    pub read_timeout: Span,
    /// How long after a request was given up it may still arrive: absence proves nothing sooner (design law 4).
    pub quarantine: Span,
    /// Delays between look-ups of what is in doubt: the longest that is not longer than the doubt has lasted.
    pub resolve_delays: Vec<Span>,
}

/// How answers to writes are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The severities of an error; an entry with any other is not one, and makes a refusal uncertain.
    pub error_severities: Words,
    /// Pieces of the text of a warning that the reference exists already: an incident. A profile from before this entry is
    /// read with the text that QAD's guide has.
    #[serde(default = "duplicate_texts")]
    pub duplicate_texts: Fragments,
    /// Codes of the same warning, where the installation gives it one.
    #[serde(default)]
    pub duplicate_codes: Words,
}

fn duplicate_texts() -> Fragments {
    Fragments::usual()
}

/// Names in the fields of QAD's own metadata (contract qad §1.10: only its frame is known).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataNames {
    /// A field's name; a line's field is named below the path of the lines.
    pub field_name: FieldPath,
    /// Whether it must be sent.
    pub required: FieldPath,
    /// Its type, where it is told.
    pub data_type: Option<FieldPath>,
    /// The longest text it takes, where it is told.
    pub max_length: Option<FieldPath>,
}

impl Profile {
    /// The version this build reads.
    pub const VERSION: u32 = 1;

    /// Reads a profile file's content.
    ///
    /// # Errors
    /// [`ProfileError`] names the key, or shows the line, and says what to do.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        #[derive(Deserialize)]
        struct Versioned {
            profile_version: u32,
        }
        // The version first: a file of another one has other keys, and would be called wrong for the wrong reason.
        let versioned: Versioned =
            toml::from_str(text).map_err(|error| ProfileError::Unreadable(error.to_string()))?;
        if versioned.profile_version != Self::VERSION {
            return Err(ProfileError::Version {
                found: versioned.profile_version,
                known: Self::VERSION,
            });
        }
        let mut profile: Self =
            toml::from_str(text).map_err(|error| ProfileError::Unreadable(error.to_string()))?;
        validate::validate(&profile)?;
        profile.digest = Sha256::digest(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(profile)
    }

    /// SHA-256 of the file's content, in hexadecimal: part of what a certification vouches for.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}
