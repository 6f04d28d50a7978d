//! Contract qad §1.7, §1.8, §3, §7.6, §7.7: documents created, read back, updated, duplicated.

use serde_json::{Value, json};
use tieout_sandbox::qad::world::{DocumentKey, DuplicateReference, InvoiceType};

use crate::support::{INVOICE, JOURNAL, Site, WORKSPACE, example_invoice, example_journal, with};

const WARNING: &str = "The reference already exists on another invoice for this supplier";

#[tokio::test]
async fn the_invoice_of_the_contract_is_answered_as_the_contract_shows() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        world
            .workspace_mut(WORKSPACE)
            .unwrap()
            .ledger
            .number_after(2024, "SINV", 440)
    });
    let answer = site.invoice(example_invoice()).await;
    assert_eq!(
        answer.json(),
        json!({"submitResult": {"success": true, "errorSeverity": 0, "errors": []},
               "supplierInvoices": [{"uri": format!("{INVOICE}:2024.SINV.000000441"), "voucher": 441,
                                     "postingYear": 2024, "daybookCode": "SINV"}]})
    );
}

#[tokio::test]
async fn what_was_sent_reads_back_to_the_letter() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    let read = site.read_invoice("1").await.json();
    let document = &read["data"]["supplierInvoices"][0];
    let sent = example_invoice();
    for (name, value) in sent.as_object().unwrap() {
        let not_stored = [
            "uri",
            "dataOperation",
            "concurrencyHash",
            "changeStatus",
            "supplierInvoicePostingLines",
        ];
        if !not_stored.contains(&name.as_str()) {
            assert_eq!(&document[name], value, "{name}");
        }
    }
    assert_eq!(document["uri"], json!(format!("{INVOICE}:2024.SINV.000000001")));
    let golden: Value = serde_json::from_str(
        r#"[{"sequence":1,"glAccountCode":"6410","costCenterCode":"1200","subAccountCode":"","projectCode":"",
             "currencyCode":"USD","debitTC":180.00,"creditTC":0.00,"description":"Flight"},
            {"sequence":2,"glAccountCode":"6420","costCenterCode":"1200","subAccountCode":"","projectCode":"",
             "currencyCode":"USD","debitTC":32.50,"creditTC":0.00,"description":"Taxi"}]"#,
    )
    .unwrap();
    assert_eq!(document["supplierInvoicePostingLines"], golden);
}

#[tokio::test]
async fn the_journal_of_the_contract_is_stored_and_reads_back() {
    let site = Site::new().await;
    let answer = site.journal(example_journal()).await;
    answer.stored();
    assert_eq!(
        answer.json()["journalEntries"][0]["uri"],
        json!(format!("{JOURNAL}:2024.EXPJE.000000001"))
    );
    let query = [
        ("viewUri", JOURNAL),
        ("entityCode", "10USACO"),
        ("postingYear", "2024"),
        ("daybookCode", "EXPJE"),
        ("voucher", "1"),
    ];
    let read = site.get("/api/erp/journalEntries", &query).await.json();
    let document = &read["data"]["journalEntries"][0];
    assert_eq!(document["originReference"], json!("EXP-R00AbC12"));
    assert_eq!(document["journalEntryLines"][1]["creditTC"].to_string(), "212.50");
    assert_eq!(document["originIsExternal"], json!(true));
}

#[tokio::test]
async fn hostile_text_is_stored_unharmed() {
    let site = Site::new().await;
    let text = "\"quotes\" \\ back\nline 😀 مرحبا </script> ${7*7} <#list &amp; ".repeat(200);
    let sent = with(
        example_invoice(),
        "/supplierInvoicePostingLines/0/description",
        json!(text),
    );
    site.invoice(sent).await.stored();
    let read = site.read_invoice("1").await.json();
    let line = &read["data"]["supplierInvoices"][0]["supplierInvoicePostingLines"][0];
    assert_eq!(line["description"], json!(text));
}

#[tokio::test]
async fn unknown_keys_are_ignored_without_a_word() {
    let site = Site::new().await;
    let sent = with(example_invoice(), "/costCentreCode", json!("1200"));
    site.invoice(sent).await.stored();
    assert!(
        site.read_invoice("1").await.json()["data"]["supplierInvoices"][0]
            .get("costCentreCode")
            .is_none()
    );
    assert!(
        site.documents()[0].sent.contains("costCentreCode"),
        "kept for the record"
    );
}

#[tokio::test]
async fn a_document_that_does_not_exist_is_an_empty_list() {
    let site = Site::new().await;
    let answer = site.read_invoice("7").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({"data": {"supplierInvoices": []}}))
    );
}

