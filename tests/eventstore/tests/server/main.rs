//! The stand-in as the real client sees it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod appends;
mod cluster;
mod reads;
mod speed;
mod subscriptions;
mod support;
mod switches;
