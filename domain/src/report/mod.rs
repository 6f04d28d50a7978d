//! The report aggregate: one expense report, its documents, and what may happen to them.

mod payload;

pub use payload::{
    Approver, Flag, LineFacts, MaterialHash, Payload, PayloadHash, Personal, PersonalFields, PersonalLine, ReportFacts, SourceStatus,
    TagLevel, hex,
};
