//! Users of the installation, with what can go wrong for them.

use std::fmt;

/// A password; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Whether `attempt` is this password, to the letter.
    pub fn is(&self, attempt: &str) -> bool {
        self.0 == attempt
    }
}

impl<T: Into<String>> From<T> for Password {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// One user (contract qad §1.4).
#[derive(Clone, Debug)]
pub struct User {
    /// What the user logs in with.
    pub password: Password,
    /// The workspace that applies when the header is absent.
    pub default_workspace: Option<String>,
    /// Logged in or not, everything is 403 for this user.
    pub forbidden: bool,
    /// Whether the user may read metadata (§1.10 assumes a developer's permission).
    pub developer: bool,
    /// Failed logins in a row.
    pub failures: u32,
    /// Locked after too many of them; only an administrator (or a test) unlocks.
    pub locked: bool,
}

impl User {
    /// A user who may do everything.
    pub fn new(password: impl Into<String>) -> Self {
        Self {
            password: Password::from(password),
            default_workspace: None,
            forbidden: false,
            developer: true,
            failures: 0,
            locked: false,
        }
    }

    /// Forgets failures and lock.
    pub fn unlock(&mut self) {
        self.failures = 0;
        self.locked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_compared_and_never_shown() {
        let user = User::new("open sesame");
        assert!(user.password.is("open sesame") && !user.password.is("Open sesame"));
        assert!(!format!("{user:?}").contains("sesame"));
    }
}
