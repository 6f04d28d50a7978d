//! Rows of the browses: what each column shows for each kind of thing.

use super::cell::Cell;
use crate::qad::shape::{Column, QadShape, Words};
use crate::qad::world::{
    Account, AnalysisUse, Daybook, DaybookType, Document, Employee, InvoiceType, Limitation, Master, Period,
    PeriodType, Supplier, Workspace, World,
};

/// One row, still the thing itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    Account(&'a Account),
    Master(&'a Master),
    Supplier(&'a Supplier),
    Employee(&'a Employee),
    Daybook(&'a Daybook),
    Period(&'a Period),
    Document(&'a Document),
}

impl Row<'_> {
    /// What a column shows; a column without a meaning for this row shows an empty text.
    pub(super) fn cell(
        &self,
        column: Column,
        shape: &QadShape,
        world: &World,
        workspace: &Workspace,
    ) -> Cell {
        let words = &shape.words;
        let cell = match self {
            Self::Account(account) => account_cell(account, column, words),
            Self::Master(master) => match column {
                Column::Code => Some(Cell::text(&master.code)),
                Column::Description => Some(Cell::text(&master.description)),
                Column::Active => Some(Cell::Flag(master.active)),
                _ => None,
            },
            Self::Supplier(supplier) => supplier_cell(supplier, column),
            Self::Employee(employee) => match column {
                Column::Code => Some(Cell::text(&employee.code)),
                Column::BusinessRelation => Some(Cell::text(&employee.business_relation)),
                Column::Name => Some(Cell::text(&employee.name)),
                Column::Email => Some(Cell::text(&employee.email)),
                Column::Active => Some(Cell::Flag(employee.active)),
                _ => None,
            },
            Self::Daybook(daybook) => match column {
                Column::Code => Some(Cell::text(&daybook.code)),
                Column::Description => Some(Cell::text(&daybook.description)),
                Column::Type => Some(Cell::text(daybook_word(daybook.kind, words))),
                Column::Control => Some(Cell::text(daybook.control.name())),
                Column::Active => Some(Cell::Flag(daybook.active)),
                _ => None,
            },
            Self::Period(period) => period_cell(period, column, words, workspace),
            Self::Document(document) => document_cell(
                document,
                column,
                words,
                world.decimals(&document.currency).unwrap_or(2),
            ),
        };
        cell.unwrap_or_else(|| Cell::text(""))
    }
}

fn account_cell(account: &Account, column: Column, words: &Words) -> Option<Cell> {
    // An account's own type word is the installation's; only the one that takes postings is known to the rules.
    let kind = if account.kind == "STANDARD" {
        words.standard_account.as_str()
    } else {
        account.kind.as_str()
    };
    Some(match column {
        Column::Code => Cell::text(&account.code),
        Column::Description => Cell::text(&account.description),
        Column::Active => Cell::Flag(account.active),
        Column::Type => Cell::text(kind),
        Column::Class => Cell::text(&account.class),
        Column::Currency => Cell::text(account.currency.as_deref().unwrap_or_default()),
        Column::CostCentreUse => Cell::text(match account.cost_centre {
            AnalysisUse::Required => &words.cost_centre_required,
            AnalysisUse::Optional => &words.cost_centre_optional,
            AnalysisUse::Forbidden => &words.cost_centre_forbidden,
        }),
        Column::AnalysisType => {
            let bears = |used| used != AnalysisUse::Forbidden;
            Cell::text(match (bears(account.cost_centre), bears(account.project)) {
                (false, false) => &words.analysis_none,
                (true, false) => &words.analysis_cost_centre,
                (false, true) => &words.analysis_project,
                (true, true) => &words.analysis_both,
            })
        }
        Column::AnalysisLimitation => Cell::text(match account.limitation {
            Limitation::AtLeastOne => &words.limitation_at_least_one,
            Limitation::Excluding => &words.limitation_excluding,
            Limitation::None if account.requires_both() => &words.limitation_both,
            Limitation::None => &words.limitation_none,
        }),
        Column::SubAccountUse => Cell::Flag(account.sub_account != AnalysisUse::Forbidden),
        _ => return None,
    })
}

fn supplier_cell(supplier: &Supplier, column: Column) -> Option<Cell> {
    Some(match column {
        Column::Code => Cell::text(&supplier.code),
        Column::BusinessRelation => Cell::text(&supplier.business_relation),
        Column::Name | Column::Description => Cell::text(&supplier.name),
        Column::Currency => Cell::text(&supplier.currency),
        Column::CreditTerms => Cell::text(&supplier.credit_terms),
        Column::SharedSet => Cell::text(&supplier.shared_set),
        Column::Active => Cell::Flag(supplier.active),
        _ => return None,
    })
}

fn period_cell(period: &Period, column: Column, words: &Words, workspace: &Workspace) -> Option<Cell> {
    Some(match column {
        Column::Entity => Cell::text(&workspace.entity),
        Column::Year => Cell::Integer(period.year.into()),
        Column::Period => Cell::Integer(period.number.into()),
        Column::Start => Cell::Date(period.start),
        Column::End => Cell::Date(period.end),
        Column::Status => Cell::text(period.status.name()),
        Column::Type => Cell::text(match period.kind {
            PeriodType::Normal => &words.normal_period,
            PeriodType::Correction => &words.correction_period,
            PeriodType::YearEnd => &words.year_end_period,
        }),
        Column::GlAllowed => Cell::Flag(period.gl_allowed),
        Column::PurchasingAllowed => Cell::Flag(period.purchasing_allowed),
        _ => return None,
    })
}

fn document_cell(document: &Document, column: Column, words: &Words, places: u32) -> Option<Cell> {
    Some(match column {
        Column::Entity => Cell::text(&document.entity),
        Column::Year => Cell::Integer(document.year.into()),
        Column::Period => Cell::Integer(document.period.into()),
        Column::Daybook => Cell::text(&document.daybook),
        Column::Voucher => Cell::Integer(i64::try_from(document.voucher).unwrap_or(i64::MAX)),
        Column::Reference => Cell::text(&document.reference),
        Column::Supplier => Cell::text(&document.supplier),
        Column::Description => Cell::text(&document.description),
        Column::Type => Cell::text(document.invoice_type.map_or("", |kind| match kind {
            InvoiceType::Invoice => &words.invoice,
            InvoiceType::CreditNote => &words.credit_note,
        })),
        Column::Currency => Cell::text(&document.currency),
        Column::Total => Cell::Amount(document.total(), places),
        Column::TotalCredit => Cell::Amount(document.total_credit, places),
        Column::TotalDebit => Cell::Amount(document.total_debit, places),
        Column::PostingDate => Cell::Date(document.posting_date),
        Column::Status => Cell::text(if document.reversal.is_some() {
            &words.reversed
        } else {
            &words.posted
        }),
        Column::CreditTerms => Cell::text(&document.credit_terms),
        _ => return None,
    })
}

fn daybook_word(kind: DaybookType, words: &Words) -> &str {
    match kind {
        DaybookType::SupplierInvoice => &words.invoice_daybook,
        DaybookType::CreditNote => &words.credit_note_daybook,
        DaybookType::Journal => &words.journal_daybook,
    }
}
