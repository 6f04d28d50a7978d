//! Public keys, signatures and fingerprints as the log writes them, and the operating system's user: plain data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A text that is not the hexadecimal form expected. The text itself is not repeated: it may be anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no {what}: expected {digits} hexadecimal digits in lower case")]
pub struct BadHex {
    /// What was expected.
    pub what: &'static str,
    /// How many digits it has.
    pub digits: usize,
}

macro_rules! hex_bytes {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Of these bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }
            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl FromStr for $name {
            type Err = BadHex;
            /// One form only: lower case and no blanks, so that two texts that differ are two values.
            fn from_str(text: &str) -> Result<Self, BadHex> {
                let bad = BadHex { what: $what, digits: $bytes * 2 };
                let (pairs, odd) = text.as_bytes().as_chunks::<2>();
                if pairs.len() != $bytes || !odd.is_empty() {
                    return Err(bad);
                }
                let mut bytes = [0_u8; $bytes];
                for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
                    let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                        return Err(bad);
                    };
                    *byte = high << 4 | low;
                }
                Ok(Self(bytes))
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadHex;
            fn try_from(text: String) -> Result<Self, BadHex> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}

hex_bytes!(
    /// An operator's public key (Ed25519, RFC 8032): 32 bytes, written as 64 hexadecimal digits.
    PublicKey, 32, "public key");
hex_bytes!(
    /// An operator's signature (Ed25519, RFC 8032): 64 bytes, written as 128 hexadecimal digits.
    Signature, 64, "signature");
hex_bytes!(
    /// The first 16 bytes of the SHA-256 of a public key's 32 bytes, written as 32 hexadecimal digits: short enough to be
    /// read out on the telephone, long enough that nobody makes another key with the same one.
    Fingerprint, 16, "fingerprint");

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl PublicKey {
    /// The key's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        let mut first = [0_u8; 16];
        for (to, from) in first.iter_mut().zip(digest) {
            *to = from;
        }
        Fingerprint(first)
    }
}

/// A user of the operating system, as the kernel says whose process it is, and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsUser {
    /// The real user id.
    pub uid: u32,
    /// What that machine calls the user, where it has a name for the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The machine, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl OsUser {
    /// The same user? The machine does not count: an operator may act at each instance of an installation.
    pub fn is(&self, other: &Self) -> bool {
        self.uid == other.uid && self.name == other.name
    }
}

impl fmt::Display for OsUser {
    /// `kim (uid 1000) on ledger-1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (uid {})", self.uid)?,
            None => write!(f, "uid {}", self.uid)?,
        }
        match &self.host {
            Some(host) => write!(f, " on {host}"),
            None => Ok(()),
        }
    }
}
