//! What went wrong, told apart by what may be done about it.

use eventstore::Error;
use tieout_domain::ports::{LogError, StreamName};

/// What a failed call of the client means.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// The stream is not where it was expected; nothing was appended.
    Conflict,
    /// There is no such stream.
    NoStream,
    /// The node is not the leader any more, or the client is dead: another client is needed. Whether an append happened
    /// is unknown.
    Renew(String),
    /// The session was ended for everybody in it by what befell one append: a new one on the same client will do.
    Session,
    /// No answer, or one that says to come back. Whether an append happened is unknown.
    Again(String),
    /// No use in trying again.
    Final(Cause),
}

/// Why there is no use in trying again.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// Wrong user or password, or not allowed.
    Denied,
    /// The append is too large for this server.
    TooLarge(String),
    /// The stream was deleted by somebody.
    Deleted,
    /// The server cannot do what is needed.
    Unsupported,
    /// Anything else.
    Other(String),
}

impl Trouble {
    pub(crate) fn of(error: Error) -> Self {
        match error {
            Error::WrongExpectedVersion { .. } | Error::ResourceAlreadyExists => Self::Conflict,
            Error::ResourceNotFound => Self::NoStream,
            Error::ConnectionClosed | Error::GrpcConnectionError(_) | Error::NotLeaderException(_) => {
                Self::Renew(error.to_string())
            }
            // The client's own words, for an append that was on its way when another one was refused.
            Error::ServerError(ref said) if said.contains("Batch-append stream has been closed") => {
                Self::Session
            }
            Error::ServerError(_) | Error::DeadlineExceeded => Self::Again(error.to_string()),
            Error::AccessDenied => Self::Final(Cause::Denied),
            Error::ResourceDeleted => Self::Final(Cause::Deleted),
            Error::UnsupportedFeature => Self::Final(Cause::Unsupported),
            Error::Grpc { code, ref message } => {
                Self::of_status(&code.to_string(), &format!("{code:?}"), message)
            }
            other => Self::Final(Cause::Other(other.to_string())),
        }
    }

    /// By the name of the gRPC code, because the client's version of gRPC is no dependency of ours.
    fn of_status(words: &str, code: &str, message: &str) -> Self {
        let said = format!("{words}: {message}");
        let lower = message.to_lowercase();
        match code {
            "AlreadyExists" => Self::Conflict,
            _ if lower.contains("wrongexpectedversion") || lower.contains("wrong expected version") => {
                Self::Conflict
            }
            _ if lower.contains("maximum") && lower.contains("append") => Self::Final(Cause::TooLarge(said)),
            _ if lower.contains("not leader") || lower.contains("notleader") => Self::Renew(said),
            // A server that is starting says so under the code of success.
            "Ok" | "Cancelled" | "Unavailable" | "DeadlineExceeded" | "Internal" | "Unknown" | "Aborted"
            | "ResourceExhausted" | "DataLoss" => Self::Again(said),
            "Unauthenticated" | "PermissionDenied" => Self::Final(Cause::Denied),
            _ => Self::Final(Cause::Other(said)),
        }
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Conflict => "the stream is not where it was expected".to_owned(),
            Self::NoStream => "there is no such stream".to_owned(),
            Self::Session => "sessions end again and again".to_owned(),
            Self::Renew(said)
            | Self::Again(said)
            | Self::Final(Cause::Other(said) | Cause::TooLarge(said)) => said.clone(),
            Self::Final(Cause::Denied) => "access was denied".to_owned(),
            Self::Final(Cause::Deleted) => "the stream was deleted".to_owned(),
            Self::Final(Cause::Unsupported) => "the server does not support it".to_owned(),
        }
    }
}

/// The place of a log in errors, and the errors that are the same wherever they come up.
#[derive(Debug, Clone)]
pub(crate) struct Place(pub(crate) String);

impl Place {
    pub(crate) fn failed(&self, detail: impl Into<String>) -> LogError {
        LogError::Failed {
            place: self.0.clone(),
            detail: detail.into(),
        }
    }

    pub(crate) fn unusable(&self, detail: impl Into<String>) -> LogError {
        LogError::Unusable {
            place: self.0.clone(),
            detail: detail.into(),
        }
    }

    /// What whoever asked about a stream is told of trouble that stayed.
    pub(crate) fn error(&self, doing: &str, stream: &str, trouble: &Trouble) -> LogError {
        match trouble {
            Trouble::Final(Cause::Denied) => self.unusable(
                "the user may not do this, or its password is wrong: store the right ones with `tieout credentials store`, and see that the user may read and write these streams and read $all",
            ),
            Trouble::Final(Cause::Deleted) => self.unusable(format!(
                "stream {stream} was deleted on the server: a log is never deleted from; restore the cluster from its backup"
            )),
            Trouble::Final(Cause::Unsupported) => self.unusable(
                "the server does not know batch appends: version 22.10 or later is needed",
            ),
            Trouble::Final(Cause::TooLarge(said)) => LogError::Refused {
                place: self.0.clone(),
                stream: StreamName(stream.to_owned()),
                detail: format!("the server takes less in one append than its default of 1,048,576 bytes ({said}): set MaxAppendSize back"),
            },
            other => self.failed(format!("{doing} {stream}: {}", other.words())),
        }
    }
}
