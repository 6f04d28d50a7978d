//! Request bodies under the default profile, byte for byte. `TIEOUT_BLESS=1` writes them anew; read the difference.

use std::path::Path;

use tieout_domain::ports::{Ledger, PostAnswer};
use tieout_domain::posting::Document;

use crate::canned::{Canned, TOKEN};
use crate::documents::{credit_note, invoice, journal};

async fn body_of(document: &Document) -> (String, String) {
    let server = Canned::start([(200, TOKEN), (200, "{}")]).await;
    assert!(matches!(
        server.client().post(document).await,
        PostAnswer::Unknown { .. }
    ));
    let sent = server.received().pop().unwrap();
    assert_eq!(
        (sent.method.as_str(), sent.header("content-type")),
        ("POST", "application/json")
    );
    (format!("{}?{}", sent.path, sent.query), sent.body)
}

async fn check(document: &Document, name: &str, target: &str) {
    let (sent_to, body) = body_of(document).await;
    assert_eq!(sent_to, target);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("TIEOUT_BLESS").is_some() {
        std::fs::write(&path, &body).unwrap();
    }
    assert_eq!(body, std::fs::read_to_string(&path).unwrap(), "{name}");
}

#[tokio::test]
async fn a_supplier_invoice() {
    let target = "/clouderp/api/erp/supplierInvoices?viewUri=urn%3Abe%3Acom.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice";
    check(&invoice(), "supplier-invoice.json", target).await;
}

#[tokio::test]
async fn a_credit_note() {
    let target = "/clouderp/api/erp/supplierInvoices?viewUri=urn%3Abe%3Acom.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice";
    check(&credit_note(), "credit-note.json", target).await;
}

#[tokio::test]
async fn a_journal_entry() {
    let target = "/clouderp/api/erp/journalEntries?viewUri=urn%3Abe%3Acom.qad.financials.generalledger.journalentry.IJournalEntry";
    check(&journal(), "journal-entry.json", target).await;
}
