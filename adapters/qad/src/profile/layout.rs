//! One document entity as the rest of the crate sees it, whichever of the two it is.

use std::collections::BTreeMap;

use tieout_domain::ids::DocumentKind;

use super::documents::{
    Constant, DocumentProfile, Documents, InvoiceFields, InvoiceWords, JournalFields, JournalWords, KeyNames,
    LineFields, LookUpProfile, TextLengths,
};
use super::names::{FieldPath, Words};

/// The header fields that both entities have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedFields<'a> {
    pub(crate) entity: Option<&'a FieldPath>,
    pub(crate) reference: &'a FieldPath,
    pub(crate) description: &'a FieldPath,
    pub(crate) posting_date: &'a FieldPath,
    pub(crate) posting_year: &'a FieldPath,
    pub(crate) posting_period: &'a FieldPath,
    pub(crate) daybook: &'a FieldPath,
    pub(crate) currency: Option<&'a FieldPath>,
    pub(crate) voucher: &'a FieldPath,
    pub(crate) document_status: Option<&'a FieldPath>,
}

/// What only supplier invoices and credit notes have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvoicePart<'a> {
    pub(crate) fields: &'a InvoiceFields,
    pub(crate) words: &'a InvoiceWords,
}

/// One document entity of the profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// The profile's section, for messages.
    pub(crate) section: &'static str,
    pub(crate) path: &'a str,
    pub(crate) view_uri: &'a str,
    pub(crate) entity_uri: &'a str,
    pub(crate) request_root: &'a FieldPath,
    pub(crate) response_root: &'a FieldPath,
    pub(crate) read_root: &'a FieldPath,
    pub(crate) lines: &'a FieldPath,
    pub(crate) shared: SharedFields<'a>,
    pub(crate) invoice: Option<InvoicePart<'a>>,
    pub(crate) line: &'a LineFields,
    pub(crate) keys: &'a KeyNames,
    pub(crate) reversed: &'a Words,
    pub(crate) constants: &'a BTreeMap<FieldPath, Constant>,
    pub(crate) line_constants: &'a BTreeMap<FieldPath, Constant>,
    pub(crate) max_length: &'a TextLengths,
    pub(crate) look_up: &'a LookUpProfile,
}

impl Documents {
    /// The entity that a kind of document is written to.
    pub(crate) fn layout(&self, kind: DocumentKind) -> Layout<'_> {
        match kind {
            DocumentKind::SupplierInvoice | DocumentKind::CreditNote => self.invoices(),
            DocumentKind::Journal => self.journals(),
        }
    }

    /// Both entities, in the order they are looked up.
    pub(crate) fn layouts(&self) -> [Layout<'_>; 2] {
        [self.invoices(), self.journals()]
    }

    fn invoices(&self) -> Layout<'_> {
        let own = &self.supplier_invoice;
        let InvoiceFields {
            entity,
            reference,
            description,
            posting_date,
            posting_year,
            posting_period,
            daybook,
            ..
        } = &own.header;
        let shared = SharedFields {
            entity: entity.as_ref(),
            reference,
            description,
            posting_date,
            posting_year,
            posting_period,
            daybook,
            currency: Some(&own.header.currency),
            voucher: &own.header.voucher,
            document_status: own.header.document_status.as_ref(),
        };
        let invoice = InvoicePart {
            fields: &own.header,
            words: &own.words,
        };
        layout(
            "documents.supplier_invoice",
            own,
            shared,
            Some(invoice),
            &own.words.reversed,
        )
    }

    fn journals(&self) -> Layout<'_> {
        let own: &DocumentProfile<JournalFields, JournalWords> = &self.journal;
        let JournalFields {
            entity,
            reference,
            description,
            posting_date,
            posting_year,
            posting_period,
            daybook,
            ..
        } = &own.header;
        let shared = SharedFields {
            entity: entity.as_ref(),
            reference,
            description,
            posting_date,
            posting_year,
            posting_period,
            daybook,
            currency: own.header.currency.as_ref(),
            voucher: &own.header.voucher,
            document_status: own.header.document_status.as_ref(),
        };
        layout("documents.journal", own, shared, None, &own.words.reversed)
    }
}

fn layout<'a, H, T>(
    section: &'static str,
    own: &'a DocumentProfile<H, T>,
    shared: SharedFields<'a>,
    invoice: Option<InvoicePart<'a>>,
    reversed: &'a Words,
) -> Layout<'a> {
    Layout {
        section,
        path: &own.path,
        view_uri: &own.view_uri,
        entity_uri: &own.entity_uri,
        request_root: &own.request_root,
        response_root: &own.response_root,
        read_root: &own.read_root,
        lines: &own.lines,
        shared,
        invoice,
        line: &own.line,
        keys: &own.keys,
        reversed,
        constants: &own.constants,
        line_constants: &own.line_constants,
        max_length: &own.max_length,
        look_up: &own.look_up,
    }
}

impl Layout<'_> {
    /// Header fields that a request carries.
    pub(crate) fn sent_header(&self) -> Vec<&FieldPath> {
        let shared = &self.shared;
        let mut paths: Vec<&FieldPath> = [shared.entity, shared.currency].into_iter().flatten().collect();
        paths.extend([
            shared.reference,
            shared.description,
            shared.posting_date,
            shared.posting_year,
            shared.posting_period,
            shared.daybook,
        ]);
        if let Some(InvoicePart { fields, .. }) = self.invoice {
            paths.extend([
                &fields.supplier,
                &fields.kind,
                &fields.document_date,
                &fields.total_invoice,
                &fields.total_credit_note,
                &fields.status_code,
            ]);
        }
        paths.extend(self.constants.keys());
        paths.push(self.lines);
        paths
    }

    /// Header fields that QAD gives and we read.
    pub(crate) fn given_header(&self) -> Vec<&FieldPath> {
        std::iter::once(self.shared.voucher)
            .chain(self.shared.document_status)
            .collect()
    }

    /// Fields of a line, as they lie in it.
    pub(crate) fn sent_line(&self) -> Vec<&FieldPath> {
        let LineFields {
            sequence,
            account,
            sub_account,
            cost_centre,
            project,
            currency,
            debit,
            credit,
            description,
        } = self.line;
        let mut paths = vec![account, cost_centre, debit, credit, description];
        paths.extend([sequence, sub_account, project, currency].into_iter().flatten());
        paths.extend(self.line_constants.keys());
        paths
    }
}
