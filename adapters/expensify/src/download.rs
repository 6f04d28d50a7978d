//! A download as it streams in: is it a file at all, and is it whole?
//!
//! An error comes as JSON under status 200 like a file does, so the first line decides (contract expensify §1.3, §3).
//! A file is whole when its last line is a trailer and every trailer counts the reports since the one before.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tieout_domain::ports::{Entropy, Listed, SourceError};

use crate::classify::{Fault, classify, without_mark};
use crate::credentials::Credentials;
use crate::jobs::Job;
use crate::record::{Entry, read_line};
use crate::splitter::{Line, Splitter};

/// How much is looked at to tell a file from something else.
const LOOKED_AT: usize = 64 * 1024;
/// How much of an unreadable line is shown.
const SHOWN: usize = 500;

/// How the template begins a line.
const BEGINNINGS: [&[u8]; 2] = [b"{\"reportID\":", b"{\"trailer\":"];

/// A file that has begun: lines read ahead, then the rest.
pub(crate) struct Opening {
    ahead: VecDeque<Line>,
    rest: Splitter,
}

/// What the first line says of itself, without building anything of it.
#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "responseCode")]
    code: Option<IgnoredAny>,
    #[serde(rename = "responseMessage")]
    message: Option<IgnoredAny>,
    #[serde(rename = "reportID")]
    report: Option<IgnoredAny>,
    trailer: Option<IgnoredAny>,
}
impl Probe {
    fn is_ours(&self) -> bool {
        self.report.is_some() || self.trailer.is_some()
    }
    fn is_envelope(&self) -> bool {
        !self.is_ours() && (self.code.is_some() || self.message.is_some())
    }
}

/// Reads as much as tells a file from an error.
pub(crate) async fn open(
    mut lines: Splitter,
    status: u16,
    credentials: &Credentials,
) -> Result<Opening, Fault> {
    let first = match lines.next().await {
        Ok(Some(first)) => first,
        Ok(None) => return Err(Fault::NotReady("the file is empty".to_owned())),
        Err(why) => return Err(Fault::Dropped(why)),
    };
    let text = without_mark(&first.bytes);
    let ours = match serde_json::from_slice::<Probe>(text) {
        Ok(probe) if probe.is_envelope() => return Err(not_a_file(&[first], status, credentials)),
        Ok(probe) => probe.is_ours(),
        // A file that was cut in its first line is still a file, and not whole.
        Err(_) => BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)),
    };
    if ours {
        return Ok(Opening {
            ahead: VecDeque::from([first]),
            rest: lines,
        });
    }
    // Neither. An error page or an envelope over several lines is short; a file whose first line is garbled is a file if
    // any of the lines after it is ours.
    let is_page = first.bytes.trim_ascii_start().starts_with(b"<");
    let mut ahead = vec![first];
    let mut size = 0;
    while size < LOOKED_AT {
        let Some(line) = lines.next().await.map_err(Fault::Dropped)? else {
            return Err(not_a_file(&ahead, status, credentials));
        };
        size += line.bytes.len() + 1;
        let is_ours =
            !is_page && serde_json::from_slice::<Probe>(&line.bytes).is_ok_and(|probe| probe.is_ours());
        ahead.push(line);
        if is_ours {
            return Ok(Opening {
                ahead: ahead.into(),
                rest: lines,
            });
        }
    }
    if is_page {
        Err(not_a_file(&ahead, status, credentials))
    } else {
        Ok(Opening {
            ahead: ahead.into(),
            rest: lines,
        })
    }
}

fn not_a_file(lines: &[Line], status: u16, credentials: &Credentials) -> Fault {
    let body: Vec<u8> = lines
        .iter()
        .flat_map(|line| [&line.bytes[..], b"\n"])
        .collect::<Vec<_>>()
        .concat();
    match classify(Job::Download, status, &body, credentials) {
        Err(fault) => fault,
        Ok(_) => Fault::Unanswered("an object where a file was asked for".to_owned()),
    }
}

/// The lines of a download; ends with an error where the download is not whole.
pub struct Lines(BoxStream<'static, Result<Listed, SourceError>>);

impl Stream for Lines {
    type Item = Result<Listed, SourceError>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}
impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines(..)")
    }
}

/// What has been read so far.
struct Reading<E> {
    opening: Opening,
    entropy: Arc<E>,
    credentials: Arc<Credentials>,
    /// Report lines since the last trailer, readable or not.
    since_trailer: u64,
    reports: u64,
    unreadable: Vec<u64>,
    /// The last line was a trailer.
    closed: bool,
    /// What disagrees.
    faults: Vec<String>,
    over: bool,
}

