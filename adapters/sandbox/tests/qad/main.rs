//! The stand-in QAD as a caller meets it: contract qad, section by section, with its examples as golden bodies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod browses;
mod control;
mod documents;
mod faults;
mod metadata;
mod rules;
mod sessions;
mod shapes;
mod suppliers;
mod support;
mod wire;
