//! QAD over REST: the ledger port of the domain, spoken as contract qad describes it.
//!
//! ```text
//!   Ledger (domain port)          QadClient
//!   read_chart   ──►  chart, rows ──► browse ─┐
//!   look_up      ──►  look_up     ──► browse ─┤
//!   list_ours    ──►  look_up     ──► browse ─┤
//!   read_back    ──►  read_back   ────────────┼──► client (401 once) ──► session (tokens) ──► wire (one request)
//!   contract_hash──►  metadata    ────────────┤
//!   post         ──►  body ─► post ─► verdict ┘
//! ```
//!
//! What the contract confirms is code here: token flow, envelopes, browse grammar, error shapes. What it does not
//! confirm is data: the [`profile`], one file for each installation.
//!
//! Invariants:
//! * an empty page proves nothing until the same request found its canary;
//! * an outcome that is not clearly one or the other is unknown, and never an error that somebody might retry;
//! * a refused login is not tried again, and no secret leaves the session but to the wire.
//!
//! Deliberately absent: retries of anything but a 401, which was turned away before it was handled; whether and when to
//! send again is the workflow's decision, after a look-up. Also absent: updates and deletions in QAD.

mod body;
mod browse;
mod chart;
mod check;
mod client;
mod exact;
mod look_up;
mod metadata;
mod post;
pub mod profile;
mod read_back;
mod rows;
mod session;
mod tree;
mod verdict;
mod wire;

pub use check::Check;
pub use client::QadClient;
pub use session::Credentials;
pub use wire::ClientError;
