//! Keys and boxes: XChaCha20-Poly1305 with a random nonce, and nothing around it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Length of every key, in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// Length of a nonce, in bytes: long enough to be drawn at random for every box.
pub(crate) const NONCE_LEN: usize = 24;

/// Length of the authentication tag that ends every box, in bytes.
const TAG_LEN: usize = 16;

/// What the cryptography itself can refuse.
#[derive(Debug, thiserror::Error)]
pub enum CipherError {
    /// The operating system gave no random bytes, so no key or nonce can be drawn.
    #[error(
        "the operating system gave no random bytes ({0}); nothing was sealed: look into the system's entropy source"
    )]
    NoRandomness(getrandom::Error),
    /// The text is longer than the cipher can bear (256 GiB).
    #[error("the text is too long to be sealed in one piece: split it")]
    TooLong,
    /// The box does not open: it was made under another key, for another place, or its bytes have changed.
    #[error(
        "the sealed bytes are not authentic: they were altered, or sealed under another key or for another place"
    )]
    NotAuthentic,
}

/// A symmetric key: on the heap, wiped on drop, redacted in `Debug`.
#[derive(Debug)]
pub(crate) struct SecretKey(SecretBox<[u8; KEY_LEN]>);

impl SecretKey {
    /// A new random key.
    pub(crate) fn random() -> Result<Self, CipherError> {
        let mut key = Self::empty();
        getrandom::fill(key.bytes_mut()).map_err(CipherError::NoRandomness)?;
        Ok(key)
    }

    /// The key with these bytes; `None` unless there are exactly 32.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; KEY_LEN] = bytes.try_into().ok()?;
        let mut key = Self::empty();
        key.bytes_mut().copy_from_slice(bytes);
        Some(key)
    }

    /// A key to be filled in place, so that its bytes never lie on the stack.
    pub(crate) fn empty() -> Self {
        Self(SecretBox::default())
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        self.0.expose_secret()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; KEY_LEN] {
        self.0.expose_secret_mut()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes().into())
    }

    /// Encrypts and authenticates `plaintext`, and authenticates `context` with it.
    pub(crate) fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<SealedBox, CipherError> {
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(CipherError::NoRandomness)?;
        // One allocation that also holds the tag: growing would leave a copy of the plaintext behind.
        let mut text = Zeroizing::new(Vec::with_capacity(plaintext.len().saturating_add(TAG_LEN)));
        text.extend_from_slice(plaintext);
        self.cipher()
            .encrypt_in_place((&nonce).into(), context, &mut *text)
            .map_err(|_| CipherError::TooLong)?;
        Ok(SealedBox {
            nonce,
            text: std::mem::take(&mut *text),
        })
    }

    /// The plaintext, if the box was sealed under this key for this very `context` and is unaltered.
    pub(crate) fn open(&self, context: &[u8], sealed: &SealedBox) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let mut text = Zeroizing::new(sealed.text.clone());
        self.cipher()
            .decrypt_in_place((&sealed.nonce).into(), context, &mut *text)
            .map_err(|_| CipherError::NotAuthentic)?;
        Ok(text)
    }

    /// Wraps another key.
    pub(crate) fn wrap(&self, context: &[u8], key: &SecretKey) -> Result<SealedBox, CipherError> {
        self.seal(context, key.bytes())
    }

    /// Unwraps a key wrapped by [`SecretKey::wrap`].
    pub(crate) fn unwrap_key(&self, context: &[u8], wrapped: &SealedBox) -> Result<SecretKey, CipherError> {
        SecretKey::from_slice(&self.open(context, wrapped)?).ok_or(CipherError::NotAuthentic)
    }
}

/// A random identifier, without the panic that uuid's own generator has when there is no randomness.
pub(crate) fn random_uuid() -> Result<Uuid, CipherError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(CipherError::NoRandomness)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// A nonce and what was encrypted under it, its tag included. No secret: it may be written anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedBox {
    /// Drawn at random for this box.
    #[serde(serialize_with = "base64_out", deserialize_with = "base64_nonce")]
    pub(crate) nonce: [u8; NONCE_LEN],
    /// Ciphertext and tag.
    #[serde(serialize_with = "base64_out", deserialize_with = "base64_in")]
    pub(crate) text: Vec<u8>,
}

/// Serialises bytes as standard base64.
pub(crate) fn base64_out<S: Serializer, B: AsRef<[u8]>>(bytes: &B, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes.as_ref()))
}

/// Reads bytes from standard base64. The message never repeats the value.
pub(crate) fn base64_in<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    STANDARD
        .decode(text)
        .map_err(|_| serde::de::Error::custom("this is not base64"))
}

/// Reads an array of exactly `N` bytes from standard base64.
pub(crate) fn base64_array<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    let bytes = base64_in(from)?;
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| serde::de::Error::custom(format!("expected {N} bytes in base64, found {length}")))
}

fn base64_nonce<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; NONCE_LEN], D::Error> {
    base64_array(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_box_opens_only_with_its_key_and_its_context() {
        let key = SecretKey::random().unwrap();
        let other = SecretKey::random().unwrap();
        let sealed = key.seal(b"here", b"hello").unwrap();
        assert_eq!(*key.open(b"here", &sealed).unwrap(), b"hello");
        assert!(matches!(
            key.open(b"there", &sealed),
            Err(CipherError::NotAuthentic)
        ));
        assert!(matches!(
            other.open(b"here", &sealed),
            Err(CipherError::NotAuthentic)
        ));
    }

    #[test]
    fn the_cipher_is_the_published_one() {
        // draft-irtf-cfrg-xchacha, appendix A.3.1: same key, nonce, associated data and text, same bytes.
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let key = SecretKey::from_slice(&key).unwrap();
        let nonce: Vec<u8> = (0x40..=0x57).collect();
        let context = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let plaintext: &[u8] =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                                 future, sunscreen would be it.";
        let expected = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64\
                        c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c\
                        97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        let expected: Vec<u8> = (0..expected.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&expected[at..at + 2], 16).unwrap())
            .collect();
        let sealed = SealedBox {
            nonce: nonce.try_into().unwrap(),
            text: expected,
        };
        assert_eq!(*key.open(&context, &sealed).unwrap(), plaintext);
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        let key = SecretKey::from_slice(&[0xAB; 32]).unwrap();
        let shown = format!("{key:?}").to_lowercase();
        assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_and_any_flipped_bit_is_noticed(plaintext: Vec<u8>, place: prop::sample::Index, bit in 0_u8..8) {
            let key = SecretKey::random().unwrap();
            let mut sealed = key.seal(b"", &plaintext).unwrap();
            prop_assert_eq!(&*key.open(b"", &sealed).unwrap(), &plaintext);
            let place = place.index(sealed.text.len());
            sealed.text[place] ^= 1 << bit;
            prop_assert!(key.open(b"", &sealed).is_err());
        }
    }
}