impl Lines {
    /// Goes on from an opened file.
    pub(crate) fn new<E: Entropy + 'static>(
        opening: Opening,
        entropy: Arc<E>,
        credentials: Arc<Credentials>,
    ) -> Self {
        let reading = Reading {
            opening,
            entropy,
            credentials,
            since_trailer: 0,
            reports: 0,
            unreadable: Vec::new(),
            closed: false,
            faults: Vec::new(),
            over: false,
        };
        Self(
            stream::unfold(reading, |mut reading| async move {
                reading.next().await.map(|item| (item, reading))
            })
            .boxed(),
        )
    }
}

impl<E: Entropy> Reading<E> {
    async fn next(&mut self) -> Option<Result<Listed, SourceError>> {
        while !self.over {
            let line = match self.opening.ahead.pop_front() {
                Some(line) => Ok(Some(line)),
                None => self.opening.rest.next().await,
            };
            match line {
                Ok(Some(line)) => {
                    if let Some(listed) = self.take(&line) {
                        return Some(Ok(listed));
                    }
                }
                Ok(None) => return self.end(),
                Err(why) => {
                    self.faults.push(why);
                    return self.end();
                }
            }
        }
        None
    }

    fn take(&mut self, line: &Line) -> Option<Listed> {
        match read_line(&line.bytes, self.entropy.salt()) {
            Ok(Entry::Trailer(counted)) => {
                if counted != self.since_trailer {
                    self.faults.push(format!(
                        "the trailer in line {} counts {counted} reports, and {} came",
                        line.number, self.since_trailer
                    ));
                }
                (self.since_trailer, self.closed) = (0, true);
                None
            }
            Ok(Entry::Report(payload)) => {
                self.one_more();
                Some(Listed::Report(payload))
            }
            Err(why) => {
                self.one_more();
                self.unreadable.push(line.number);
                Some(Listed::Unreadable {
                    line: line.number,
                    text: self.credentials.evidence(&line.bytes, SHOWN),
                    why: self.credentials.redact(&why.to_string()),
                })
            }
        }
    }

    fn one_more(&mut self) {
        self.since_trailer += 1;
        self.reports += 1;
        self.closed = false;
    }

