//! One call as a node sees it: who asks, how long it may take, whether only the leader may answer.

use std::sync::Arc;
use std::sync::PoisonError;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::faults::Fault;
use crate::serve::Cut;
use crate::shared::Shared;
use crate::status;

/// One node's side of the shared log: what the services are built on.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: usize,
}

pub(crate) struct Call {
    pub(crate) seat: Seat,
    requires_leader: bool,
    allowed: bool,
    deadline: Option<Instant>,
    cut: Option<Cut>,
}

impl Call {
    /// Wrong credentials are refused here, as by the server's authentication, before any service sees the call.
    pub(crate) fn new<T>(seat: &Seat, request: &Request<T>) -> Result<Self, Status> {
        let metadata = request.metadata();
        Ok(Self {
            seat: seat.clone(),
            requires_leader: metadata
                .get("requires-leader")
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")),
            allowed: allowed(seat, metadata)?,
            deadline: timeout(metadata).map(|timeout| Instant::now() + timeout),
            cut: request.extensions().get::<Cut>().cloned(),
        })
    }

    pub(crate) fn allowed(&self) -> bool {
        self.allowed
    }

    /// Waits as the switch says, but no longer than the caller's own deadline, which the real server enforces too.
    pub(crate) async fn slow(&self) -> Result<(), Status> {
        let by = self.seat.shared.faults.slow();
        if by.is_zero() {
            return Ok(());
        }
        let until = Instant::now() + by;
        match self.deadline {
            Some(deadline) if deadline < until => {
                tokio::time::sleep_until(deadline).await;
                Err(status::deadline())
            }
            _ => {
                tokio::time::sleep_until(until).await;
                Ok(())
            }
        }
    }

    /// Refuses what only a leader may do.
    pub(crate) fn check_leader(&self) -> Result<(), Status> {
        if self.requires_leader && !self.seat.shared.leads(self.seat.index) {
            Err(self.not_leader())
        } else {
            Ok(())
        }
    }

    pub(crate) fn not_leader(&self) -> Status {
        self.seat.shared.leader_port().map_or_else(
            || Status::unknown("No leader info available in response"),
            |port| status::not_leader("127.0.0.1", port),
        )
    }

    /// The refusal that a fault means for a call; `None` for those that let the work be done.
    pub(crate) fn refusal(&self, fault: Fault) -> Option<Status> {
        match fault {
            Fault::NotLeader => Some(self.not_leader()),
            Fault::Deadline => Some(status::deadline()),
            Fault::Unavailable => Some(Status::unavailable("The stand-in was told to be unavailable")),
            Fault::NotReady => Some(status::not_ready()),
            Fault::LoseAck | Fault::LoseAckSilently => None,
        }
    }

    /// Drops the caller's connection.
    pub(crate) fn cut(&self) {
        if let Some(cut) = &self.cut {
            cut.now();
        }
    }
}

fn allowed(seat: &Seat, metadata: &MetadataMap) -> Result<bool, Status> {
    let users = seat.shared.users.lock().unwrap_or_else(PoisonError::into_inner);
    if users.is_empty() {
        return Ok(true);
    }
    let Some(header) = metadata.get("authorization") else {
        return Ok(false);
    };
    let known = || {
        let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        (users.get(name)? == password).then_some(true)
    };
    known().ok_or_else(|| Status::unauthenticated("Unauthenticated"))
}

/// `grpc-timeout`: up to eight digits and a unit.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}
