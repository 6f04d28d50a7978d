//! What people read of the log: the [`work_list`], the [`trail`] of one report, and the [`tie_out`] of law 6.
//!
//! Bird's-eye view: the work list is a stored view, one row a report, folded event by event ([`work_list::apply`]) and
//! kept through a small port ([`view::ViewPort`]); the trail is read from one report's stream whenever it is asked for;
//! the tie-out is a pure function over the work list and two listings fetched apart from the log.
//!
//! Invariants, by what is deliberately absent: no port with an effect (law 8: a rebuild cannot post); no personal data
//! in a stored row, because rows are folded with every seal left closed, which also makes a rebuilt view identical to a
//! live one whoever was forgotten between; no clock and no time zone in a stored row; no float near an amount.

pub mod amount;
pub mod month;
#[cfg(test)]
mod testing;
mod text;
pub mod tie_out;
pub mod trail;
pub mod view;
pub mod work_list;
