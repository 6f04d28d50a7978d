//! What happens to a report after it was posted: at the source, in QAD, and by a person's hand. Everything is seen, nothing
//! posted is changed by it, and a correction posts once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

mod ledger;
mod moved;
mod office;
mod reversal;
mod source;
mod two_documents;
