//! An operator's key: an Ed25519 key pair whose private half is sealed under a passphrase that only the operator knows.
//!
//! ```text
//!  passphrase ──argon2id──► key ──seals──► seed (32 bytes) ──► the set `operator/<name>`, sealed by the vault once more
//! ```
//!
//! So whoever opens the vault, a service or another operator, holds a sealed seed and still cannot sign as anybody else.
//! Three checks, in this order, tell what is wrong with a stored key, as with the vault's own file: a SHA-256 over all of
//! it (an accident); an empty text sealed under the passphrase's key (another passphrase); and the box of the seed, whose
//! public half must be the one that is stated (somebody altered it and mended the SHA-256). Every box names the operator
//! and the public key, so that none can be moved to another name.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tieout_domain::ids::PersonName;
use tieout_domain::operators::PublicKey;
use zeroize::Zeroizing;

use crate::cipher::{CipherError, SealedBox, SecretKey, base64_array, base64_out};
use crate::fields::{MissingField, SecretFields};
use crate::framing::frame;
use crate::key_source::KeyError;
use crate::name::{InvalidSetName, SetName};
use crate::passphrase::PassphraseCost;
use crate::signing::Signer;

/// What a stored key says it is. Another number, another layout.
const FORMAT: &str = "tieout-operator/1";

/// The one field of the set.
const FIELD: &str = "key";

/// The fewest characters a passphrase has: whoever holds the vault's key may try passphrases for as long as they like.
const FEWEST_CHARACTERS: usize = 12;

