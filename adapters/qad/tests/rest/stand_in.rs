//! The stand-in with the little world of the contract's examples, and a profile made from its shape.

use std::collections::BTreeMap;

use tieout_qad::QadClient;
use tieout_qad::profile::TEMPLATE;
use tieout_sandbox::clock::Clock;
use tieout_sandbox::qad::shape::{BrowseShape, Column, DocumentShape, HeaderField, LineField, Read};
use tieout_sandbox::qad::world::{DocumentKind, World};
use tieout_sandbox::qad::{QadConfig, QadHandle, QadShape, QadStandIn, sample};
use toml::{Table, Value};

use crate::canned::{canaries, client};
use crate::documents::{Still, start};

pub const WORKSPACE: &str = "10USA_10USACO";

pub struct StandIn {
    pub server: QadStandIn,
    pub handle: QadHandle,
    pub client: QadClient<Still>,
}

impl StandIn {
    pub async fn start() -> Self {
        Self::with(QadShape::default(), |_| {}).await
    }

    pub async fn with(shape: QadShape, profile: impl FnOnce(&mut Table)) -> Self {
        let mut text = profile_of(&shape);
        profile(&mut text);
        let (clock, _) = Clock::manual(start());
        let server = QadStandIn::start(QadConfig {
            shape,
            world: world(),
            clock,
            ..QadConfig::default()
        })
        .await
        .unwrap();
        let handle = server.handle();
        let client = client(
            &server.url(),
            &toml::to_string(&text).unwrap(),
            "secret",
            Still::default(),
        );
        Self {
            server,
            handle,
            client,
        }
    }

    pub fn documents(&self) -> usize {
        self.handle
            .read(|world| world.workspace(WORKSPACE).unwrap().ledger.len())
    }
}

/// The sample world with a canary of each kind.
pub fn world() -> World {
    let mut world = sample::world();
    let ledger = &mut world.workspace_mut(WORKSPACE).unwrap().ledger;
    let invoice = sample::invoice("CANARY-INV");
    let mut journal = sample::invoice("CANARY-JE");
    journal.kind = DocumentKind::JournalEntry;
    journal.invoice_type = None;
    journal.daybook = "EXPJE".into();
    journal.supplier.clear();
    ledger.store(invoice);
    ledger.store(journal);
    world
}

/// Sets a dotted key.
pub fn set(table: &mut Table, key: &str, value: impl Into<Value>) {
    let mut steps: Vec<&str> = key.split('.').collect();
    let last = steps.pop().unwrap();
    let table = steps.into_iter().fold(table, |table, step| {
        table
            .entry(step)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .unwrap()
    });
    table.insert(last.to_owned(), value.into());
}

/// The template, with every name taken from a shape.
pub fn profile_of(shape: &QadShape) -> Table {
    let mut profile: Table = toml::from_str(&canaries().fill(TEMPLATE)).unwrap();
    for (master, read, columns) in [
        (
            "accounts",
            Read::Accounts,
            &[
                ("code", Column::Code),
                ("description", Column::Description),
                ("active", Column::Active),
                ("type", Column::Type),
                ("cost_centre", Column::CostCentreUse),
                ("currency", Column::Currency),
            ][..],
        ),
        ("cost_centres", Read::CostCentres, CODED),
        ("sub_accounts", Read::SubAccounts, CODED),
        ("projects", Read::Projects, CODED),
        (
            "suppliers",
            Read::Suppliers,
            &[
                ("code", Column::Code),
                ("active", Column::Active),
                ("business_relation", Column::BusinessRelation),
                ("currency", Column::Currency),
            ],
        ),
        (
            "employees",
            Read::Employees,
            &[
                ("code", Column::Code),
                ("business_relation", Column::BusinessRelation),
                ("email", Column::Email),
            ],
        ),
        (
            "daybooks",
            Read::Daybooks,
            &[
                ("code", Column::Code),
                ("type", Column::Type),
                ("active", Column::Active),
            ],
        ),
        (
            "periods",
            Read::Periods,
            &[
                ("year", Column::Year),
                ("number", Column::Period),
                ("start", Column::Start),
                ("end", Column::End),
                ("type", Column::Type),
                ("status", Column::Status),
                ("general_ledger", Column::GlAllowed),
                ("purchasing", Column::PurchasingAllowed),
            ],
        ),
    ] {
        browse(
            &mut profile,
            &format!("masters.{master}"),
            shape.browse(read),
            columns,
        );
    }
    let words = &shape.words;
    set(
        &mut profile,
        "masters.accounts.words.standard",
        vec![words.standard_account.as_str()],
    );
    set(
        &mut profile,
        "masters.accounts.words.cost_centre_required",
        vec![words.cost_centre_required.as_str()],
    );
    set(
        &mut profile,
        "masters.accounts.words.cost_centre_optional",
        vec![words.cost_centre_optional.as_str()],
    );
    set(
        &mut profile,
        "masters.accounts.words.cost_centre_forbidden",
        vec![words.cost_centre_forbidden.as_str()],
    );
    set(
        &mut profile,
        "masters.daybooks.words.supplier_invoices",
        vec![words.invoice_daybook.as_str()],
    );
    set(
        &mut profile,
        "masters.daybooks.words.credit_notes",
        vec![words.credit_note_daybook.as_str()],
    );
    set(
        &mut profile,
        "masters.daybooks.words.journals",
        vec![words.journal_daybook.as_str()],
    );
    set(
        &mut profile,
        "masters.periods.words.normal",
        vec![words.normal_period.as_str()],
    );
    set(
        &mut profile,
        "metadata.field_name",
        shape.metadata.field_name.as_str(),
    );
    set(
        &mut profile,
        "metadata.required",
        shape.metadata.required.as_str(),
    );

    let invoice = "documents.supplier_invoice";
    document(
        &mut profile,
        invoice,
        &shape.supplier_invoice,
        shape.browse(Read::InvoiceLookup),
        words.reversed.as_str(),
    );
    set(
        &mut profile,
        &format!("{invoice}.words.invoice"),
        words.invoice.as_str(),
    );
    set(
        &mut profile,
        &format!("{invoice}.words.credit_note"),
        words.credit_note.as_str(),
    );
    document(
        &mut profile,
        "documents.journal",
        &shape.journal_entry,
        shape.browse(Read::JournalLookup),
        words.reversed.as_str(),
    );
    profile
}

