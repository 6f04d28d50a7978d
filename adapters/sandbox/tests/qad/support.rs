//! A site to call in process, and the contract's bodies.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tieout_sandbox::clock::{Clock, ManualClock};
use tieout_sandbox::qad::world::{Document, World};
use tieout_sandbox::qad::{QadConfig, QadHandle, QadShape, sample};
use tieout_sandbox::server::ConnectionDropped;
use tower::ServiceExt;

pub const WORKSPACE: &str = "10USA_10USACO";
pub const INVOICE: &str = "urn:be:com.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice";
pub const JOURNAL: &str = "urn:be:com.qad.financials.generalledger.journalentry.IJournalEntry";

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub dropped: bool,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn rows(&self) -> Vec<Value> {
        self.json()["data"].as_array().unwrap().clone()
    }

    /// The codes of a refusal, in order.
    pub fn codes(&self) -> Vec<String> {
        let result = &self.json()["submitResult"];
        assert_eq!(result["success"], json!(false), "{}", self.text);
        let errors = result["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| error["code"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    pub fn stored(&self) {
        assert_eq!(
            self.json()["submitResult"],
            json!({"success": true, "errorSeverity": 0, "errors": []}),
            "{}",
            self.text
        );
    }
}

/// A stand-in with the contract's world, someone logged in, and the clock at 2024-05-31 12:00 UTC.
pub struct Site {
    pub handle: QadHandle,
    pub clock: ManualClock,
    pub token: String,
    router: Router,
}

pub fn noon() -> DateTime<Utc> {
    "2024-05-31T12:00:00Z".parse().unwrap()
}

impl Site {
    pub async fn new() -> Self {
        Self::of(QadShape::default(), sample::world()).await
    }

    pub async fn of(shape: QadShape, world: World) -> Self {
        let (clock, hand) = Clock::manual(noon());
        let handle = QadHandle::new(QadConfig {
            clock,
            shape,
            world,
            ..QadConfig::default()
        });
        let router = handle.router();
        let mut site = Self {
            handle,
            clock: hand,
            token: String::new(),
            router,
        };
        site.log_in().await;
        site.handle.calls().clear();
        site
    }

    pub async fn log_in(&mut self) {
        let answer = self
            .token("grant_type=password&client_id=CLIENT&username=svc&password=secret")
            .await;
        self.token = answer.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub async fn token(&self, form: &str) -> Answer {
        let request = Request::post("/clouderp/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
            dropped: parts.extensions.get::<ConnectionDropped>().is_some(),
        }
    }

    fn request(&self, method: &str, path: &str, query: &[(&str, &str)]) -> axum::http::request::Builder {
        let url =
            reqwest::Url::parse_with_params(&format!("http://in.process/clouderp{path}"), query).unwrap();
        let target = url
            .query()
            .map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Request::builder()
            .method(method)
            .uri(target)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("x-qad-workspace-id", WORKSPACE)
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        self.send(self.request("GET", path, query).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Answer {
        self.send(
            self.request("POST", path, query)
                .body(Body::from(body.to_string()))
                .unwrap(),
        )
        .await
    }

    pub async fn browse(&self, id: &str, rest: &[(&str, &str)]) -> Answer {
        let query = [
            &[
                ("browseId", id),
                ("page", "1"),
                ("pageSize", "200"),
                ("pageAction", "first"),
            ],
            rest,
        ]
        .concat();
        self.get("/api/qracore/browses", &query).await
    }

    pub async fn invoice(&self, document: Value) -> Answer {
        let body = json!({"supplementaryMessages": [], "supplierInvoices": [document]});
        self.post("/api/erp/supplierInvoices", &[("viewUri", INVOICE)], &body)
            .await
    }

    pub async fn journal(&self, document: Value) -> Answer {
        let body = json!({"supplementaryMessages": [], "journalEntries": [document]});
        self.post("/api/erp/journalEntries", &[("viewUri", JOURNAL)], &body)
            .await
    }

    pub async fn read_invoice(&self, voucher: &str) -> Answer {
        let query = [
            ("viewUri", INVOICE),
            ("entityCode", "10USACO"),
            ("postingYear", "2024"),
            ("daybookCode", "SINV"),
            ("voucher", voucher),
        ];
        self.get("/api/erp/supplierInvoices", &query).await
    }

    pub fn documents(&self) -> Vec<Document> {
        self.handle.read(|world| {
            world
                .workspace(WORKSPACE)
                .unwrap()
                .ledger
                .iter()
                .cloned()
                .collect()
        })
    }
}

/// The supplier invoice of contract qad §7.6, to the letter.
pub fn example_invoice() -> Value {
    serde_json::from_str(
        r#"{
   "uri":"urn:be:com.qad.financials.purchaseledger.supplierinvoice.ISupplierInvoice:",
   "dataOperation":"C","concurrencyHash":"","changeStatus":"2",
   "entityCode":"10USACO","supplierCode":"EMP-E1001","invoiceType":"INVOICE",
   "reference":"EXP-R00AbC12","description":"Expenses Kim Lee 2024-05",
   "invoiceDate":"2024-05-31T00:00:00.000Z","postingDate":"2024-05-31T00:00:00.000Z",
   "postingYear":2024,"postingPeriod":5,"dueDate":"2024-06-30T00:00:00.000Z",
   "daybookCode":"SINV","currencyCode":"USD","originalCreditTC":212.50,
   "creditTermsCode":"30D","invoiceStatusCode":"AP-INITIAL","isTaxable":false,
   "supplierInvoicePostingLines":[
     {"dataOperation":"C","sequence":1,"glAccountCode":"6410","costCenterCode":"1200","subAccountCode":"",
      "projectCode":"","debitTC":180.00,"description":"Flight"},
     {"dataOperation":"C","sequence":2,"glAccountCode":"6420","costCenterCode":"1200","debitTC":32.50,"description":"Taxi"}]
 }"#,
    )
    .unwrap()
}

/// The journal entry of contract qad §7.7, to the letter.
pub fn example_journal() -> Value {
    serde_json::from_str(
        r#"{"uri":"urn:be:com.qad.financials.generalledger.journalentry.IJournalEntry:","dataOperation":"C",
   "changeStatus":"2","entityCode":"10USACO","daybookCode":"EXPJE",
   "postingDate":"2024-05-31T00:00:00.000Z","postingYear":2024,"postingPeriod":5,
   "description":"EXP-R00AbC12","originReference":"EXP-R00AbC12","originIsExternal":true,
   "journalEntryLines":[
     {"sequence":1,"glAccountCode":"6410","costCenterCode":"1200","currencyCode":"USD","debitTC":212.50,"creditTC":0,"description":"Flight, taxi"},
     {"sequence":2,"glAccountCode":"2150","costCenterCode":"","currencyCode":"USD","debitTC":0,"creditTC":212.50,"description":"Card clearing"}]}"#,
    )
    .unwrap()
}

/// The document with one member changed; `/`-separated, numbers index lists.
pub fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[name] = value;
    document
}
