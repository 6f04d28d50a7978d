//! What SQLite says, in the words of the port.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;
use tieout_domain::ports::LogError;

/// What to do with a file that is damaged. One wording, so that the guide can quote it.
pub(crate) const RESTORE: &str =
    "keep the file (with its -wal and -shm) for inspection and restore the last backup";

/// Why a piece of work on a connection failed: either SQLite said so, or the work itself did.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// SQLite failed.
    Sql(rusqlite::Error),
    /// The work refused, with its answer.
    Said(LogError),
    /// What was read cannot be what was written.
    Damaged(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<LogError> for Trouble {
    fn from(error: LogError) -> Self {
        Self::Said(error)
    }
}

impl Trouble {
    /// Whether it is certain that a commit which ended so wrote nothing. A full disk is met before the commit frame is
    /// complete, so that no recovery can bring the transaction back; after a failed sync one cannot be sure.
    pub(crate) fn wrote_nothing(&self) -> bool {
        match self {
            Self::Sql(error) => {
                matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation)
                )
            }
            Self::Said(_) | Self::Damaged(_) => true,
        }
    }
}

/// The name of the file in errors.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<str>);

impl Place {
    pub(crate) fn of(path: &Path) -> Self {
        Self(path.display().to_string().into())
    }

    /// The file's path, in words.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The answer to whoever asked.
    pub(crate) fn error(&self, trouble: impl Into<Trouble>) -> LogError {
        match trouble.into() {
            Trouble::Said(error) => error,
            Trouble::Sql(error) => self.explain(&error),
            Trouble::Damaged(what) => self.unusable(format!("the file is damaged: {what}; {RESTORE}")),
        }
    }

    /// The same while the file is being opened, when nothing can be blamed on what was asked: what SQLite cannot make
    /// sense of is damage.
    pub(crate) fn error_at_opening(&self, error: &rusqlite::Error) -> LogError {
        match error.sqlite_error_code() {
            None | Some(ErrorCode::Unknown | ErrorCode::SchemaChanged | ErrorCode::InternalMalfunction) => {
                self.unusable(format!("the file is damaged ({error}); {RESTORE}"))
            }
            Some(_) => self.explain(error),
        }
    }

    pub(crate) fn unusable(&self, detail: impl Into<String>) -> LogError {
        LogError::Unusable {
            place: self.0.to_string(),
            detail: detail.into(),
        }
    }

    pub(crate) fn failed(&self, detail: impl Into<String>) -> LogError {
        LogError::Failed {
            place: self.0.to_string(),
            detail: detail.into(),
        }
    }

    fn explain(&self, error: &rusqlite::Error) -> LogError {
        // A page that the file says it has lies beyond its end.
        let cut = error
            .sqlite_error()
            .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ);
        if cut {
            return self.unusable(format!(
                "the file is torn: it ends before its last page; {RESTORE}"
            ));
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LogError::Full { place: self.0.to_string(), detail: error.to_string() },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                self.unusable(format!("the file is damaged ({error}); {RESTORE}"))
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => self.unusable(format!(
                "it cannot be opened for writing ({error}); give this user read and write access to the file and its folder"
            )),
            Some(ErrorCode::DatabaseBusy) => self.failed(format!(
                "another process has held the file for too long ({error}); nothing was written; end that process, or try again"
            )),
            // Neither a quota nor a limit on the size of files is told apart from a failing disk.
            Some(ErrorCode::SystemIoFailure) => self.failed(format!(
                "the disk cannot be read or written ({error}); see that it is sound and that this user has room (quota, limits), and run again"
            )),
            _ => self.failed(error.to_string()),
        }
    }
}