const CODED: &[(&str, Column)] = &[
    ("code", Column::Code),
    ("description", Column::Description),
    ("active", Column::Active),
];

fn browse(profile: &mut Table, section: &str, shape: &BrowseShape, columns: &[(&str, Column)]) {
    set(profile, &format!("{section}.browse_id"), shape.id.as_str());
    for (name, column) in columns {
        set(
            profile,
            &format!("{section}.columns.{name}"),
            shape.columns[column].as_str(),
        );
    }
}

fn document(
    profile: &mut Table,
    section: &str,
    shape: &DocumentShape,
    look_up: &BrowseShape,
    reversed: &str,
) {
    use HeaderField as H;
    use LineField as L;
    for (name, value) in [
        ("path", &shape.path),
        ("view_uri", &shape.view_uri),
        ("entity_uri", &shape.view_uri),
        ("request_root", &shape.request_root),
        ("response_root", &shape.echo_root),
        ("read_root", &shape.read_root),
        ("lines", &shape.lines),
        ("keys.entity", &shape.keys.entity),
        ("keys.year", &shape.keys.year),
        ("keys.daybook", &shape.keys.daybook),
        ("keys.voucher", &shape.keys.voucher),
    ] {
        set(profile, &format!("{section}.{name}"), value.as_str());
    }
    let header: BTreeMap<&str, H> = [
        ("entity", H::Entity),
        ("supplier", H::Supplier),
        ("type", H::Type),
        ("reference", H::Reference),
        ("description", H::Description),
        ("document_date", H::InvoiceDate),
        ("posting_date", H::PostingDate),
        ("posting_year", H::PostingYear),
        ("posting_period", H::PostingPeriod),
        ("daybook", H::Daybook),
        ("currency", H::Currency),
        ("total_invoice", H::TotalCredit),
        ("total_credit_note", H::TotalDebit),
        ("status_code", H::StatusCode),
        ("voucher", H::Voucher),
        ("document_status", H::DocumentStatus),
    ]
    .into();
    for (name, field) in header {
        if let Some(path) = shape.header.get(&field) {
            set(profile, &format!("{section}.header.{name}"), path.as_str());
        }
    }
    // Where the document says its currency, its lines need not, unless the installation wants them to.
    let needed = shape.required_line.contains(&L::Currency) || !shape.header.contains_key(&H::Currency);
    let currency = needed.then_some(("currency", L::Currency));
    let line = [
        ("sequence", L::Sequence),
        ("account", L::Account),
        ("sub_account", L::SubAccount),
        ("cost_centre", L::CostCentre),
        ("project", L::Project),
        ("debit", L::Debit),
        ("credit", L::Credit),
        ("description", L::Description),
    ];
    for (name, field) in line.into_iter().chain(currency) {
        set(
            profile,
            &format!("{section}.line.{name}"),
            shape.line[&field].as_str(),
        );
    }
    let constants = [
        (H::IsTaxable, Value::Boolean(false)),
        (H::OriginIsExternal, Value::Boolean(true)),
    ];
    let constants = constants
        .into_iter()
        .filter_map(|(field, value)| Some((shape.header.get(&field)?.clone(), value)));
    set(
        profile,
        &format!("{section}.constants"),
        constants.collect::<Table>(),
    );
    set(profile, &format!("{section}.words.reversed"), vec![reversed]);
    let columns = [
        ("reference", Column::Reference),
        ("year", Column::Year),
        ("daybook", Column::Daybook),
        ("voucher", Column::Voucher),
        ("document_status", Column::Status),
    ];
    browse(profile, &format!("{section}.look_up"), look_up, &columns);
}

#[test]
fn the_template_fits_the_contracts_own_shape() {
    let template: Table = toml::from_str(&canaries().fill(TEMPLATE)).unwrap();
    let mut made = profile_of(&QadShape::default());
    // The template tolerates a blank where a site says nothing about the use of cost centres.
    set(
        &mut made,
        "masters.accounts.words.cost_centre_optional",
        vec!["OPTIONAL", ""],
    );
    assert_eq!(
        toml::to_string(&made).unwrap(),
        toml::to_string(&template).unwrap()
    );
}
