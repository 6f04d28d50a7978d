//! Update of a stored document: key in the query, concurrency hash in the body (contract qad §1.7).
//!
//! Amounts and coding never change after posting. A journal is final (§4, official layer); an invoice may still change
//! its text, its status code and its due date, which is what people in accounts payable do.

use serde_json::Value;

use super::{Writer, given, incoming, invalid_uri, key_in, outgoing, shape_of};
use crate::qad::envelope::{Problem, Reply};
use crate::qad::path;
use crate::qad::shape::HeaderField;
use crate::qad::world::{DocumentKind, World};

pub(super) fn apply(
    writer: &Writer<'_>,
    world: &mut World,
    kind: DocumentKind,
    query: &[(String, String)],
    sent: &Value,
) -> Reply {
    let names = shape_of(writer.shape, kind);
    let (_, key) = match key_in(writer.shape, kind, query) {
        Ok(named) => named,
        Err(reply) => return reply,
    };
    let Some(workspace) = world.workspace_mut(writer.workspace) else {
        return Reply::denied();
    };
    let Some(document) = workspace
        .ledger
        .get(&key)
        .filter(|document| document.kind == kind)
    else {
        let voucher = given(query, &names.keys.voucher).unwrap_or_default();
        let path = names.header_path(HeaderField::Voucher);
        return refuse(Problem::error(
            path,
            voucher,
            "SIM-UNKNOWN",
            "The document does not exist.",
        ));
    };
    let hash = sent
        .get("concurrencyHash")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if hash != document.concurrency_hash() {
        let message = "The record was changed by someone else; read it again.";
        return refuse(Problem::error(
            "concurrencyHash",
            hash,
            "SIM-CONCURRENCY",
            message,
        ));
    }
    if kind == DocumentKind::JournalEntry {
        return refuse(Problem::error(
            "uri",
            "",
            "SIM-FINAL",
            "A posted journal entry cannot be changed.",
        ));
    }
    let mut problems = Vec::new();
    let draft = incoming::read(names, sent, &mut problems);
    if !problems.is_empty() {
        return Reply::refused(&problems);
    }
    let has = |field| path::find(sent, names.header_path(field)).is_some();
    workspace.ledger.edit(&key, |document| {
        if has(HeaderField::Description) {
            document.description = draft.description;
        }
        if has(HeaderField::StatusCode) {
            document.status_code = draft.status_code;
        }
        if has(HeaderField::DueDate) {
            document.due_date = draft.due_date;
        }
    });
    let echo = world
        .workspace(writer.workspace)
        .and_then(|workspace| workspace.ledger.get(&key))
        .map(|document| outgoing::echo(writer.shape, world, document));
    match echo {
        Some(echo) => Reply::submitted(&names.echo_root, vec![echo]),
        None => invalid_uri(),
    }
}

fn refuse(problem: Problem) -> Reply {
    Reply::refused(&[problem])
}
