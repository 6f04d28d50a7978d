//! What QAD's Financials accept (contract qad §4): every rule is tried, and every one broken is told at once.
//!
//! * this file: the document as a whole, its kind, entity, daybook, supplier, currency;
//! * [`dates`]: posting date, year, period, and whether the period is open;
//! * [`lines`]: accounts and their analysis;
//! * [`amounts`]: sides, decimals, balance and totals.

mod amounts;
mod dates;
mod lines;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::entity::{Draft, shape_of};
use super::envelope::Problem;
use super::shape::{DocumentShape, HeaderField, QadShape};
use super::world::{
    DaybookControl, DaybookType, Document, DocumentKind, InvoiceType, Line, Supplier, Workspace, World,
    folded, same,
};

/// What every rule looks at.
struct Case<'a> {
    names: &'a DocumentShape,
    world: &'a World,
    workspace: &'a Workspace,
    kind: DocumentKind,
    invoice_type: Option<InvoiceType>,
}

impl Case<'_> {
    fn error(&self, field: HeaderField, value: &str, code: &str, message: impl Into<String>) -> Problem {
        Problem::error(self.names.header_path(field), value, code, message)
    }
}

/// Judges a draft and fills in QAD's defaults. What is wrong is added to `problems`; there is no document when its
/// kind or its dates cannot be made out, and the document of a draft with problems must not be stored.
pub(super) fn judge(
    shape: &QadShape,
    world: &World,
    workspace: &Workspace,
    kind: DocumentKind,
    now: DateTime<Utc>,
    mut draft: Draft,
    problems: &mut Vec<Problem>,
) -> Option<Document> {
    let today = now.date_naive();
    let names = shape_of(shape, kind);
    let invoice_type = invoice_type(shape, names, kind, &draft, problems);
    let case = Case {
        names,
        world,
        workspace,
        kind,
        invoice_type,
    };

    entity(&case, &draft, problems);
    if draft.voucher != 0 {
        let message = "The voucher is numbered by the system; send none, or 0.";
        let voucher = draft.voucher.to_string();
        problems.push(case.error(HeaderField::Voucher, &voucher, "SIM-VOUCHER", message));
    }
    if draft.is_taxable {
        let message = "A taxable document needs tax lines, which are not taken here.";
        problems.push(case.error(HeaderField::IsTaxable, "true", "SIM-TAX", message));
    }
    daybook(&case, &draft, problems);
    let supplier = supplier(&case, &draft, problems);
    currencies(&case, &mut draft, problems);
    lines::judge(&case, &draft, problems);
    amounts::judge(&case, &draft, problems);
    let dates = dates::judge(&case, &draft, today, problems)?;

    let mut totals = (draft.total_credit, draft.total_debit);
    let currency = match kind {
        DocumentKind::SupplierInvoice => draft.currency,
        DocumentKind::JournalEntry => {
            let sum = |side: fn(&Line) -> Decimal| draft.lines.iter().map(side).sum();
            totals = (sum(|line| line.credit), sum(|line| line.debit));
            draft
                .lines
                .first()
                .map(|line| line.currency.clone())
                .unwrap_or_default()
        }
    };
    let or_suppliers = |own: String, of: fn(&Supplier) -> &String| {
        if own.is_empty() {
            supplier.map(of).cloned().unwrap_or_default()
        } else {
            own
        }
    };
    let is_invoice = kind == DocumentKind::SupplierInvoice;
    Some(Document {
        kind,
        invoice_type,
        entity: workspace.entity.clone(),
        year: dates.year,
        period: dates.period,
        // Stored as the master spells it, so that a key is spelt one way.
        daybook: workspace
            .daybooks
            .get(&draft.daybook)
            .map_or(draft.daybook, |daybook| daybook.code.clone()),
        voucher: 0,
        supplier: supplier.map_or(draft.supplier, |supplier| supplier.code.clone()),
        reference: draft.reference,
        description: draft.description,
        invoice_date: is_invoice.then(|| draft.invoice_date.unwrap_or(today)),
        posting_date: dates.posting_date,
        due_date: draft.due_date,
        currency,
        total_credit: totals.0,
        total_debit: totals.1,
        credit_terms: or_suppliers(draft.credit_terms, |supplier| &supplier.credit_terms),
        status_code: or_suppliers(draft.status_code, |supplier| &supplier.invoice_status),
        is_taxable: draft.is_taxable,
        origin_is_external: draft.origin_is_external,
        lines: draft.lines,
        reversal: None,
        stored_at: now,
        stored_by: String::new(),
        changes: 0,
        sent: draft.sent,
    })
}

