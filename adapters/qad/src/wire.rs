//! Requests and answers: what was certainly never sent is told from what may have arrived, and nothing is sent twice
//! behind our back.

use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use tieout_domain::ids::Workspace;

use crate::profile::Profile;

const USER_AGENT: &str = concat!("tieout/", env!("CARGO_PKG_VERSION"));
const WORKSPACE_HEADER: HeaderName = HeaderName::from_static("x-qad-workspace-id");

/// How much of an answer is kept as evidence, in bytes.
const EXCERPT: usize = 2_000;

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base URL is not one.
    #[error(
        "`url` of the QAD connection is not usable: {0}; write it as in the browser's address bar, e.g. https://acme.adaptive.qad.com/clouderp"
    )]
    BaseUrl(String),
    /// The workspace cannot be sent as a header, or names no entity.
    #[error("`workspace` {0} is not of the form DOMAIN_ENTITY, e.g. 10USA_10USACO")]
    Workspace(Workspace),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Http(String),
}

/// An answer, whatever it says.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// No answer.
#[derive(Debug, Clone)]
pub(crate) enum Silence {
    /// No connection was made: nothing was sent.
    NeverSent(String),
    /// A connection was made; what was sent may have arrived.
    NoAnswer(String),
}
impl Silence {
    pub(crate) fn detail(&self) -> &str {
        match self {
            Self::NeverSent(detail) | Self::NoAnswer(detail) => detail,
        }
    }
}

/// The way to one workspace of one installation.
#[derive(Debug)]
pub(crate) struct Wire {
    http: reqwest::Client,
    base: String,
    domain: String,
    entity: String,
    encrypted: bool,
    max_answer_bytes: usize,
}

impl Wire {
    pub(crate) fn new(base: &str, workspace: &Workspace, profile: &Profile) -> Result<Self, ClientError> {
        let url = Url::parse(base).map_err(|error| ClientError::BaseUrl(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(ClientError::BaseUrl(
                "it is http or https, without `?` and `#`".to_owned(),
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ClientError::BaseUrl(
                "it holds a user or password; keep those in the vault".to_owned(),
            ));
        }
        let host = url
            .host_str()
            .ok_or_else(|| ClientError::BaseUrl("it names no host".to_owned()))?;
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>();
        let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        let bad_workspace = || ClientError::Workspace(workspace.clone());
        let (domain, entity) = workspace
            .as_str()
            .split_once('_')
            .filter(|(d, e)| !d.is_empty() && !e.is_empty())
            .ok_or_else(bad_workspace)?;

        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            WORKSPACE_HEADER,
            HeaderValue::from_str(workspace.as_str()).map_err(|_| bad_workspace())?,
        );
        if let Some(language) = &profile.transport.accept_language {
            let language = HeaderValue::from_str(language)
                .map_err(|error| ClientError::Http(format!("transport.accept_language: {error}")))?;
            headers.insert(ACCEPT_LANGUAGE, language);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            // A redirect leads to a login page; following it would turn a lost session into an HTML page with status 200.
            .redirect(reqwest::redirect::Policy::none())
            // What is sent again is decided by the workflow, after a look-up.
            .retry(reqwest::retry::never())
            .connect_timeout(profile.waits.connect_timeout.0)
            .timeout(profile.waits.read_timeout.0)
            // An idle connection that the server has closed meanwhile would put a post in doubt for nothing.
            .pool_idle_timeout(Duration::from_secs(15));
        if loopback {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder
                .build()
                .map_err(|error| ClientError::Http(chain(&error)))?,
            base: base.trim_end_matches('/').to_owned(),
            domain: domain.to_owned(),
            entity: entity.to_owned(),
            encrypted: url.scheme() == "https" || loopback,
            max_answer_bytes: profile.transport.max_answer_bytes,
        })
    }

    /// The workspace's entity.
    pub(crate) fn entity(&self) -> &str {
        &self.entity
    }

    /// Whether passwords travel encrypted, or not at all beyond this machine.
    pub(crate) fn encrypted(&self) -> bool {
        self.encrypted
    }

    /// A profile's text with `{domain}` and `{entity}` replaced by the workspace's own.
    pub(crate) fn localised(&self, text: &str) -> String {
        text.replace("{domain}", &self.domain)
            .replace("{entity}", &self.entity)
    }

    pub(crate) fn get(&self, path: &str, query: &[(&str, String)], token: &SecretString) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.base))
            .query(query)
            .bearer_auth(token.expose_secret())
    }

    pub(crate) fn post(
        &self,
        path: &str,
        query: &[(&str, String)],
        body: Vec<u8>,
        token: &SecretString,
    ) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base))
            .query(query)
            .bearer_auth(token.expose_secret())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body)
    }

    /// A POST to the token endpoint: parameters in the body, because a query string lands in access logs (§1.4).
    pub(crate) fn form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base)).form(form)
    }

    /// Sends a request, once.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Silence> {
        let mut response = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                Silence::NeverSent(chain(&error))
            } else {
                Silence::NoAnswer(chain(&error))
            }
        })?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_answer_bytes => {
                    let detail = format!(
                        "HTTP {status}, then more than {} bytes (transport.max_answer_bytes)",
                        self.max_answer_bytes
                    );
                    return Err(Silence::NoAnswer(detail));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Answer { status, body }),
                Err(error) => {
                    return Err(Silence::NoAnswer(format!(
                        "HTTP {status}, then {}",
                        chain(&error)
                    )));
                }
            }
        }
    }
}

