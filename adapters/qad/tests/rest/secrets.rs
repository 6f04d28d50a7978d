//! No secret leaves the session but to the wire: everything that is logged, returned or printed is searched for them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tieout_domain::ports::Ledger;
use tieout_qad::profile::TEMPLATE;
use tracing_subscriber::fmt::MakeWriter;

use crate::canned::{Canned, TOKEN, TOKEN_TWO, WRONG_LOGIN, canaries, client};
use crate::documents::{Still, invoice, reference, report};

#[derive(Clone, Default)]
struct Everything(Arc<Mutex<Vec<u8>>>);
impl Write for Everything {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
impl<'a> MakeWriter<'a> for Everything {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const PASSWORD: &str = "Zyx\"9&w 7+hunter";
const SECRETS: [&str; 8] = [
    PASSWORD,
    "Zyx\\\"9&w 7+hunter",
    "Zyx%229%26w+7%2Bhunter",
    "hunter",
    "eyJ-access-one",
    "eyJ-refresh-one",
    "eyJ-access-two",
    "eyJ-refresh-two",
];

#[tokio::test]
async fn nothing_but_the_wire_sees_a_secret() {
    let log = Everything::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    // For the whole process: a call site that another thread meets first, without a subscriber, stays silent otherwise.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut shown = String::new();

    // A server that echoes the secrets it was sent, in every kind of answer, one of them just where evidence is cut.
    let echo = format!(
        r#"{{"got":"password=Zyx%229%26w+7%2Bhunter","pw":"Zyx\"9&w 7+hunter","auth":"Bearer eyJ-access-one {}","r":"eyJ-refresh-one"}}"#,
        "x".repeat(1_880)
    );
    let refused = r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"fieldName":"eyJ-access-one","message":"token eyJ-access-one","code":"eyJ-refresh-one","severity":1}]}}"#;
    let accepted = r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]},"supplementaryMessages":["eyJ-access-one"]}"#;
    let denied = r#"{"errors":[{"message":"Bearer eyJ-access-one"}]}"#;
    let edge = |at: usize| format!("{}eyJ-access-one{}", "y".repeat(at), "z".repeat(500));
    // Across the cut of an answer to a post, which has a few words before it, and of one to a read, which has none.
    let (post_edge, read_edge) = (edge(1_970), edge(1_993));
    for (status, body) in [
        (200, echo.as_str()),
        (500, &echo),
        (403, denied),
        (200, refused),
        (200, accepted),
        (400, &echo),
        (200, &post_edge),
        (500, &read_edge),
    ] {
        let server = Canned::start([
            (200, TOKEN),
            (status, body),
            (status, body),
            (status, body),
            (status, body),
        ])
        .await;
        let client = client(
            &server.url,
            &canaries().fill(TEMPLATE),
            PASSWORD,
            Still::default(),
        );
        shown += &format!("{:?}", client.post(&invoice()).await);
        shown += &format!("{:?}", client.look_up(report()).await);
        let key = tieout_domain::posting::DocumentKey {
            year: 2024,
            daybook: tieout_domain::ids::DaybookCode::new("SINV").unwrap(),
            voucher: tieout_domain::ids::Voucher(1),
        };
        shown += &format!(
            "{:?}",
            client
                .read_back(reference(tieout_domain::ids::DocumentKind::SupplierInvoice), &key)
                .await
        );
        shown += &format!("{:?} {:?}", client.contract_hash().await, client);
    }
    // The token endpoint echoes too, when it refuses and when it fails.
    let wrong = WRONG_LOGIN.replace(
        "password is",
        &format!("password {} is", PASSWORD.replace('"', "\\\"")),
    );
    for (status, body) in [
        (400, wrong.as_str()),
        (500, &echo.replace("eyJ-", "")),
        (200, "{}"),
    ] {
        let server = Canned::start([(status, body)]).await;
        let client = client(
            &server.url,
            &canaries().fill(TEMPLATE),
            PASSWORD,
            Still::default(),
        );
        shown += &format!(
            "{:?} {:?}",
            client.look_up(report()).await,
            client.post(&invoice()).await
        );
    }
    // A token that is replaced is still taken out of an answer that was on its way.
    let expired = (401, r#"{"error":"invalid_token eyJ-access-one"}"#);
    let server = Canned::start([
        (200, TOKEN),
        expired,
        (200, TOKEN_TWO),
        (500, "eyJ-access-one eyJ-access-two eyJ-refresh-one"),
    ])
    .await;
    let client = client(
        &server.url,
        &canaries().fill(TEMPLATE),
        PASSWORD,
        Still::default(),
    );
    shown += &format!("{:?} {client:?}", client.post(&invoice()).await);

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("QAD answered"), "the log was captured");
    assert!(shown.contains("[redacted]"));
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
        assert!(!logged.contains(secret), "{secret} is logged");
    }
    assert!(
        !shown.contains("eyJ-ac"),
        "half a secret stands where the evidence was cut"
    );
}