fn invoice_type(
    shape: &QadShape,
    names: &DocumentShape,
    kind: DocumentKind,
    draft: &Draft,
    problems: &mut Vec<Problem>,
) -> Option<InvoiceType> {
    if kind == DocumentKind::JournalEntry {
        return None;
    }
    if same(&draft.type_word, &shape.words.invoice) {
        return Some(InvoiceType::Invoice);
    }
    if same(&draft.type_word, &shape.words.credit_note) {
        return Some(InvoiceType::CreditNote);
    }
    // A blank one was already called mandatory where the shape says it is.
    if !draft.type_word.trim().is_empty() || !names.required.contains(&HeaderField::Type) {
        let path = names.header_path(HeaderField::Type);
        let message = format!("Invoice type {} is not known.", draft.type_word);
        problems.push(Problem::error(path, &draft.type_word, "SIM-TYPE", message));
    }
    None
}

fn entity(case: &Case<'_>, draft: &Draft, problems: &mut Vec<Problem>) {
    let own = &case.workspace.entity;
    if !draft.entity.is_empty() && !same(&draft.entity, own) {
        let message = format!(
            "Entity {} is not the entity of the workspace, {own}.",
            draft.entity
        );
        problems.push(case.error(HeaderField::Entity, &draft.entity, "SIM-ENTITY", message));
    }
}

fn daybook(case: &Case<'_>, draft: &Draft, problems: &mut Vec<Problem>) {
    let code = draft.daybook.as_str();
    if code.trim().is_empty() {
        return;
    }
    let mut wrong = |reason: &str, message: String| {
        problems.push(case.error(HeaderField::Daybook, code, reason, message));
    };
    let Some(daybook) = case.workspace.daybooks.get(code) else {
        return wrong("SIM-DAYBOOK", format!("Daybook {code} does not exist."));
    };
    if !daybook.active {
        wrong("SIM-DAYBOOK-INACTIVE", format!("Daybook {code} is not active."));
    }
    if daybook.control == DaybookControl::Operational {
        wrong(
            "SIM-DAYBOOK-CONTROL",
            format!("Daybook {code} is under operational control."),
        );
    }
    let takes = match (case.kind, case.invoice_type) {
        (DocumentKind::JournalEntry, _) => Some(DaybookType::Journal),
        (DocumentKind::SupplierInvoice, Some(InvoiceType::Invoice)) => Some(DaybookType::SupplierInvoice),
        (DocumentKind::SupplierInvoice, Some(InvoiceType::CreditNote)) => Some(DaybookType::CreditNote),
        (DocumentKind::SupplierInvoice, None) => None,
    };
    if takes.is_some_and(|takes| takes != daybook.kind) {
        wrong(
            "SIM-DAYBOOK-TYPE",
            format!("The type of daybook {code} does not accept this document."),
        );
    }
}

fn supplier<'a>(case: &Case<'a>, draft: &Draft, problems: &mut Vec<Problem>) -> Option<&'a Supplier> {
    let code = draft.supplier.as_str();
    if case.kind == DocumentKind::JournalEntry || code.trim().is_empty() {
        return None;
    }
    let Some(supplier) = case.workspace.suppliers.get(code) else {
        let message = format!("Supplier {code} does not exist.");
        problems.push(case.error(HeaderField::Supplier, code, "SIM-SUPPLIER", message));
        return None;
    };
    if !supplier.active {
        let message = format!("Supplier {code} is not active.");
        problems.push(case.error(HeaderField::Supplier, code, "SIM-SUPPLIER-INACTIVE", message));
    }
    if !draft.currency.is_empty() && !same(&supplier.currency, &draft.currency) {
        let message = format!(
            "Supplier {code} is invoiced in {}, not in {}.",
            supplier.currency, draft.currency
        );
        problems.push(case.error(
            HeaderField::Currency,
            &draft.currency,
            "SIM-SUPPLIER-CURRENCY",
            message,
        ));
    }
    Some(supplier)
}

/// Every currency must be set up; an invoice's lines are in the currency of its header, and a journal's without one
/// in the entity's own.
fn currencies(case: &Case<'_>, draft: &mut Draft, problems: &mut Vec<Problem>) {
    let usual = match case.kind {
        DocumentKind::SupplierInvoice => draft.currency.clone(),
        DocumentKind::JournalEntry if draft.currency.is_empty() => case.workspace.base_currency.clone(),
        DocumentKind::JournalEntry => draft.currency.clone(),
    };
    let mut told = Vec::new();
    let mut known = |path: &str, currency: &str, problems: &mut Vec<Problem>| {
        if currency.is_empty() || case.world.decimals(currency).is_some() || told.contains(&folded(currency))
        {
            return;
        }
        told.push(folded(currency));
        let message = format!("Currency {currency} does not exist.");
        problems.push(Problem::error(path, currency, "SIM-CURRENCY", message));
    };
    known(
        case.names.header_path(HeaderField::Currency),
        &draft.currency,
        problems,
    );
    let path = case.names.line_path(super::shape::LineField::Currency);
    for line in &mut draft.lines {
        if line.currency.is_empty() {
            line.currency.clone_from(&usual);
        }
        known(path, &line.currency, problems);
        if case.kind == DocumentKind::SupplierInvoice && !same(&line.currency, &usual) {
            let message = format!("The line is in {}, the invoice in {usual}.", line.currency);
            problems.push(Problem::error(path, &line.currency, "SIM-LINE-CURRENCY", message));
        }
    }
}
