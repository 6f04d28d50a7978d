//! A request, taken apart: which operation it names, and what came with it.

use axum::body::to_bytes;
use axum::extract::{Query, Request as HttpRequest};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use bytes::Bytes;

use crate::qad::entity::{given, supplier};
use crate::qad::envelope::Reply;
use crate::qad::shape::QadShape;
use crate::qad::world::DocumentKind;

/// A report of 20 MB becomes a document of about that size; a body beyond this is refused with 413.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Token,
    Login,
    Metadata,
    /// With the browse id.
    Browse(String),
    Get(DocumentKind),
    Post(DocumentKind),
    GetSupplier,
    PostSupplier,
    Unknown,
}

impl Operation {
    fn of(shape: &QadShape, method: &Method, path: &str, query: &[(String, String)]) -> Self {
        let get = method == Method::GET;
        let post = method == Method::POST;
        if post && path == "/oauth/token" {
            return Self::Token;
        }
        if post && path == "/api/login" {
            return Self::Login;
        }
        if get && path == shape.metadata_path {
            return Self::Metadata;
        }
        if get && path == shape.browse_path {
            return Self::Browse(given(query, "browseId").unwrap_or_default().to_owned());
        }
        let documents = [
            (&shape.supplier_invoice.path, DocumentKind::SupplierInvoice),
            (&shape.journal_entry.path, DocumentKind::JournalEntry),
        ];
        if let Some((_, kind)) = documents.into_iter().find(|(own, _)| *own == path) {
            return match () {
                () if get => Self::Get(kind),
                () if post => Self::Post(kind),
                () => Self::Unknown,
            };
        }
        let is_supplier = path
            .strip_prefix(shape.entity_path.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        match is_supplier {
            Some(supplier::PLURAL) if get => Self::GetSupplier,
            Some(supplier::PLURAL) if post => Self::PostSupplier,
            _ => Self::Unknown,
        }
    }

    /// Its names in fault rules; the first is the one it is recorded under.
    pub(super) fn names(&self, shape: &QadShape) -> Vec<String> {
        match self {
            Self::Token => vec!["token".into()],
            Self::Login => vec!["login".into()],
            Self::Metadata => vec!["metadata".into()],
            Self::Browse(id) => {
                let read = shape.read_named(id).map(|read| format!("browse:{}", read.name()));
                read.into_iter().chain([format!("browse:{id}")]).collect()
            }
            Self::Get(kind) => vec![format!("get:{}", kind.name())],
            Self::Post(kind) => vec![format!("post:{}", kind.name())],
            Self::GetSupplier => vec!["get:supplier".into()],
            Self::PostSupplier => vec!["post:supplier".into()],
            Self::Unknown => vec!["unknown".into()],
        }
    }
}

/// A request that was read whole.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) operation: Operation,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// Reads the body and finds the operation below the context root.
    pub(super) async fn read(context: &str, shape: &QadShape, http: HttpRequest) -> Result<Self, Reply> {
        let (parts, body) = http.into_parts();
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            return Err(Reply::bare(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large or was cut off.",
            ));
        };
        let query = pairs(&parts.uri);
        let operation = match parts.uri.path().strip_prefix(context) {
            Some(path) => Operation::of(shape, &parts.method, path, &query),
            None => Operation::Unknown,
        };
        Ok(Self {
            operation,
            query,
            headers: parts.headers,
            body,
        })
    }

    /// The parameters of the token endpoint: of the body, then of the query (contract qad §1.4: both were seen).
    pub(super) fn form(&self) -> Vec<(String, String)> {
        form_pairs(&self.body)
            .into_iter()
            .chain(self.query.iter().cloned())
            .collect()
    }

    /// Who a login names; for the record of calls, nothing else.
    pub(super) fn named_user(&self) -> String {
        match self.operation {
            Operation::Token => given(&self.form(), "username").unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    }
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(uri)
        .map(|Query(pairs)| pairs)
        .unwrap_or_default()
}

/// A form body is a query without its question mark; one that is not even that holds no parameters.
fn form_pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    format!("/?{text}")
        .parse::<Uri>()
        .map(|uri| pairs(&uri))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: Method, path: &str) -> Operation {
        Operation::of(
            &QadShape::default(),
            &method,
            path,
            &[("browseId".into(), "urn:browse:mfg:gp309".into())],
        )
    }

    #[test]
    fn paths_name_operations_and_methods_tell_them_apart() {
        let kind = DocumentKind::SupplierInvoice;
        assert_eq!(operation(Method::POST, "/oauth/token"), Operation::Token);
        assert_eq!(operation(Method::GET, "/oauth/token"), Operation::Unknown);
        assert_eq!(
            operation(Method::GET, "/api/erp/supplierInvoices"),
            Operation::Get(kind)
        );
        assert_eq!(
            operation(Method::POST, "/api/erp/supplierInvoices"),
            Operation::Post(kind)
        );
        assert_eq!(
            operation(Method::DELETE, "/api/erp/supplierInvoices"),
            Operation::Unknown
        );
        assert_eq!(
            operation(Method::GET, "/api/erp/supplierV2s"),
            Operation::GetSupplier
        );
        assert_eq!(operation(Method::GET, "/api/erp/customerV2s"), Operation::Unknown);
    }

    #[test]
    fn a_browse_has_two_names() {
        let names = operation(Method::GET, "/api/qracore/browses").names(&QadShape::default());
        assert_eq!(names, ["browse:accounts", "browse:urn:browse:mfg:gp309"]);
    }

    #[test]
    fn a_form_is_decoded() {
        let pairs = form_pairs(b"username=a%40b&password=p%26q+r%23");
        assert_eq!(
            pairs,
            [
                ("username".into(), "a@b".into()),
                ("password".into(), "p&q r#".into())
            ]
        );
    }
}
