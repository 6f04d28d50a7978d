//! The supplier entity `supplierV2s`. Its names are confirmed (contract qad §1.7), so they stand in code.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{given, invalid_uri};
use crate::qad::envelope::{Problem, Reply};
use crate::qad::world::{Supplier, Workspace, same};

/// The last step of the path.
pub(in crate::qad) const PLURAL: &str = "supplierV2s";
const VIEW: &str = "urn:be:com.qad.base.supplier.ISupplierV2";

fn hash(supplier: &Supplier) -> String {
    format!("{}-{}", supplier.code, supplier.changes)
}

fn shown(supplier: &Supplier) -> Value {
    json!({
        "uri": format!("{VIEW}:{}.{}", supplier.shared_set, supplier.code),
        "supplierCode": supplier.code,
        "sharedSetCode": supplier.shared_set,
        "isActive": supplier.active,
        "currencyCode": supplier.currency,
        "creditTermsCode": supplier.credit_terms,
        "invoiceStatusCode": supplier.invoice_status,
        "businessRelationCode": supplier.business_relation,
        "businessRelationName": supplier.name,
        "concurrencyHash": hash(supplier),
    })
}

/// Answers a GET of one supplier.
pub(in crate::qad) fn get(workspace: &Workspace, query: &[(String, String)]) -> Reply {
    let (Some(VIEW), Some(set), Some(code)) = (
        given(query, "viewUri"),
        given(query, "sharedSetCode"),
        given(query, "supplierCode"),
    ) else {
        return invalid_uri();
    };
    let found = workspace
        .suppliers
        .get(code)
        .filter(|supplier| same(&supplier.shared_set, set))
        .map(shown);
    Reply::ok(json!({"data": {PLURAL: found.into_iter().collect::<Vec<_>>()}}))
}

/// Answers a POST: each entry is created or updated, in turn, until one is refused.
pub(in crate::qad) fn post(workspace: &mut Workspace, query: &[(String, String)], body: &[u8]) -> Reply {
    if given(query, "viewUri") != Some(VIEW) {
        return invalid_uri();
    }
    let sent: Option<Value> = serde_json::from_slice(body).ok();
    let Some(entries) = sent
        .as_ref()
        .and_then(|sent| sent.get(PLURAL))
        .and_then(Value::as_array)
    else {
        return Reply::bare(
            StatusCode::BAD_REQUEST,
            &format!("The body has no list {PLURAL}."),
        );
    };
    let mut echo = Vec::with_capacity(entries.len());
    for entry in entries {
        match apply(workspace, entry) {
            Ok(supplier) => echo.push(shown(&supplier)),
            Err(problem) => return Reply::refused(&[problem]),
        }
    }
    Reply::submitted(PLURAL, echo)
}

fn apply(workspace: &mut Workspace, entry: &Value) -> Result<Supplier, Problem> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let code = text("supplierCode").unwrap_or_default();
    if code.trim().is_empty() {
        return Err(Problem::error("supplierCode", "", "47", "Field is mandatory."));
    }
    let mut supplier = match (text("dataOperation"), workspace.suppliers.get(code)) {
        (Some("C"), None) => Supplier::new(code, "", ""),
        (Some("C"), Some(_)) => {
            return Err(Problem::error(
                "supplierCode",
                code,
                "SIM-EXISTS",
                "Supplier already exists.",
            ));
        }
        (Some("U"), Some(known)) if text("concurrencyHash") == Some(&hash(known)) => Supplier {
            changes: known.changes + 1,
            ..known.clone()
        },
        (Some("U"), Some(_)) => {
            let sent = text("concurrencyHash").unwrap_or_default();
            let message = "The record was changed by someone else; read it again.";
            return Err(Problem::error(
                "concurrencyHash",
                sent,
                "SIM-CONCURRENCY",
                message,
            ));
        }
        (Some("U"), None) => {
            return Err(Problem::error(
                "supplierCode",
                code,
                "SIM-UNKNOWN",
                "The supplier does not exist.",
            ));
        }
        (other, _) => {
            let message = "The data operation must be C or U.";
            return Err(Problem::error(
                "dataOperation",
                other.unwrap_or_default(),
                "SIM-OPERATION",
                message,
            ));
        }
    };
    let set = |place: &mut String, name: &str| {
        if let Some(sent) = text(name) {
            sent.clone_into(place);
        }
    };
    set(&mut supplier.shared_set, "sharedSetCode");
    set(&mut supplier.currency, "currencyCode");
    set(&mut supplier.credit_terms, "creditTermsCode");
    set(&mut supplier.invoice_status, "invoiceStatusCode");
    set(&mut supplier.business_relation, "businessRelationCode");
    set(&mut supplier.name, "businessRelationName");
    supplier.active = entry
        .get("isActive")
        .and_then(Value::as_bool)
        .unwrap_or(supplier.active);
    workspace.suppliers.add(supplier.clone());
    Ok(supplier)
}
