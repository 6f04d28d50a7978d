//! The ledger of the company: QAD's masters, periods and the documents that prove its look-ups.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::dice::{at, day};
use super::people::{Employee as Worker, Staff, Standing};
use super::site::{PAINT_SHOP, Site};
use super::{canary, credentials};
use crate::qad::world::{
    Account, AnalysisUse, Daybook, DaybookControl, DaybookType, Document, DocumentKind, Employee,
    InvoiceType, Line, Master, Period, PeriodStatus, Supplier, User, Workspace, World,
};

/// The installation: the productive workspace, and one for trials beside it with the same masters.
pub(super) fn world(staff: &Staff) -> World {
    let mut world = World::default();
    world.client_ids.insert(credentials::QAD_CLIENT_ID.to_owned());
    let mut user = User::new(credentials::QAD_PASSWORD);
    user.default_workspace = Some(credentials::QAD_WORKSPACE.to_owned());
    world.users.insert(credentials::QAD_USER.to_owned(), user);
    for entity in ["10USACO", "10USATEST"] {
        world.add_workspace(workspace(entity, staff));
    }
    world
}

fn workspace(entity: &str, staff: &Staff) -> Workspace {
    let mut workspace = Workspace::new("10USA", entity, "USD");
    workspace.accounts.extend(accounts());
    workspace.cost_centres.extend(cost_centres());
    workspace.sub_accounts.extend([
        Master::new("10", "Ohio plant"),
        Master::new("20", "Werk Bayern"),
        Master::new("30", "Tokyo sales"),
        inactive("90", "Former Kentucky plant"),
    ]);
    workspace.projects.extend([
        Master::new("P100", "New press line"),
        Master::new("P110", "Line 4 relocation"),
        Master::new("P120", "Coating pilot"),
        inactive("P900", "Plant audit 2025"),
    ]);
    workspace.daybooks.extend([
        Daybook::new(
            "EXPINV",
            "Employee expense invoices",
            DaybookType::SupplierInvoice,
        ),
        Daybook::new("EXPCN", "Employee expense credit notes", DaybookType::CreditNote),
        Daybook::new("EXPJE", "Expense journals", DaybookType::Journal),
        Daybook::new("SINV", "Supplier invoices", DaybookType::SupplierInvoice),
        Daybook {
            control: DaybookControl::Operational,
            ..Daybook::new("RCPT", "Receipts of purchase orders", DaybookType::Journal)
        },
        Daybook {
            active: false,
            ..Daybook::new(
                "OLDEXP",
                "Expense invoices until 2024",
                DaybookType::SupplierInvoice,
            )
        },
    ]);
    for worker in staff.iter() {
        employ(&mut workspace, worker);
    }
    workspace.periods = Period::calendar_year(2026);
    for period in &mut workspace.periods {
        match period.number {
            // Reported and closed; November is open beside October while October is being closed.
            ..=8 => period.status = PeriodStatus::Frozen,
            9 => period.status = PeriodStatus::Locked,
            10 | 11 => {}
            _ => period.allow(None, false),
        }
    }
    for document in [
        canary_invoice(entity),
        canary_credit_note(entity),
        canary_journal(entity),
    ] {
        workspace.ledger.store(document);
    }
    workspace
}

fn inactive(code: &str, description: &str) -> Master {
    Master {
        active: false,
        ..Master::new(code, description)
    }
}

fn of_type(kind: &str, code: &str, description: &str) -> Account {
    Account {
        kind: kind.to_owned(),
        ..Account::clearing(code, description)
    }
}

fn only(currency: &str, code: &str, description: &str) -> Account {
    Account {
        currency: Some(currency.to_owned()),
        ..Account::clearing(code, description)
    }
}

fn accounts() -> Vec<Account> {
    let expense = [
        ("6410", "Travel - air"),
        ("6415", "Travel - customer visits by air"),
        ("6420", "Travel - lodging"),
        ("6430", "Travel - taxi and ride"),
        ("6431", "Travel - rail"),
        ("6432", "Travel - rental cars"),
        ("6435", "Travel - mileage"),
        ("6436", "Travel - fuel"),
        ("6437", "Travel - parking and tolls"),
        ("6440", "Meals"),
        ("6445", "Entertainment of customers"),
        ("6446", "Entertainment of customers, partly deductible (DE)"),
        ("6510", "Training"),
        ("6515", "Conferences"),
        ("6610", "Tooling supplies"),
        ("6615", "Maintenance parts"),
        ("6618", "Low-value assets"),
        ("6620", "Safety equipment"),
        ("6710", "Office supplies"),
        ("6720", "Software"),
        ("6730", "Telephone and internet"),
        ("6740", "Postage and freight"),
        ("6750", "Dues and subscriptions"),
    ];
    let mut accounts: Vec<Account> = expense
        .into_iter()
        .map(|(code, description)| Account::expense(code, description))
        .collect();
    accounts.extend([
        Account {
            cost_centre: AnalysisUse::Optional,
            ..Account::expense("6760", "Bank charges")
        },
        Account {
            active: false,
            ..Account::expense("6790", "Fax and telex")
        },
        of_type("BANK", "1010", "First Maumee Bank, operating"),
        of_type("BANK", "1020", "Isarbank, Betriebskonto"),
        of_type("DEBTORCONTROL", "1200", "Trade receivables"),
        of_type("VAT", "1400", "Input tax, control"),
        Account::clearing("1410", "Input tax 19 % on expenses"),
        Account::clearing("1411", "Input tax 7 % on expenses"),
        Account::clearing("1420", "Consumption tax on expenses, Japan"),
        of_type("CREDITORCONTROL", "2100", "Trade payables"),
        of_type("CREDITORCONTROL", "2110", "Employee payables"),
        Account::clearing("2155", "Reimbursed through Expensify, clearing"),
        only("USD", "2161", "Summit Corporate Visa, clearing"),
        only("EUR", "2162", "Alpen AmEx, clearing"),
        Account::clearing("2190", "Railway invoices, clearing"),
        of_type("SYSTEM", "3900", "Retained earnings"),
        of_type("SYSTEM", "9990", "Rounding differences"),
    ]);
    accounts
}

