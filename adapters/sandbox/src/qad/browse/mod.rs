//! The browse engine: pages of flat rows, filtered; silent where it is asked wrongly (contract qad §1.9).

mod cell;
mod filter;
mod rows;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use self::cell::Cell;
pub(in crate::qad) use self::cell::day;
use self::filter::{Filter, Operator};
use self::rows::Row;
use super::envelope::Reply;
use super::faults::FaultKind;
use super::shape::{BrowseShape, Column, QadShape, Read};
use super::world::{DocumentKind, Workspace, World};

/// Rows a page holds when the caller does not say.
const USUAL_PAGE_SIZE: usize = 25;

/// Answers a browse request of a workspace.
pub fn answer(
    shape: &QadShape,
    world: &World,
    workspace: &Workspace,
    query: &[(String, String)],
    fault: Option<&FaultKind>,
) -> Reply {
    if fault == Some(&FaultKind::BrowseFails) {
        return Reply::platform(StatusCode::INTERNAL_SERVER_ERROR, "The browse failed.", "");
    }
    let given = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let Some(read) = shape.read_named(given("browseId").unwrap_or_default()) else {
        return Reply::platform(StatusCode::BAD_REQUEST, "Invalid URI", "browseId");
    };
    let browse = shape.browse(read);
    let page = given("page")
        .and_then(|page| page.parse::<usize>().ok())
        .filter(|page| *page > 0);
    // Some live browses answer 200 and nothing when either is left out, so this one always does.
    let (Some(page), Some(_)) = (page, given("pageAction")) else {
        return Reply::page(Vec::new(), false);
    };
    let size = match given("pageSize").map(str::parse::<usize>) {
        None => USUAL_PAGE_SIZE,
        Some(Ok(size)) if size > 0 => size,
        Some(_) => return Reply::page(Vec::new(), false),
    };
    let filters: Option<Vec<Filter>> = query
        .iter()
        .filter(|(key, _)| key == "filter")
        .map(|(_, raw)| Filter::parse(raw, browse))
        .collect();
    // A wrong column or a malformed filter is not an error but a page without rows.
    let Some(filters) = filters else {
        return Reply::page(Vec::new(), false);
    };

    let mut found = matching(shape, world, workspace, read, &filters);
    match fault {
        Some(FaultKind::EmptyBrowse) => found.clear(),
        Some(FaultKind::BrokenCanary) if !filters.is_empty() => found.clear(),
        Some(FaultKind::RowsMissing { rows }) => found.truncate(found.len().saturating_sub(*rows)),
        _ => {}
    }
    let before = (page - 1).saturating_mul(size);
    let more = found.len() > before.saturating_add(size);
    let rows = found
        .iter()
        .skip(before)
        .take(size)
        .map(|row| render(shape, world, workspace, browse, row))
        .collect();
    Reply::page(rows, more)
}

fn matching<'a>(
    shape: &QadShape,
    world: &World,
    workspace: &'a Workspace,
    read: Read,
    filters: &[Filter],
) -> Vec<Row<'a>> {
    let keep = |row: &Row<'_>| {
        filters
            .iter()
            .all(|filter| filter.matches(&row.cell(filter.column, shape, world, workspace)))
    };
    let documents = |kind: DocumentKind| -> Vec<Row<'a>> {
        match reference_sought(filters) {
            // The look-up that clients live by: found by index, whatever the size of the ledger.
            Some(reference) => workspace
                .ledger
                .with_reference(kind, reference)
                .map(Row::Document)
                .filter(&keep)
                .collect(),
            None => {
                let of_kind = workspace.ledger.iter().filter(|document| document.kind == kind);
                of_kind.map(Row::Document).filter(&keep).collect()
            }
        }
    };
    match read {
        Read::Accounts => workspace.accounts.iter().map(Row::Account).filter(keep).collect(),
        Read::CostCentres => workspace
            .cost_centres
            .iter()
            .map(Row::Master)
            .filter(keep)
            .collect(),
        Read::SubAccounts => workspace
            .sub_accounts
            .iter()
            .map(Row::Master)
            .filter(keep)
            .collect(),
        Read::Projects => workspace.projects.iter().map(Row::Master).filter(keep).collect(),
        Read::Suppliers => workspace
            .suppliers
            .iter()
            .map(Row::Supplier)
            .filter(keep)
            .collect(),
        Read::Employees => workspace
            .employees
            .iter()
            .map(Row::Employee)
            .filter(keep)
            .collect(),
        Read::Daybooks => workspace.daybooks.iter().map(Row::Daybook).filter(keep).collect(),
        Read::Periods => workspace.periods.iter().map(Row::Period).filter(keep).collect(),
        Read::InvoiceLookup => documents(DocumentKind::SupplierInvoice),
        Read::JournalLookup => documents(DocumentKind::JournalEntry),
    }
}

fn reference_sought(filters: &[Filter]) -> Option<&str> {
    filters
        .iter()
        .find(|filter| filter.column == Column::Reference && filter.operator == Operator::Eq)
        .map(|filter| filter.value.as_str())
}

fn render(
    shape: &QadShape,
    world: &World,
    workspace: &Workspace,
    browse: &BrowseShape,
    row: &Row<'_>,
) -> Value {
    let cells = browse.columns.iter().map(|(column, key)| {
        let cell: Cell = row.cell(*column, shape, world, workspace);
        (key.clone(), cell.to_json(&shape.browse_date_format))
    });
    Value::Object(cells.collect::<Map<_, _>>())
}
