//! The body of a create (contract qad §1.7, §7.6, §7.7): the envelope as confirmed, everything in it as the profile
//! says, every amount exact.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::posting::{Body, Document, DocumentLine, Side};

use crate::exact;
use crate::profile::{Constant, FieldPath, Layout};
use crate::tree::Tree;
use crate::wire::Wire;

/// Why a document cannot be written under the profile. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// A line has a code for which the profile names no field.
    #[error(
        "line {line} has a {what}, but the profile's `{section}.line.{key}` names no field for it: name it, or map no {what}"
    )]
    NoField {
        line: usize,
        what: &'static str,
        section: &'static str,
        key: &'static str,
    },
    /// The document is of a kind that the profile's section does not hold.
    #[error("a {kind} cannot be written to {section}")]
    WrongEntity { kind: String, section: &'static str },
    /// It could not be written as JSON.
    #[error("the document could not be written as JSON: {0}")]
    Json(String),
}

/// The bytes of the request.
pub(crate) fn create(document: &Document, layout: &Layout<'_>, wire: &Wire) -> Result<Vec<u8>, BodyError> {
    let mut root = Tree::Object(vec![("supplementaryMessages".to_owned(), Tree::List(Vec::new()))]);
    root.put(
        layout.request_root,
        Tree::List(vec![header(document, layout, wire)?]),
    );
    serde_json::to_vec(&root).map_err(|error| BodyError::Json(error.to_string()))
}

fn header(document: &Document, layout: &Layout<'_>, wire: &Wire) -> Result<Tree, BodyError> {
    let mut tree = Tree::Object(vec![
        ("uri".to_owned(), Tree::text(format!("{}:", layout.entity_uri))),
        ("dataOperation".to_owned(), Tree::text("C")),
        ("concurrencyHash".to_owned(), Tree::text("")),
        ("changeStatus".to_owned(), Tree::text("2")),
    ]);
    let shared = &layout.shared;
    if let Some(path) = shared.entity {
        tree.put(path, Tree::text(wire.entity()));
    }
    if let Some(part) = layout.invoice {
        let wrong = || BodyError::WrongEntity {
            kind: document.kind().to_string(),
            section: layout.section,
        };
        let (supplier, status, total, word) = match &document.body {
            Body::SupplierInvoice {
                supplier,
                status,
                total,
            } => (supplier, status, (*total, Decimal::ZERO), &part.words.invoice),
            Body::CreditNote {
                supplier,
                status,
                total,
            } => (supplier, status, (Decimal::ZERO, *total), &part.words.credit_note),
            Body::Journal => return Err(wrong()),
        };
        tree.put(&part.fields.supplier, Tree::text(supplier.as_str()));
        tree.put(&part.fields.kind, Tree::text(word));
        tree.put(&part.fields.status_code, Tree::text(status.as_str()));
        tree.put(&part.fields.total_invoice, amount(total.0));
        tree.put(&part.fields.total_credit_note, amount(total.1));
        tree.put(&part.fields.document_date, date(document.document_date));
    } else if !matches!(document.body, Body::Journal) {
        return Err(BodyError::WrongEntity {
            kind: document.kind().to_string(),
            section: layout.section,
        });
    }
    tree.put(shared.reference, Tree::text(document.reference.to_string()));
    tree.put(
        shared.description,
        Tree::text(cut(header_text(document), layout.max_length.description)),
    );
    tree.put(shared.posting_date, date(document.period.date));
    tree.put(shared.posting_year, Tree::Leaf(document.period.year.into()));
    tree.put(shared.posting_period, Tree::Leaf(document.period.number.into()));
    tree.put(shared.daybook, Tree::text(document.daybook.as_str()));
    if let Some(path) = shared.currency {
        tree.put(path, Tree::text(document.currency.code()));
    }
    for (path, constant) in layout.constants {
        tree.put(path, fixed(constant, wire));
    }
    let lines = document
        .lines
        .iter()
        .enumerate()
        .map(|(index, own)| line(document, index, own, layout, wire));
    tree.put(layout.lines, Tree::List(lines.collect::<Result<_, _>>()?));
    Ok(tree)
}

