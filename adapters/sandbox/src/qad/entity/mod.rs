//! Financial documents over the entity API (contract qad §1.7): read one by its key, create, update.

mod incoming;
mod outgoing;
mod spoil;
pub(in crate::qad) mod supplier;
mod update;

pub(in crate::qad) use incoming::Draft;
pub(in crate::qad) use outgoing::shape_of;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::envelope::{Problem, Reply};
use super::faults::FaultKind;
use super::path;
use super::rules;
use super::shape::{HeaderField, QadShape};
use super::world::{Document, DocumentKey, DocumentKind, DuplicateReference, Workspace, World, same};

/// QAD's own words for a reference that another invoice already bears (contract qad §3).
const DUPLICATE: &str = "The reference already exists on another invoice for this supplier";

/// Who writes, when and where.
pub(in crate::qad) struct Writer<'a> {
    pub(in crate::qad) shape: &'a QadShape,
    pub(in crate::qad) workspace: &'a str,
    pub(in crate::qad) user: &'a str,
    pub(in crate::qad) now: DateTime<Utc>,
}

/// The value of a query parameter.
pub(in crate::qad) fn given<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// What answers a request whose URI does not name what it must.
pub(in crate::qad) fn invalid_uri() -> Reply {
    Reply::bare(StatusCode::BAD_REQUEST, "Invalid URI")
}

/// The document that the query's four keys name, or none. `Err` when a key is missing or unreadable.
fn key_in(
    shape: &QadShape,
    kind: DocumentKind,
    query: &[(String, String)],
) -> Result<(String, DocumentKey), Reply> {
    let keys = &shape_of(shape, kind).keys;
    let read = || {
        let year = given(query, &keys.year)?.parse().ok()?;
        let voucher = given(query, &keys.voucher)?.parse().ok()?;
        let daybook = given(query, &keys.daybook)?.to_owned();
        Some((
            given(query, &keys.entity)?.to_owned(),
            DocumentKey {
                year,
                daybook,
                voucher,
            },
        ))
    };
    read().ok_or_else(invalid_uri)
}

/// Answers a GET of one document.
pub(in crate::qad) fn get(
    shape: &QadShape,
    world: &World,
    workspace: &Workspace,
    kind: DocumentKind,
    query: &[(String, String)],
) -> Reply {
    let names = shape_of(shape, kind);
    if given(query, "viewUri") != Some(names.view_uri.as_str()) {
        return invalid_uri();
    }
    let (entity, key) = match key_in(shape, kind, query) {
        Ok(named) => named,
        Err(reply) => return reply,
    };
    let found = workspace
        .ledger
        .get(&key)
        .filter(|document| document.kind == kind && same(&document.entity, &entity))
        .map(|document| outgoing::full(shape, world, document));
    Reply::ok(path::nest(
        &names.read_root,
        Value::Array(found.into_iter().collect()),
    ))
}

/// Answers a POST: every document of the list is stored, or none.
pub(in crate::qad) fn post(
    writer: &Writer<'_>,
    world: &mut World,
    kind: DocumentKind,
    query: &[(String, String)],
    body: &[u8],
    fault: Option<&FaultKind>,
) -> Reply {
    let names = shape_of(writer.shape, kind);
    if given(query, "viewUri") != Some(names.view_uri.as_str()) {
        return invalid_uri();
    }
    let sent: Value = match serde_json::from_slice(body) {
        Ok(sent) => sent,
        Err(error) => return Reply::bare(StatusCode::BAD_REQUEST, &format!("The body is not JSON: {error}")),
    };
    let Some(documents) = path::find(&sent, &names.request_root).and_then(Value::as_array) else {
        let text = format!("The body has no list {}.", names.request_root);
        return Reply::bare(StatusCode::BAD_REQUEST, &text);
    };
    let (mut drafts, mut problems) = (Vec::new(), Vec::new());
    for document in documents {
        match document.get("dataOperation").and_then(Value::as_str) {
            Some("C") => drafts.push(incoming::read(names, document, &mut problems)),
            Some("U") => return update::apply(writer, world, kind, query, document),
            Some("") => {}
            other => problems.push(Problem::error(
                "dataOperation",
                other.unwrap_or_default(),
                "SIM-OPERATION",
                "The data operation must be C, U or empty.",
            )),
        }
    }
    create(writer, world, kind, drafts, problems, fault)
}

