//! From the rows of a browse to the rows of a master, by the profile's words. A word that the profile does not know is
//! an error where it decides whether something may be posted, and never a guess.

use tieout_domain::chart::{
    Account, AccountType, AnalysisUse, Daybook, DaybookUse, Employee, Limitation, Period, PeriodState,
    Supplier,
};
use tieout_domain::ids::{
    AccountCode, BadId, BusinessRelationCode, DaybookCode, Email, EmployeeCode, SupplierCode,
};
use tieout_domain::money::Currency;
use tieout_domain::ports::LedgerError;

use crate::browse::Row;
use crate::profile::{
    AccountColumns, AccountWords, ActiveWords, CodeColumns, Column, DaybookColumns, DaybookWords,
    EmployeeColumns, PeriodColumns, PeriodWords, SupplierColumns, Words,
};

type Read<T> = Result<T, LedgerError>;

/// The code of a row.
pub(crate) fn code<T>(row: &Row<'_>, column: &Column, new: impl Fn(&str) -> Result<T, BadId>) -> Read<T> {
    let word = row.word(column)?;
    new(&word).map_err(|error| row.unfit(column, format!("`{word}`"), &format!("a code ({error})")))
}

/// Yes or no, by the words for each.
fn either(row: &Row<'_>, column: &Column, yes: &Words, no: &Words) -> Read<bool> {
    let word = row.word(column)?;
    if yes.say(&word) {
        Ok(true)
    } else if no.say(&word) {
        Ok(false)
    } else {
        Err(row.unfit(
            column,
            format!("`{word}`"),
            &format!("one of the profile's words ({yes}; {no})"),
        ))
    }
}

/// Description and whether it is active, of a cost centre, sub-account or project.
pub(crate) fn coded(row: &Row<'_>, columns: &CodeColumns, words: &ActiveWords) -> Read<(String, bool)> {
    Ok((
        row.word_of(columns.description.as_ref())?,
        either(row, &columns.active, &words.active, &words.inactive)?,
    ))
}

/// The currency of a column, if it names one. One that is not in ISO 4217 can never be posted in from here.
enum RowCurrency {
    None,
    Of(Currency),
    Foreign(String),
}

fn currency(row: &Row<'_>, column: Option<&Column>) -> Read<RowCurrency> {
    let word = row.word_of(column)?;
    Ok(match Currency::new(&word) {
        _ if word.is_empty() => RowCurrency::None,
        Ok(currency) => RowCurrency::Of(currency),
        Err(_) => RowCurrency::Foreign(word),
    })
}

/// What an account wants of one dimension. Without a column only QAD can judge; its refusal is shown verbatim.
fn used(
    row: &Row<'_>,
    code: &AccountCode,
    column: Option<&Column>,
    of: &str,
    words: [&Words; 3],
) -> Read<AnalysisUse> {
    let Some(column) = column else {
        return Ok(AnalysisUse::Optional);
    };
    let word = row.word(column)?;
    let [required, optional, forbidden] = words;
    if required.say(&word) {
        Ok(AnalysisUse::Required)
    } else if optional.say(&word) {
        Ok(AnalysisUse::Optional)
    } else if forbidden.say(&word) {
        Ok(AnalysisUse::Forbidden)
    } else {
        Err(row.unfit(
            column,
            format!("`{word}` at account {code}"),
            &format!("one of the profile's words for the use of {of}"),
        ))
    }
}

/// What an account wants beside it (contract qad §2.4).
struct Analysis {
    cost_centre: AnalysisUse,
    project: AnalysisUse,
    sub_account: AnalysisUse,
    limitation: Limitation,
}

fn analysis(
    row: &Row<'_>,
    code: &AccountCode,
    columns: &AccountColumns,
    words: &AccountWords,
) -> Read<Analysis> {
    let cost_centre = used(
        row,
        code,
        columns.cost_centre.as_ref(),
        "cost centres",
        [
            &words.cost_centre_required,
            &words.cost_centre_optional,
            &words.cost_centre_forbidden,
        ],
    )?;
    let project = used(
        row,
        code,
        columns.project.as_ref(),
        "projects",
        [
            &words.project_required,
            &words.project_optional,
            &words.project_forbidden,
        ],
    )?;
    let sub_account = used(
        row,
        code,
        columns.sub_account.as_ref(),
        "sub-accounts",
        [
            &words.sub_account_required,
            &words.sub_account_optional,
            &words.sub_account_forbidden,
        ],
    )?;
    let alone = Analysis {
        cost_centre,
        project,
        sub_account,
        limitation: Limitation::None,
    };
    let Some(column) = &columns.limitation else {
        return Ok(alone);
    };
    let word = row.word(column)?;
    // Of an account that is not analysed by both, QAD's limitation says nothing.
    if cost_centre == AnalysisUse::Forbidden || project == AnalysisUse::Forbidden {
        return Ok(alone);
    }
    let both = |used, limitation| Analysis {
        cost_centre: used,
        project: used,
        limitation,
        ..alone
    };
    if words.limitation_both_required.say(&word) {
        Ok(both(AnalysisUse::Required, Limitation::None))
    } else if words.limitation_at_least_one.say(&word) {
        Ok(both(AnalysisUse::Optional, Limitation::AtLeastOne))
    } else if words.limitation_excluding.say(&word) {
        Ok(both(AnalysisUse::Optional, Limitation::ExactlyOne))
    } else if words.limitation_none.say(&word) {
        Ok(alone)
    } else {
        Err(row.unfit(
            column,
            format!("`{word}` at account {code}"),
            "one of the profile's words for the limitation of its analysis",
        ))
    }
}

