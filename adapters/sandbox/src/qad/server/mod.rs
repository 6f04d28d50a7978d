//! The server: one request in, one fault or answer out.

mod outcome;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::Value;

use self::outcome::Outcome;
use self::request::{Operation, Request};
use super::entity::{self, Writer, supplier};
use super::envelope::Reply;
use super::faults::FaultKind;
use super::session::{SessionRules, Sessions};
use super::shape::QadShape;
use super::world::{DocumentKey, Reversal, World};
use super::{browse, control, metadata};
use crate::calls::{Call, Calls};
use crate::clock::Clock;
use crate::fault::Faults;
use crate::server::{ConnectionDropped, Listener, StartError};

/// What a stand-in starts with.
#[derive(Clone, Debug)]
pub struct QadConfig {
    /// The port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// The context root, part of the base URL (contract qad §1.3): `/clouderp`, or empty.
    pub context: String,
    /// Where the time comes from.
    pub clock: Clock,
    /// What this installation calls everything.
    pub shape: QadShape,
    /// What this installation holds.
    pub world: World,
    /// How logins behave.
    pub sessions: SessionRules,
}

impl Default for QadConfig {
    /// Any free port, real time, the contract's names, and a world without users.
    fn default() -> Self {
        Self {
            port: 0,
            context: "/clouderp".into(),
            clock: Clock::real(),
            shape: QadShape::default(),
            world: World::default(),
            sessions: SessionRules::default(),
        }
    }
}

/// A stand-in at work on loopback. Dropping it stops it.
#[derive(Debug)]
pub struct QadStandIn {
    handle: QadHandle,
    listener: Listener,
}

impl QadStandIn {
    /// Listens on 127.0.0.1; fails if the port cannot be had.
    pub async fn start(config: QadConfig) -> Result<Self, StartError> {
        let port = config.port;
        let handle = QadHandle::new(config);
        let listener = Listener::start(port, handle.router()).await?;
        Ok(Self { handle, listener })
    }

    /// The base URL, context root included; `/_sandbox/` lies beside the context root, at [`QadStandIn::origin`].
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.handle.shared.context)
    }

    /// `http://127.0.0.1:port`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// The handle on world, faults and calls.
    pub fn handle(&self) -> QadHandle {
        self.handle.clone()
    }

    /// Lets the calls in hand finish and stops.
    pub async fn shutdown(self) {
        self.listener.shutdown().await;
    }
}

struct Shared {
    context: String,
    clock: Clock,
    shape: QadShape,
    rules: SessionRules,
    world: Mutex<World>,
    sessions: Mutex<Sessions>,
    faults: Faults<FaultKind>,
    calls: Calls,
}

/// A handle on a stand-in, with or without a listener. Clones share everything.
#[derive(Clone)]
pub struct QadHandle {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for QadHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QadHandle")
            .field("context", &self.shared.context)
            .finish_non_exhaustive()
    }
}

impl QadHandle {
    /// A stand-in that does not listen: call its [`QadHandle::router`] in process. The port is not used.
    pub fn new(config: QadConfig) -> Self {
        let shared = Shared {
            context: config.context.trim_end_matches('/').to_owned(),
            clock: config.clock,
            shape: config.shape,
            rules: config.sessions,
            world: Mutex::new(config.world),
            sessions: Mutex::default(),
            faults: Faults::default(),
            calls: Calls::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The whole server as a router: the context root and `/_sandbox/`. A response that bears [`ConnectionDropped`]
    /// must be treated as a connection that was closed.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(answer)
            .with_state(self.clone())
            .merge(control::router(self))
            .merge(crate::control::router(self.calls(), self.faults()))
    }

    /// Changes the world; the change is seen whole by every later call.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        change(&mut lock(&self.shared.world))
    }

    /// Reads the world.
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&lock(&self.shared.world))
    }

    /// Marks a document as reversed, as somebody in the ledger would. False if there is no such document.
    pub fn reverse(&self, workspace: &str, key: &DocumentKey) -> bool {
        let at = self.shared.clock.now();
        self.edit(|world| {
            let ledger = world
                .workspace_mut(workspace)
                .map(|workspace| &mut workspace.ledger);
            ledger
                .and_then(|ledger| ledger.edit(key, |document| document.reversal = Some(Reversal { at })))
                .is_some()
        })
    }

    /// Ends the access tokens of a user, or of everyone; refresh tokens stay.
    pub fn expire_tokens(&self, user: Option<&str>) {
        lock(&self.shared.sessions).expire(user);
    }

    /// Ends the refresh tokens of a user, or of everyone.
    pub fn expire_refresh_tokens(&self, user: Option<&str>) {
        lock(&self.shared.sessions).expire_refresh(user);
    }

    /// The faults on their switch.
    pub fn faults(&self) -> Faults<FaultKind> {
        self.shared.faults.clone()
    }

    /// The calls that arrived.
    pub fn calls(&self) -> Calls {
        self.shared.calls.clone()
    }

    /// What this installation calls everything.
    pub fn shape(&self) -> &QadShape {
        &self.shared.shape
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked while it edited has failed already; the world goes on for its clean-up.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(stand_in): State<QadHandle>, http: HttpRequest) -> Response<Body> {
    let shared = stand_in.shared;
    let request = match Request::read(&shared.context, &shared.shape, http).await {
        Ok(request) => request,
        Err(reply) => return reply.into_response(),
    };
    let names = request.operation.names(&shared.shape);
    let fault = shared.faults.strike_any(&names);
    let pass = match shared.before(&request, fault.as_ref()) {
        Ok(pass) => pass,
        Err((caller, outcome)) => {
            return shared.record(&request, &caller, fault.as_ref(), outcome.into_response());
        }
    };
    match fault {
        Some(FaultKind::Zombie { ms }) => {
            // On a task of its own, so that it happens though the caller is gone and this future dropped.
            let late = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                let reply = shared.perform(&request, &pass, fault.as_ref());
                shared.record(&request, &pass.user, fault.as_ref(), reply.into_response())
            });
            late.await
                .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        fault => {
            let reply = shared.perform(&request, &pass, fault.as_ref());
            let outcome = Outcome::after(fault.as_ref(), reply);
            let response = shared.record(&request, &pass.user, fault.as_ref(), outcome.into_response());
            if let Some(FaultKind::Delay { ms }) = fault {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            response
        }
    }
}

