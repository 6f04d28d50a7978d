//! Tokens (contract qad §1.4): one for all concurrent calls, fetched by the password grant and renewed by the refresh
//! grant. A login that QAD refused is never tried again by this session, because repeated failures lock the user.

use std::fmt;
use std::sync::{Mutex as StdMutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tieout_domain::ports::{Clock, LedgerError};
use tieout_domain::time::Steady;
use tokio::sync::Mutex;

use crate::exact;
use crate::wire::{Answer, Silence, Wire, excerpt};

const TOKEN_PATH: &str = "/oauth/token";
/// How long a token lives that does not say so (§1.4), in seconds.
const USUAL_LIFE: u64 = 300;
/// Renewed this long before it ends, so that it does not end on the way; half of its life for a very short one.
const MARGIN_MILLIS: u64 = 30_000;

/// Who we are to QAD.
#[derive(Clone)]
pub struct Credentials {
    /// The client id that the administrator issued.
    pub client_id: String,
    /// The user.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
}
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A token to send, and which one it is.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    pub(crate) token: SecretString,
    serial: u64,
}

#[derive(Debug)]
struct Grant {
    bearer: Bearer,
    refresh: Option<SecretString>,
    renew_at: Steady,
}

#[derive(Debug)]
enum State {
    /// Nothing was asked yet.
    Empty,
    /// A token.
    Held(Grant),
    /// The login was refused: not tried again.
    Refused(String),
}

/// The tokens of one user.
#[derive(Debug)]
pub(crate) struct Session {
    credentials: Credentials,
    state: Mutex<State>,
    /// Every secret that could appear in an answer, to be taken out of evidence.
    secrets: StdMutex<Vec<SecretString>>,
}

enum TokenAnswer {
    Granted {
        access: SecretString,
        refresh: Option<SecretString>,
        life_seconds: u64,
    },
    Refused(String),
}

impl Session {
    pub(crate) fn new(credentials: Credentials) -> Self {
        let secrets = StdMutex::new(vec![credentials.password.clone()]);
        Self {
            credentials,
            state: Mutex::new(State::Empty),
            secrets,
        }
    }

    /// The present token; fetched or renewed where there is none or it is about to end. Concurrent callers wait for
    /// one fetch.
    pub(crate) async fn bearer(&self, wire: &Wire, clock: &impl Clock) -> Result<Bearer, LedgerError> {
        let mut state = self.state.lock().await;
        if let State::Held(grant) = &*state {
            let now = clock.steady();
            if now.epoch == grant.renew_at.epoch && now.millis < grant.renew_at.millis {
                return Ok(grant.bearer.clone());
            }
        }
        self.renew(&mut state, wire, clock).await
    }

