//! The stand-in QAD server (REST): contract qad, §1 to §4 and the checklist of §7.12.
//!
//! ```text
//!  request ──► server ──► fault? ──► session ──► browse ───► rows of the world        (reads, §1.9)
//!              (routes)   (faults)   (tokens,    entity ───► rules ──► world::Ledger  (documents, §1.7, §4)
//!                                    workspace)  metadata                             (shape as data, §1.10)
//! ```
//!
//! * [`shape`]: every name that the contract marks assumed, as data; the default is the contract's examples;
//! * [`world`]: what the installation holds, edited at run time through a [`QadHandle`];
//! * [`faults`]: what can be made to go wrong, for which operation;
//! * [`sample`]: the little world of the contract's examples.
//!
//! What QAD is known to say is said in its own words; every other refusal bears a code that begins with `SIM-`. Those
//! codes are this stand-in's invention and no installation's.
//!
//! Deliberately absent: QXtend (SOAP); tax rows; exchange rates and amounts in base currency, which QAD computes; the
//! posting to control accounts behind an invoice; drafts. A duplicate reference is checked on invoices only.

mod amount;
mod browse;
mod control;
mod entity;
mod envelope;
pub mod faults;
mod metadata;
mod path;
mod rules;
pub mod sample;
mod server;
mod session;
pub mod shape;
pub mod world;

pub use faults::FaultKind;
pub use server::{QadConfig, QadHandle, QadStandIn};
pub use session::SessionRules;
pub use shape::QadShape;
