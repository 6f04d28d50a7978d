//! The workflow: one file a step, and the cycle that runs them (design §5).
//!
//! Each step finds its work from the log alone (the [`Roster`]), decides through the aggregate, and appends at the
//! revision it read. Effects happen in two places only: [`post`](Desk::post) sends documents to QAD, and
//! [`mark`](Desk::mark) sets flags in Expensify; each has its intent in the log before it. A desk over [`Looking`] can do
//! neither.

mod accept;
mod adopt;
mod backtest;
mod chart;
mod claim;
mod cycle;
mod desk;
mod dry_run;
mod duplicate;
mod events;
mod fit;
mod in_force;
mod judge;
mod known;
mod ledger_events;
mod log_events;
mod look_again;
mod looking;
mod map;
mod mark;
mod obstacle;
mod poll;
mod post;
mod profile;
mod recheck;
mod reconcile;
mod recovery;
mod release;
mod resolve;
mod reverse;
mod roster;
mod rules;
mod settle;
#[cfg(test)]
mod testing;

pub use crate::rules::RulesEvent;
pub use accept::Word;
pub use backtest::{
    Amounts, Backtested, Change, ChangeKind, Helpers, Movement, MovementKey, Movements, Place, Trial,
    Verdict, WhatIf,
};
pub use chart::ChartNow;
pub use cycle::{CycleOutcome, Step, run_cycle};
pub use desk::{Connection, Desk, Loaded, WorkflowError, person};
pub use dry_run::{Unseen, Would};
pub use events::{ControlTotal, ExpenseEvent, HeldAgainst, PollEvent, ProfileEvent};
pub use fit::Left;
pub use in_force::{Heads, InForce};
pub use known::Known;
pub use ledger_events::LedgerEvent;
pub use log_events::LogEvent;
pub use look_again::delay_after;
pub use looking::{Listing, Looking, Reading};
pub use mark::Marked;
pub use obstacle::Obstacle;
pub use poll::{Polled, windows};
pub use post::Posted;
pub use profile::Gate;
pub use recheck::Rechecked;
pub use reconcile::{Adopted, Concluded, Healed, ReconcileError};
pub use recovery::{Held, Opened, Recovery};
pub use resolve::Resolved;
pub use reverse::Reversed;
pub use roster::{Brief, Roster};
pub use rules::RulesInForce;
