//! What an answer is (contract expensify §1.3): by its body first, because bad credentials and refusals come with HTTP
//! status 200, and the content type says nothing.

use serde_json::{Map, Value};

use crate::credentials::Credentials;
use crate::jobs::{FileName, Job};
use crate::lenient::scalar;

/// How much of a body that is not understood is kept.
pub(crate) const EVIDENCE: usize = 2_048;

/// A usable answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// An export's file.
    File(FileName),
    /// A JSON object under `responseCode` 200 or 207.
    Object(Map<String, Value>),
}

/// Why there is none. Texts are free of the pair and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 429, as status or in the body: turned away before anything was done.
    Throttled,
    /// The pair is wrong.
    Unauthorised(String),
    /// Understood, and no.
    Refused {
        /// `responseCode`, or `none`.
        code: String,
        /// `responseMessage`, verbatim.
        message: String,
    },
    /// The file is not there, or not yet.
    NotReady(String),
    /// No connection was made: nothing was sent.
    NotConnected(String),
    /// The connection broke, or a gateway answered for the server: it may have arrived.
    Dropped(String),
    /// Silence, or an answer that cannot be read.
    Unanswered(String),
}

/// Classifies a whole answer, in the order of contract §1.3. For a download this is asked only of what is not a file.
pub(crate) fn classify(
    job: Job,
    status: u16,
    body: &[u8],
    credentials: &Credentials,
) -> Result<Answer, Fault> {
    let kept = || credentials.evidence(body, EVIDENCE);
    // 1 and 2: a JSON object with a code, or at least a message.
    if let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(without_mark(body)) {
        let code = object
            .get_mut("responseCode")
            .map(|code| scalar(&mut code.clone()).unwrap_or_else(|| code.to_string()));
        let message = match object.get("responseMessage") {
            Some(Value::String(message)) => Some(credentials.redact(message)),
            Some(other) => Some(credentials.redact(&other.to_string())),
            None => None,
        };
        match code.as_deref().map(whole_number) {
            Some("200" | "207") => return success(job, object, kept),
            Some("429") => return Err(Fault::Throttled),
            Some(code) => return Err(refusal(job, code, &message.unwrap_or_default())),
            None => {}
        }
        if let Some(message) = message {
            return Err(refusal(job, "none", &message));
        }
    }
    // 3: the status.
    match status {
        200..=299 => {}
        429 => return Err(Fault::Throttled),
        401 => return Err(Fault::Unauthorised(format!("HTTP status 401: {}", kept()))),
        // The page of the vendor's older servers (contract §1.4, the HTTP-status era).
        403 if kept().to_lowercase().contains("invalid credentials") => {
            return Err(Fault::Unauthorised(format!("HTTP status 403: {}", kept())));
        }
        502..=504 => {
            return Err(Fault::Dropped(format!(
                "HTTP status {status} from a gateway: {}",
                kept()
            )));
        }
        _ => return Err(Fault::Unanswered(format!("HTTP status {status}: {}", kept()))),
    }
    // 4: a bare file name.
    if matches!(job, Job::Export | Job::Mark) {
        return match file_names(body).as_deref() {
            Some([one]) => Ok(Answer::File(FileName((*one).to_owned()))),
            Some(_) => Err(Fault::Unanswered(
                "several file names where one was asked for".to_owned(),
            )),
            None => Err(Fault::Unanswered(format!(
                "neither a file name nor a known error: {}",
                kept()
            ))),
        };
    }
    Err(Fault::Unanswered(format!(
        "not the JSON that was asked for: {}",
        kept()
    )))
}

fn success(job: Job, object: Map<String, Value>, kept: impl Fn() -> String) -> Result<Answer, Fault> {
    match job {
        Job::PolicyList | Job::Policy => Ok(Answer::Object(object)),
        Job::Export | Job::Mark => Err(Fault::Unanswered(format!(
            "success without a file name: {}",
            kept()
        ))),
        Job::Download => Err(Fault::Unanswered(format!(
            "an object with code 200 where a file was asked for: {}",
            kept()
        ))),
    }
}

