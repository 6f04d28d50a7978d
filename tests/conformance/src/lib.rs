//! What proves a port: one suite for each, run against every implementation of it.
//!
//! A suite is a set of functions, each named by the sentence it proves, and a macro that makes a test of every one of
//! them for a given implementation. The implementation is the only difference.

pub mod log;
pub mod pace;
