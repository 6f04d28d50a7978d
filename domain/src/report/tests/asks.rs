//! What is asked of documents, in short.

use std::time::Duration;

use super::given::Given;
use super::samples::*;
use crate::ids::Reference;
use crate::report::{AfterReversal, Command, Decision, DocumentState, Doubt, Proof, StageName};

pub(super) fn start(reference: Reference) -> Command {
    Command::StartPosting {
        reference,
        owner: owner(),
        in_force: basis(1),
        seen: Some(payload().material_hash(SALT)),
    }
}

pub(super) fn record_posted(reference: Reference) -> Command {
    Command::RecordPosted {
        reference,
        key: key(reference),
        date: day("2026-11-06"),
        proof: Proof::Confirmed,
        warnings: Vec::new(),
    }
}

pub(super) fn record_refused(reference: Reference) -> Command {
    Command::RecordRefused {
        reference,
        messages: vec![message()],
    }
}

pub(super) fn record_doubt(reference: Reference, doubt: Doubt, seconds: i64) -> Command {
    Command::RecordDoubt {
        reference,
        doubt,
        since: moment(seconds),
    }
}

pub(super) fn settle(reference: Reference, decision: Decision) -> Command {
    Command::Settle {
        reference,
        decision,
        why: "seen in QAD".into(),
    }
}

/// A quarantine of ten minutes; what [`in_doubt`](super::samples::in_doubt) says was given up at second 60.
pub(super) fn absent(at_second: i64) -> Decision {
    Decision::Absent {
        now: moment(at_second),
        quarantine: Duration::from_secs(600),
    }
}

pub(super) fn reverse(reference: Reference, then: AfterReversal) -> Command {
    Command::Reverse {
        reference,
        ledger_reference: "2026/EXPINV/4800".into(),
        then,
        why: None,
    }
}

#[track_caller]
pub(super) fn stage(given: &Given, expected: StageName) {
    assert_eq!(given.0.stage().name(), expected);
}

pub(super) fn state(given: &Given, reference: Reference) -> DocumentState {
    given.0.dossier().unwrap().file(reference).unwrap().state.clone()
}
