//! Report events as the log stores them: the open facts apart from what is personal, every version ever written read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::admit::event_name;
use super::event::ReportEvent;
use super::payload::{MaterialHash, Payload, PayloadHash, Personal, PersonalFields};
use crate::journal::{CodecError, RestoredEvent, StoredEvent};
use crate::posting::DocumentTexts;

/// The personal part of a mapping: the texts of its documents, in order.
#[derive(Serialize, Deserialize)]
struct MappingTexts {
    documents: Vec<DocumentTexts>,
}

/// A capture as it is read.
#[derive(Deserialize)]
struct Captured {
    payload: Arc<Payload>,
    payload_hash: PayloadHash,
    material_hash: MaterialHash,
}

/// The facts of an event whose type is known. Those that are large, and that every reader of a report meets, are read
/// straight into their shape; a tagged enum would have each of their fields held twice on the way.
fn read(kind: &str, facts: &str) -> Result<ReportEvent, serde_json::Error> {
    Ok(match kind {
        "Discovered" => {
            let Captured {
                payload,
                payload_hash,
                material_hash,
            } = serde_json::from_str(facts)?;
            ReportEvent::Discovered {
                payload,
                payload_hash,
                material_hash,
            }
        }
        "Revised" => {
            let Captured {
                payload,
                payload_hash,
                material_hash,
            } = serde_json::from_str(facts)?;
            ReportEvent::Revised {
                payload,
                payload_hash,
                material_hash,
            }
        }
        "Mapped" => ReportEvent::Mapped(serde_json::from_str(facts)?),
        _ => serde_json::from_str(facts)?,
    })
}

impl StoredEvent for ReportEvent {
    fn kind(&self) -> &'static str {
        event_name(self)
    }

    fn facts(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    fn personal(&self) -> Result<Option<String>, serde_json::Error> {
        match self {
            Self::Discovered { payload, .. }
            | Self::Revised { payload, .. }
            | Self::SourceDrifted { payload, .. } => {
                payload.personal.known().map(serde_json::to_string).transpose()
            }
            Self::PostingStarted { document, .. } => {
                document.texts.known().map(serde_json::to_string).transpose()
            }
            Self::Mapped(mapping) => {
                let texts: Option<Vec<&DocumentTexts>> =
                    mapping.documents.iter().map(|d| d.texts.known()).collect();
                texts
                    .map(|documents| serde_json::to_string(&serde_json::json!({ "documents": documents })))
                    .transpose()
            }
            _ => Ok(None),
        }
    }
}

impl RestoredEvent for ReportEvent {
    fn restore(kind: &str, schema: u16, facts: &str, personal: Option<&str>) -> Result<Self, CodecError> {
        if schema != 1 {
            return Err(CodecError::Unknown {
                kind: kind.to_owned(),
                schema,
            });
        }
        let json = |source| CodecError::Json {
            kind: kind.to_owned(),
            doing: "read",
            source,
        };
        let mut event = read(kind, facts).map_err(json)?;
        let Some(personal) = personal else {
            return Ok(event);
        };
        match &mut event {
            Self::Discovered { payload, .. }
            | Self::Revised { payload, .. }
            | Self::SourceDrifted { payload, .. } => {
                Arc::make_mut(payload).personal =
                    Personal::Known(serde_json::from_str::<PersonalFields>(personal).map_err(json)?);
            }
            Self::PostingStarted { document, .. } => {
                Arc::make_mut(document).texts =
                    Personal::Known(serde_json::from_str(personal).map_err(json)?);
            }
            Self::Mapped(mapping) => {
                let texts: MappingTexts = serde_json::from_str(personal).map_err(json)?;
                let documents = &mut Arc::make_mut(mapping).documents;
                for (document, texts) in documents.iter_mut().zip(texts.documents) {
                    Arc::make_mut(document).texts = Personal::Known(texts);
                }
            }
            _ => {}
        }
        Ok(event)
    }
}
