//! Who is calling: tokens, refresh tokens, Basic and session cookies (contract qad §1.4).

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::envelope::Reply;
use super::world::World;

/// How logins behave here.
#[derive(Clone, Debug)]
pub struct SessionRules {
    /// How long a token lives.
    pub token_lifetime: TimeDelta,
    /// How long a refresh token lives.
    pub refresh_lifetime: TimeDelta,
    /// Whether the answer tells `expires_in`; one live client defends against its absence.
    pub tells_expiry: bool,
    /// Failed logins in a row that lock a user; 10 was seen.
    pub failures_to_lock: u32,
    /// Makes the tokens of two stand-ins differ; the same seed and the same calls make the same tokens.
    pub seed: u64,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            token_lifetime: TimeDelta::seconds(3600),
            refresh_lifetime: TimeDelta::hours(24),
            tells_expiry: true,
            failures_to_lock: 10,
            seed: 0,
        }
    }
}

#[derive(Clone, Debug)]
struct Grant {
    user: String,
    until: DateTime<Utc>,
}

/// The tokens that were issued.
#[derive(Debug, Default)]
pub struct Sessions {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
    cookies: HashMap<String, Grant>,
    issued: u64,
}

impl Sessions {
    /// The token endpoint: `password` and `refresh_token` grants. Returns the user beside the answer, when known.
    pub fn token(
        &mut self,
        world: &mut World,
        rules: &SessionRules,
        parameters: &[(String, String)],
        now: DateTime<Utc>,
    ) -> (String, Reply) {
        let given = |name: &str| {
            parameters
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .unwrap_or_default()
        };
        let user = given("username").to_owned();
        if !world.client_ids.contains(given("client_id")) {
            return (
                user,
                Reply::oauth("invalid_client", "The client id is not known."),
            );
        }
        match given("grant_type") {
            "password" => {
                if !login(world, rules, &user, given("password")) {
                    return (user, wrong_login());
                }
                let reply = self.issue(rules, &user, now);
                (user, reply)
            }
            "refresh_token" => match self.refresh.remove(given("refresh_token")) {
                Some(grant) if grant.until > now && !is_locked(world, &grant.user) => {
                    let reply = self.issue(rules, &grant.user, now);
                    (grant.user, reply)
                }
                _ => (
                    user,
                    Reply::oauth("invalid_grant", "The refresh token is invalid or expired."),
                ),
            },
            _ => (
                user,
                Reply::oauth(
                    "unsupported_grant_type",
                    "Only password and refresh_token are supported.",
                ),
            ),
        }
    }

    /// The legacy JSON login: a session id for a cookie.
    pub fn login(
        &mut self,
        world: &mut World,
        rules: &SessionRules,
        user: &str,
        password: &str,
        now: DateTime<Utc>,
    ) -> Reply {
        if !login(world, rules, user, password) {
            return wrong_login();
        }
        let id = self.next_token(rules);
        self.cookies.insert(
            id.clone(),
            Grant {
                user: user.to_owned(),
                until: now + rules.token_lifetime,
            },
        );
        Reply::ok(json!({"sessionId": id}))
    }

    /// The user behind a request's headers. Basic is taken only where `basic` says so (browses).
    pub fn user_of(
        &self,
        world: &mut World,
        rules: &SessionRules,
        headers: &HeaderMap,
        basic: bool,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let alive = |grant: Option<&Grant>| {
            grant
                .filter(|grant| grant.until > now)
                .map(|grant| grant.user.clone())
        };
        if let Some((scheme, rest)) = text(header::AUTHORIZATION).and_then(|value| value.split_once(' ')) {
            if scheme.eq_ignore_ascii_case("bearer") {
                return alive(self.access.get(rest.trim()));
            }
            if basic && scheme.eq_ignore_ascii_case("basic") {
                let (user, password) = decode_basic(rest.trim())?;
                return login(world, rules, &user, &password).then_some(user);
            }
        }
        let cookie = text(header::COOKIE)?
            .split(';')
            .find_map(|cookie| cookie.trim().strip_prefix("JSESSIONID="))?;
        alive(self.cookies.get(cookie))
    }

    /// Ends every access token of a user (or of everyone); refresh tokens stay.
    pub fn expire(&mut self, user: Option<&str>) {
        let stays = |grant: &Grant| user.is_some_and(|user| grant.user != user);
        self.access.retain(|_, grant| stays(grant));
        self.cookies.retain(|_, grant| stays(grant));
    }

    /// Ends every refresh token of a user (or of everyone).
    pub fn expire_refresh(&mut self, user: Option<&str>) {
        self.refresh
            .retain(|_, grant| user.is_some_and(|user| grant.user != user));
    }

    fn issue(&mut self, rules: &SessionRules, user: &str, now: DateTime<Utc>) -> Reply {
        let access = self.next_token(rules);
        let refresh = self.next_token(rules);
        let grant = |lifetime| Grant {
            user: user.to_owned(),
            until: now + lifetime,
        };
        self.access.retain(|_, grant| grant.until > now);
        self.refresh.retain(|_, grant| grant.until > now);
        self.access.insert(access.clone(), grant(rules.token_lifetime));
        self.refresh
            .insert(refresh.clone(), grant(rules.refresh_lifetime));
        let mut body = json!({"access_token": access, "refresh_token": refresh, "token_type": "bearer"});
        if rules.tells_expiry {
            super::path::put(&mut body, "expires_in", json!(rules.token_lifetime.num_seconds()));
        }
        Reply::ok(body)
    }

    fn next_token(&mut self, rules: &SessionRules) -> String {
        self.issued += 1;
        let name = format!("{}:{}", rules.seed, self.issued);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
            .simple()
            .to_string()
    }
}

fn wrong_login() -> Reply {
    Reply::oauth(
        "invalid_grant",
        "Username or password is invalid, please try again.",
    )
}

fn is_locked(world: &World, user: &str) -> bool {
    world.users.get(user).is_none_or(|user| user.locked)
}

/// Checks a password and counts: a success forgets the failures, the last failure allowed locks. A locked user is
/// told the same as one with a wrong password.
fn login(world: &mut World, rules: &SessionRules, user: &str, password: &str) -> bool {
    let Some(user) = world.users.get_mut(user) else {
        return false;
    };
    if user.locked {
        return false;
    }
    if user.password.is(password) {
        user.failures = 0;
        return true;
    }
    user.failures += 1;
    user.locked = user.failures >= rules.failures_to_lock;
    false
}

fn decode_basic(encoded: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':')
        .map(|(user, password)| (user.to_owned(), password.to_owned()))
}
