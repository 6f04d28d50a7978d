//! Expensify's Integration Server, as the workflow's `Source` (contract expensify).
//!
//! Bird's-eye view. One endpoint takes every job as a form: `jobs` writes those forms, byte for byte as the golden
//! files have them. `classify` says what an answer is, because the HTTP status does not. [`limiter`] names the instant
//! at which the next call may start, so that no window ever holds more than the server allows. `client` joins them:
//! pace, send, classify, perhaps wait and ask again, count. A listing is an export job and a download; the download
//! comes as a stream: `splitter` cuts it into lines, `record` makes a `Payload` of each, `download` watches the
//! trailers and says at the end whether the file was whole.
//!
//! What the server prints is decided by `template.ftl`, which is rendered there; it is tested on the real engine.
//!
//! Invariants:
//! * every attempt is paced and counted, downloads and failures too;
//! * a marking export is never sent again once it may have arrived, whatever was answered, but after a 429;
//! * the credentials are in no `Debug`, error or log, and request bodies are never logged;
//! * nothing is judged: a status, currency or count that makes no sense is captured as it came.
//!
//! Deliberately absent: memory of what was listed before, and any decision about a report.

mod backoff;
mod classify;
mod client;
mod credentials;
mod download;
mod jobs;
mod lenient;
pub mod limiter;
mod policy;
mod record;
mod settings;
mod splitter;

pub use client::ExpensifyClient;
pub use credentials::{BadCredentials, Credentials};
pub use download::Lines;
pub use limiter::Limits;
pub use policy::{
    Category, Employee, Policy, PolicyField, PolicySummary, ReportField, Tag, TagList, Tags, Tax, TaxRate,
};
pub use record::{Entry, ReadError, read_line};
pub use settings::{BadAddress, Settings};

/// The FreeMarker template that every export is rendered with (contract expensify §4).
pub const TEMPLATE: &str = include_str!("template.ftl");
