//! The machine-readable contract of an entity, made from the shape (contract qad §1.10). Only its frame is known; the
//! names of a field's properties are data too.

use serde_json::{Value, json};

use super::entity::{given, invalid_uri, shape_of};
use super::envelope::Reply;
use super::path;
use super::shape::{DocumentShape, HeaderField, LineField, QadShape};
use super::world::{DocumentKind, MetadataDrift, World};

const VIEW: &str = "urn:be:com.qad.qra.adapter.entity.IEntityBuilderCRUD";

struct Field {
    path: String,
    required: bool,
    data_type: &'static str,
    max_length: Option<usize>,
}

/// Answers with the fields of the entity that `entityURI` names; an unknown one has no metadata.
pub(super) fn answer(shape: &QadShape, world: &World, query: &[(String, String)]) -> Reply {
    let (Some(VIEW), Some(uri)) = (given(query, "viewUri"), given(query, "entityURI")) else {
        return invalid_uri();
    };
    let known = [DocumentKind::SupplierInvoice, DocumentKind::JournalEntry]
        .into_iter()
        .filter(|kind| shape_of(shape, *kind).view_uri == uri)
        .map(|kind| entity(shape, world, kind));
    Reply::ok(path::nest(&shape.metadata.root, known.collect()))
}

fn entity(shape: &QadShape, world: &World, kind: DocumentKind) -> Value {
    let names = shape_of(shape, kind);
    let code = names.view_uri.rsplit(".I").next().unwrap_or_default();
    let mut fields = fields(names);
    world
        .metadata_drift
        .iter()
        .for_each(|drift| apply(drift, kind, &mut fields));
    let fields: Vec<_> = fields.iter().map(|field| shown(shape, field)).collect();
    json!({"entityURI": names.view_uri, "entityCode": code, "apiUrl": names.path, "entityFields": fields})
}

fn fields(names: &DocumentShape) -> Vec<Field> {
    let header = names.header.iter().map(|(field, path)| Field {
        path: path.clone(),
        required: names.required.contains(field),
        data_type: header_type(*field),
        max_length: names.max_length.get(field).copied(),
    });
    let lines = names.line.iter().map(|(field, path)| Field {
        path: format!("{}.{path}", names.lines),
        required: names.required_line.contains(field),
        data_type: line_type(*field),
        max_length: names.max_line_length.get(field).copied(),
    });
    header.chain(lines).collect()
}

fn apply(drift: &MetadataDrift, own: DocumentKind, fields: &mut Vec<Field>) {
    match drift {
        MetadataDrift::Missing(path) => fields.retain(|field| field.path != *path),
        MetadataDrift::NewlyRequired { kind, path } if *kind == own => {
            fields.retain(|field| field.path != *path);
            fields.push(Field {
                path: path.clone(),
                required: true,
                data_type: "character",
                max_length: None,
            });
        }
        MetadataDrift::NewlyRequired { .. } => {}
        MetadataDrift::Shortened { path, length } => {
            let shortened = fields.iter_mut().filter(|field| field.path == *path);
            shortened.for_each(|field| field.max_length = Some(*length));
        }
    }
}

fn shown(shape: &QadShape, field: &Field) -> Value {
    let names = &shape.metadata;
    let mut shown = json!({});
    path::put(&mut shown, &names.field_name, json!(field.path));
    path::put(&mut shown, &names.required, json!(field.required));
    path::put(&mut shown, &names.data_type, json!(field.data_type));
    if let Some(length) = field.max_length {
        path::put(&mut shown, &names.max_length, json!(length));
    }
    shown
}

fn header_type(field: HeaderField) -> &'static str {
    use HeaderField as H;
    match field {
        H::InvoiceDate | H::PostingDate | H::DueDate => "date",
        H::PostingYear | H::PostingPeriod | H::Voucher => "integer",
        H::TotalCredit | H::TotalDebit => "decimal",
        H::IsTaxable | H::OriginIsExternal => "logical",
        H::Entity
        | H::Supplier
        | H::Type
        | H::Reference
        | H::Description
        | H::Daybook
        | H::Currency
        | H::CreditTerms
        | H::StatusCode
        | H::DocumentStatus => "character",
    }
}

fn line_type(field: LineField) -> &'static str {
    match field {
        LineField::Sequence => "integer",
        LineField::Debit | LineField::Credit => "decimal",
        LineField::Account
        | LineField::SubAccount
        | LineField::CostCentre
        | LineField::Project
        | LineField::Currency
        | LineField::Description => "character",
    }
}