/// An account; `None` for one that is fixed to a currency outside ISO 4217, to which nothing of ours could be posted.
pub(crate) fn account(
    row: &Row<'_>,
    code: AccountCode,
    columns: &AccountColumns,
    words: &AccountWords,
) -> Read<Option<Account>> {
    let kind = row.word(&columns.kind)?;
    let analysis = analysis(row, &code, columns, words)?;
    let only_currency = match currency(row, columns.currency.as_ref())? {
        RowCurrency::None => None,
        RowCurrency::Of(currency) => Some(currency),
        RowCurrency::Foreign(word) => {
            tracing::warn!(account = %code, currency = word, "left out: its only currency is not in ISO 4217");
            return Ok(None);
        }
    };
    Ok(Some(Account {
        code,
        description: row.word_of(columns.description.as_ref())?,
        active: either(row, &columns.active, &words.active, &words.inactive)?,
        kind: if words.standard.say(&kind) {
            AccountType::Standard
        } else {
            AccountType::Other(kind)
        },
        cost_centre: analysis.cost_centre,
        project: analysis.project,
        sub_account: analysis.sub_account,
        limitation: analysis.limitation,
        only_currency,
    }))
}

/// A supplier; `None` for one in a currency outside ISO 4217, whom nothing of ours could be posted on.
pub(crate) fn supplier(
    row: &Row<'_>,
    code: SupplierCode,
    columns: &SupplierColumns,
    words: &ActiveWords,
) -> Read<Option<Supplier>> {
    let currency = match currency(row, columns.currency.as_ref())? {
        RowCurrency::None => None,
        RowCurrency::Of(currency) => Some(currency),
        RowCurrency::Foreign(word) => {
            tracing::warn!(supplier = %code, currency = word, "left out: its currency is not in ISO 4217");
            return Ok(None);
        }
    };
    let relation = row.word_of(columns.business_relation.as_ref())?;
    Ok(Some(Supplier {
        code,
        business_relation: BusinessRelationCode::new(&relation).ok(),
        currency,
        active: either(row, &columns.active, &words.active, &words.inactive)?,
    }))
}

/// An employee. An address that is none is no address: the employee is then found by the rule set, or not at all.
pub(crate) fn employee(row: &Row<'_>, code: EmployeeCode, columns: &EmployeeColumns) -> Read<Employee> {
    Ok(Employee {
        code,
        business_relation: BusinessRelationCode::new(&row.word(&columns.business_relation)?).ok(),
        email: Email::new(&row.word(&columns.email)?).ok(),
    })
}

/// A daybook.
pub(crate) fn daybook(
    row: &Row<'_>,
    code: DaybookCode,
    columns: &DaybookColumns,
    words: &DaybookWords,
) -> Read<Daybook> {
    let kind = row.word(&columns.kind)?;
    let accepts = if words.supplier_invoices.say(&kind) {
        DaybookUse::SupplierInvoices
    } else if words.credit_notes.say(&kind) {
        DaybookUse::CreditNotes
    } else if words.journals.say(&kind) {
        DaybookUse::Journals
    } else {
        DaybookUse::Other(kind)
    };
    Ok(Daybook {
        code,
        accepts,
        active: either(row, &columns.active, &words.active, &words.inactive)?,
    })
}

/// A period. A module may post where the status and its own flag both say so, as far as they are named.
pub(crate) fn period(
    row: &Row<'_>,
    year: i32,
    number: u32,
    columns: &PeriodColumns,
    words: &PeriodWords,
) -> Read<Period> {
    let open = match &columns.status {
        None => true,
        Some(column) => words.open.say(&row.word(column)?),
    };
    let state = |column: Option<&Column>| -> Read<PeriodState> {
        let allowed = column.map_or(Ok(true), |column| {
            either(row, column, &words.allowed, &words.not_allowed)
        })?;
        Ok(if open && allowed {
            PeriodState::Open
        } else {
            PeriodState::Closed
        })
    };
    let (start, end) = (row.date(&columns.start)?, row.date(&columns.end)?);
    if end < start {
        return Err(row.unfit(
            &columns.end,
            end,
            &format!("a day after the start {start} of period {year}/{number:02}"),
        ));
    }
    Ok(Period {
        year,
        number,
        start,
        end,
        general_ledger: state(columns.general_ledger.as_ref())?,
        purchasing: state(columns.purchasing.as_ref())?,
        normal: words.normal.say(&row.word(&columns.kind)?),
    })
}
