//! Installations that call everything differently: other paths, columns, field names, words and nesting.

use tieout_domain::ports::{Ledger, LookUp};
use tieout_domain::posting::differences;
use tieout_sandbox::qad::QadShape;
use tieout_sandbox::qad::shape::{BrowseShape, DocumentShape, HeaderField, LineField, Words};

use crate::documents::{credit_note, invoice, journal, report};
use crate::stand_in::StandIn;
use crate::writes::posted;

fn each_browse(shape: &mut QadShape, change: impl Fn(&mut BrowseShape)) {
    let QadShape {
        accounts,
        cost_centres,
        sub_accounts,
        projects,
        suppliers,
        employees,
        daybooks,
        periods,
        ..
    } = shape;
    [
        accounts,
        cost_centres,
        sub_accounts,
        projects,
        suppliers,
        employees,
        daybooks,
        periods,
    ]
    .into_iter()
    .for_each(&change);
    change(&mut shape.invoice_lookup);
    change(&mut shape.journal_lookup);
}

fn other_words() -> Words {
    Words {
        invoice: "Factura".into(),
        credit_note: "NotaCredito".into(),
        standard_account: "STD".into(),
        cost_centre_required: "At Least One".into(),
        cost_centre_optional: "None needed".into(),
        cost_centre_forbidden: "Excluded".into(),
        analysis_none: "No".into(),
        analysis_cost_centre: "CC".into(),
        analysis_project: "PRJ".into(),
        analysis_both: "CC+PRJ".into(),
        limitation_none: "free".into(),
        limitation_at_least_one: "one or more".into(),
        limitation_both: "two".into(),
        limitation_excluding: "either".into(),
        invoice_daybook: "SI".into(),
        credit_note_daybook: "SC".into(),
        journal_daybook: "JE".into(),
        normal_period: "N".into(),
        correction_period: "C".into(),
        year_end_period: "Y".into(),
        posted: "P".into(),
        reversed: "CANCELLED".into(),
    }
}

/// Everything renamed, dates plain in browses.
fn renamed() -> QadShape {
    let mut shape = QadShape {
        words: other_words(),
        browse_date_format: "%Y-%m-%d".into(),
        ..QadShape::default()
    };
    each_browse(&mut shape, |browse| {
        browse.id = format!("{}-site", browse.id.replace("mfg", "custom"));
        browse
            .columns
            .values_mut()
            .for_each(|key| *key = format!("x.{}", key.replace('.', "_")));
    });
    for (document, name) in [
        (&mut shape.supplier_invoice, "apVouchers"),
        (&mut shape.journal_entry, "glVouchers"),
    ] {
        document.path = format!("/api/erp/financials/{name}");
        document.view_uri = format!("urn:be:com.site.{name}.IVoucher");
        document.request_root = name.to_owned();
        document.read_root = format!("data.{name}");
        document.echo_root = name.to_owned();
        document.lines = "rows".into();
        document
            .header
            .values_mut()
            .for_each(|path| *path = format!("h_{path}"));
        document
            .line
            .values_mut()
            .for_each(|path| *path = format!("l_{path}"));
        document.keys.year = "y".into();
        document.keys.daybook = "db".into();
        document.keys.voucher = "v".into();
    }
    shape
}

fn nest(document: &mut DocumentShape) {
    document.request_root = "payload.documents".into();
    document.read_root = "result.documents".into();
    document.echo_root = "result.created".into();
    document.lines = "body.rows".into();
    for (field, path) in &mut document.header {
        let group = match field {
            HeaderField::PostingDate | HeaderField::InvoiceDate | HeaderField::DueDate => "header.dates",
            HeaderField::TotalCredit | HeaderField::TotalDebit => "header.totals",
            _ => "header",
        };
        *path = format!("{group}.{path}");
    }
    for (field, path) in &mut document.line {
        let group = match field {
            LineField::Debit | LineField::Credit => "amounts.tc",
            LineField::Account | LineField::SubAccount | LineField::CostCentre | LineField::Project => {
                "coding"
            }
            _ => "own",
        };
        *path = format!("{group}.{path}");
    }
}

/// Everything nested; journals with a currency of their own, and lists at the top of answers.
fn nested() -> QadShape {
    let mut shape = QadShape::default();
    nest(&mut shape.supplier_invoice);
    nest(&mut shape.journal_entry);
    shape
        .journal_entry
        .header
        .insert(HeaderField::Currency, "header.money.currency".into());
    shape.journal_entry.read_root = "entries".into();
    shape.metadata.field_name = "name".into();
    shape.metadata.required = "flags.mandatory".into();
    shape
}

async fn ties_out(shape: QadShape) {
    let stand_in = StandIn::with(shape, |_| {}).await;
    assert_eq!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Absent);
    for document in [invoice(), credit_note(), journal()] {
        let key = posted(&stand_in, &document).await;
        let held = stand_in.client.read_back(document.reference, &key).await.unwrap();
        assert_eq!(differences(&document, &held), [], "{}", document.kind());
    }
    assert!(
        matches!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Found(seen) if seen.len() == 3)
    );
    let bad: Vec<_> = stand_in
        .client
        .check()
        .await
        .into_iter()
        .filter(|check| !check.ok)
        .collect();
    assert_eq!(bad, []);
}

#[tokio::test]
async fn the_contracts_own_names() {
    ties_out(QadShape::default()).await;
}

#[tokio::test]
async fn other_names_and_words() {
    ties_out(renamed()).await;
}

#[tokio::test]
async fn other_nesting() {
    ties_out(nested()).await;
}
