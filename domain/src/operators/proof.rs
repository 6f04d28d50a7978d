//! What an event of another stream keeps of an operator's signature.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::statement::push_fact;
use super::{OsUser, PublicKey, Signature, Statement};
use crate::ids::PersonName;

/// Who signed a statement, from where, with which key, and the signature. The statement itself is not kept: it is made
/// again of the facts that the proof stands beside, or the two could disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The operator.
    pub operator: PersonName,
    /// Whose process signed, by the operating system.
    pub os_user: OsUser,
    /// Who enrolled the operator, where that is another user of the operating system than the one above: a mark for
    /// whoever reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_by: Option<OsUser>,
    /// The key.
    pub public_key: PublicKey,
    /// Over [`text`](Self::text).
    pub signature: Signature,
}

impl Proof {
    /// What is signed: the statement, and who signs it from where, a line each. Before it stands one more line, which the
    /// signer adds: what an operator's key signs at all.
    pub fn text(&self, statement: &Statement) -> String {
        text(
            statement,
            &self.operator,
            &self.os_user,
            self.enrolled_by.as_ref(),
            &self.public_key,
        )
    }

    /// Signs a statement with `sign`, which is given [`text`](Self::text).
    pub fn over(
        statement: &Statement,
        operator: PersonName,
        os_user: OsUser,
        enrolled_by: Option<OsUser>,
        public_key: PublicKey,
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Self {
        let text = text(statement, &operator, &os_user, enrolled_by.as_ref(), &public_key);
        Self {
            signature: sign(text.as_bytes()),
            operator,
            os_user,
            enrolled_by,
            public_key,
        }
    }
}

fn text(
    statement: &Statement,
    operator: &PersonName,
    os_user: &OsUser,
    enrolled_by: Option<&OsUser>,
    public_key: &PublicKey,
) -> String {
    let mut text = statement.to_string();
    push_fact(&mut text, "operator", operator.as_str());
    push_user(&mut text, ["uid", "os user", "host"], os_user);
    if let Some(user) = enrolled_by {
        push_user(
            &mut text,
            ["enrolled by uid", "enrolled by os user", "enrolled on host"],
            user,
        );
    }
    push_fact(&mut text, "public key", &public_key.to_string());
    text
}

/// A line for each part that is known; the labels keep one part from passing for another.
fn push_user(text: &mut String, [uid, name, host]: [&'static str; 3], user: &OsUser) {
    push_fact(text, uid, &user.uid.to_string());
    for (label, value) in [(name, &user.name), (host, &user.host)] {
        if let Some(value) = value {
            push_fact(text, label, value);
        }
    }
}

impl fmt::Display for Proof {
    /// `kim, from OS user root (uid 0) on ledger-1 (NOT the one who enrolled, kim (uid 1000) on ledger-1), key 0123…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, from OS user {}", self.operator, self.os_user)?;
        if let Some(user) = &self.enrolled_by {
            write!(f, " (NOT the one who enrolled, {user})")?;
        }
        write!(f, ", key {}", self.public_key.fingerprint())
    }
}