/// The three forms of *wrong pair*, a file that is not there, and every other no (contract §1.4).
fn refusal(job: Job, code: &str, message: &str) -> Fault {
    let said = message.trim().to_lowercase();
    let not_authenticated = code == "401"
        || (code == "403" && said.contains("no authentication method"))
        || said.trim_end_matches('.') == "authentication error";
    if not_authenticated {
        return Fault::Unauthorised(format!("{code} {message}"));
    }
    if job == Job::Download && (code == "404" || said.contains("not found")) {
        return Fault::NotReady(format!("{code} {message}"));
    }
    // A server that failed in the middle of a marking export may have marked.
    let failed_inside = code.len() == 3 && code.starts_with('5');
    if job == Job::Mark && failed_inside {
        return Fault::Unanswered(format!("{code} {message}"));
    }
    Fault::Refused {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// `404` of `404`, `"404"` and `404.0`.
fn whole_number(code: &str) -> &str {
    let code = code.trim();
    match code.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => code,
    }
}

/// A byte-order mark is not part of the text.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// File names, comma-separated: one line without control characters, each name letters, digits, `_`, `.`, `-` and a
/// lower-case extension. One line end after them is let pass.
fn file_names(body: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(body).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let is_name = |name: &str| {
        name.rsplit_once('.').is_some_and(|(stem, extension)| {
            !stem.is_empty()
                && !extension.is_empty()
                && stem
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
                && extension.bytes().all(|byte| byte.is_ascii_lowercase())
        })
    };
    let names: Vec<&str> = text.split(',').collect();
    names.iter().all(|name| is_name(name)).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials::new("aa_etl_acme_com".into(), "SECRETSECRET".into()).unwrap()
    }
    fn answer(job: Job, status: u16, body: &str) -> Result<Answer, Fault> {
        classify(job, status, body.as_bytes(), &credentials())
    }
    fn envelope(code: &str, message: &str) -> String {
        format!(
            "{{\"responseMessage\":{},\"responseCode\":{code}}}",
            serde_json::to_string(message).unwrap()
        )
    }
    const EVERY: [Job; 5] = [
        Job::Export,
        Job::Mark,
        Job::Download,
        Job::PolicyList,
        Job::Policy,
    ];

    #[test]
    fn every_known_refusal_under_status_200_is_told_from_success() {
        for (code, message) in [
            ("403", "You are not an admin of this policy"),
            ("410", "Malformed date '16-01-01'. Expected format is yyyy-MM-dd"),
            ("410", "'employeeEmail' parameter is missing or malformed"),
            ("410", "Required parameter 'policyIDList' is missing"),
            ("410", "Argument 'type' is missing or malformed"),
            ("410", "'categories' object malformed"),
            ("410", "Status 'APPROVED' is not supported"),
            ("410", "Domain name is missing or malformed"),
            ("410", ""),
            (
                "666",
                "Rule already exists with those actions, please update rule 3",
            ),
        ] {
            for job in EVERY {
                let expected = Fault::Refused {
                    code: code.to_owned(),
                    message: message.to_owned(),
                };
                assert_eq!(
                    answer(job, 200, &envelope(code, message)),
                    Err(expected),
                    "{job:?}"
                );
            }
        }
        for message in [
            "Not authorized to authenticate as user user@domain.com",
            "Required parameter 'policyName' is missing",
            "Column EmployeeEmail not found in CSV header",
            "No Template Submitted",
        ] {
            for job in [Job::Export, Job::PolicyList, Job::Policy] {
                let expected = Fault::Refused {
                    code: "500".to_owned(),
                    message: message.to_owned(),
                };
                assert_eq!(
                    answer(job, 200, &envelope("500", message)),
                    Err(expected),
                    "{job:?}"
                );
            }
        }
    }

    #[test]
    fn a_marking_export_that_failed_inside_the_server_may_have_marked() {
        assert_eq!(
            answer(Job::Mark, 200, &envelope("500", "oops")),
            Err(Fault::Unanswered("500 oops".into()))
        );
        assert!(matches!(
            answer(Job::Mark, 200, &envelope("410", "no")),
            Err(Fault::Refused { .. })
        ));
    }

    #[test]
    fn every_form_of_a_wrong_pair_is_an_authentication_failure() {
        for job in EVERY {
            for (status, body) in [
                (200, envelope("404", "Authentication error")),
                (200, envelope("403", "No authentication method specified")),
                (200, envelope("401", "whatever")),
                (200, envelope("\"401\"", "whatever")),
                (200, "{\"responseMessage\":\"Authentication error\"}".to_owned()),
                (401, String::new()),
                (401, "<html>401 Unauthorized</html>".to_owned()),
                (403, "<html>403 - Invalid Credentials</html>".to_owned()),
            ] {
                assert!(
                    matches!(answer(job, status, &body), Err(Fault::Unauthorised(_))),
                    "{job:?} {status} {body}"
                );
            }
        }
    }

    #[test]
    fn rate_limiting_is_seen_as_status_and_as_body_whatever_its_words() {
        let old = "You have been rate-limited. Please try again later or contact help@expensify.com for assistance.";
        for job in EVERY {
            for (status, body) in [
                (200, envelope("429", old)),
                (429, envelope("429", old)),
                (200, envelope("429.0", "slow down")),
                (200, envelope("\"429\"", "")),
                (429, String::new()),
                (429, "<html>Too Many Requests</html>".to_owned()),
            ] {
                assert_eq!(
                    answer(job, status, &body),
                    Err(Fault::Throttled),
                    "{job:?} {status} {body}"
                );
            }
        }
    }

    #[test]
    fn only_a_bare_name_is_a_file() {
        let name = "export0fd99e06-a636-4974-b6bc-3ceb12163386.csv";
        assert_eq!(
            answer(Job::Export, 200, name),
            Ok(Answer::File(FileName(name.to_owned())))
        );
        assert_eq!(
            answer(Job::Mark, 200, &format!("{name}\n")),
            Ok(Answer::File(FileName(name.to_owned())))
        );
        for no in [
            "",
            " ",
            "\n",
            "a.csv\nb.csv",
            "a b.csv",
            "a.CSV",
            "noextension",
            ".csv",
            "a.csv,",
            "a.csv,b.csv",
            "\"a.csv\"",
            "../a.csv",
            "<html><body>Down for maintenance</body></html>",
            "No Template Submitted",
            "[\"a.csv\"]",
            "{\"responseCode\":200}",
            "{\"filename\":\"a.csv\"}",
            "a.csv\u{0}",
        ] {
            assert!(
                matches!(answer(Job::Export, 200, no), Err(Fault::Unanswered(_))),
                "{no:?}"
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_no_refusal_and_no_wrong_pair() {
        assert!(matches!(
            answer(Job::Download, 200, &envelope("404", "File not found")),
            Err(Fault::NotReady(_))
        ));
        assert!(matches!(
            answer(Job::Download, 200, "{\"responseMessage\":\"File not found\"}"),
            Err(Fault::NotReady(_))
        ));
        assert!(matches!(
            answer(Job::Policy, 200, &envelope("404", "policy not found")),
            Err(Fault::Refused { .. })
        ));
        assert!(matches!(
            answer(Job::Download, 200, "{\"responseCode\":200}"),
            Err(Fault::Unanswered(_))
        ));
    }

    #[test]
    fn partial_success_is_success_and_a_bare_object_is_not() {
        for body in [
            "{\"responseCode\":200,\"x\":1}",
            "{\"responseCode\":207}",
            "{\"responseCode\":\"200\"}",
            "{\"responseCode\":200.0}",
        ] {
            assert!(
                matches!(answer(Job::Policy, 200, body), Ok(Answer::Object(_))),
                "{body}"
            );
        }
        assert!(matches!(
            answer(Job::Policy, 200, "{\"policyInfo\":{}}"),
            Err(Fault::Unanswered(_))
        ));
    }

    #[test]
    fn a_gateway_in_the_way_is_not_the_server() {
        for status in [502, 503, 504] {
            assert!(matches!(
                answer(Job::Export, status, "<html>Bad Gateway</html>"),
                Err(Fault::Dropped(_))
            ));
        }
        for status in [301, 400, 403, 404, 500] {
            assert!(matches!(
                answer(Job::Policy, status, "<html>oops</html>"),
                Err(Fault::Unanswered(_))
            ));
        }
    }

    #[test]
    fn a_body_kept_as_evidence_is_cut_and_free_of_the_pair() {
        let body = format!(
            "<html>partnerUserID=aa_etl_acme_com&partnerUserSecret=SECRETSECRET {}",
            "x".repeat(5_000)
        );
        let Err(Fault::Unanswered(kept)) = answer(Job::Export, 200, &body) else {
            panic!()
        };
        assert!(
            !kept.contains("SECRETSECRET") && !kept.contains("aa_etl_acme_com"),
            "{kept}"
        );
        assert!(
            kept.len() < EVIDENCE + 100 && kept.ends_with("… (cut)"),
            "{}",
            kept.len()
        );
        let Err(Fault::Refused { message, .. }) =
            answer(Job::Policy, 200, &envelope("410", "bad SECRETSECRET"))
        else {
            panic!()
        };
        assert_eq!(message, "bad [redacted]");
    }
}
