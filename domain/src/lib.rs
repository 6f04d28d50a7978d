//! What is true. The pure core of Tieout: it decides from facts it is given.
//!
//! Bird's-eye view: [`report`] is the aggregate (a decider: `decide` and `evolve`, both total and pure); [`rules`]
//! turns Expensify's words into QAD's coding against the [`chart`]; [`posting`] makes balanced documents of a coded
//! report; [`journal`] writes and reads typed events over the [`ports::Log`]; [`operators`] says whose word counts, by keys;
//! [`workflow`] walks a cycle over the ports, one file a step.
//!
//! Invariants, by what is deliberately absent: no clock, no randomness, no I/O, no async runtime, no HTTP and no SQL.
//! Time and chance come in through [`ports`]; the outside world is a trait there and nothing else. No float touches
//! an amount.

pub mod chart;
pub mod ids;
pub mod journal;
pub mod money;
pub mod operators;
pub mod ports;
pub mod posting;
pub mod report;
pub mod rules;
pub mod time;
pub mod workflow;
