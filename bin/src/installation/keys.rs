//! The operators' keys in the installation's vault: fetched, put, taken out.

use tieout_domain::ids::PersonName;
use tieout_domain::ports::Clock as _;
use tieout_vault::{OperatorKey, SecretFields, SetName, VaultError};

use super::Installation;
use crate::out::Failure;

impl Installation {
    /// An operator's key as the vault holds it, sealed; `None` where it holds none.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the vault is damaged.
    pub fn operator_key(&self, name: &PersonName) -> Result<Option<SecretFields>, Failure> {
        match self.vault().get(&set_of(name)?) {
            Ok(fields) => Ok(Some(fields)),
            Err(VaultError::NoSuchSet { .. }) => Ok(None),
            Err(other) => Err(usage(&other)),
        }
    }

    /// Puts an operator's key into the vault, or takes it out.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the vault cannot be written, or was changed meanwhile; then it is as it was.
    pub fn set_operator_key(&self, name: &PersonName, fields: Option<&SecretFields>) -> Result<(), Failure> {
        let set = set_of(name)?;
        let now = self.clock.now();
        let mut vault = self.vault();
        match fields {
            Some(fields) => vault.put(&set, fields, now).map(drop),
            None => match vault.remove(&set) {
                Err(VaultError::NoSuchSet { .. }) => Ok(()),
                other => other,
            },
        }
        .map_err(|e| usage(&e))
    }
}

fn set_of(name: &PersonName) -> Result<SetName, Failure> {
    OperatorKey::set_name(name).map_err(|e| usage(&e))
}

fn usage(error: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}
