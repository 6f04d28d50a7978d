//! The log on an EventStoreDB (KurrentDB) cluster: [`EventStoreLog`].
//!
//! Bird's-eye view: `address` reads the URL and refuses one that holds a secret; `link` holds the client, renews it when it
//! dies, and tries again what may be tried again; `session` keeps the long-lived streams that appends go through, because
//! the client's single append waits for a delayed acknowledgement every time; `append` and `read` are the port; `leaves`
//! keeps the ranks of events, which the engine does not know; `pace` and `lease` keep what instances share beside the
//! audited streams.
//!
//! Names on the server: an audited stream is `<log>.<its name>`, what is kept beside the log is `<log>~<its name>`; so
//! several logs, and other programs, share a cluster, and one prefix is all that is audited.
//!
//! What is deliberately absent: no subscription (the client spins for ever when one ends cleanly), no deletion, no event
//! id that is not the writer's, no belief that an append which was answered "success" was ours (the server says so to an
//! identical one of anybody: `tieout_domain` reads its intents back).

mod address;
mod append;
mod beside;
mod error;
mod lease;
mod leaves;
mod link;
mod log;
mod nodelay;
mod pace;
mod read;
mod session;

pub use address::{Address, AddressError, LogName};
pub use lease::{Lease, LeaseState, Tenure};
pub use link::{Patience, User};
pub use log::EventStoreLog;
