//! Contract qad §1.7, §7.5, §7.9: the supplier entity, whose names are confirmed.

use serde_json::{Value, json};

use crate::support::{Answer, Site};

const VIEW: &str = "urn:be:com.qad.base.supplier.ISupplierV2";

async fn read(site: &Site, code: &str) -> Value {
    let query = [
        ("viewUri", VIEW),
        ("sharedSetCode", "10-SUP"),
        ("supplierCode", code),
    ];
    site.get("/api/erp/supplierV2s", &query).await.json()
}

async fn write(site: &Site, supplier: Value) -> Answer {
    site.post(
        "/api/erp/supplierV2s",
        &[("viewUri", VIEW)],
        &json!({"supplierV2s": [supplier]}),
    )
    .await
}

#[tokio::test]
async fn a_supplier_reads_as_the_contract_shows() {
    let site = Site::new().await;
    let answer = read(&site, "EMP-E1001").await;
    let supplier = &answer["data"]["supplierV2s"][0];
    let golden = json!({"uri": format!("{VIEW}:10-SUP.EMP-E1001"), "supplierCode": "EMP-E1001",
        "sharedSetCode": "10-SUP", "isActive": true, "currencyCode": "USD", "creditTermsCode": "30D",
        "invoiceStatusCode": "AP-INITIAL", "businessRelationCode": "BR-E1001"});
    for (name, value) in golden.as_object().unwrap() {
        assert_eq!(&supplier[name], value, "{name}");
    }
    assert!(supplier["concurrencyHash"].is_string());
    assert_eq!(read(&site, "NOBODY").await, json!({"data": {"supplierV2s": []}}));
}

#[tokio::test]
async fn an_existing_key_is_refused_and_a_new_one_created() {
    let site = Site::new().await;
    let exists = write(&site, json!({"dataOperation": "C", "supplierCode": "emp-e1001"}))
        .await
        .json();
    assert_eq!(
        exists["submitResult"]["errors"][0]["message"],
        json!("Supplier already exists.")
    );
    let new = json!({"dataOperation": "C", "supplierCode": "EMP-E2000", "sharedSetCode": "10-SUP", "currencyCode": "EUR"});
    write(&site, new).await.stored();
    assert_eq!(
        read(&site, "EMP-E2000").await["data"]["supplierV2s"][0]["currencyCode"],
        json!("EUR")
    );
    let blank = write(&site, json!({"dataOperation": "C", "supplierCode": ""}))
        .await
        .json();
    assert_eq!(
        blank["submitResult"],
        json!({"success": false, "errorSeverity": 1, "errors": [{"fieldName": "SupplierCode",
            "message": "Field is mandatory.", "fieldValue": "", "code": "47", "severity": 1}]})
    );
}

#[tokio::test]
async fn an_update_with_an_old_hash_fails() {
    let site = Site::new().await;
    let mut supplier = read(&site, "EMP-E1001").await["data"]["supplierV2s"][0].clone();
    supplier["dataOperation"] = json!("U");
    supplier["isActive"] = json!(false);
    write(&site, supplier.clone()).await.stored();
    assert_eq!(
        read(&site, "EMP-E1001").await["data"]["supplierV2s"][0]["isActive"],
        json!(false)
    );
    assert_eq!(write(&site, supplier).await.codes(), ["SIM-CONCURRENCY"]);
}
