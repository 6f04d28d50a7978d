//! Installations of QAD that call everything differently: a shape drawn from a seed, and the profile that describes it.
//!
//! Paths, browse ids, columns, field names, nesting, words and formats are invented; nothing of the contract's own
//! examples is left but what is confirmed for every installation.

use std::collections::BTreeMap;

use tieout_sandbox::qad::QadShape;
use tieout_sandbox::qad::shape::{
    BrowseShape, Column, DocumentShape, HeaderField, KeyNames, LineField, MetadataNames, Read, Words,
};
use toml::{Table, Value};

use crate::Dice;

/// Invents names that are never the same twice.
struct Namer {
    dice: Dice,
    given: u32,
}

impl Namer {
    fn name(&mut self) -> String {
        const SYLLABLES: [&str; 12] = [
            "ba", "cor", "dex", "fi", "gul", "ha", "lom", "mi", "ner", "po", "sta", "vu",
        ];
        let syllables = 2 + self.dice.below(2);
        let mut name: String = (0..syllables)
            .map(|_| SYLLABLES[usize::try_from(self.dice.below(12)).expect("small")])
            .collect();
        self.given += 1;
        name.push_str(&self.given.to_string());
        name
    }

    fn coin(&mut self) -> bool {
        self.dice.below(2) == 0
    }

    /// A dotted path of one to three steps.
    fn path(&mut self) -> String {
        let steps: Vec<String> = (0..=self.dice.below(3)).map(|_| self.name()).collect();
        steps.join(".")
    }

    /// A name of its own for each field, each in one of a few groups, or in none.
    fn fields<F: Copy + Ord>(&mut self, fields: impl Iterator<Item = F>) -> BTreeMap<F, String> {
        let groups = [
            String::new(),
            format!("{}.", self.name()),
            format!("{}.{}.", self.name(), self.name()),
        ];
        fields
            .map(|field| {
                let group = groups[usize::try_from(self.dice.below(3)).expect("small")].clone();
                (field, format!("{group}{}", self.name()))
            })
            .collect()
    }

    fn browse(&mut self, browse: &mut BrowseShape) {
        browse.id = format!("urn:browse:{}:{}", self.name(), self.name());
        let table = self.name();
        for key in browse.columns.values_mut() {
            *key = format!("{table}.{}", self.name());
        }
    }

    fn document(&mut self, document: &mut DocumentShape) {
        let entity = self.name();
        document.path = format!("/api/erp/{}/{entity}", self.name());
        document.view_uri = format!("urn:be:com.{}.I{entity}", self.name());
        document.request_root = self.path();
        document.read_root = self.path();
        document.echo_root = self.path();
        document.lines = self.path();
        document.header = self.fields(document.header.keys().copied().collect::<Vec<_>>().into_iter());
        document.line = self.fields(document.line.keys().copied().collect::<Vec<_>>().into_iter());
        document.keys = KeyNames {
            entity: self.name(),
            year: self.name(),
            daybook: self.name(),
            voucher: self.name(),
        };
    }
}

