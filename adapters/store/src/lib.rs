//! The log, on whichever engine `[store] url` names: SQLite in a file, or an EventStoreDB (KurrentDB) cluster.
//!
//! Each engine is a crate of its own below this folder, behind the ports of `domain`; this one only chooses. Built without
//! its feature `eventstore`, it knows SQLite alone, and the cluster's client is not compiled.
//!
//! What people read (the views) lies in SQLite in both cases: in the log's own file, or, for a cluster's log, in a file of
//! each instance, which can be deleted at any time and is folded again from the log.

mod any;
#[cfg(not(feature = "eventstore"))]
mod lease;
mod place;
mod views;

pub use any::Store;
#[cfg(not(feature = "eventstore"))]
pub use lease::{Lease, LeaseState, Tenure};
pub use place::{StorePlace, User, Way};
#[cfg(feature = "eventstore")]
pub use tieout_eventstore::{EventStoreLog, Lease, LeaseState, Patience, Tenure};
pub use tieout_sqlite::{SqliteLog, Stepped, Verified, ViewRow, ViewStep};
pub use views::Views;