/// An error with everything behind it; without the URL, which is long and says nothing new.
fn chain(error: &reqwest::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    if error.is_timeout() {
        words.push("timed out".to_owned());
    }
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !words.contains(&text) {
            words.push(text);
        }
        next = error.source();
    }
    if words.is_empty() {
        "the request failed".to_owned()
    } else {
        words.join(": ")
    }
}

/// The beginning of a body, as evidence. Secrets are taken out by the caller, who knows them, before it is cut.
pub(crate) fn excerpt(text: &str) -> String {
    if text.len() <= EXCERPT {
        return text.to_owned();
    }
    let end = (0..=EXCERPT)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    format!(
        "{}… ({} bytes in all)",
        text.get(..end).unwrap_or_default(),
        text.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Canaries, TEMPLATE};

    fn wire(base: &str, workspace: &str) -> Result<Wire, ClientError> {
        let profile = Profile::parse(&Canaries::sample().fill(TEMPLATE)).unwrap();
        Wire::new(base, &Workspace::new(workspace).unwrap(), &profile)
    }

    #[test]
    fn a_base_url_that_cannot_work_is_refused() {
        for bad in [
            "",
            "acme.qad.com",
            "ftp://acme",
            "https://acme/?x=1",
            "https://svc:pw@acme/clouderp",
            "file:///x",
        ] {
            assert!(
                matches!(wire(bad, "10USA_10USACO"), Err(ClientError::BaseUrl(_))),
                "{bad}"
            );
        }
        assert!(matches!(
            wire("https://acme", "10USA"),
            Err(ClientError::Workspace(_))
        ));
        assert!(wire("https://acme/clouderp/", "10USA_10USACO").is_ok());
    }

    #[test]
    fn only_loopback_may_go_unencrypted() {
        assert!(wire("http://127.0.0.1:1", "D_E").unwrap().encrypted());
        assert!(wire("https://acme", "D_E").unwrap().encrypted());
        assert!(!wire("http://acme:22010/qad-central", "D_E").unwrap().encrypted());
    }

    #[test]
    fn a_workspace_is_a_domain_and_an_entity() {
        let wire = wire("https://acme", "10USA_10USACO").unwrap();
        assert_eq!(wire.localised("{domain}/{entity}"), "10USA/10USACO");
    }

    #[test]
    fn evidence_is_cut_between_characters() {
        let cut = excerpt(&"é".repeat(3_000));
        assert!(cut.starts_with('é') && cut.ends_with("(6000 bytes in all)") && cut.len() < 2_100);
        assert_eq!(excerpt("short"), "short");
    }
}
