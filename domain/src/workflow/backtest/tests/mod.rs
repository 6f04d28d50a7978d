//! Backtests of a small plant: what was judged there, and what other rules would have made of it.

mod decisive;
mod history;
mod properties;
mod spans;
mod verdicts;
mod world;
