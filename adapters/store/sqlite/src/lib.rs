//! The log on embedded SQLite: [`SqliteLog`].
//!
//! Bird's-eye view: one thread writes (`writer`) and groups what waits into one commit (`bench`), over an append (`append`), a
//! reservation of the limiter (`pace`) or a step of a view (`views`); a few connections read beside it (`read`); `file`
//! makes the file or refuses it; `sum` tells damage; `verify` and `copy` serve the commands of the same names.
//!
//! Invariants, by what is deliberately absent: no way to change or delete an event, not even in SQL (triggers refuse
//! it); no head of a stream remembered outside a transaction, because other processes write too; no clock but for
//! waiting; no knowledge of what events mean.

mod append;
mod bench;
mod copy;
mod file;
mod number;
mod pace;
mod read;
mod sqlite;
mod sum;
mod trouble;
mod verify;
mod views;
mod writer;

pub use sqlite::SqliteLog;
pub use verify::Verified;
pub use views::{LoadedView, Stepped, ViewRow, ViewStep, ViewStore};
