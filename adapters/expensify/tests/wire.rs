//! The client against a server that answers line by line from a script: what is sent, what is sent again and what is
//! not, what is waited for, and what never shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what fails here should fail where it stands"
)]

mod common;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use common::{
    Book, Client, Hand, USER_ID, USER_SECRET, client, drained, ids, policy, report, settings, since,
};
use futures::{StreamExt, stream};
use tieout_domain::ids::{Label, PolicyId};
use tieout_domain::ports::{Clock, Source, SourceCalls, SourceError};
use tieout_expensify::{Credentials, ExpensifyClient, PolicyField, Settings};
use tieout_sandbox::server::{ConnectionDropped, Listener};

/// One answer of the script.
enum Say {
    Text(u16, String),
    /// Some bytes, then the connection breaks.
    Broken(String),
    /// The connection closes without an answer.
    Nothing,
    /// No answer ever.
    Silence,
    Redirect(String),
}
fn ok(text: impl Into<String>) -> Say {
    Say::Text(200, text.into())
}
fn throttled() -> Say {
    ok("{\"responseMessage\":\"slow\",\"responseCode\":429}")
}
const FILE: &str = "tieout5d0c7a52-3a0e-4c0a-9f53-0d1f4d2b7c11.txt";
fn file() -> Say {
    ok(FILE)
}
fn line(id: u64) -> String {
    format!("{{\"reportID\":\"{id}\",\"policyID\":\"P\",\"n\":\"0\",\"lines\":[]}}\n")
}
fn whole(reports: &[u64]) -> Say {
    let lines: String = reports.iter().map(|id| line(*id)).collect();
    ok(format!(
        "{lines}{{\"trailer\":{{\"reports\":{}}}}}\n",
        reports.len()
    ))
}

/// A server that plays a script, and keeps what it was sent and when.
struct Scripted {
    listener: Listener,
    heard: Arc<Mutex<Vec<(i64, String)>>>,
    clock: Arc<Hand>,
    book: Arc<Book>,
}