/// The installation of a seed.
pub fn shape(seed: u64) -> QadShape {
    let mut namer = Namer {
        dice: Dice::new(seed),
        given: 0,
    };
    let mut shape = QadShape::default();
    for browse in [
        &mut shape.accounts,
        &mut shape.cost_centres,
        &mut shape.sub_accounts,
        &mut shape.projects,
        &mut shape.suppliers,
        &mut shape.employees,
        &mut shape.daybooks,
        &mut shape.periods,
        &mut shape.invoice_lookup,
        &mut shape.journal_lookup,
    ] {
        namer.browse(browse);
    }
    if namer.coin() {
        shape
            .journal_entry
            .header
            .insert(HeaderField::Currency, String::new());
    }
    namer.document(&mut shape.supplier_invoice);
    namer.document(&mut shape.journal_entry);
    shape.words = Words {
        invoice: namer.name(),
        credit_note: namer.name(),
        standard_account: namer.name(),
        cost_centre_required: namer.name(),
        cost_centre_optional: namer.name(),
        cost_centre_forbidden: namer.name(),
        analysis_none: namer.name(),
        analysis_cost_centre: namer.name(),
        analysis_project: namer.name(),
        analysis_both: namer.name(),
        limitation_none: namer.name(),
        limitation_at_least_one: namer.name(),
        limitation_both: namer.name(),
        limitation_excluding: namer.name(),
        invoice_daybook: namer.name(),
        credit_note_daybook: namer.name(),
        journal_daybook: namer.name(),
        normal_period: namer.name(),
        correction_period: namer.name(),
        year_end_period: namer.name(),
        posted: namer.name(),
        reversed: namer.name(),
    };
    shape.metadata = MetadataNames {
        field_name: namer.path(),
        required: namer.path(),
        data_type: namer.path(),
        max_length: namer.path(),
        ..shape.metadata
    };
    if namer.coin() {
        shape.browse_date_format = "%Y-%m-%d".into();
    }
    if namer.coin() {
        shape.stored_status = 201;
    }
    shape
}

/// Sets a dotted key.
fn set(table: &mut Table, key: &str, value: impl Into<Value>) {
    let (sections, last) = key.rsplit_once('.').unwrap_or(("", key));
    let table = sections
        .split('.')
        .filter(|step| !step.is_empty())
        .fold(table, |table, step| {
            let section = table.entry(step).or_insert_with(|| Value::Table(Table::new()));
            section.as_table_mut().expect("a section")
        });
    table.insert(last.to_owned(), value.into());
}

/// A profile with every name taken from a shape; the rest (canaries, waits) stays as it is.
pub fn profile_of(shape: &QadShape, profile: &str) -> String {
    let mut profile: Table = toml::from_str(profile).expect("a profile");
    masters(&mut profile, shape);
    let words = &shape.words;
    for (key, word) in [
        ("accounts.words.standard", &words.standard_account),
        ("accounts.words.cost_centre_required", &words.cost_centre_required),
        ("accounts.words.cost_centre_optional", &words.cost_centre_optional),
        (
            "accounts.words.cost_centre_forbidden",
            &words.cost_centre_forbidden,
        ),
        ("daybooks.words.supplier_invoices", &words.invoice_daybook),
        ("daybooks.words.credit_notes", &words.credit_note_daybook),
        ("daybooks.words.journals", &words.journal_daybook),
        ("periods.words.normal", &words.normal_period),
    ] {
        set(&mut profile, &format!("masters.{key}"), vec![word.as_str()]);
    }
    for (key, name) in [
        ("field_name", &shape.metadata.field_name),
        ("required", &shape.metadata.required),
        ("data_type", &shape.metadata.data_type),
        ("max_length", &shape.metadata.max_length),
    ] {
        set(&mut profile, &format!("metadata.{key}"), name.as_str());
    }
    for (section, document, look_up) in [
        (
            "documents.supplier_invoice",
            &shape.supplier_invoice,
            Read::InvoiceLookup,
        ),
        ("documents.journal", &shape.journal_entry, Read::JournalLookup),
    ] {
        written(&mut profile, section, document);
        set(
            &mut profile,
            &format!("{section}.words.reversed"),
            vec![words.reversed.as_str()],
        );
        let columns = [
            ("reference", Column::Reference),
            ("year", Column::Year),
            ("daybook", Column::Daybook),
            ("voucher", Column::Voucher),
            ("document_status", Column::Status),
        ];
        read(
            &mut profile,
            &format!("{section}.look_up"),
            shape.browse(look_up),
            &columns,
        );
    }
    set(
        &mut profile,
        "documents.supplier_invoice.words.invoice",
        words.invoice.as_str(),
    );
    set(
        &mut profile,
        "documents.supplier_invoice.words.credit_note",
        words.credit_note.as_str(),
    );
    toml::to_string(&profile).expect("TOML")
}

