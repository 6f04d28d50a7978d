//! Where the key-encryption key comes from: a file, an environment variable, or a passphrase.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::cipher::{CipherError, KEY_LEN, SecretKey};
use crate::files::{self, FileError};
use crate::passphrase::PassphraseCost;

/// Longer than any form of a 32-byte key: of a file that is something else we read no more than this.
const LONGEST_KEY_FILE: u64 = 1024;

/// Where the key that locks the vault comes from. `Debug` shows the place, never the key.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file of 32 random bytes, raw, in hexadecimal or in base64; mode 0600 or 0400. A symbolic link is followed, and
    /// what it leads to is checked. Made by [`create_key_file`].
    File(PathBuf),
    /// The value of an environment variable: 32 random bytes in base64 or hexadecimal.
    Environment {
        /// The variable's name, for messages.
        variable: String,
        /// Its value, read by the caller.
        value: SecretString,
    },
    /// A passphrase; argon2id makes the key of it.
    Passphrase(SecretString),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the key file {}", path.display()),
            Self::Environment { variable, .. } => write!(f, "the environment variable {variable}"),
            Self::Passphrase(_) => f.write_str("the passphrase"),
        }
    }
}

/// A key-encryption key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file could not be read or written, or others may read it.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was found is not 32 bytes in a form we know.
    #[error(
        "{place} does not hold a key: expected 32 bytes as base64 or hexadecimal (in a file also raw); make one with `openssl rand -base64 32`, or let `tieout init` make it"
    )]
    NotAKey {
        /// The file or the variable.
        place: String,
    },
    /// The passphrase is empty.
    #[error("the passphrase is empty: give one, or use a key file")]
    EmptyPassphrase,
    /// The vault was locked with the other sort of key.
    #[error(
        "the vault is locked with {locked_with}, but {offered} was offered: name the right source of the key"
    )]
    WrongSort {
        /// What locks the vault: `a passphrase` or `a key`.
        locked_with: &'static str,
        /// What was offered.
        offered: String,
    },
    /// Argon2 refused, for lack of memory for instance.
    #[error("no key could be made of the passphrase: {0}")]
    Derivation(String),
    /// No random bytes could be drawn.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl KeySource {
    /// The key for a vault that is locked anew: with the cost of the passphrase, if it is one, to be written into the file.
    pub(crate) fn new_key(&self) -> Result<(SecretKey, Option<PassphraseCost>), KeyError> {
        match self {
            Self::Passphrase(passphrase) => {
                let cost = PassphraseCost::draw()?;
                Ok((cost.derive(passphrase)?, Some(cost)))
            }
            Self::File(_) | Self::Environment { .. } => Ok((self.stored_key()?, None)),
        }
    }

    /// The key for a vault whose file says how it is locked.
    pub(crate) fn key_for(&self, cost: Option<&PassphraseCost>) -> Result<SecretKey, KeyError> {
        match (self, cost) {
            (Self::Passphrase(passphrase), Some(cost)) => cost.derive(passphrase),
            (Self::File(_) | Self::Environment { .. }, None) => self.stored_key(),
            (_, Some(_)) => Err(KeyError::WrongSort {
                locked_with: "a passphrase",
                offered: self.to_string(),
            }),
            (_, None) => Err(KeyError::WrongSort {
                locked_with: "a key",
                offered: self.to_string(),
            }),
        }
    }

    fn stored_key(&self) -> Result<SecretKey, KeyError> {
        let not_a_key = || KeyError::NotAKey {
            place: self.to_string(),
        };
        match self {
            Self::File(path) => {
                let bytes = read_key_file(path)?;
                // Exactly 32 bytes are a raw key, whatever they look like: no text form is that short.
                SecretKey::from_slice(&bytes)
                    .or_else(|| key_from_text(&bytes))
                    .ok_or_else(not_a_key)
            }
            Self::Environment { value, .. } => {
                key_from_text(value.expose_secret().as_bytes()).ok_or_else(not_a_key)
            }
            Self::Passphrase(_) => Err(not_a_key()),
        }
    }
}

/// Reads a key file through one handle, so that what was checked is what is read.
fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let file = files::open_private(path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_KEY_FILE as usize + 1));
    file.take(LONGEST_KEY_FILE)
        .read_to_end(&mut bytes)
        .map_err(FileError::doing("read", path))?;
    Ok(bytes)
}

