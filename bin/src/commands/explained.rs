//! What people explained of a report's documents, where the log could not (`tieout reconcile --ledger --accept`): it stands
//! in the stream of the ledger, and belongs to the report's trail all the same.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use tieout_domain::ids::Reference;
use tieout_domain::journal::{Actor, Reader, Streams};
use tieout_domain::workflow::LedgerEvent;

use super::find::Found;
use super::terminal::safe;
use crate::installation::Installation;
use crate::out::Failure;

/// A document that a person explained.
#[derive(Debug, Serialize)]
pub struct Explained {
    reference: Reference,
    /// `YEAR/DAYBOOK/VOUCHER`.
    key: String,
    why: String,
    actor: Actor,
    recorded_at: DateTime<Utc>,
}

/// A report's own document, with what people explained beside it.
#[derive(Debug, Serialize)]
pub struct With<T> {
    #[serde(flatten)]
    pub own: T,
    pub explained: Vec<Explained>,
}

/// What people explained of a report's documents, oldest first.
pub async fn explained(installation: &Installation, found: Found<'_>) -> Result<Vec<Explained>, Failure> {
    let reader = Reader {
        log: installation.log.as_ref(),
        sealer: installation.people(),
    };
    let stream = Streams(found.connection.id).ledger();
    let (entries, _) = reader.stream::<LedgerEvent>(&stream).await?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| match entry.event {
            LedgerEvent::LedgerDocumentExplained { reference, key, why }
                if reference.report == found.report =>
            {
                Some(Explained {
                    reference,
                    key: key.to_string(),
                    why,
                    actor: entry.envelope.actor,
                    recorded_at: entry.envelope.recorded_at,
                })
            }
            _ => None,
        })
        .collect())
}

/// The same in words; nothing where nobody had to.
pub fn explained_words(explained: &[Explained]) -> String {
    let mut text = String::new();
    for one in explained {
        text.push_str(&format!(
            "\nExplained by a person: document {} stands in QAD as {}\n  {} by {}: {}\n",
            one.reference,
            one.key,
            one.recorded_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            safe(&one.actor.to_string()),
            safe(&one.why),
        ));
    }
    text
}
