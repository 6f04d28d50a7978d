//! The client: one workspace of one installation, through which everything is asked.

use reqwest::RequestBuilder;
use secrecy::SecretString;
use serde_json::Value;
use tieout_domain::chart::ChartReading;
use tieout_domain::ids::{Reference, ReportId, Workspace};
use tieout_domain::ports::{Clock, Ledger, LedgerError, LookUp, PostAnswer};
use tieout_domain::posting::{Document, DocumentKey, LedgerDocument, Sighting};

use crate::profile::Profile;
use crate::session::{Credentials, Session};
use crate::wire::{Answer, ClientError, Silence, Wire};

/// QAD over REST, scoped to one workspace. Keep one for as long as its credentials are valid: it holds the token, and
/// remembers a refused login so that the user is not locked by trying it again.
#[derive(Debug)]
pub struct QadClient<C> {
    wire: Wire,
    session: Session,
    profile: Profile,
    clock: C,
}

/// Why a call has no answer to be read.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No token could be had. The call itself was never sent, or was turned away with 401 before it was handled.
    Token(LedgerError),
    /// A fresh token was turned away too.
    TurnedAway(String),
    /// No answer.
    Silence(Silence),
}

impl<C: Clock> QadClient<C> {
    /// A client of the workspace at `base_url` (with its context root, e.g. `https://acme.adaptive.qad.com/clouderp`).
    /// Sends nothing.
    ///
    /// # Errors
    /// [`ClientError`] where the URL or the workspace cannot work.
    pub fn new(
        base_url: &str,
        workspace: &Workspace,
        credentials: Credentials,
        profile: Profile,
        clock: C,
    ) -> Result<Self, ClientError> {
        let wire = Wire::new(base_url, workspace, &profile)?;
        Ok(Self {
            wire,
            session: Session::new(credentials),
            profile,
            clock,
        })
    }

    /// The profile it works by.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn clock(&self) -> &C {
        &self.clock
    }

    /// Fetches a token, if there is none.
    pub(crate) async fn log_in(&self) -> Result<(), LedgerError> {
        self.session.bearer(&self.wire, &self.clock).await.map(|_| ())
    }

    /// Sends a request with the present token; on 401 renews the token once and sends it once more, which is safe for a
    /// write too, since it was turned away before it was handled (contract qad §1.4).
    pub(crate) async fn authorised(
        &self,
        what: &str,
        request: impl Fn(&SecretString) -> RequestBuilder + Send + Sync,
    ) -> Result<Answer, Failure> {
        let bearer = self
            .session
            .bearer(&self.wire, &self.clock)
            .await
            .map_err(Failure::Token)?;
        let answer = self.send(what, request(&bearer.token)).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let bearer = self
            .session
            .instead_of(&bearer, &self.wire, &self.clock)
            .await
            .map_err(Failure::Token)?;
        let answer = self.send(what, request(&bearer.token)).await?;
        if answer.status == 401 {
            Err(Failure::TurnedAway(self.session.evidence(&answer.body)))
        } else {
            Ok(answer)
        }
    }

    async fn send(&self, what: &str, request: RequestBuilder) -> Result<Answer, Failure> {
        let answer = self.wire.send(request).await;
        match &answer {
            Ok(Answer { status, body }) => tracing::debug!(what, status, bytes = body.len(), "QAD answered"),
            Err(silence) => tracing::debug!(what, detail = silence.detail(), "QAD did not answer"),
        }
        answer.map_err(Failure::Silence)
    }

    /// Reads something: an answer that is not what a read is answered with is an error, never data.
    pub(crate) async fn read(
        &self,
        what: &str,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Value, LedgerError> {
        let asked = || what.to_owned();
        let answer = self
            .authorised(what, |token| self.wire.get(path, query, token))
            .await
            .map_err(|failure| match failure {
                Failure::Token(error) => error,
                Failure::TurnedAway(detail) => LedgerError::Unauthorised {
                    detail: format!("a fresh token was answered with 401 to {what}: {detail}"),
                },
                Failure::Silence(silence) => LedgerError::Unanswered {
                    what: asked(),
                    detail: self.session.redacted(silence.detail()),
                },
            })?;
        let evidence = || self.session.evidence(&answer.body);
        match answer.status {
            200..=299 => serde_json::from_slice(&answer.body).map_err(|error| LedgerError::Unanswered {
                what: asked(),
                detail: format!("HTTP {}, but not JSON ({error}): {}", answer.status, evidence()),
            }),
            403 => Err(LedgerError::Denied {
                what: asked(),
                detail: evidence(),
            }),
            // A path, URI, browse or key that this installation does not have.
            400 | 404 => Err(LedgerError::Profile {
                what: asked(),
                detail: format!("HTTP {}: {}", answer.status, evidence()),
            }),
            status => Err(LedgerError::Unanswered {
                what: asked(),
                detail: format!("HTTP {status}: {}", evidence()),
            }),
        }
    }
}

impl<C: Clock> Ledger for QadClient<C> {
    async fn read_chart(&self) -> Result<ChartReading, LedgerError> {
        self.chart().await
    }

    async fn contract_hash(&self) -> Result<String, LedgerError> {
        self.hash_of_contract().await
    }

    async fn look_up(&self, report: ReportId) -> Result<LookUp, LedgerError> {
        self.documents_of(report).await
    }

    async fn list_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
        self.documents_of_ours().await
    }

    async fn post(&self, document: &Document) -> PostAnswer {
        self.send_once(document).await
    }

    async fn read_back(
        &self,
        reference: Reference,
        key: &DocumentKey,
    ) -> Result<LedgerDocument, LedgerError> {
        self.document_at(reference, key).await
    }
}
