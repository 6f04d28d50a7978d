//! Specifications of the journal.

mod golden;
mod keeping;
mod parts;
pub(crate) mod world;
