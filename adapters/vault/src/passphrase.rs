//! From a passphrase to a key: argon2id, its parameters and salt kept in the vault file.

use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::cipher::{CipherError, KEY_LEN, SecretKey, base64_array, base64_out};
use crate::key_source::KeyError;

/// Length of the salt, in bytes (RFC 9106 §4 recommends 16).
const SALT_LEN: usize = 16;

/// The most a file may ask of us: a garbled or forged file must not make opening it eat the machine. The file's own
/// values cannot be lowered to any use either, since other values derive another key.
const MOST_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;

/// How a passphrase becomes a key. Not secret; stands in the vault file, because the same values must be used to open it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassphraseCost {
    /// Memory, in KiB.
    memory_kib: u32,
    /// Passes over the memory.
    passes: u32,
    /// Lanes.
    lanes: u32,
    /// Drawn at random whenever the vault is locked with a passphrase.
    #[serde(serialize_with = "base64_out", deserialize_with = "salt_in")]
    salt: [u8; SALT_LEN],
}

fn salt_in<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[u8; SALT_LEN], D::Error> {
    base64_array(from)
}

impl PassphraseCost {
    /// Today's cost with a fresh salt: 64 MiB, 3 passes, 1 lane, the second recommendation of RFC 9106 §4 with a single
    /// lane, since this library computes lanes one after the other.
    pub(crate) fn draw() -> Result<Self, CipherError> {
        // Our own unit tests derive dozens of keys and test no strength: they take the light profile.
        let (memory_kib, passes) = if cfg!(test) { (64, 1) } else { (64 * 1024, 3) };
        let mut salt = [0_u8; SALT_LEN];
        getrandom::fill(&mut salt).map_err(CipherError::NoRandomness)?;
        Ok(Self {
            memory_kib,
            passes,
            lanes: 1,
            salt,
        })
    }

    /// The key that this passphrase gives.
    pub(crate) fn derive(&self, passphrase: &SecretString) -> Result<SecretKey, KeyError> {
        if passphrase.expose_secret().is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        if self.memory_kib > MOST_MEMORY_KIB || self.passes > MOST_PASSES || self.lanes > MOST_LANES {
            return Err(KeyError::Derivation(
                "the vault file asks for more work than any vault of ours does".to_owned(),
            ));
        }
        let derivation = |error: argon2::Error| KeyError::Derivation(error.to_string());
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_LEN)).map_err(derivation)?;
        let mut key = SecretKey::empty();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &self.salt, key.bytes_mut())
            .map_err(derivation)?;
        Ok(key)
    }

    /// The parameters as bytes that go into associated data.
    pub(crate) fn to_context(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.memory_kib, self.passes, self.lanes] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_passphrase_and_cost_give_the_same_key_and_another_salt_another() {
        let cost = PassphraseCost::draw().unwrap();
        let passphrase = SecretString::from("correct horse");
        let key = cost.derive(&passphrase).unwrap();
        assert_eq!(key.bytes(), cost.derive(&passphrase).unwrap().bytes());
        assert_ne!(
            key.bytes(),
            cost.derive(&SecretString::from("correct Horse")).unwrap().bytes()
        );
        assert_ne!(
            key.bytes(),
            PassphraseCost::draw()
                .unwrap()
                .derive(&passphrase)
                .unwrap()
                .bytes()
        );
    }

    #[test]
    fn an_empty_passphrase_is_refused() {
        let refusal = PassphraseCost::draw()
            .unwrap()
            .derive(&SecretString::from(""))
            .unwrap_err();
        assert!(matches!(refusal, KeyError::EmptyPassphrase));
    }

    #[test]
    fn a_file_cannot_make_us_use_a_terabyte() {
        let cost = PassphraseCost {
            memory_kib: u32::MAX,
            ..PassphraseCost::draw().unwrap()
        };
        assert!(matches!(
            cost.derive(&SecretString::from("x")),
            Err(KeyError::Derivation(_))
        ));
    }
}