fn cost_centres() -> Vec<Master> {
    let mut centres: Vec<Master> = Site::ALL
        .into_iter()
        .flat_map(|site| {
            site.departments()
                .iter()
                .map(move |department| (site, department))
        })
        .map(|(site, department)| {
            Master::new(
                department.cost_centre,
                format!("{} {}", site.name(), department.name),
            )
        })
        .collect();
    centres.extend([
        inactive(PAINT_SHOP.cost_centre, "Ohio Paint Shop (closed 2026-06)"),
        Master::new("1900", "Information technology"),
        Master::new("1910", "Legal"),
        Master::new("1920", "Executive office"),
        Master::new("1930", "Treasury"),
        Master::new("1940", "Group audit"),
    ]);
    centres
}

fn employ(workspace: &mut Workspace, worker: &Worker) {
    let relation = format!("BR-{}", worker.code);
    workspace.employees.add(Employee {
        code: worker.code.clone(),
        business_relation: relation.clone(),
        name: worker.name(),
        email: worker.person.email.clone(),
        active: true,
    });
    let own = worker.site.currency();
    let mut supplier = |suffix: &str, currency: &str, active: bool| {
        workspace.suppliers.add(Supplier {
            business_relation: relation.clone(),
            active,
            ..Supplier::new(format!("EMP-{}{suffix}", worker.code), worker.name(), currency)
        });
    };
    match worker.standing {
        Standing::NoSupplier => {}
        Standing::Regular => supplier("", own, true),
        Standing::Inactive => supplier("", own, false),
        Standing::OtherCurrency => supplier("", "USD", true),
        Standing::TwoCurrencies => {
            supplier("", own, true);
            supplier("-US", "USD", true);
        }
        Standing::InTable => {
            supplier("", own, true);
            supplier("-RK", own, true);
        }
    }
}

fn canary_day() -> (NaiveDate, DateTime<Utc>) {
    let day = day(8, 14);
    (day, at(day, 15 * 60))
}

/// 10.00 on the first employee's supplier, posted in August and paid since.
fn canary_invoice(entity: &str) -> Document {
    let (day, stored_at) = canary_day();
    let total = Decimal::new(1_000, 2);
    Document {
        kind: DocumentKind::SupplierInvoice,
        invoice_type: Some(InvoiceType::Invoice),
        entity: entity.to_owned(),
        year: 2026,
        period: 8,
        daybook: "EXPINV".to_owned(),
        voucher: 0,
        supplier: canary::SUPPLIER.to_owned(),
        reference: canary::INVOICE.to_owned(),
        description: "Kept for look-ups, do not reverse".to_owned(),
        invoice_date: Some(day),
        posting_date: day,
        due_date: None,
        currency: "USD".to_owned(),
        total_credit: total,
        total_debit: Decimal::ZERO,
        credit_terms: "30D".to_owned(),
        status_code: "AP-INITIAL".to_owned(),
        is_taxable: false,
        origin_is_external: false,
        lines: vec![Line {
            sequence: 1,
            account: canary::ACCOUNT.to_owned(),
            cost_centre: canary::COST_CENTRE.to_owned(),
            currency: "USD".to_owned(),
            debit: total,
            description: "Canary".to_owned(),
            ..Line::default()
        }],
        reversal: None,
        stored_at,
        stored_by: credentials::QAD_USER.to_owned(),
        changes: 0,
        sent: "{}".to_owned(),
    }
}

fn canary_credit_note(entity: &str) -> Document {
    let invoice = canary_invoice(entity);
    let total = invoice.total_credit;
    Document {
        invoice_type: Some(InvoiceType::CreditNote),
        daybook: "EXPCN".to_owned(),
        reference: canary::CREDIT_NOTE.to_owned(),
        total_credit: Decimal::ZERO,
        total_debit: total,
        lines: turned(&invoice.lines),
        ..invoice
    }
}

fn canary_journal(entity: &str) -> Document {
    let invoice = canary_invoice(entity);
    let total = invoice.total_credit;
    let against = Line {
        sequence: 2,
        account: "2155".to_owned(),
        currency: "USD".to_owned(),
        credit: total,
        description: "Canary".to_owned(),
        ..Line::default()
    };
    Document {
        kind: DocumentKind::JournalEntry,
        invoice_type: None,
        daybook: "EXPJE".to_owned(),
        supplier: String::new(),
        reference: canary::JOURNAL.to_owned(),
        invoice_date: None,
        total_debit: total,
        credit_terms: String::new(),
        status_code: String::new(),
        origin_is_external: true,
        lines: invoice.lines.iter().cloned().chain([against]).collect(),
        ..invoice
    }
}

fn turned(lines: &[Line]) -> Vec<Line> {
    lines
        .iter()
        .map(|line| Line {
            debit: line.credit,
            credit: line.debit,
            ..line.clone()
        })
        .collect()
}