fn line(
    document: &Document,
    index: usize,
    own: &DocumentLine,
    layout: &Layout<'_>,
    wire: &Wire,
) -> Result<Tree, BodyError> {
    let fields = layout.line;
    let mut tree = Tree::object();
    for (path, constant) in layout.line_constants {
        tree.put(path, fixed(constant, wire));
    }
    let mut put = |path: &FieldPath, node: Tree| tree.put(path, node);
    if let Some(path) = &fields.sequence {
        put(path, Tree::Leaf((index + 1).into()));
    }
    // A blank code is sent as a blank, as in the contract's examples, so that QAD has no gap to fill with a default.
    put(&fields.account, Tree::text(own.coding.account.as_str()));
    put(
        &fields.cost_centre,
        Tree::text(own.coding.cost_centre.as_ref().map_or("", |code| code.as_str())),
    );
    let missing = |what, key| BodyError::NoField {
        line: index + 1,
        what,
        section: layout.section,
        key,
    };
    match (&fields.sub_account, &own.coding.sub_account) {
        (Some(path), code) => put(path, Tree::text(code.as_ref().map_or("", |code| code.as_str()))),
        (None, Some(_)) => return Err(missing("sub-account", "sub_account")),
        (None, None) => {}
    }
    match (&fields.project, &own.coding.project) {
        (Some(path), code) => put(path, Tree::text(code.as_ref().map_or("", |code| code.as_str()))),
        (None, Some(_)) => return Err(missing("project", "project")),
        (None, None) => {}
    }
    if let Some(path) = &fields.currency {
        put(path, Tree::text(document.currency.code()));
    }
    let (debit, credit) = match own.side {
        Side::Debit => (own.amount, Decimal::ZERO),
        Side::Credit => (Decimal::ZERO, own.amount),
    };
    put(&fields.debit, amount(debit));
    put(&fields.credit, amount(credit));
    let text = document
        .texts
        .known()
        .and_then(|texts| texts.lines.get(index))
        .map(String::as_str)
        .unwrap_or_default();
    put(
        &fields.description,
        Tree::text(cut(text, layout.max_length.line_description)),
    );
    Ok(tree)
}

/// The document's text; nothing, where the person it spoke of was forgotten.
fn header_text(document: &Document) -> &str {
    document
        .texts
        .known()
        .map(|texts| texts.header.as_str())
        .unwrap_or_default()
}

fn amount(amount: Decimal) -> Tree {
    Tree::Leaf(exact::number(amount))
}

fn date(date: NaiveDate) -> Tree {
    Tree::Leaf(exact::dated(date))
}

fn fixed(constant: &Constant, wire: &Wire) -> Tree {
    match constant {
        Constant::Flag(flag) => Tree::Leaf(Value::Bool(*flag)),
        Constant::Integer(number) => Tree::Leaf((*number).into()),
        Constant::Text(text) => Tree::text(wire.localised(text)),
    }
}

/// A text of at most so many characters; one that was cut ends in `…`, so that nobody takes it for the whole.
fn cut(text: &str, length: Option<usize>) -> String {
    match length {
        Some(length) if text.chars().count() > length => text
            .chars()
            .take(length.saturating_sub(1))
            .chain(std::iter::once('…'))
            .take(length)
            .collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_text_is_cut_by_characters_and_shows_it() {
        assert_eq!(cut("Expenses", Some(8)), "Expenses");
        assert_eq!(cut("Expenses!", Some(8)), "Expense…");
        assert_eq!(cut("日本語です", Some(3)), "日本…");
        assert_eq!(cut("x", Some(0)), "");
        assert_eq!(cut("as long as it likes", None), "as long as it likes");
    }
}
