//! What happens to a report after it was posted: at the source, in QAD, and by a person's hand. Everything is seen, nothing
//! posted is changed by it, and a correction posts once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

#[path = "after_posting/ledger.rs"]
mod ledger;
#[path = "after_posting/moved.rs"]
mod moved;
#[path = "after_posting/office.rs"]
mod office;
#[path = "after_posting/reversal.rs"]
mod reversal;
#[path = "after_posting/source.rs"]
mod source;
#[path = "after_posting/two_documents.rs"]
mod two_documents;
