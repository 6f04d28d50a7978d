//! Operators: the people who vouch for what they decide, each with a key of their own (Ed25519) whose public half stands in
//! the log.
//!
//! ```text
//!  stream `operators`                      a stream of another kind, e.g. of rule sets
//!  OperatorEnrolled ──┐                    an event with a Proof ── over ──► its Statement (made again of the event's facts)
//!  OperatorKeyReplaced├──► Operators ──────► which key was in force where that event stands? ──► does it verify?
//!  OperatorRetired ───┘
//! ```
//!
//! The stream is of the installation: an operator is one for all its connections. Nothing here computes a signature or
//! checks one: keys and signatures are data, and whoever verifies has the cryptography (the vault does).

mod decide;
mod event;
mod fold;
mod keys;
mod proof;
mod statement;
#[cfg(test)]
pub(crate) mod tests;

pub use decide::OperatorRefusal;
pub use event::OperatorEvent;
pub use fold::{At, Irregular, KeyPeriod, Mark, Operator, Operators, Retired};
pub use keys::{BadHex, Fingerprint, OsUser, PublicKey, Signature};
pub use proof::Proof;
pub use statement::Statement;
