//! The whole workflow over simulated ports, clock and log, from one plan, on one thread (design §9).
//!
//! ```text
//!   plan ──► run ──► cycles of two instances of the real workflow
//!                        │ every call of a port passes a gate
//!                        ▼
//!                      stage: Expensify, QAD, the log, time  ──► laws checked at the moment (law)
//!                        │ everything is well again, until nothing moves
//!                        ▼
//!                      audit: both systems against the log   ──► laws checked at the end
//! ```
//!
//! A plan is data: what goes wrong at which call, and what happens at which gate (a death, a reboot, a turn of the other
//! instance, an edit at a system, a decision of a person, a log put back). [`exhaustive`] walks every gate, every fault
//! and their products over small worlds; [`random`] makes larger plans from a seed and shrinks those that fail.
//!
//! The log is in memory; or it is an engine that speaks to a server, with the one in memory as its model beside it
//! ([`Engine`]).
//!
//! What is simulated and not proven here: the wire to both systems (the adapters' own tests, and the scenarios over HTTP), the disk (the
//! store's tests), and real time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a surprise must end it"
)]

mod audit;
mod beside;
pub mod breakages;
mod cluster;
pub mod copy;
pub mod dice;
pub mod engine;
pub mod exhaustive;
mod expensify;
mod foretold;
pub mod kept;
mod law;
mod people;
mod places;
pub mod plan;
mod ports;
mod qad;
pub mod random;
pub mod real;
mod recovery;
mod rules;
mod run;
mod stage;
mod told;
mod under;
pub mod wire;

pub use engine::Engine;
pub use plan::Plan;
pub use run::{Outcome, STREAMS, run, run_traced};
