//! Signatures of operators: Ed25519 (RFC 8032) over a text that begins with what an operator's key signs at all.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use tieout_domain::operators::{PublicKey, Signature};

/// The first line of everything that an operator's key signs, and it signs nothing without it: a signature can never be
/// taken for one under another kind of statement, of ours or of anybody else.
const PURPOSE: &str = "tieout operator statement 1";

/// The exact bytes that are signed for a text: the purpose, a line feed, and the text as it is.
///
/// Framed by the line rather than by lengths (see `framing`): the purpose has no line feed in it, so that no two texts give
/// the same bytes, and what is signed stays plain text that an auditor writes into a file and verifies with any tool.
#[must_use]
pub fn signed_bytes(text: &[u8]) -> Vec<u8> {
    [PURPOSE.as_bytes(), b"\n", text].concat()
}

/// Signs as one operator. Wiped on drop; `Debug` shows the public half only.
pub struct Signer {
    /// On the heap, so that moving the signer leaves no copy behind.
    key: Box<SigningKey>,
}

impl Signer {
    pub(crate) fn of_seed(seed: &[u8; 32]) -> Self {
        Self {
            key: Box::new(SigningKey::from_bytes(seed)),
        }
    }

    /// The public half of the key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().to_bytes())
    }

    /// Signs [`signed_bytes`] of a text. The same text always gives the same signature.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> Signature {
        Signature::from_bytes(self.key.sign(&signed_bytes(text)).to_bytes())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// Did the holder of this key sign this text? Strictly: of a valid signature no second form is taken for valid, and a key
/// of small order, under which anybody can sign, never is.
#[must_use]
pub fn verify(public_key: &PublicKey, text: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
    VerifyingKey::from_bytes(public_key.as_bytes())
        .is_ok_and(|key| key.verify_strict(&signed_bytes(text), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signer(byte: u8) -> Signer {
        Signer::of_seed(&[byte; 32])
    }

    #[test]
    fn what_is_signed_is_plain_text_and_begins_with_its_purpose() {
        assert_eq!(
            signed_bytes(b"statement: x\n"),
            b"tieout operator statement 1\nstatement: x\n"
        );
    }

    #[test]
    fn the_signature_is_the_published_one() {
        // RFC 8032 §7.1, test 2: the key is the one its seed gives there, and the algorithm the one that signs there.
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let seed: PublicKey = seed.parse().unwrap();
        let signer = Signer::of_seed(seed.as_bytes());
        assert_eq!(
            signer.public_key().to_string(),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        let raw = Signature::from_bytes(signer.key.sign(&[0x72]).to_bytes());
        assert_eq!(
            raw.to_string(),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert!(
            !verify(&signer.public_key(), &[0x72], &raw),
            "a signature without the purpose is none of ours"
        );
    }

    #[test]
    fn a_key_of_small_order_vouches_for_nothing() {
        // The neutral element: with it, R = 0·B and s = 0 satisfy the equation for every text.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let (key, signature) = (PublicKey::from_bytes(neutral), Signature::from_bytes(signature));
        assert!(!verify(&key, b"anything", &signature));
    }

    #[test]
    fn debug_shows_the_public_half_only() {
        let signer = signer(0xAB);
        let shown = format!("{signer:?}").to_lowercase();
        assert!(shown.contains(&signer.public_key().to_string()), "{shown}");
        assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    }

    proptest! {
        #[test]
        fn a_signature_is_good_for_its_text_and_its_key_only(text: Vec<u8>, place: prop::sample::Index, bit in 0_u8..8) {
            let (one, other) = (signer(1), signer(2));
            let signature = one.sign(&text);
            prop_assert!(verify(&one.public_key(), &text, &signature));
            prop_assert!(!verify(&other.public_key(), &text, &signature));

            let mut longer = text.clone();
            longer.push(0);
            prop_assert!(!verify(&one.public_key(), &longer, &signature));
            let mut bytes = *signature.as_bytes();
            bytes[place.index(64)] ^= 1 << bit;
            prop_assert!(!verify(&one.public_key(), &text, &Signature::from_bytes(bytes)));
            let mut key = *one.public_key().as_bytes();
            key[place.index(32)] ^= 1 << bit;
            prop_assert!(!verify(&PublicKey::from_bytes(key), &text, &signature));
        }
    }
}
