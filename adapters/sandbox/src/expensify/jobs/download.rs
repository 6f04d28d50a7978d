//! The download of a rendered file (contract §3).

use super::super::State;
use super::super::reply::{Refusal, Reply};
use super::super::request::Call;

/// Gives out a file. `fileName` and `fileSystem` stand at the top of the job; within `inputSettings` they are not seen.
pub fn run(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let Some(name) = call.given("/fileName") else {
        return Err(Refusal::new(410, "Required parameter 'fileName' is missing"));
    };
    // A missing or misspelt file system was seen to mean the default.
    let file_system = match call.text("/fileSystem") {
        "reconciliation" => "reconciliation",
        _ => "integrationServer",
    };
    let found = state
        .files
        .find(call.text("/credentials/partnerUserID"), file_system, name);
    found.map(Reply::File).ok_or_else(file_not_found)
}

/// The refusal of a name that is not there.
pub fn file_not_found() -> Refusal {
    Refusal::new(404, "File not found")
}