fn masters(profile: &mut Table, shape: &QadShape) {
    use Column as C;
    let coded = [
        ("code", C::Code),
        ("description", C::Description),
        ("active", C::Active),
    ];
    let accounts = [
        ("type", C::Type),
        ("cost_centre", C::CostCentreUse),
        ("currency", C::Currency),
    ];
    let suppliers = [
        ("code", C::Code),
        ("active", C::Active),
        ("business_relation", C::BusinessRelation),
        ("currency", C::Currency),
    ];
    let employees = [
        ("code", C::Code),
        ("business_relation", C::BusinessRelation),
        ("email", C::Email),
    ];
    let daybooks = [("code", C::Code), ("type", C::Type), ("active", C::Active)];
    let periods = [
        ("year", C::Year),
        ("number", C::Period),
        ("start", C::Start),
        ("end", C::End),
        ("type", C::Type),
        ("status", C::Status),
        ("general_ledger", C::GlAllowed),
        ("purchasing", C::PurchasingAllowed),
    ];
    let all: [(Read, &[(&str, Column)]); 9] = [
        (Read::Accounts, &coded),
        (Read::Accounts, &accounts),
        (Read::CostCentres, &coded),
        (Read::SubAccounts, &coded),
        (Read::Projects, &coded),
        (Read::Suppliers, &suppliers),
        (Read::Employees, &employees),
        (Read::Daybooks, &daybooks),
        (Read::Periods, &periods),
    ];
    for (master, columns) in all {
        read(
            profile,
            &format!("masters.{}", master.name()),
            shape.browse(master),
            columns,
        );
    }
}

fn read(profile: &mut Table, section: &str, browse: &BrowseShape, columns: &[(&str, Column)]) {
    set(profile, &format!("{section}.browse_id"), browse.id.as_str());
    for (name, column) in columns {
        set(
            profile,
            &format!("{section}.columns.{name}"),
            browse.columns[column].as_str(),
        );
    }
}

fn written(profile: &mut Table, section: &str, document: &DocumentShape) {
    use HeaderField as H;
    use LineField as L;
    for (name, value) in [
        ("path", &document.path),
        ("view_uri", &document.view_uri),
        ("entity_uri", &document.view_uri),
        ("request_root", &document.request_root),
        ("response_root", &document.echo_root),
        ("read_root", &document.read_root),
        ("lines", &document.lines),
        ("keys.entity", &document.keys.entity),
        ("keys.year", &document.keys.year),
        ("keys.daybook", &document.keys.daybook),
        ("keys.voucher", &document.keys.voucher),
    ] {
        set(profile, &format!("{section}.{name}"), value.as_str());
    }
    for (name, field) in [
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
    ] {
        if let Some(path) = document.header.get(&field) {
            set(profile, &format!("{section}.header.{name}"), path.as_str());
        }
    }
    for (name, field) in [
        ("sequence", L::Sequence),
        ("account", L::Account),
        ("sub_account", L::SubAccount),
        ("cost_centre", L::CostCentre),
        ("project", L::Project),
        ("debit", L::Debit),
        ("credit", L::Credit),
        ("description", L::Description),
        ("currency", L::Currency),
    ] {
        // Where the document says its currency, its lines need not, unless the installation wants them to.
        let needed =
            document.required_line.contains(&L::Currency) || !document.header.contains_key(&H::Currency);
        if field != L::Currency || needed {
            set(
                profile,
                &format!("{section}.line.{name}"),
                document.line[&field].as_str(),
            );
        }
    }
    let constants: Table = [(H::IsTaxable, false), (H::OriginIsExternal, true)]
        .into_iter()
        .filter_map(|(field, value)| Some((document.header.get(&field)?.clone(), Value::Boolean(value))))
        .collect();
    set(profile, &format!("{section}.constants"), constants);
}
