//! Events as bytes: the open facts as JSON, the personal part sealed beside them, large data split over events.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::SubjectId;

/// The most data one event holds; what is longer is split (design §4).
pub const PART_BYTES: usize = 256 * 1024;

/// The most data of one append: EventStoreDB's default bound is 1 MiB.
pub const APPEND_BYTES: usize = 3 * PART_BYTES;

/// The type of an event that holds a part of the data of a later one in its stream.
pub const PART_KIND: &str = "PayloadPart";

/// Why an event could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The JSON is not of the shape its type demands.
    #[error("the event `{kind}` cannot be {doing}: {source}")]
    Json {
        /// Event type.
        kind: String,
        /// `written` or `read`.
        doing: &'static str,
        /// What serde says.
        source: serde_json::Error,
    },
    /// A type or version this build does not know: written by a newer one.
    #[error(
        "the event type `{kind}` version {schema} is not known to this build: use the build that wrote it, or a newer one"
    )]
    Unknown {
        /// Event type.
        kind: String,
        /// Its schema version.
        schema: u16,
    },
}

/// What events of the log are read back as: as what was written, or as so much of it as a reader needs.
pub trait RestoredEvent: Sized {
    /// Does a reader want the personal part of events of this type? Where not it stays sealed, and the event reads as if its
    /// person had been forgotten.
    fn opens(_kind: &str) -> bool {
        true
    }
    /// Reads an event of any version ever written; `personal` is absent where there was none, where its person is
    /// forgotten, or where it was not wanted.
    fn restore(kind: &str, schema: u16, facts: &str, personal: Option<&str>) -> Result<Self, CodecError>;
}

/// An event type of one family (reports, chart, …) as the log stores it.
pub trait StoredEvent: RestoredEvent {
    /// The type, e.g. `Discovered`.
    fn kind(&self) -> &'static str;
    /// Version of the type's schema as this build writes it.
    fn schema(&self) -> u16 {
        1
    }
    /// The open part, JSON.
    fn facts(&self) -> Result<String, serde_json::Error>;
    /// The personal part, JSON, if the event has one and it is known.
    fn personal(&self) -> Result<Option<String>, serde_json::Error> {
        Ok(None)
    }
}

/// The data of an event in the log.
#[derive(Serialize, Deserialize)]
pub struct Stored<'a> {
    /// The open part.
    #[serde(borrow)]
    pub facts: &'a RawValue,
    /// The personal part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedSection>,
}

/// A personal part, sealed under the key of its person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSection {
    /// Whose key opens it.
    pub subject: SubjectId,
    /// Ciphertext, base64.
    #[serde(rename = "box")]
    pub sealed: String,
}

/// An event whose every part is open, in its first version.
pub(crate) fn restored<T: serde::de::DeserializeOwned>(
    kind: &str,
    schema: u16,
    facts: &str,
) -> Result<T, CodecError> {
    if schema != 1 {
        return Err(CodecError::Unknown {
            kind: kind.to_owned(),
            schema,
        });
    }
    serde_json::from_str(facts).map_err(|source| CodecError::Json {
        kind: kind.to_owned(),
        doing: "read",
        source,
    })
}

/// How a type of events is stored whose every variant is open, in its first version: by name, as JSON with its type in it.
macro_rules! stored_events {
    ($type:ty { $($pattern:pat => $name:expr),* $(,)? }) => {
        impl $crate::journal::StoredEvent for $type {
            fn kind(&self) -> &'static str {
                match self { $($pattern => $name,)* }
            }
            fn facts(&self) -> Result<String, serde_json::Error> {
                serde_json::to_string(self)
            }
        }
        impl $crate::journal::RestoredEvent for $type {
            fn restore(
                kind: &str,
                schema: u16,
                facts: &str,
                _personal: Option<&str>,
            ) -> Result<Self, $crate::journal::CodecError> {
                $crate::journal::restored(kind, schema, facts)
            }
        }
    };
}
pub(crate) use stored_events;
