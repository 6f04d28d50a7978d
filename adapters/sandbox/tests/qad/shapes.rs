//! The same stand-in under other names and another nesting: nothing but the shape decides.

use serde_json::{Value, json};
use tieout_sandbox::qad::shape::{BrowseShape, Column, HeaderField, KeyNames, LineField};
use tieout_sandbox::qad::{QadShape, sample};

use crate::support::Site;

/// Everything nested, everything renamed.
fn nested() -> QadShape {
    let mut shape = QadShape::default();
    let invoice = &mut shape.supplier_invoice;
    invoice.path = "/api/erp/purchasing/apInvoices".into();
    invoice.view_uri = "urn:be:com.acme.IApInvoice".into();
    invoice.request_root = "payload.apInvoices".into();
    invoice.read_root = "apInvoices".into();
    invoice.echo_root = "data.result.apInvoices".into();
    invoice.lines = "allocation.rows".into();
    for (field, path) in &mut invoice.header {
        *path = match field {
            HeaderField::TotalCredit => "header.amounts.credit".into(),
            HeaderField::Supplier => "creditor".into(),
            _ => format!("header.{path}"),
        };
    }
    for (field, path) in &mut invoice.line {
        *path = match field {
            LineField::Account => "coding.gl".into(),
            LineField::CostCentre => "coding.cc".into(),
            _ => format!("x_{path}"),
        };
    }
    invoice.keys = KeyNames {
        voucher: "nr".into(),
        ..KeyNames::default()
    };
    shape.words.invoice = "INV".into();
    shape.entity_date_format = "%Y-%m-%d".into();
    shape.browse_path = "/api/lists".into();
    shape.invoice_lookup = BrowseShape {
        id: "urn:browse:custom:ap-by-ref".into(),
        columns: [
            (Column::Reference, "CInvoice.Ref".into()),
            (Column::Voucher, "CInvoice.Nr".into()),
        ]
        .into(),
    };
    shape
}

fn document() -> Value {
    json!({"dataOperation": "C", "creditor": "EMP-E1001",
        "header": {"invoiceType": "INV", "reference": "R1", "daybookCode": "SINV", "currencyCode": "USD",
            "invoiceDate": "2024-05-31", "amounts": {"credit": 12.5}},
        "allocation": {"rows": [{"coding": {"gl": "6410", "cc": "1200"}, "x_debitTC": 12.5}]}})
}

#[tokio::test]
async fn a_nested_installation_stores_echoes_and_reads_back() {
    let site = Site::of(nested(), sample::world()).await;
    let path = "/api/erp/purchasing/apInvoices";
    let view = ("viewUri", "urn:be:com.acme.IApInvoice");
    let answer = site
        .post(path, &[view], &json!({"payload": {"apInvoices": [document()]}}))
        .await;
    answer.stored();
    let echo = &answer.json()["data"]["result"]["apInvoices"][0];
    assert_eq!(
        echo["header"],
        json!({"voucher": 1, "postingYear": 2024, "daybookCode": "SINV"})
    );

    let query = [
        view,
        ("entityCode", "10USACO"),
        ("postingYear", "2024"),
        ("daybookCode", "SINV"),
        ("nr", "1"),
    ];
    let read = site.get(path, &query).await.json();
    let read = &read["apInvoices"][0];
    assert_eq!(
        (&read["creditor"], &read["header"]["invoiceDate"]),
        (&json!("EMP-E1001"), &json!("2024-05-31"))
    );
    assert_eq!(read["header"]["amounts"]["credit"].to_string(), "12.50");
    assert_eq!(
        read["allocation"]["rows"][0]["coding"],
        json!({"gl": "6410", "cc": "1200"})
    );

    let query = [
        ("browseId", "urn:browse:custom:ap-by-ref"),
        ("page", "1"),
        ("pageAction", "first"),
        ("filter", "CInvoice.Ref,eq,r1,literal"),
    ];
    let found = site.get("/api/lists", &query).await.rows();
    assert_eq!(found, [json!({"CInvoice.Ref": "R1", "CInvoice.Nr": 1})]);
}