    fn end(&mut self) -> Option<Result<Listed, SourceError>> {
        self.over = true;
        if let Some(first) = self.unreadable.first() {
            self.faults.push(format!(
                "{} lines cannot be read, the first is line {first}",
                self.unreadable.len()
            ));
        }
        if !self.closed {
            self.faults.push(format!(
                "it ends without the trailer, after {} reports",
                self.reports
            ));
        }
        (!self.faults.is_empty()).then(|| {
            Err(SourceError::Truncated {
                detail: self.faults.join("; "),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::Duration;

    struct Salts;
    impl Entropy for Salts {
        fn uuid(&self) -> uuid::Uuid {
            uuid::Uuid::nil()
        }
        fn salt(&self) -> [u8; 16] {
            [1; 16]
        }
    }

    fn credentials() -> Arc<Credentials> {
        Arc::new(Credentials::new("aa_etl_acme_com".into(), "SECRETSECRET".into()).unwrap())
    }
    fn splitter(chunks: Vec<Result<Bytes, String>>) -> Splitter {
        Splitter::new(stream::iter(chunks).boxed(), 1_000_000, Duration::from_secs(1))
    }
    async fn opened(body: &str) -> Result<Opening, Fault> {
        open(
            splitter(vec![Ok(Bytes::copy_from_slice(body.as_bytes()))]),
            200,
            &credentials(),
        )
        .await
    }
    /// What came, in short: report ids, `?` and the line of an unreadable one, and the final error.
    async fn listed(chunks: Vec<Result<Bytes, String>>) -> (Vec<String>, Option<String>) {
        let opening = open(splitter(chunks), 200, &credentials())
            .await
            .unwrap_or_else(|fault| panic!("{fault:?}"));
        let mut lines = Lines::new(opening, Arc::new(Salts), credentials());
        let (mut seen, mut error) = (Vec::new(), None);
        while let Some(item) = lines.next().await {
            match item {
                Ok(Listed::Report(payload)) => seen.push(payload.facts.report.decimal().to_string()),
                Ok(Listed::Unreadable { line, text, .. }) => seen.push(format!("?{line} {text}")),
                Err(last) => error = Some(last.to_string()),
            }
        }
        (seen, error)
    }
    async fn listed_text(body: &str) -> (Vec<String>, Option<String>) {
        listed(vec![Ok(Bytes::copy_from_slice(body.as_bytes()))]).await
    }
    fn line(id: u64) -> String {
        format!("{{\"reportID\":\"{id}\",\"policyID\":\"P\",\"n\":\"0\",\"lines\":[]}}\n")
    }
    fn trailer(count: u64) -> String {
        format!("{{\"trailer\":{{\"reports\":{count}}}}}\n")
    }

    #[tokio::test]
    async fn a_whole_file_of_one_pass_or_of_several_ends_without_error() {
        for body in [
            trailer(0),
            line(1) + &trailer(1),
            line(1) + &line(2) + &trailer(2) + &line(3) + &trailer(1) + "\n\n",
            trailer(0) + &line(1) + &trailer(1),
            format!("\u{feff}{}{}", line(1), trailer(1).trim_end()),
        ] {
            let (_, error) = listed_text(&body).await;
            assert_eq!(error, None, "{body}");
        }
    }

    #[tokio::test]
    async fn a_file_cut_anywhere_is_seen_to_be_cut() {
        let body = line(1) + &line(2) + &trailer(2);
        // Up to the last brace; the line end after it carries nothing.
        for cut in 1..body.len() - 1 {
            let whole_lines = body[..cut].matches('\n').count();
            match opened(&body[..cut]).await {
                // Not enough of it to know it for a file: no listing begins.
                Err(Fault::Unanswered(_)) => assert!(cut < BEGINNINGS[0].len(), "cut at {cut}"),
                Err(fault) => panic!("cut at {cut}: {fault:?}"),
                Ok(_) => {
                    let (seen, error) = listed_text(&body[..cut]).await;
                    assert!(
                        error.is_some_and(|error| error.contains("not whole")),
                        "cut at {cut}"
                    );
                    assert!(seen.len() >= whole_lines.min(2), "cut at {cut}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_broken_connection_keeps_what_was_read() {
        let (seen, error) = listed(vec![
            Ok(Bytes::from(line(1) + "{\"rep")),
            Err("connection reset".into()),
        ])
        .await;
        assert_eq!(seen, ["1"]);
        let error = error.unwrap();
        assert!(
            error.contains("broke off in line 2: connection reset") && error.contains("after 1 reports"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_trailer_that_disagrees_is_told_with_both_counts() {
        let (seen, error) = listed_text(&(line(1) + &trailer(2))).await;
        assert_eq!(seen, ["1"]);
        assert!(
            error
                .unwrap()
                .contains("the trailer in line 2 counts 2 reports, and 1 came")
        );
    }

    #[tokio::test]
    async fn an_unreadable_line_is_shown_and_the_rest_still_comes() {
        let body = line(1) + "{\"reportID\":\"SECRETSECRET\n" + &line(3) + &trailer(3);
        let (seen, error) = listed_text(&body).await;
        assert_eq!(seen, ["1", "?2 {\"reportID\":\"[redacted]", "3"]);
        assert!(
            error
                .unwrap()
                .contains("1 lines cannot be read, the first is line 2")
        );
    }

    #[tokio::test]
    async fn a_garbled_first_line_does_not_hide_the_file_behind_it() {
        let (seen, error) = listed_text(&(String::from("%%%\n") + &line(2) + &trailer(2))).await;
        assert_eq!(seen, ["?1 %%%", "2"]);
        assert!(error.is_some());
    }

    #[tokio::test]
    async fn what_is_no_file_is_told_apart() {
        let not_found = "{\"responseMessage\":\"File not found\",\"responseCode\":404}";
        assert!(matches!(opened(not_found).await, Err(Fault::NotReady(_))));
        assert!(matches!(
            opened("{\n \"responseMessage\": \"File not found\",\n \"responseCode\": 404\n}").await,
            Err(Fault::NotReady(_))
        ));
        assert!(matches!(opened("").await, Err(Fault::NotReady(_))));
        assert!(matches!(opened("\r\n\n").await, Err(Fault::NotReady(_))));
        assert!(matches!(
            opened("{\"responseMessage\":\"Authentication error\",\"responseCode\":404}").await,
            Err(Fault::Unauthorised(_))
        ));
        assert!(matches!(
            opened("{\"responseCode\":429}").await,
            Err(Fault::Throttled)
        ));
        assert!(matches!(
            opened("{\"responseCode\":200}").await,
            Err(Fault::Unanswered(_))
        ));
        let page = format!(
            "<!DOCTYPE html>\n<html>{}</html>\n{}",
            "x\n".repeat(60_000),
            line(1)
        );
        assert!(matches!(opened(&page).await, Err(Fault::Unanswered(_))));
        assert!(matches!(
            opened("HTTP Status 500 - JSONObject").await,
            Err(Fault::Unanswered(_))
        ));
    }

    #[tokio::test]
    async fn a_report_that_speaks_of_a_response_code_is_still_a_report() {
        let (seen, error) = listed_text(&format!(
            "{{\"responseCode\":\"500\",\"reportID\":\"9\",\"policyID\":\"P\"}}\n{}",
            trailer(1)
        ))
        .await;
        assert_eq!((seen, error), (vec!["9".to_owned()], None));
    }
}
