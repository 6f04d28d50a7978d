//! The report aggregate: one expense report, its documents, and what may happen to them (design §4).
//!
//! `decide(&Report, Command) -> Result<Vec<ReportEvent>, Refusal>` and `Report::evolve(self, &ReportEvent) -> Report`,
//! both total and pure. [`admit`] is the table of design §4; nothing that it refuses is ever proposed or folded.

mod admit;
mod after_posting;
mod case;
mod command;
mod decide;
mod drift;
mod event;
mod evolve;
mod payload;
mod reason;
mod state;
mod stored;
#[cfg(test)]
mod table;
#[cfg(test)]
pub(crate) mod tests;

pub use admit::{Refusal, admit, event_name};
pub use case::Case;
pub use command::{Command, Decision, MapOutcome};
pub use decide::decide;
pub use drift::source_differences;
pub use event::{
    AfterReversal, Attempt, Basis, CaseName, Doubt, Exclusion, FieldWhy, HeaderWhy, LineWhy, Mapping,
    OriginalAmount, Proof, ReportEvent, Step,
};
pub use payload::{
    Approver, Flag, LineFacts, MaterialHash, Payload, PayloadHash, Personal, PersonalFields, PersonalLine,
    ReportFacts, SourceStatus, TagLevel, hex,
};
pub use reason::{Fixer, Reason, ReasonCode};
pub use state::{Capture, DocumentFile, DocumentState, Dossier, Report, Stage, StageName, refusal_reasons};