/// Who got in, and to where.
struct Pass {
    user: String,
    /// Empty where no workspace is needed.
    workspace: String,
}

impl Shared {
    /// Everything that can end a call before it does anything: faults, then tokens, then permissions, then the
    /// workspace. The refusal names the caller, when known.
    fn before(&self, request: &Request, fault: Option<&FaultKind>) -> Result<Pass, (String, Outcome)> {
        if let Some(outcome) = Outcome::instead(fault) {
            return Err((String::new(), outcome));
        }
        if matches!(request.operation, Operation::Token | Operation::Login) {
            return Ok(Pass {
                user: String::new(),
                workspace: String::new(),
            });
        }
        let basic = matches!(request.operation, Operation::Browse(_));
        let mut world = lock(&self.world);
        let mut sessions = lock(&self.sessions);
        let user = sessions.user_of(&mut world, &self.rules, &request.headers, basic, self.clock.now());
        let Some(user) = user else {
            return Err((String::new(), Outcome::Answered(Reply::invalid_token())));
        };
        if fault == Some(&FaultKind::TokenExpired) {
            sessions.expire(Some(&user));
            return Err((user, Outcome::Answered(Reply::invalid_token())));
        }
        let denied = |user| Err((user, Outcome::Answered(Reply::denied())));
        let Some(known) = world.users.get(&user).filter(|known| !known.forbidden) else {
            return denied(user);
        };
        if request.operation == Operation::Metadata {
            let workspace = String::new();
            return if known.developer {
                Ok(Pass { user, workspace })
            } else {
                denied(user)
            };
        }
        let named = request
            .headers
            .get("x-qad-workspace-id")
            .and_then(|value| value.to_str().ok());
        match named
            .or(known.default_workspace.as_deref())
            .filter(|id| world.workspaces.contains_key(*id))
        {
            Some(id) => Ok(Pass {
                workspace: id.to_owned(),
                user,
            }),
            None => denied(user),
        }
    }

    /// Does what was asked, once, or twice if it was delivered twice.
    fn perform(&self, request: &Request, pass: &Pass, fault: Option<&FaultKind>) -> Reply {
        let reply = self.perform_once(request, pass, fault);
        if fault == Some(&FaultKind::DeliveredTwice) {
            self.perform_once(request, pass, fault);
        }
        reply
    }

    fn perform_once(&self, request: &Request, pass: &Pass, fault: Option<&FaultKind>) -> Reply {
        let shape = &self.shape;
        let query = request.query.as_slice();
        let now = self.clock.now();
        let mut world = lock(&self.world);
        match &request.operation {
            Operation::Token => {
                let mut sessions = lock(&self.sessions);
                let (user, reply) = sessions.token(&mut world, &self.rules, &request.form(), now);
                if fault == Some(&FaultKind::TokenExpired) {
                    sessions.expire(Some(&user));
                }
                reply
            }
            Operation::Login => {
                let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
                let (user, password) = (text("username"), text("password"));
                lock(&self.sessions).login(&mut world, &self.rules, user, password, now)
            }
            Operation::Metadata => metadata::answer(shape, &world, query),
            Operation::Unknown => Reply::bare(StatusCode::NOT_FOUND, "Invalid URI"),
            Operation::Browse(_) => match world.workspace(&pass.workspace) {
                Some(workspace) => browse::answer(shape, &world, workspace, query, fault),
                None => Reply::denied(),
            },
            Operation::Get(kind) => match world.workspace(&pass.workspace) {
                Some(workspace) => entity::get(shape, &world, workspace, *kind, query),
                None => Reply::denied(),
            },
            Operation::Post(kind) => {
                let writer = Writer {
                    shape,
                    workspace: &pass.workspace,
                    user: &pass.user,
                    now,
                };
                entity::post(&writer, &mut world, *kind, query, &request.body, fault)
                    .with_write_status(shape.stored_status, shape.refused_status)
            }
            Operation::GetSupplier => match world.workspace(&pass.workspace) {
                Some(workspace) => supplier::get(workspace, query),
                None => Reply::denied(),
            },
            Operation::PostSupplier => match world.workspace_mut(&pass.workspace) {
                Some(workspace) => supplier::post(workspace, query, &request.body)
                    .with_write_status(shape.stored_status, shape.refused_status),
                None => Reply::denied(),
            },
        }
    }

    fn record(
        &self,
        request: &Request,
        caller: &str,
        fault: Option<&FaultKind>,
        response: Response<Body>,
    ) -> Response<Body> {
        let dropped = response.extensions().get::<ConnectionDropped>().is_some();
        let status = if dropped { 0 } else { response.status().as_u16() };
        let caller = if caller.is_empty() {
            request.named_user()
        } else {
            caller.to_owned()
        };
        self.calls.record(Call {
            at: self.clock.now(),
            server: "qad",
            operation: request
                .operation
                .names(&self.shape)
                .into_iter()
                .next()
                .unwrap_or_default(),
            caller,
            status,
            code: None,
            throttled: status == StatusCode::TOO_MANY_REQUESTS.as_u16(),
            fault: fault.map(FaultKind::name),
        });
        response
    }
}