fn create(
    writer: &Writer<'_>,
    world: &mut World,
    kind: DocumentKind,
    drafts: Vec<Draft>,
    mut problems: Vec<Problem>,
    fault: Option<&FaultKind>,
) -> Reply {
    let shape = writer.shape;
    let names = shape_of(shape, kind);
    let Some(workspace) = world.workspace(writer.workspace) else {
        return Reply::denied();
    };
    let mut accepted = Vec::new();
    let mut duplicate = None;
    for draft in drafts {
        let before = problems.len();
        let judged = rules::judge(shape, world, workspace, kind, writer.now, draft, &mut problems);
        let Some(document) = judged.filter(|_| problems.len() == before) else {
            continue;
        };
        if bears_known_reference(workspace, &document) {
            duplicate = Some(duplicate_of(shape, &document));
        }
        accepted.push(document);
    }
    if world.duplicates == DuplicateReference::Refused {
        problems.extend(duplicate.take().map(|warning| Problem {
            severity: 1,
            ..warning
        }));
    }
    if !problems.is_empty() {
        return Reply::refused(&problems);
    }
    let stored = store(writer, world, accepted, fault);
    let echo = stored
        .iter()
        .map(|document| outgoing::echo(shape, world, document))
        .collect();
    let reply = Reply::submitted(&names.echo_root, echo);
    if fault == Some(&FaultKind::WarnedAsFailure) {
        let warning = duplicate.unwrap_or_else(|| Problem {
            severity: shape.warning_severity,
            ..Problem::error("", "", "SIM-WARNING", "The document was stored with warnings.")
        });
        return reply.into_failure_with_warning(&names.echo_root, &warning, shape.warning_severity);
    }
    match (duplicate, world.duplicates) {
        (Some(warning), DuplicateReference::StoredAsFailure) => {
            reply.into_failure_with_warning(&names.echo_root, &warning, shape.warning_severity)
        }
        (Some(_), _) => reply.with_warning(DUPLICATE),
        (None, _) => reply,
    }
}

fn store(
    writer: &Writer<'_>,
    world: &mut World,
    accepted: Vec<Document>,
    fault: Option<&FaultKind>,
) -> Vec<Document> {
    let shape = writer.shape;
    let Some(workspace) = world.workspace_mut(writer.workspace) else {
        return Vec::new();
    };
    let mut stored = Vec::with_capacity(accepted.len());
    for mut document in accepted {
        document.stored_by = writer.user.to_owned();
        if let Some(fault) = fault {
            spoil::on_the_way_in(shape, workspace, &mut document, fault);
        }
        let key = workspace.ledger.store(document);
        stored.extend(workspace.ledger.get(&key).cloned());
    }
    stored
}

/// Reference, type and supplier are compared within the entity, reversed documents included (contract qad §3).
/// Journals are not checked.
fn bears_known_reference(workspace: &Workspace, document: &Document) -> bool {
    !document.reference.trim().is_empty()
        && document.kind == DocumentKind::SupplierInvoice
        && workspace
            .ledger
            .with_reference(document.kind, &document.reference)
            .any(|other| {
                other.invoice_type == document.invoice_type && same(&other.supplier, &document.supplier)
            })
}

fn duplicate_of(shape: &QadShape, document: &Document) -> Problem {
    let path = shape_of(shape, document.kind).header_path(HeaderField::Reference);
    Problem {
        severity: shape.warning_severity,
        ..Problem::error(path, &document.reference, "SIM-DUPLICATE", DUPLICATE)
    }
}
