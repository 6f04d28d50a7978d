//! What may happen to operators next: each decision is one event, or a refusal that says why not.

use super::{OperatorEvent, Operators, OsUser, PublicKey};
use crate::ids::PersonName;

/// Why nothing is decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorRefusal {
    /// The name holds characters that are not seen, or not told apart.
    #[error(
        "`{0}` cannot be an operator's name: use letters, digits, single blanks and - _ . ' @ +, so that nobody can pass for somebody else"
    )]
    BadName(PersonName),
    /// The name was given already.
    #[error(
        "{0} is enrolled already: a name is given once; `tieout operators replace-key` gives it another key"
    )]
    Enrolled(PersonName),
    /// The name was given to somebody who retired.
    #[error("{0} retired, and a name is never given again: choose another one")]
    GivenBefore(PersonName),
    /// The name reads like one that was given already.
    #[error("`{name}` reads like {like}, who is enrolled: choose a name that nobody takes for another one")]
    Alike {
        /// The name that was to be given.
        name: PersonName,
        /// The one that it is like.
        like: PersonName,
    },
    /// Nobody of that name is enrolled.
    #[error("no operator is called `{0}`: `tieout operators` lists them")]
    Unknown(PersonName),
    /// The operator retired.
    #[error("{0} has retired: nothing can be changed about that")]
    Retired(PersonName),
    /// The key is on record already.
    #[error("this key is on record already: each operator and each replacement has a new one")]
    KeyKnown,
    /// No reason was given.
    #[error("the reason is blank: say why, it stands in the log for good")]
    Blank,
}

impl Operators {
    /// May this name be given? Asked before a passphrase is.
    ///
    /// # Errors
    /// Where it may not.
    pub fn may_enrol(&self, name: &PersonName) -> Result<(), OperatorRefusal> {
        if !is_plain(name.as_str()) {
            return Err(OperatorRefusal::BadName(name.clone()));
        }
        if let Some(given) = self.get(name) {
            return Err(match given.retired {
                None => OperatorRefusal::Enrolled(name.clone()),
                Some(_) => OperatorRefusal::GivenBefore(name.clone()),
            });
        }
        let alike = self
            .iter()
            .find(|operator| folded(operator.name.as_str()) == folded(name.as_str()));
        match alike {
            None => Ok(()),
            Some(operator) => Err(OperatorRefusal::Alike {
                name: name.clone(),
                like: operator.name.clone(),
            }),
        }
    }

    /// A person gets a key.
    ///
    /// # Errors
    /// As [`may_enrol`](Self::may_enrol), and where the key is on record already.
    pub fn enrol(
        &self,
        name: PersonName,
        os_user: OsUser,
        public_key: PublicKey,
    ) -> Result<OperatorEvent, OperatorRefusal> {
        self.may_enrol(&name)?;
        if self.has_key(&public_key) {
            return Err(OperatorRefusal::KeyKnown);
        }
        Ok(OperatorEvent::OperatorEnrolled {
            name,
            os_user,
            public_key,
            fingerprint: public_key.fingerprint(),
        })
    }

    /// An operator gets another key.
    ///
    /// # Errors
    /// Where there is no such operator, or no more; where the key is on record already, or no reason is given.
    pub fn replace_key(
        &self,
        name: PersonName,
        os_user: OsUser,
        public_key: PublicKey,
        why: &str,
    ) -> Result<OperatorEvent, OperatorRefusal> {
        let why = self.may_change(&name, why)?;
        if self.has_key(&public_key) {
            return Err(OperatorRefusal::KeyKnown);
        }
        let replaced = self.get(&name).map(|operator| operator.last_key().public_key);
        let Some(replaced) = replaced else {
            return Err(OperatorRefusal::Unknown(name));
        };
        Ok(OperatorEvent::OperatorKeyReplaced {
            name,
            os_user,
            public_key,
            fingerprint: public_key.fingerprint(),
            replaced: replaced.fingerprint(),
            why,
            proof: None,
        })
    }

    /// An operator signs no more.
    ///
    /// # Errors
    /// Where there is no such operator, or no more, or no reason is given.
    pub fn retire(
        &self,
        name: PersonName,
        os_user: OsUser,
        why: &str,
    ) -> Result<OperatorEvent, OperatorRefusal> {
        let why = self.may_change(&name, why)?;
        Ok(OperatorEvent::OperatorRetired {
            name,
            os_user,
            why,
            proof: None,
        })
    }

    /// May something be changed about this operator, for this reason? Answers the reason, trimmed. Asked before a
    /// passphrase is.
    ///
    /// # Errors
    /// Where there is no such operator, or no more, or the reason is blank.
    pub fn may_change(&self, name: &PersonName, why: &str) -> Result<String, OperatorRefusal> {
        let operator = self
            .get(name)
            .ok_or_else(|| OperatorRefusal::Unknown(name.clone()))?;
        if operator.retired.is_some() {
            return Err(OperatorRefusal::Retired(name.clone()));
        }
        match why.trim() {
            "" => Err(OperatorRefusal::Blank),
            why => Ok(why.to_owned()),
        }
    }
}

/// Only what is seen, and one blank at a time.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " -_.'@+".contains(c);
    name.chars().all(plain) && !name.contains("  ")
}

/// Without regard to case and to what stands between letters.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
