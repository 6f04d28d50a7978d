//! A stored document as it is shown: in the answer to a GET, and as the echo of a create.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::qad::amount;
use crate::qad::path;
use crate::qad::shape::{DocumentShape, HeaderField, LineField, QadShape};
use crate::qad::world::{Document, DocumentKind, InvoiceType, Line, World};

/// The shape of a kind of document.
pub(in crate::qad) fn shape_of(shape: &QadShape, kind: DocumentKind) -> &DocumentShape {
    match kind {
        DocumentKind::SupplierInvoice => &shape.supplier_invoice,
        DocumentKind::JournalEntry => &shape.journal_entry,
    }
}

/// The document with all its fields and lines.
pub(in crate::qad) fn full(shape: &QadShape, world: &World, document: &Document) -> Value {
    let names = shape_of(shape, document.kind);
    let mut shown = json!({"uri": uri(names, document), "concurrencyHash": document.concurrency_hash()});
    for (field, place) in &names.header {
        path::put(&mut shown, place, header_value(shape, world, document, *field));
    }
    let lines = document
        .lines
        .iter()
        .map(|line| line_value(names, world, line))
        .collect();
    path::put(&mut shown, &names.lines, Value::Array(lines));
    shown
}

/// What the answer to a create tells of it (contract qad §7.6): its URI and its key.
pub(in crate::qad) fn echo(shape: &QadShape, world: &World, document: &Document) -> Value {
    let names = shape_of(shape, document.kind);
    let mut shown = json!({"uri": uri(names, document)});
    for field in [
        HeaderField::Voucher,
        HeaderField::PostingYear,
        HeaderField::Daybook,
    ] {
        path::put(
            &mut shown,
            names.header_path(field),
            header_value(shape, world, document, field),
        );
    }
    shown
}

fn uri(names: &DocumentShape, document: &Document) -> String {
    format!(
        "{}:{}.{}.{:09}",
        names.view_uri, document.year, document.daybook, document.voucher
    )
}

fn header_value(shape: &QadShape, world: &World, document: &Document, field: HeaderField) -> Value {
    let places = world.decimals(&document.currency).unwrap_or(2);
    let date = |day: Option<NaiveDate>| {
        day.map_or(Value::Null, |day| {
            json!(day.format(&shape.entity_date_format).to_string())
        })
    };
    match field {
        HeaderField::Entity => json!(document.entity),
        HeaderField::Supplier => json!(document.supplier),
        HeaderField::Type => json!(document.invoice_type.map(|kind| match kind {
            InvoiceType::Invoice => &shape.words.invoice,
            InvoiceType::CreditNote => &shape.words.credit_note,
        })),
        HeaderField::Reference => json!(document.reference),
        HeaderField::Description => json!(document.description),
        HeaderField::InvoiceDate => date(document.invoice_date),
        HeaderField::PostingDate => date(Some(document.posting_date)),
        HeaderField::PostingYear => json!(document.year),
        HeaderField::PostingPeriod => json!(document.period),
        HeaderField::DueDate => date(document.due_date),
        HeaderField::Daybook => json!(document.daybook),
        HeaderField::Currency => json!(document.currency),
        HeaderField::TotalCredit => amount::number(document.total_credit, places),
        HeaderField::TotalDebit => amount::number(document.total_debit, places),
        HeaderField::CreditTerms => json!(document.credit_terms),
        HeaderField::StatusCode => json!(document.status_code),
        HeaderField::IsTaxable => json!(document.is_taxable),
        HeaderField::OriginIsExternal => json!(document.origin_is_external),
        HeaderField::Voucher => json!(document.voucher),
        HeaderField::DocumentStatus => {
            json!(if document.reversal.is_some() {
                &shape.words.reversed
            } else {
                &shape.words.posted
            })
        }
    }
}

fn line_value(names: &DocumentShape, world: &World, line: &Line) -> Value {
    let places = world.decimals(&line.currency).unwrap_or(2);
    let mut shown = json!({});
    for (field, place) in &names.line {
        let value = match field {
            LineField::Sequence => json!(line.sequence),
            LineField::Account => json!(line.account),
            LineField::SubAccount => json!(line.sub_account),
            LineField::CostCentre => json!(line.cost_centre),
            LineField::Project => json!(line.project),
            LineField::Currency => json!(line.currency),
            LineField::Debit => amount::number(line.debit, places),
            LineField::Credit => amount::number(line.credit, places),
            LineField::Description => json!(line.description),
        };
        path::put(&mut shown, place, value);
    }
    shown
}
