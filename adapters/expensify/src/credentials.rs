//! The pair that Expensify knows us by, kept from every eye but the wire's.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tieout_domain::report::hex;

/// A pair that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Expensify {which} is blank: generate a pair at expensify.com/tools/integrations and store it with `tieout credentials expensify`"
)]
pub struct BadCredentials {
    which: &'static str,
}

/// `partnerUserID` and `partnerUserSecret` (contract expensify §1.2).
pub struct Credentials {
    user_id: SecretString,
    user_secret: SecretString,
}

impl Credentials {
    /// Takes the pair; a blank half is refused.
    pub fn new(user_id: SecretString, user_secret: SecretString) -> Result<Self, BadCredentials> {
        for (which, half) in [("partnerUserID", &user_id), ("partnerUserSecret", &user_secret)] {
            if half.expose_secret().trim().is_empty() {
                return Err(BadCredentials { which });
            }
        }
        Ok(Self { user_id, user_secret })
    }

    /// The account's name in the pace book: a hash of the user id alone, so that rotating the secret does not reset it
    /// and the book names nobody.
    pub fn account(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tieout expensify account 1\0");
        hash.update(self.user_id.expose_secret().trim().as_bytes());
        format!("expensify-{}", hex(&hash.finalize()))
    }

    /// For the wire.
    pub(crate) fn user_id(&self) -> &str {
        self.user_id.expose_secret().trim()
    }

    /// For the wire.
    pub(crate) fn user_secret(&self) -> &str {
        self.user_secret.expose_secret().trim()
    }

    /// The text without the pair, in whatever form an echo of our own request would carry it: plain, inside JSON, inside
    /// a form.
    pub(crate) fn redact(&self, text: &str) -> String {
        // The secret first: should the id be a part of it, taking that out first would leave the rest of the secret.
        [self.user_secret(), self.user_id()]
            .iter()
            .fold(text.to_owned(), |text, half| {
                let in_form: String = form_urlencoded::byte_serialize(half.as_bytes()).collect();
                let in_json = serde_json::to_string(half).unwrap_or_default();
                let in_json = in_json.trim_matches('"');
                let json_in_form: String = form_urlencoded::byte_serialize(in_json.as_bytes()).collect();
                [*half, &in_form, in_json, &json_in_form]
                    .iter()
                    .filter(|needle| !needle.is_empty())
                    .fold(text, |text, needle| text.replace(needle, "[redacted]"))
            })
    }

    /// The beginning of a body as evidence: without the pair, at most `limit` bytes. The pair goes before the cut, or a
    /// cut through the middle of it would leave half.
    pub(crate) fn evidence(&self, body: &[u8], limit: usize) -> String {
        let text = self.redact(&String::from_utf8_lossy(body));
        if text.len() <= limit {
            return text;
        }
        let end = (0..=limit)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        format!("{}… (cut)", text.get(..end).unwrap_or_default())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: &str, secret: &str) -> Credentials {
        Credentials::new(id.into(), secret.into()).unwrap()
    }

    #[test]
    fn debug_shows_neither_half() {
        let text = format!("{:?}", pair("aa_etl_acme_com", "s3cr3t+/="));
        assert_eq!(text, "Credentials([redacted])");
    }

    #[test]
    fn a_blank_half_is_refused_and_named() {
        let error = Credentials::new("aa".into(), " ".into()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the Expensify partnerUserSecret is blank"),
            "{error}"
        );
    }

    #[test]
    fn the_account_outlives_its_secret_and_does_not_show_the_id() {
        let account = pair("aa_etl_acme_com", "old").account();
        assert_eq!(account, pair("aa_etl_acme_com", "new").account());
        assert_ne!(account, pair("aa_other", "old").account());
        assert!(!account.contains("aa_etl"));
    }

    #[test]
    fn every_written_form_of_the_pair_is_taken_out() {
        let pair = pair("aa_etl_acme_com", "a\"b+c/d=");
        for text in [
            "{\"partnerUserSecret\":\"a\\\"b+c/d=\"}",
            "partnerUserSecret=a%22b%2Bc%2Fd%3D",
            "a%5C%22b%2Bc%2Fd%3D",
            "a\"b+c/d= of aa_etl_acme_com",
        ] {
            let clean = pair.redact(text);
            assert!(clean.contains("[redacted]"), "{clean}");
            assert!(
                !clean.contains("b+c") && !clean.contains("b%2Bc") && !clean.contains("aa_etl"),
                "{clean}"
            );
        }
    }

    #[test]
    fn evidence_is_cut_after_the_pair_is_out_and_between_characters() {
        let pair = pair("aa_etl_acme_com", "SECRETSECRET");
        assert_eq!(pair.evidence("xxSECRETSECRET".as_bytes(), 6), "xx[red… (cut)");
        assert_eq!(pair.evidence("é😀".as_bytes(), 4), "é… (cut)");
        assert_eq!(pair.evidence(b"short", 2048), "short");
    }
}
