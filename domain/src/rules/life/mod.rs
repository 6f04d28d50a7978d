//! The life of a rule set (design §6): proposed, backtested, approved by somebody else, active from an instant, retired.
//!
//! ```text
//!  Proposed ──► Backtested ──► Approved ──(ordered, at a cycle's beginning)──► Active ──► Retired
//!      │  ▲          │            │  └── history says something else by now ──► Proposed
//!      └──┼──────────┴────────────┴──► Declined
//!         └── proposed again ◄─────────────┘
//! ```
//!
//! One aggregate for each connection: [`RuleSets`] is its state, [`decide_rules`] and [`RuleSets::evolve`] are total and
//! pure. A set is known by the hash of its content, so that nobody can approve one file and activate another.

mod decide;
mod event;
mod state;
mod statement;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::samples;

pub use decide::{RulesCommand, RulesRefusal, decide_rules};
pub use event::{ApprovalMode, Approver, Backtest, ChartOf, Counts, RulesEvent, Span, StatementHash};
pub use state::{Active, Order, RuleSetFile, RuleSetStage, RuleSets, statement_of, statement_text};
