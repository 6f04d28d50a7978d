//! A small world: the one that the contract's examples (§7) speak of. Tests and first steps begin here.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;

use super::world::{
    Account, AnalysisUse, Daybook, DaybookType, Document, DocumentKind, Employee, InvoiceType, Line, Master,
    Period, Supplier, User, Workspace, World,
};

/// Workspace `10USA_10USACO` in US dollars with the masters of §7, the calendar year 2024 open, client `CLIENT` and
/// user `svc` with password `secret`.
pub fn world() -> World {
    let mut world = World::default();
    world.client_ids.insert("CLIENT".into());
    world.users.insert("svc".into(), User::new("secret"));
    world.add_workspace(workspace());
    world
}

/// The workspace of [`world`].
pub fn workspace() -> Workspace {
    let mut workspace = Workspace::new("10USA", "10USACO", "USD");
    workspace.accounts.extend([
        Account::expense("6410", "Travel - Air"),
        Account::expense("6420", "Travel - Ground"),
        Account {
            cost_centre: AnalysisUse::Optional,
            ..Account::expense("6430", "Meals")
        },
        Account {
            active: false,
            ..Account::expense("6490", "Travel - old")
        },
        Account {
            kind: "CREDITORCONTROL".into(),
            ..Account::clearing("2100", "Suppliers")
        },
        Account::clearing("2150", "Card clearing"),
        Account {
            currency: Some("EUR".into()),
            ..Account::clearing("2160", "Card clearing Europe")
        },
    ]);
    workspace.cost_centres.extend([
        Master::new("1200", "Sales East"),
        Master::new("1300", "Plant"),
        Master {
            active: false,
            ..Master::new("1900", "Closed plant")
        },
    ]);
    workspace.sub_accounts.extend([
        Master::new("10", "General"),
        Master {
            active: false,
            ..Master::new("19", "Closed")
        },
    ]);
    workspace.projects.extend([
        Master::new("P100", "New line"),
        Master {
            active: false,
            ..Master::new("P900", "Finished")
        },
    ]);
    let supplier = Supplier {
        business_relation: "BR-E1001".into(),
        ..Supplier::new("EMP-E1001", "Kim Lee", "USD")
    };
    workspace.suppliers.extend([
        Supplier {
            active: false,
            ..Supplier::new("EMP-E1009", "Gone", "USD")
        },
        Supplier::new("EMP-E1002", "Yuki Mori", "JPY"),
        Supplier::new("EMP-E1003", "Noor Aziz", "KWD"),
        supplier,
    ]);
    workspace.employees.add(Employee {
        code: "E1001".into(),
        business_relation: "BR-E1001".into(),
        name: "Kim Lee".into(),
        email: "kim@example.com".into(),
        active: true,
    });
    workspace.daybooks.extend([
        Daybook::new("SINV", "Supplier invoices", DaybookType::SupplierInvoice),
        Daybook::new("SCN", "Supplier credit notes", DaybookType::CreditNote),
        Daybook::new("EXPJE", "Expense journals", DaybookType::Journal),
        Daybook {
            active: false,
            ..Daybook::new("OLDINV", "Supplier invoices, old", DaybookType::SupplierInvoice)
        },
    ]);
    workspace.periods = Period::calendar_year(2024);
    workspace
}

/// A stored invoice of 212.50 with one line, for ledgers that are filled without a request.
pub fn invoice(reference: &str) -> Document {
    let day = NaiveDate::from_ymd_opt(2024, 5, 31).unwrap_or_default();
    let total = Decimal::new(21250, 2);
    Document {
        kind: DocumentKind::SupplierInvoice,
        invoice_type: Some(InvoiceType::Invoice),
        entity: "10USACO".into(),
        year: 2024,
        period: 5,
        daybook: "SINV".into(),
        voucher: 0,
        supplier: "EMP-E1001".into(),
        reference: reference.into(),
        description: "Expenses Kim Lee 2024-05".into(),
        invoice_date: Some(day),
        posting_date: day,
        due_date: None,
        currency: "USD".into(),
        total_credit: total,
        total_debit: Decimal::ZERO,
        credit_terms: "30D".into(),
        status_code: "AP-INITIAL".into(),
        is_taxable: false,
        origin_is_external: false,
        lines: vec![Line {
            sequence: 1,
            account: "6410".into(),
            cost_centre: "1200".into(),
            currency: "USD".into(),
            debit: total,
            description: "Flight".into(),
            ..Line::default()
        }],
        reversal: None,
        stored_at: DateTime::default(),
        stored_by: "svc".into(),
        changes: 0,
        sent: "{}".into(),
    }
}
