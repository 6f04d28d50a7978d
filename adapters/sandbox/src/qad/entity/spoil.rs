//! Faults that strike a document on its way into the ledger, while its answer tells of success.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::shape_of;
use crate::qad::faults::FaultKind;
use crate::qad::shape::{DocumentShape, HeaderField, LineField, QadShape};
use crate::qad::world::{Document, Workspace};

/// Changes the document as the fault says; other faults leave it alone.
pub(super) fn on_the_way_in(
    shape: &QadShape,
    workspace: &Workspace,
    document: &mut Document,
    fault: &FaultKind,
) {
    match fault {
        FaultKind::FieldNotStored { field } => lose(shape_of(shape, document.kind), document, field),
        FaultKind::LineNotStored => {
            document.lines.pop();
        }
        FaultKind::PostingDateShifted => shift(workspace, document),
        _ => {}
    }
}

/// The first day of the next period that is open; without one, the month after in the calendar.
fn shift(workspace: &Workspace, document: &mut Document) {
    let module = document.kind.module();
    let after = document.posting_date;
    let next = workspace
        .periods
        .iter()
        .filter(|period| period.start > after && period.is_open_for(module))
        .min_by_key(|period| period.start);
    if let Some(period) = next {
        document.posting_date = period.start;
        document.year = period.year;
        document.period = period.number;
    } else if let Some(later) = after.checked_add_months(chrono::Months::new(1)) {
        document.posting_date = later;
    }
}

fn lose(names: &DocumentShape, document: &mut Document, field: &str) {
    if let Some(line_field) = line_field(names, field) {
        document.lines.iter_mut().for_each(|line| match line_field {
            LineField::Sequence => line.sequence = 0,
            LineField::Account => line.account.clear(),
            LineField::SubAccount => line.sub_account.clear(),
            LineField::CostCentre => line.cost_centre.clear(),
            LineField::Project => line.project.clear(),
            LineField::Currency => line.currency.clear(),
            LineField::Debit => line.debit = Decimal::ZERO,
            LineField::Credit => line.credit = Decimal::ZERO,
            LineField::Description => line.description.clear(),
        });
        return;
    }
    match header_field(names, field) {
        Some(HeaderField::Entity) => document.entity.clear(),
        Some(HeaderField::Supplier) => document.supplier.clear(),
        Some(HeaderField::Type) => document.invoice_type = None,
        Some(HeaderField::Reference) => document.reference.clear(),
        Some(HeaderField::Description) => document.description.clear(),
        Some(HeaderField::InvoiceDate) => document.invoice_date = None,
        Some(HeaderField::PostingDate) => document.posting_date = NaiveDate::default(),
        Some(HeaderField::DueDate) => document.due_date = None,
        Some(HeaderField::Currency) => document.currency.clear(),
        Some(HeaderField::TotalCredit) => document.total_credit = Decimal::ZERO,
        Some(HeaderField::TotalDebit) => document.total_debit = Decimal::ZERO,
        Some(HeaderField::CreditTerms) => document.credit_terms.clear(),
        Some(HeaderField::StatusCode) => document.status_code.clear(),
        Some(HeaderField::IsTaxable) => document.is_taxable = false,
        Some(HeaderField::OriginIsExternal) => document.origin_is_external = false,
        // Year, period, daybook and voucher are the document's key: no ledger loses them.
        Some(
            HeaderField::PostingYear
            | HeaderField::PostingPeriod
            | HeaderField::Daybook
            | HeaderField::Voucher
            | HeaderField::DocumentStatus,
        )
        | None => {}
    }
}

fn named<F: for<'de> Deserialize<'de>>(name: &str) -> Option<F> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

/// `line.description`, `supplierInvoicePostingLines.description`, or a line field that no header has (`cost_centre`).
fn line_field(names: &DocumentShape, field: &str) -> Option<LineField> {
    if let Some(rest) = field.strip_prefix("line.") {
        return named(rest);
    }
    let below = field
        .strip_prefix(names.lines.as_str())
        .and_then(|rest| rest.strip_prefix('.'));
    if let Some(below) = below {
        return names
            .line
            .iter()
            .find(|(_, path)| *path == below)
            .map(|(field, _)| *field);
    }
    named(field).filter(|_| header_field(names, field).is_none())
}

fn header_field(names: &DocumentShape, field: &str) -> Option<HeaderField> {
    let by_path = names
        .header
        .iter()
        .find(|(_, path)| *path == field)
        .map(|(field, _)| *field);
    by_path.or_else(|| named(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_by_meaning_or_by_path() {
        let names = DocumentShape::supplier_invoice();
        assert_eq!(line_field(&names, "cost_centre"), Some(LineField::CostCentre));
        assert_eq!(
            line_field(&names, "supplierInvoicePostingLines.costCenterCode"),
            Some(LineField::CostCentre)
        );
        assert_eq!(
            line_field(&names, "line.description"),
            Some(LineField::Description)
        );
        assert_eq!(line_field(&names, "description"), None);
        assert_eq!(
            header_field(&names, "description"),
            Some(HeaderField::Description)
        );
        assert_eq!(header_field(&names, "dueDate"), Some(HeaderField::DueDate));
        assert_eq!(header_field(&names, "nonsense"), None);
    }
}
