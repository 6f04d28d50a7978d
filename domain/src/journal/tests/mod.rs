//! Specifications of the journal.

mod golden;
mod keeping;
mod parts;
mod world;
