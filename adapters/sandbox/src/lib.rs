//! The proving ground: a stand-in Expensify and a stand-in QAD on loopback, with every fault on a switch.
//!
//! Expensify has no sandbox and QAD no public one, so whoever wants to see what this product does with their rules needs
//! both played. The stand-ins parse the bytes they are sent and render the template they are given; the contracts'
//! bodies are golden files for them as they are for the clients.
//!
//! Deliberately absent: any type, constant or function of the clients or of the domain. A misreading shared by both
//! sides would pass on both. Also absent: any call out of the process; the stand-ins only listen, and only on
//! `127.0.0.1`.
//!
//! * [`clock`]: time as a value;
//! * [`fault`]: a queue of rules that make chosen calls go wrong;
//! * [`calls`]: what was called, to prove call budgets;
//! * [`control`]: the endpoints under `/_sandbox/` that both stand-ins have;
//! * [`server`]: an HTTP listener that can also drop a connection without an answer;
//! * [`expensify`], [`qad`]: the two stand-ins.

pub mod calls;
pub mod clock;
pub mod control;
pub mod expensify;
pub mod fault;
pub mod month;
pub mod qad;
pub mod server;