    /// Another token than `rejected`, which QAD answered with 401: renewed, unless somebody else has done so meanwhile.
    pub(crate) async fn instead_of(
        &self,
        rejected: &Bearer,
        wire: &Wire,
        clock: &impl Clock,
    ) -> Result<Bearer, LedgerError> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Held(grant) if grant.bearer.serial != rejected.serial => Ok(grant.bearer.clone()),
            _ => self.renew(&mut state, wire, clock).await,
        }
    }

    async fn renew(&self, state: &mut State, wire: &Wire, clock: &impl Clock) -> Result<Bearer, LedgerError> {
        let mut serial = 1;
        match state {
            State::Refused(detail) => {
                let detail = format!("{detail}; not tried again, so that the user is not locked");
                return Err(LedgerError::Unauthorised { detail });
            }
            State::Held(Grant {
                refresh: Some(refresh),
                bearer,
                ..
            }) => {
                serial = bearer.serial + 1;
                let client_id = self.credentials.client_id.as_str();
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("refresh_token", refresh.expose_secret()),
                ];
                if let TokenAnswer::Granted {
                    access,
                    refresh,
                    life_seconds,
                } = self.ask(wire, &form).await?
                {
                    return Ok(self.hold(state, serial, access, refresh, life_seconds, clock));
                }
                // A refresh that is refused has simply grown too old: log in again.
            }
            State::Held(Grant { bearer, .. }) => serial = bearer.serial + 1,
            State::Empty => {}
        }
        let Credentials {
            client_id,
            username,
            password,
        } = &self.credentials;
        let form = [
            ("grant_type", "password"),
            ("client_id", client_id),
            ("username", username),
            ("password", password.expose_secret()),
        ];
        match self.ask(wire, &form).await? {
            TokenAnswer::Granted {
                access,
                refresh,
                life_seconds,
            } => Ok(self.hold(state, serial, access, refresh, life_seconds, clock)),
            TokenAnswer::Refused(detail) => {
                *state = State::Refused(detail.clone());
                Err(LedgerError::Unauthorised { detail })
            }
        }
    }

    fn hold(
        &self,
        state: &mut State,
        serial: u64,
        access: SecretString,
        refresh: Option<SecretString>,
        life_seconds: u64,
        clock: &impl Clock,
    ) -> Bearer {
        let life = life_seconds.saturating_mul(1_000);
        let mut renew_at = clock.steady();
        renew_at.millis = renew_at
            .millis
            .saturating_add(life.saturating_sub(MARGIN_MILLIS).max(life / 2));
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        // The password, the tokens just replaced (an answer may be on its way with them), and these.
        let replaced = secrets.len().saturating_sub(2).max(1);
        if replaced > 1 {
            secrets.drain(1..replaced);
        }
        secrets.push(access.clone());
        secrets.extend(refresh.clone());
        drop(secrets);
        let bearer = Bearer {
            token: access,
            serial,
        };
        *state = State::Held(Grant {
            bearer: bearer.clone(),
            refresh,
            renew_at,
        });
        bearer
    }

    async fn ask(&self, wire: &Wire, form: &[(&str, &str)]) -> Result<TokenAnswer, LedgerError> {
        let what = || "the token request".to_owned();
        let Answer { status, body } = wire.send(wire.form(TOKEN_PATH, form)).await.map_err(|silence| {
            let (Silence::NeverSent(detail) | Silence::NoAnswer(detail)) = silence;
            LedgerError::Unanswered {
                what: what(),
                detail: self.redacted(&detail),
            }
        })?;
        let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        match (status, text("access_token").filter(|token| !token.is_empty())) {
            (200..=299, Some(access)) => Ok(TokenAnswer::Granted {
                access: access.into(),
                refresh: text("refresh_token")
                    .filter(|token| !token.is_empty())
                    .map(SecretString::from),
                life_seconds: json
                    .get("expires_in")
                    .and_then(exact::integer)
                    .and_then(|life| u64::try_from(life).ok())
                    .unwrap_or(USUAL_LIFE),
            }),
            (400 | 401, _) => {
                let error = text("error").unwrap_or("HTTP status 400 or 401");
                let description = text("error_description")
                    .map(|text| format!(": {text}"))
                    .unwrap_or_default();
                Ok(TokenAnswer::Refused(
                    self.redacted(&format!("{error}{description}")),
                ))
            }
            (403, _) => Err(LedgerError::Denied {
                what: what(),
                detail: self.evidence(&body),
            }),
            _ => Err(LedgerError::Unanswered {
                what: what(),
                detail: format!("HTTP {status}: {}", self.evidence(&body)),
            }),
        }
    }

    /// Evidence from bytes: as text, without secrets, cut.
    pub(crate) fn evidence(&self, body: &[u8]) -> String {
        excerpt(&self.redacted(&String::from_utf8_lossy(body)))
    }

    /// A text without any secret of this session, as it stands or as JSON or a form writes it.
    pub(crate) fn redacted(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in secrets
            .iter()
            .map(ExposeSecret::expose_secret)
            .filter(|secret| !secret.is_empty())
        {
            let json = Value::String(secret.to_owned()).to_string();
            let json = json.trim_matches('"');
            let form: String = reqwest::Url::parse_with_params("x:/", [("", secret)])
                .ok()
                .and_then(|url| url.query().map(|query| query.trim_start_matches('=').to_owned()))
                .unwrap_or_default();
            for form in [secret, json, form.as_str()] {
                if !form.is_empty() && text.contains(form) {
                    text = text.replace(form, "[redacted]");
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(password: &str) -> Session {
        Session::new(Credentials {
            client_id: "CLIENT".into(),
            username: "svc".into(),
            password: password.into(),
        })
    }

    #[test]
    fn a_secret_is_taken_out_however_it_is_written() {
        let session = session("p\"w &#1");
        assert_eq!(session.redacted("a p\"w &#1 b"), "a [redacted] b");
        assert_eq!(session.redacted(r#"{"x":"p\"w &#1"}"#), r#"{"x":"[redacted]"}"#);
        assert_eq!(
            session.redacted("password=p%22w+%26%231&x"),
            "password=[redacted]&x"
        );
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let session = session("hunter2-and-more");
        assert!(!format!("{session:?} {:?}", session.credentials).contains("hunter2"));
    }
}