impl Scripted {
    async fn start(script: Vec<Say>) -> Self {
        let clock = Hand::at("2026-11-23T08:00:00Z");
        let heard: Arc<Mutex<Vec<(i64, String)>>> = Arc::default();
        let script = Arc::new(Mutex::new(VecDeque::from(script)));
        let (kept, now) = (Arc::clone(&heard), Arc::clone(&clock));
        let router = Router::new().fallback(move |body: Bytes| {
            kept.lock().unwrap().push((
                now.now().timestamp_millis(),
                String::from_utf8(body.to_vec()).unwrap(),
            ));
            let say = script.lock().unwrap().pop_front();
            answer(say)
        });
        let listener = Listener::start(0, router).await.unwrap();
        Self {
            listener,
            heard,
            clock,
            book: Arc::default(),
        }
    }
    fn url(&self) -> String {
        format!(
            "http://{}/Integration-Server/ExpensifyIntegrations",
            self.listener.address()
        )
    }
    fn client(&self) -> Client {
        self.client_with(settings())
    }
    fn client_with(&self, settings: Settings) -> Client {
        client(&self.url(), settings, &self.clock, &self.book)
    }
    fn times(&self) -> Vec<i64> {
        self.heard.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
    /// The job descriptions it was sent, as JSON.
    fn jobs(&self) -> Vec<serde_json::Value> {
        let description = |body: &String| {
            let (name, text) = form_urlencoded::parse(body.as_bytes()).next().unwrap();
            assert_eq!(name, "requestJobDescription");
            serde_json::from_str(&text).unwrap()
        };
        self.heard
            .lock()
            .unwrap()
            .iter()
            .map(|(_, body)| description(body))
            .collect()
    }
    fn calls(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

async fn answer(say: Option<Say>) -> Response<Body> {
    match say.expect("a call that the script does not know of") {
        Say::Text(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Say::Broken(text) => {
            let cut = stream::once(async {
                // A stream that pauses lets what was said so far go out first.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(stream::iter([Ok(Bytes::from(text))]).chain(cut)).into_response()
        }
        Say::Nothing => ConnectionDropped.into_response(),
        Say::Silence => std::future::pending().await,
        Say::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
    }
}

fn label() -> Label {
    Label::new("tieout-acme-us").unwrap()
}

#[tokio::test]
async fn a_listing_is_an_export_and_a_download_and_counts_two_calls() {
    let server = Scripted::start(vec![file(), whole(&[1, 2])]).await;
    let client = server.client();
    let (reports, unreadable, error) = drained(client.list(&since("2026-11-02")).await.unwrap()).await;
    assert_eq!((ids(&reports), unreadable.len()), (vec![1, 2], 0));
    assert!(error.is_none(), "{error:?}");
    let jobs = server.jobs();
    assert_eq!(jobs[0]["inputSettings"]["filters"]["approvedAfter"], "2026-11-01");
    assert_eq!(jobs[0].get("onFinish"), None);
    assert_eq!(
        (jobs[1]["type"].as_str(), jobs[1]["fileName"].as_str()),
        (Some("download"), Some(FILE))
    );
    assert_eq!(
        client.take_calls(),
        SourceCalls {
            exports: 1,
            downloads: 1,
            ..SourceCalls::default()
        }
    );
    assert_eq!(client.take_calls(), SourceCalls::default(), "taking resets");
}

#[tokio::test]
async fn every_report_has_a_salt_of_its_own() {
    let server = Scripted::start(vec![file(), whole(&[1, 2])]).await;
    let (reports, _, _) = drained(server.client().list(&since("2026-11-02")).await.unwrap()).await;
    let salts: Vec<&str> = reports
        .iter()
        .map(|payload| payload.personal.known().unwrap().salt.as_str())
        .collect();
    assert_eq!(salts[0].len(), 32);
    assert_ne!(salts[0], salts[1]);
}

#[tokio::test]
async fn turned_away_by_status_or_by_body_it_waits_and_asks_again_and_keeps_the_waits() {
    let server = Scripted::start(vec![
        Say::Text(429, String::new()),
        throttled(),
        file(),
        throttled(),
        whole(&[]),
    ])
    .await;
    let client = server.client();
    client.list(&since("2026-11-02")).await.unwrap();
    let calls = client.take_calls();
    assert_eq!(
        (
            calls.exports,
            calls.downloads,
            calls.retries,
            calls.throttled.len()
        ),
        (1, 1, 3, 3)
    );
    assert!(
        calls.throttled[0] <= 5_000 && calls.throttled[1] <= 10_000 && calls.throttled[2] <= 5_000,
        "{calls:?}"
    );
    let times = server.times();
    assert!(
        times[1] - times[0] >= i64::try_from(calls.throttled[0]).unwrap(),
        "the wait was waited"
    );
}

#[tokio::test]
async fn after_eight_times_turned_away_it_gives_up_and_says_so() {
    let server = Scripted::start((0..8).map(|_| throttled()).collect()).await;
    let client = server.client();
    let error = client.list(&since("2026-11-02")).await.unwrap_err();
    assert!(
        matches!(error, SourceError::Throttled { attempts: 8, .. }),
        "{error}"
    );
    let calls = client.take_calls();
    assert_eq!((calls.throttled.len(), calls.retries, server.calls()), (8, 7, 8));
    assert!(calls.throttled.iter().all(|wait| *wait <= 60_000) && calls.throttled[7] == 0);
}

#[tokio::test]
async fn a_file_that_is_not_ready_is_looked_for_again() {
    let missing = ok("{\"responseMessage\":\"File not found\",\"responseCode\":404}");
    let server = Scripted::start(vec![file(), ok(""), missing, whole(&[5])]).await;
    let client = server.client();
    let (reports, _, error) = drained(client.list(&since("2026-11-02")).await.unwrap()).await;
    assert_eq!((ids(&reports), error.is_none()), (vec![5], true));
    let times = server.times();
    assert_eq!((times[2] - times[1], times[3] - times[2]), (2_000, 4_000));
    assert_eq!(client.take_calls().retries, 2);
}

#[tokio::test]
async fn a_file_that_never_comes_is_given_up_after_six_looks() {
    let server = Scripted::start(std::iter::once(file()).chain((0..6).map(|_| ok(""))).collect()).await;
    let error = server.client().list(&since("2026-11-02")).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("did not appear in 6 looks: the file is empty"),
        "{error}"
    );
    assert_eq!(server.calls(), 7);
}

#[tokio::test]
async fn a_listing_that_was_dropped_is_asked_for_again_but_not_for_ever() {
    let server = Scripted::start(vec![
        Say::Nothing,
        Say::Text(502, "<html>".into()),
        file(),
        whole(&[1]),
    ])
    .await;
    let client = server.client();
    assert_eq!(
        ids(&drained(client.list(&since("2026-11-02")).await.unwrap()).await.0),
        [1]
    );
    assert_eq!(client.take_calls().retries, 2);

    let server = Scripted::start(vec![Say::Nothing, Say::Nothing, Say::Text(504, "late".into())]).await;
    let error = server.client().list(&since("2026-11-02")).await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Unanswered { detail, .. } if detail.contains("504")),
        "{error}"
    );
}

#[tokio::test]
async fn a_marking_export_whose_outcome_is_unknown_is_never_sent_again() {
    for lost in [
        Say::Nothing,
        Say::Text(502, "<html>".into()),
        Say::Text(200, "<html>".into()),
        Say::Broken("tieout".into()),
        ok("{\"responseMessage\":\"oops\",\"responseCode\":500}"),
    ] {
        let server = Scripted::start(vec![lost]).await;
        let error = server
            .client()
            .mark(&[policy()], &[report(7)], &label())
            .await
            .unwrap_err();
        assert!(matches!(error, SourceError::Unanswered { .. }), "{error}");
        assert_eq!(server.calls(), 1);
    }
}

#[tokio::test]
async fn a_marking_export_turned_away_is_sent_again_and_then_shows_its_reports() {
    let server = Scripted::start(vec![throttled(), file(), Say::Nothing, whole(&[7])]).await;
    let client = server.client();
    let (reports, _, error) = drained(client.mark(&[policy()], &[report(7)], &label()).await.unwrap()).await;
    assert_eq!(
        (ids(&reports), error.is_none()),
        (vec![7], true),
        "a download may be asked for twice"
    );
    let calls = client.take_calls();
    assert_eq!(
        (calls.marks, calls.exports, calls.downloads, calls.retries),
        (1, 0, 1, 2)
    );
    let jobs = server.jobs();
    assert_eq!(jobs[1]["onFinish"][0]["label"], "tieout-acme-us");
    assert_eq!(jobs[1]["inputSettings"]["filters"].get("markedAsExported"), None);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_was_sent_nothing() {
    let server = Scripted::start(vec![]).await;
    let client = server.client();
    server.listener.shutdown().await;
    let error = client
        .mark(&[policy()], &[report(7)], &label())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::Unreachable { detail } if detail.contains("no connection in 3 attempts")),
        "{error}"
    );
    assert!(
        !error.to_string().contains("127.0.0.1/Integration-Server"),
        "no address with a path: {error}"
    );
}

#[tokio::test]
async fn a_wrong_pair_is_tried_once() {
    for body in [
        "{\"responseMessage\":\"Authentication error\",\"responseCode\":404}",
        "{\"responseMessage\":\"No authentication method specified\",\"responseCode\":403}",
    ] {
        let server = Scripted::start(vec![ok(body)]).await;
        let error = server.client().list(&since("2026-11-02")).await.unwrap_err();
        assert!(matches!(error, SourceError::Unauthorised { .. }), "{error}");
        assert_eq!(server.calls(), 1);
    }
}

#[tokio::test]
async fn silence_is_given_up_and_not_asked_again() {
    let server = Scripted::start(vec![Say::Silence]).await;
    let hasty = Settings {
        export_timeout: Duration::from_millis(40),
        ..settings()
    };
    let error = server
        .client_with(hasty)
        .list(&since("2026-11-02"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::Unanswered { detail, .. } if detail.contains("no answer within")),
        "{error}"
    );
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_download_that_breaks_keeps_what_came_and_is_not_whole() {
    let server = Scripted::start(vec![file(), Say::Broken(line(1) + "{\"reportID\":")]).await;
    let (reports, _, error) = drained(server.client().list(&since("2026-11-02")).await.unwrap()).await;
    assert_eq!(ids(&reports), [1]);
    assert!(
        matches!(&error, Some(SourceError::Truncated { detail }) if detail.contains("broke off in line 2")),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_pair_does_not_follow_a_redirect() {
    let elsewhere = Scripted::start(vec![]).await;
    let server = Scripted::start(vec![Say::Redirect(elsewhere.url())]).await;
    let error = server.client().list(&since("2026-11-02")).await.unwrap_err();
    assert!(matches!(error, SourceError::Unanswered { .. }), "{error}");
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test]
async fn an_impossible_question_is_not_sent() {
    let server = Scripted::start(vec![]).await;
    let client = server.client();
    let error = client.list(&since("2025-01-01")).await.unwrap_err();
    assert!(
        matches!(&error, SourceError::NotSent { detail } if detail.contains("longer than a year")),
        "{error}"
    );
    assert_eq!((server.calls(), client.take_calls()), (0, SourceCalls::default()));
}

#[tokio::test]
async fn no_window_of_ten_seconds_sees_six_calls_and_a_rotated_secret_changes_nothing() {
    let server = Scripted::start(
        (0..60)
            .map(|_| ok("{\"policyList\":[],\"responseCode\":200}"))
            .collect(),
    )
    .await;
    let (old, rotated) = (server.client(), {
        let pair = Credentials::new(USER_ID.into(), "rotated".into()).unwrap();
        let ports = (
            Arc::clone(&server.clock),
            Arc::default(),
            Arc::clone(&server.book),
        );
        ExpensifyClient::<Hand, common::Counting, Book>::new(
            &server.url(),
            pair,
            settings(),
            ports.0,
            ports.1,
            ports.2,
        )
        .unwrap()
    });
    for _ in 0..30 {
        old.policy_list(false).await.unwrap();
        rotated.policy_list(true).await.unwrap();
    }
    let times = server.times();
    for (most, millis) in [(5, 10_000), (20, 60_000)] {
        for from in &times {
            assert!(
                times
                    .iter()
                    .filter(|at| (*from..from + millis).contains(*at))
                    .count()
                    <= most
            );
        }
    }
    assert_eq!(server.calls(), 60);
}

#[tokio::test]
async fn many_policies_are_asked_for_a_hundred_at_a_time() {
    let empty = || ok("{\"policyInfo\":{},\"responseCode\":200}");
    let server = Scripted::start(vec![empty(), empty()]).await;
    let client = server.client();
    let ids: Vec<PolicyId> = (0..150)
        .map(|n| PolicyId::new(&format!("{n:016X}")).unwrap())
        .collect();
    assert!(
        client
            .policies(&ids, &[PolicyField::Categories])
            .await
            .unwrap()
            .is_empty()
    );
    let sizes: Vec<usize> = server
        .jobs()
        .iter()
        .map(|job| job["inputSettings"]["policyIDList"].as_array().unwrap().len())
        .collect();
    assert_eq!((sizes, client.take_calls().policies), (vec![100, 50], 2));
}

#[tokio::test]
async fn one_report_of_twenty_megabytes_passes() {
    let comment = "x\\n\\\"é".repeat(2_500_000);
    let body = format!(
        "{{\"reportID\":\"1\",\"policyID\":\"P\",\"n\":\"1\",\"lines\":[{{\"transactionID\":\"1\",\"comment\":\"{comment}\"}}]}}\n{{\"trailer\":{{\"reports\":1}}}}\n"
    );
    assert!(body.len() > 15_000_000, "{}", body.len());
    let server = Scripted::start(vec![file(), ok(body)]).await;
    let (reports, _, error) = drained(server.client().list(&since("2026-11-02")).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        reports[0].personal.known().unwrap().lines[0]
            .comment
            .chars()
            .count(),
        2_500_000 * 4
    );
}

/// A writer that keeps what the log says.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);
impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_half_of_the_pair_shows_in_any_log_error_or_debug() {
    let log = Kept::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: a call site that another thread meets first, without a subscriber, stays silent otherwise.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let encoded: String = form_urlencoded::byte_serialize(USER_SECRET.as_bytes()).collect();
    let echo = format!("<html>you sent {USER_ID} {USER_SECRET} {encoded}</html>");
    let json_echo = serde_json::json!({"responseCode": 410, "responseMessage": format!("bad pair {USER_ID} {USER_SECRET}")}).to_string();
    let server = Scripted::start(vec![
        throttled(),
        file(),
        ok(format!("{}{echo}\n", line(1))),
        ok(echo.clone()),
        ok(json_echo),
        Say::Text(500, echo.clone()),
        Say::Nothing,
        Say::Text(503, echo.clone()),
        Say::Text(503, echo),
    ])
    .await;
    let client = server.client();
    let mut shown = format!("{client:?} {:?}", settings());
    let (_, unreadable, error) = drained(client.list(&since("2026-11-02")).await.unwrap()).await;
    assert_eq!(unreadable.len(), 1);
    shown.push_str(&format!("{unreadable:?} {error:?}"));
    for _ in 0..3 {
        let error = client.policy_list(false).await.unwrap_err();
        shown.push_str(&format!("{error} {error:?}"));
    }
    let error = client.list(&since("2026-11-02")).await.unwrap_err();
    shown.push_str(&format!("{error} {error:?}"));
    assert_eq!(server.calls(), 9);

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("calling Expensify") && logged.contains("answered 429"),
        "{logged}"
    );
    shown.push_str(&logged);
    for secret in [
        USER_ID,
        USER_SECRET,
        &encoded,
        "do-not-show",
        FILE,
        "requestJobDescription",
    ] {
        assert!(!shown.contains(secret), "{secret} shows in: {shown}");
    }
    assert!(shown.contains("[redacted]"));
}