#[tokio::test]
async fn the_contracts_own_names_mean_nothing_there() {
    let site = Site::of(nested(), sample::world()).await;
    assert_eq!(site.get("/api/erp/supplierInvoices", &[]).await.status, 404);
    let flat = json!({"dataOperation": "C", "supplierCode": "EMP-E1001", "reference": "R1"});
    let body = json!({"payload": {"apInvoices": [flat]}});
    let view = [("viewUri", "urn:be:com.acme.IApInvoice")];
    let answer = site.post("/api/erp/purchasing/apInvoices", &view, &body).await;
    assert_eq!(
        answer.json()["submitResult"]["errors"][0]["fieldName"],
        json!("Creditor")
    );
}

#[tokio::test]
async fn metadata_tells_the_names_of_the_shape() {
    let site = Site::of(nested(), sample::world()).await;
    let view = "urn:be:com.qad.qra.adapter.entity.IEntityBuilderCRUD";
    let query = [("entityURI", "urn:be:com.acme.IApInvoice"), ("viewUri", view)];
    let metadata = site.get("/api/qracore/entitymetadatas", &query).await.json();
    let entity = &metadata["data"]["entityMetadatas"][0];
    assert_eq!(entity["apiUrl"], json!("/api/erp/purchasing/apInvoices"));
    let names: Vec<_> = entity["entityFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["fieldName"])
        .collect();
    assert!(
        names.contains(&&json!("allocation.rows.coding.gl")) && names.contains(&&json!("header.reference"))
    );
}

/// Flat, QDoc-like names; what is not listed does not exist.
fn flat() -> QadShape {
    let mut shape = QadShape::default();
    let journal = &mut shape.journal_entry;
    journal.request_root = "tPosting".into();
    journal.echo_root = "tPosting".into();
    journal.read_root = "tPosting".into();
    journal.lines = "tPostingLine".into();
    journal
        .header
        .insert(HeaderField::Reference, "PostingOriginReference".into());
    journal.header.remove(&HeaderField::OriginIsExternal);
    journal.line.insert(LineField::Debit, "PostingLineDebitTC".into());
    journal
        .line
        .insert(LineField::Credit, "PostingLineCreditTC".into());
    shape
}

#[tokio::test]
async fn a_field_that_the_installation_does_not_have_is_ignored_like_any_unknown_key() {
    let site = Site::of(flat(), sample::world()).await;
    let document = json!({"dataOperation": "C", "daybookCode": "EXPJE", "postingDate": "2024-05-31",
        "PostingOriginReference": "J1", "originIsExternal": true, "tPostingLine": [
            {"glAccountCode": "6410", "costCenterCode": "1200", "currencyCode": "USD", "PostingLineDebitTC": 1},
            {"glAccountCode": "2150", "currencyCode": "USD", "PostingLineCreditTC": 1}]});
    let view = [("viewUri", crate::support::JOURNAL)];
    site.post("/api/erp/journalEntries", &view, &json!({"tPosting": [document]}))
        .await
        .stored();
    let stored = &site.documents()[0];
    assert_eq!(
        (stored.reference.as_str(), stored.origin_is_external),
        ("J1", false)
    );
}

#[tokio::test]
async fn an_installation_may_tell_the_outcome_of_a_write_by_status_too() {
    let shape = QadShape {
        stored_status: 201,
        refused_status: 422,
        ..QadShape::default()
    };
    let site = Site::of(shape, sample::world()).await;
    let stored = site.invoice(crate::support::example_invoice()).await;
    stored.stored();
    assert_eq!(stored.status, 201);
    let refused = site.invoice(json!({"dataOperation": "X"})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.codes()),
        (422, vec!["SIM-OPERATION".to_owned()])
    );
}

#[tokio::test]
async fn a_document_of_twenty_megabytes_is_taken() {
    let site = Site::new().await;
    let line = crate::support::example_invoice()["supplierInvoicePostingLines"][1].clone();
    let line = crate::support::with(
        json!({"line": line}),
        "/line/description",
        json!("x".repeat(10_000)),
    )["line"]
        .clone();
    let lines = vec![line; 2_000];
    let sent = crate::support::with(
        crate::support::example_invoice(),
        "/supplierInvoicePostingLines",
        json!(lines),
    );
    let sent = crate::support::with(sent, "/originalCreditTC", json!(65_000));
    site.invoice(sent).await.stored();
    let read = site.read_invoice("1").await;
    assert!(read.text.len() > 20_000_000);
}