#[tokio::test]
async fn a_wrong_view_or_a_missing_key_is_an_invalid_uri() {
    let site = Site::new().await;
    let body = json!({"supplierInvoices": [example_invoice()]});
    for query in [vec![], vec![("viewUri", JOURNAL)]] {
        let answer = site.post("/api/erp/supplierInvoices", &query, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (400, json!({"errors": ["Invalid URI"]}))
        );
    }
    let answer = site
        .get(
            "/api/erp/supplierInvoices",
            &[("viewUri", INVOICE), ("voucher", "1")],
        )
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(site.get("/api/erp/nothingHere", &[]).await.status, 404);
    assert!(site.documents().is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_json_or_has_no_list_is_told_in_the_bare_form() {
    let site = Site::new().await;
    let query = [("viewUri", INVOICE)];
    let answer = site
        .post(
            "/api/erp/supplierInvoices",
            &query,
            &json!({"supplierInvoice": []}),
        )
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["errors"][0].is_string());
}

#[tokio::test]
async fn documents_of_one_request_are_stored_together_or_not_at_all() {
    let site = Site::new().await;
    let bad = with(
        with(example_invoice(), "/reference", json!("BAD")),
        "/supplierCode",
        json!("NOBODY"),
    );
    let body = json!({"supplierInvoices": [example_invoice(), bad]});
    let answer = site
        .post("/api/erp/supplierInvoices", &[("viewUri", INVOICE)], &body)
        .await;
    assert_eq!(answer.codes(), ["SIM-SUPPLIER"]);
    assert!(site.documents().is_empty());
}

#[tokio::test]
async fn the_data_operation_decides() {
    let site = Site::new().await;
    site.invoice(with(example_invoice(), "/dataOperation", json!("")))
        .await
        .stored();
    assert!(site.documents().is_empty(), "unchanged means nothing to do");
    for operation in [json!("D"), Value::Null] {
        let answer = site
            .invoice(with(example_invoice(), "/dataOperation", operation))
            .await;
        assert_eq!(answer.codes(), ["SIM-OPERATION"]);
    }
}

#[tokio::test]
async fn a_replay_makes_a_second_document_and_a_warning() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    let again = site
        .invoice(with(example_invoice(), "/reference", json!("exp-r00ABC12")))
        .await;
    again.stored();
    assert_eq!(
        again.json()["supplementaryMessages"],
        json!([{"severity": "warning", "message": WARNING}])
    );
    assert_eq!(again.json()["supplierInvoices"][0]["voucher"], json!(2));
    assert_eq!(site.documents().len(), 2);
}

#[tokio::test]
async fn a_duplicate_is_one_of_the_same_supplier_and_type_only() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    let lines = json!([{"glAccountCode": "6410", "costCenterCode": "1200", "debitTC": 500}]);
    let other = with(
        with(example_invoice(), "/supplierCode", json!("EMP-E1002")),
        "/currencyCode",
        json!("JPY"),
    );
    let other = with(
        with(other, "/originalCreditTC", json!(500)),
        "/supplierInvoicePostingLines",
        lines,
    );
    let answer = site.invoice(other).await;
    answer.stored();
    assert!(answer.json().get("supplementaryMessages").is_none());
    let journal = site.journal(example_journal()).await;
    journal.stored();
    let replay = site.journal(example_journal()).await;
    replay.stored();
    assert!(
        replay.json().get("supplementaryMessages").is_none(),
        "journals are not checked"
    );
}

#[tokio::test]
async fn the_switch_makes_a_duplicate_a_refusal() {
    let site = Site::new().await;
    site.handle
        .edit(|world| world.duplicates = DuplicateReference::Refused);
    site.invoice(example_invoice()).await.stored();
    assert_eq!(site.invoice(example_invoice()).await.codes(), ["SIM-DUPLICATE"]);
    assert_eq!(site.documents().len(), 1);
}

#[tokio::test]
async fn the_other_switch_stores_it_and_calls_it_a_failure() {
    let site = Site::new().await;
    site.handle
        .edit(|world| world.duplicates = DuplicateReference::StoredAsFailure);
    site.invoice(example_invoice()).await.stored();
    let answer = site.invoice(example_invoice()).await.json();
    assert_eq!(
        answer,
        json!({"submitResult": {"success": false, "errorSeverity": 2, "errors": [{
            "fieldName": "Reference", "message": WARNING, "fieldValue": "EXP-R00AbC12", "code": "SIM-DUPLICATE",
            "severity": 2}]}})
    );
    assert_eq!(site.documents().len(), 2);
}

#[tokio::test]
async fn an_invoice_takes_its_suppliers_terms_when_none_are_sent() {
    let site = Site::new().await;
    let sent = with(
        with(example_invoice(), "/creditTermsCode", Value::Null),
        "/invoiceStatusCode",
        Value::Null,
    );
    site.invoice(with(sent, "/supplierCode", json!("emp-e1001")))
        .await
        .stored();
    let stored = &site.documents()[0];
    assert_eq!(
        (stored.credit_terms.as_str(), stored.status_code.as_str()),
        ("30D", "AP-INITIAL")
    );
    assert_eq!(stored.supplier, "EMP-E1001", "as the master spells it");
    assert_eq!(stored.invoice_type, Some(InvoiceType::Invoice));
}

async fn update(site: &Site, document: Value) -> crate::support::Answer {
    let query = [
        ("viewUri", INVOICE),
        ("entityCode", "10USACO"),
        ("postingYear", "2024"),
        ("daybookCode", "SINV"),
        ("voucher", "1"),
    ];
    site.post(
        "/api/erp/supplierInvoices",
        &query,
        &json!({"supplierInvoices": [document]}),
    )
    .await
}

#[tokio::test]
async fn an_update_needs_the_hash_of_what_it_read() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    let read = site.read_invoice("1").await.json()["data"]["supplierInvoices"][0].clone();
    let change = with(
        with(read, "/dataOperation", json!("U")),
        "/description",
        json!("better"),
    );
    update(&site, change.clone()).await.stored();
    assert_eq!(site.documents()[0].description, "better");
    assert_eq!(update(&site, change).await.codes(), ["SIM-CONCURRENCY"]);
    let gone = DocumentKey {
        year: 2024,
        daybook: "SINV".into(),
        voucher: 1,
    };
    site.handle
        .edit(|world| world.workspace_mut(WORKSPACE).unwrap().ledger.remove(&gone));
    assert_eq!(
        update(&site, json!({"dataOperation": "U"})).await.codes(),
        ["SIM-UNKNOWN"]
    );
}
