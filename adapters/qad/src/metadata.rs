//! QAD's own metadata of the entities we write (contract qad §1.10), and the hash that a certification vouches for.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tieout_domain::ports::{Clock, LedgerError};

use crate::client::QadClient;
use crate::exact;
use crate::profile::{FieldPath, Layout, MetadataNames};

const METADATA_PATH: &str = "/api/qracore/entitymetadatas";
const METADATA_VIEW: &str = "urn:be:com.qad.qra.adapter.entity.IEntityBuilderCRUD";

/// One field of an entity, as far as its contract goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldMetadata {
    pub(crate) required: bool,
    pub(crate) max_length: Option<usize>,
    data_type: String,
}

/// One entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityMetadata {
    pub(crate) api_url: String,
    pub(crate) fields: BTreeMap<String, FieldMetadata>,
}

impl<C: Clock> QadClient<C> {
    /// Asks for the metadata of an entity.
    pub(crate) async fn metadata(&self, layout: &Layout<'_>) -> Result<EntityMetadata, LedgerError> {
        let what = format!("the metadata of {}", layout.entity_uri);
        let query = [
            ("entityURI", layout.entity_uri.to_owned()),
            ("viewUri", METADATA_VIEW.to_owned()),
        ];
        let answer = self.read(&what, METADATA_PATH, &query).await?;
        parse(&answer, layout.entity_uri, &self.profile().metadata)
            .map_err(|detail| LedgerError::Profile { what, detail })
    }

    /// SHA-256, in hexadecimal, over path, fields, required flags, types and lengths of every entity we write, and over
    /// the profile's content. Independent of the order in which QAD lists them.
    pub(crate) async fn hash_of_contract(&self) -> Result<String, LedgerError> {
        let mut entities = BTreeMap::new();
        for layout in self.profile().documents.layouts() {
            entities.insert(layout.entity_uri, self.metadata(&layout).await?);
        }
        let mut hash = Sha256::new();
        for (uri, entity) in entities {
            // One line a fact, each a JSON array: no two contracts can be written the same.
            hash.update(format!("{}\n", json!(["entity", uri, entity.api_url])));
            for (
                name,
                FieldMetadata {
                    required,
                    max_length,
                    data_type,
                },
            ) in entity.fields
            {
                hash.update(format!(
                    "{}\n",
                    json!(["field", name, required, data_type, max_length])
                ));
            }
        }
        hash.update(format!("{}\n", json!(["profile", self.profile().digest()])));
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn parse(answer: &Value, uri: &str, names: &MetadataNames) -> Result<EntityMetadata, String> {
    let member = |value: &Value, name: &str| value.get(name).and_then(exact::word).unwrap_or_default();
    let entities = answer
        .pointer("/data/entityMetadatas")
        .and_then(Value::as_array)
        .ok_or("there is no list `data.entityMetadatas`")?;
    let entity = entities
        .iter()
        .find(|entity| member(entity, "entityURI") == uri)
        .ok_or_else(|| format!("this installation has no entity {uri}: correct `entity_uri`"))?;
    let listed = entity
        .get("entityFields")
        .and_then(Value::as_array)
        .ok_or("the entity has no list `entityFields`")?;
    let mut fields = BTreeMap::new();
    for field in listed {
        let word = |path: &FieldPath| {
            exact::find(field, path)
                .and_then(exact::word)
                .filter(|word| !word.is_empty())
        };
        let name = word(&names.field_name).ok_or_else(|| {
            format!(
                "a field has no `{}`: correct `metadata.field_name` ({})",
                names.field_name,
                exact::shown(field)
            )
        })?;
        let required = match word(&names.required).map(|word| word.to_lowercase()).as_deref() {
            Some("true" | "yes" | "1") => true,
            Some("false" | "no" | "0") => false,
            _ => {
                return Err(format!(
                    "field {name} does not say whether it is required: correct `metadata.required`"
                ));
            }
        };
        let max_length = names
            .max_length
            .as_ref()
            .and_then(|path| exact::find(field, path))
            .and_then(exact::integer);
        let data_type = names.data_type.as_ref().and_then(word).unwrap_or_default();
        let max_length = max_length
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length > 0);
        fields.insert(
            name,
            FieldMetadata {
                required,
                max_length,
                data_type,
            },
        );
    }
    Ok(EntityMetadata {
        api_url: member(entity, "apiUrl"),
        fields,
    })
}