/// An operator's key could not be made or unlocked. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum OperatorKeyError {
    /// The passphrase is too short.
    #[error(
        "the passphrase has fewer than {FEWEST_CHARACTERS} characters: take a longer one, four words that nobody would put together, for instance"
    )]
    ShortPassphrase,
    /// The key is whole, but another passphrase seals it.
    #[error(
        "this is not the passphrase of operator {name}: their key is undamaged, and another passphrase opens it"
    )]
    WrongPassphrase {
        /// Whose key.
        name: PersonName,
    },
    /// What is stored under the name is the key of somebody else.
    #[error(
        "what the vault holds as the key of operator {name} is that of {found}: it was moved there; restore the vault from a backup, or replace the key"
    )]
    Moved {
        /// Under whose name it is stored.
        name: PersonName,
        /// Whose key it says it is.
        found: PersonName,
    },
    /// What is stored is not a whole key, or was altered by someone without the passphrase.
    #[error(
        "the key of operator {name} is damaged: {what}; restore the vault from a backup, or replace the key"
    )]
    Damaged {
        /// Whose key.
        name: PersonName,
        /// What does not hold.
        what: String,
    },
    /// The stored key's layout is not one that this build knows.
    #[error(
        "the key of operator {name} says it is {format:?}, this program knows {FORMAT:?}: use the build that wrote it"
    )]
    OtherFormat {
        /// Whose key.
        name: PersonName,
        /// What it says it is.
        format: String,
    },
    /// The set has other fields than a key's.
    #[error(transparent)]
    MissingField(#[from] MissingField),
    /// The name cannot be that of a set.
    #[error(transparent)]
    Name(#[from] InvalidSetName),
    /// No key could be made of the passphrase.
    #[error(transparent)]
    Passphrase(#[from] KeyError),
    /// Nothing could be sealed.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// Makes operators' keys and unlocks them.
#[derive(Debug)]
pub struct OperatorKey;

impl OperatorKey {
    /// The set that holds an operator's key.
    ///
    /// # Errors
    /// Where the name cannot be part of a set's.
    pub fn set_name(name: &PersonName) -> Result<SetName, InvalidSetName> {
        SetName::new(format!("{OPERATOR_SETS}{name}"))
    }

    /// A new key pair for this operator, of the operating system's randomness: the fields to be put into the vault, and the
    /// public half.
    ///
    /// # Errors
    /// [`OperatorKeyError::ShortPassphrase`]; [`OperatorKeyError::Passphrase`] or [`OperatorKeyError::Cipher`] where the
    /// machine lacks memory or randomness.
    pub fn create(
        name: &PersonName,
        passphrase: &SecretString,
    ) -> Result<(SecretFields, PublicKey), OperatorKeyError> {
        if passphrase.expose_secret().chars().count() < FEWEST_CHARACTERS {
            return Err(OperatorKeyError::ShortPassphrase);
        }
        let seed = SecretKey::random()?;
        let public_key = Signer::of_seed(seed.bytes()).public_key();
        let cost = PassphraseCost::draw()?;
        let key = cost.derive(passphrase)?;
        let body = Body {
            format: FORMAT.to_owned(),
            check: key.seal(&context(b"check", name, &public_key, &cost), b"")?,
            seed: key.wrap(&context(b"seed", name, &public_key, &cost), &seed)?,
            name: name.clone(),
            public_key,
            passphrase: cost,
        };
        // Our own structs always have a JSON form; an error here would mean there is none to store.
        let text = Stored::of(body)
            .and_then(|stored| serde_json::to_string(&stored))
            .map_err(|error| damaged(name, error))?;
        Ok((SecretFields::new().with(FIELD, text), public_key))
    }

    /// The public half that a stored key states, checked as far as it can be without the passphrase.
    ///
    /// # Errors
    /// As [`unlock`](Self::unlock), but for a wrong passphrase.
    pub fn public_key(name: &PersonName, fields: &SecretFields) -> Result<PublicKey, OperatorKeyError> {
        Ok(Stored::read(name, fields)?.public_key)
    }

    /// The signer, if this is the operator's passphrase and the key is the one that was made for this name.
    ///
    /// # Errors
    /// [`OperatorKeyError::WrongPassphrase`]; [`OperatorKeyError::Moved`], [`OperatorKeyError::Damaged`] and
    /// [`OperatorKeyError::OtherFormat`] where what is stored is not that key. A key that was moved, and made to name its new
    /// place, cannot be told from one under another passphrase: it does not open either.
    pub fn unlock(
        name: &PersonName,
        fields: &SecretFields,
        passphrase: &SecretString,
    ) -> Result<Signer, OperatorKeyError> {
        let body = Stored::read(name, fields)?;
        let key = body.passphrase.derive(passphrase)?;
        let context = |purpose| context(purpose, name, &body.public_key, &body.passphrase);
        key.open(&context(b"check"), &body.check)
            .map_err(|_| OperatorKeyError::WrongPassphrase { name: name.clone() })?;
        let seed = key
            .unwrap_key(&context(b"seed"), &body.seed)
            .map_err(|error| damaged(name, error))?;
        let signer = Signer::of_seed(seed.bytes());
        if signer.public_key() != body.public_key {
            return Err(damaged(
                name,
                "its private and its public half do not belong together",
            ));
        }
        Ok(signer)
    }
}

/// What the name of every operator's set begins with.
pub const OPERATOR_SETS: &str = "operator/";

fn damaged(name: &PersonName, what: impl ToString) -> OperatorKeyError {
    OperatorKeyError::Damaged {
        name: name.clone(),
        what: what.to_string(),
    }
}

/// A key as it is stored. Nothing of it is secret to whoever lacks the passphrase.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    format: String,
    name: PersonName,
    public_key: PublicKey,
    passphrase: PassphraseCost,
    /// An empty text sealed under the passphrase's key: opens under this passphrase only.
    check: SealedBox,
    /// The private half, sealed under the same key.
    seed: SealedBox,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    body: Body,
    /// SHA-256 of the body.
    #[serde(serialize_with = "base64_out", deserialize_with = "digest_in")]
    sha256: [u8; 32],
}

fn digest_in<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    base64_array(from)
}

impl Stored {
    fn of(body: Body) -> serde_json::Result<Self> {
        let sha256 = Sha256::digest(serde_json::to_vec(&body)?).into();
        Ok(Self { body, sha256 })
    }

    /// The body of the key stored for this name, unaltered as far as that shows without the passphrase.
    fn read(name: &PersonName, fields: &SecretFields) -> Result<Body, OperatorKeyError> {
        /// The format first: a later layout shall be told from a garbled one.
        #[derive(Deserialize)]
        struct Format {
            body: FormatOfBody,
        }
        #[derive(Deserialize)]
        struct FormatOfBody {
            format: String,
        }
        let text = fields.require(FIELD)?.expose_secret();
        let format: Format = serde_json::from_str(text).map_err(|error| damaged(name, error))?;
        if format.body.format != FORMAT {
            return Err(OperatorKeyError::OtherFormat {
                name: name.clone(),
                format: format.body.format,
            });
        }
        let stored: Self = serde_json::from_str(text).map_err(|error| damaged(name, error))?;
        let again = Self::of(stored.body)
            .and_then(|again| Ok((serde_json::to_string(&again)?, again)))
            .map_err(|error| damaged(name, error))?;
        // The text has one form only; with it, the checksum is compared too.
        if again.0 != text {
            return Err(damaged(name, "its content does not match its checksum"));
        }
        let body = again.1.body;
        if body.name != *name {
            return Err(OperatorKeyError::Moved {
                name: name.clone(),
                found: body.name,
            });
        }
        Ok(body)
    }
}

/// What a box is for, and whose it is.
fn context(
    purpose: &[u8],
    name: &PersonName,
    public_key: &PublicKey,
    cost: &PassphraseCost,
) -> Zeroizing<Vec<u8>> {
    frame(&[
        b"tieout-operator/1",
        purpose,
        name.as_str().as_bytes(),
        public_key.as_bytes(),
        &cost.to_context(),
    ])
}

#[cfg(test)]
mod tests;