/// A key from 64 hexadecimal digits or from base64 (either alphabet, padded or not), blanks around it ignored.
fn key_from_text(text: &[u8]) -> Option<SecretKey> {
    let text = text.trim_ascii();
    if text.len() == KEY_LEN * 2 {
        let mut key = SecretKey::empty();
        let (pairs, _) = text.as_chunks::<2>();
        for (byte, [high, low]) in key.bytes_mut().iter_mut().zip(pairs) {
            *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
        }
        return Some(key);
    }
    [STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT]
        .iter()
        .find_map(|base64| {
            let mut bytes = Zeroizing::new(vec![0; text.len()]);
            let length = base64.decode_slice(text, &mut bytes).ok()?;
            SecretKey::from_slice(bytes.get(..length)?)
        })
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Makes a new key file: 32 random bytes in base64, mode 0600, durable. An existing file is never overwritten, since it
/// may be the only key to a vault.
///
/// # Errors
/// [`KeyError::File`] when the file exists already or cannot be written; [`KeyError::Cipher`] without randomness.
pub fn create_key_file(path: &Path) -> Result<(), KeyError> {
    let key = SecretKey::random()?;
    // Room for 44 characters and the end of the line: growing would leave a copy of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(48));
    STANDARD.encode_string(key.bytes(), &mut text);
    text.push('\n');
    files::create_new(path, text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn key_file(folder: &Path, name: &str, content: &[u8], mode: u32) -> KeySource {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        KeySource::File(path)
    }

    #[test]
    fn a_key_is_the_same_raw_in_hexadecimal_and_in_base64() {
        let folder = tempfile::tempdir().unwrap();
        let raw: Vec<u8> = (200..232).collect();
        let hex: String = raw.iter().map(|byte| format!("{byte:02X}")).collect();
        let base64 = STANDARD.encode(&raw);
        let url_safe = base64.replace('+', "-").replace('/', "_").replace('=', "");
        for (name, content) in [
            ("raw", raw.clone()),
            ("hex", hex.into()),
            ("b64", format!("{base64}\n").into()),
            ("url", url_safe.into()),
        ] {
            let source = key_file(folder.path(), name, &content, 0o600);
            assert_eq!(source.stored_key().unwrap().bytes().as_slice(), raw, "{name}");
        }
        let variable = KeySource::Environment {
            variable: "TIEOUT_KEY".into(),
            value: base64.into(),
        };
        assert_eq!(variable.stored_key().unwrap().bytes().as_slice(), raw);
    }

    #[test]
    fn a_key_file_that_others_may_touch_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o640, 0o604, 0o660, 0o644, 0o700, 0o601] {
            let source = key_file(folder.path(), "key", &[7; 32], mode);
            let refusal = source.stored_key().unwrap_err();
            assert!(
                matches!(refusal, KeyError::File(FileError::TooOpen { .. })),
                "{mode:o}: {refusal}"
            );
            assert!(refusal.to_string().contains("chmod 600"), "{refusal}");
        }
        for mode in [0o600, 0o400] {
            assert!(
                key_file(folder.path(), "key", &[7; 32], mode)
                    .stored_key()
                    .is_ok()
            );
            fs::set_permissions(folder.path().join("key"), Permissions::from_mode(0o600)).unwrap();
        }
    }

    #[test]
    fn a_symbolic_link_is_followed_and_its_target_judged() {
        let folder = tempfile::tempdir().unwrap();
        key_file(folder.path(), "target", &[7; 32], 0o600);
        let link = folder.path().join("link");
        symlink(folder.path().join("target"), &link).unwrap();
        assert!(KeySource::File(link.clone()).stored_key().is_ok());
        fs::set_permissions(folder.path().join("target"), Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            KeySource::File(link).stored_key(),
            Err(KeyError::File(FileError::TooOpen { .. }))
        ));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let folder = tempfile::tempdir().unwrap();
        for content in [
            &b""[..],
            b"hunter2",
            &[7; 31],
            &[7; 33],
            &[b'g'; 64],
            &[b'A'; 5000],
        ] {
            let refusal = key_file(folder.path(), "key", content, 0o600)
                .stored_key()
                .unwrap_err();
            assert!(matches!(refusal, KeyError::NotAKey { .. }), "{refusal}");
            assert!(!refusal.to_string().contains("hunter2"), "{refusal}");
        }
        assert!(matches!(
            KeySource::File(folder.path().join("absent")).stored_key(),
            Err(KeyError::File(FileError::Io { .. }))
        ));
        assert!(matches!(
            KeySource::File(folder.path().to_owned()).stored_key(),
            Err(KeyError::File(FileError::NotAFile { .. }))
        ));
    }

    #[test]
    fn a_created_key_file_is_private_usable_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tieout.key");
        create_key_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let before = fs::read(&path).unwrap();
        assert!(KeySource::File(path.clone()).stored_key().is_ok());
        let refusal = create_key_file(&path).unwrap_err();
        assert!(
            matches!(refusal, KeyError::File(FileError::AlreadyExists { .. })),
            "{refusal}"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn debug_and_display_show_the_place_and_never_the_key() {
        let sources = [
            KeySource::Environment {
                variable: "TIEOUT_KEY".into(),
                value: "hunter2".into(),
            },
            KeySource::Passphrase("hunter2".into()),
        ];
        for source in sources {
            assert!(!format!("{source:?} {source}").contains("hunter2"));
        }
    }

    #[test]
    fn the_wrong_sort_of_key_is_named() {
        let cost = PassphraseCost::draw().unwrap();
        let refusal = KeySource::File("k".into()).key_for(Some(&cost)).unwrap_err();
        assert!(
            refusal
                .to_string()
                .contains("locked with a passphrase, but the key file k was offered"),
            "{refusal}"
        );
        let refusal = KeySource::Passphrase("x".into()).key_for(None).unwrap_err();
        assert!(
            refusal
                .to_string()
                .contains("locked with a key, but the passphrase was offered"),
            "{refusal}"
        );
    }
}
