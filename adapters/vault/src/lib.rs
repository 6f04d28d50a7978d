//! Credentials at rest, the sealer of personal data (design §2, law 9; §4), and the keys of operators.
//!
//! ```text
//!  KeySource ──► key-encryption key ──wraps──► data key of each set ──seals──► its secret fields   (the vault file)
//!  (file, environment,      │
//!   passphrase)             └──────wraps──► people keys ──wrap──► data key of each person          (the people file)
//!                                               └─HMAC of the e-mail finds it      └──seals──► sections in the log
//! ```
//!
//! * [`Vault`] is one JSON file (0600, replaced atomically) of named sets of secrets. Rotating a secret seals the set
//!   anew under a new data key; rotating the key-encryption key wraps the data keys again and touches nothing else.
//! * [`People`] is one append-only file of wrapped keys, one for each person whose data lies sealed in the log.
//!   Forgetting a person destroys that key: what was sealed stays in the log, byte for byte, and can never be read again.
//!
//! * [`OperatorKey`] is a person's key to sign with ([`Signer`], [`verify`]). It lies in a set of the vault, sealed once more
//!   under that person's own passphrase: whoever opens the vault still cannot sign as somebody else.
//!
//! The cryptography is XChaCha20-Poly1305 with random 24-byte nonces, argon2id, HMAC-SHA256 and the operating system's
//! randomness, all from RustCrypto, and Ed25519 from dalek. What is ours is only which bytes go in: every associated data is framed
//! (see `framing`), begins with what it is for, and names the file and the entry it belongs to, so that nothing can be moved.
//!
//! # What always holds
//! * No secret is in any `Debug`, error or log line of this crate; buffers that held one are wiped.
//! * A wrong key ([`VaultError::WrongKey`]) is told apart from a damaged file ([`VaultError::Damaged`]).
//! * Two writers never overwrite each other: a lock, and a generation that must be the one that was read.
//! * Beside each file lies an empty one ending in `.lock`, which may be deleted when nothing runs, and is best left alone.
//! * Time is passed in. Nothing here asks the clock.
//!
//! # What is deliberately absent
//! * Protection against someone who may replace the whole file by an older, genuine one: that needs a memory elsewhere.
//! * Reach into backups and freed disk blocks: a person is forgotten once the backups of the people file are gone too.
//! * Windows: the permissions checked here are those of Unix.

mod cipher;
mod document;
mod fields;
mod files;
mod framing;
mod key_source;
mod name;
mod operator;
mod passphrase;
mod people;
mod signing;
mod vault;

pub use crate::cipher::CipherError;
pub use crate::fields::{MissingField, SecretFields};
pub use crate::files::FileError;
pub use crate::key_source::{KeyError, KeySource, create_key_file};
pub use crate::name::{InvalidSetName, SetName};
pub use crate::operator::{OPERATOR_SETS, OperatorKey, OperatorKeyError};
pub use crate::people::{People, PeopleError, PeopleKeys};
pub use crate::signing::{Signer, signed_bytes, verify};
pub use crate::vault::{SetInfo, Vault, VaultError};
