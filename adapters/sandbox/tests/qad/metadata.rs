//! Contract qad §1.10: the machine-readable contract, and its drift.

use serde_json::{Value, json};
use tieout_sandbox::qad::world::{DocumentKind, MetadataDrift};

use crate::support::{INVOICE, Site};

async fn read(site: &Site, entity: &str) -> Value {
    let view = "urn:be:com.qad.qra.adapter.entity.IEntityBuilderCRUD";
    site.get(
        "/api/qracore/entitymetadatas",
        &[("entityURI", entity), ("viewUri", view)],
    )
    .await
    .json()
}

fn field(metadata: &Value, name: &str) -> Option<Value> {
    let fields = metadata["data"]["entityMetadatas"][0]["entityFields"]
        .as_array()
        .unwrap();
    fields
        .iter()
        .find(|field| field["fieldName"] == json!(name))
        .cloned()
}

#[tokio::test]
async fn it_names_the_path_and_every_field() {
    let site = Site::new().await;
    let metadata = read(&site, INVOICE).await;
    let entity = &metadata["data"]["entityMetadatas"][0];
    assert_eq!(
        (&entity["entityURI"], &entity["entityCode"]),
        (&json!(INVOICE), &json!("SupplierInvoice"))
    );
    assert_eq!(entity["apiUrl"], json!("/api/erp/supplierInvoices"));
    assert_eq!(
        field(&metadata, "reference").unwrap(),
        json!({"fieldName": "reference", "isRequired": false, "dataType": "character", "maxLength": 20})
    );
    assert_eq!(
        field(&metadata, "supplierCode").unwrap()["isRequired"],
        json!(true)
    );
    assert_eq!(
        field(&metadata, "supplierInvoicePostingLines.debitTC").unwrap()["dataType"],
        json!("decimal")
    );
    assert_eq!(
        read(&site, "urn:be:nothing").await,
        json!({"data": {"entityMetadatas": []}})
    );
}

#[tokio::test]
async fn drift_shows() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        let kind = DocumentKind::SupplierInvoice;
        world.metadata_drift = vec![
            MetadataDrift::Missing("reference".into()),
            MetadataDrift::NewlyRequired {
                kind,
                path: "customShort0".into(),
            },
            MetadataDrift::NewlyRequired {
                kind: DocumentKind::JournalEntry,
                path: "customShort1".into(),
            },
            MetadataDrift::Shortened {
                path: "description".into(),
                length: 10,
            },
        ];
    });
    let metadata = read(&site, INVOICE).await;
    assert_eq!(field(&metadata, "reference"), None);
    assert_eq!(
        field(&metadata, "customShort0").unwrap()["isRequired"],
        json!(true)
    );
    assert_eq!(field(&metadata, "customShort1"), None);
    assert_eq!(field(&metadata, "description").unwrap()["maxLength"], json!(10));
}

#[tokio::test]
async fn it_needs_a_developer() {
    let site = Site::new().await;
    site.handle
        .edit(|world| world.users.get_mut("svc").unwrap().developer = false);
    assert_eq!(read(&site, INVOICE).await["errors"][0]["code"], json!("403"));
}
