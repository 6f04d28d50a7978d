//! A passphrase at its real cost: the unit tests take a light one.

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use tieout_vault::{KeySource, SecretFields, SetName, Vault, VaultError};

    #[test]
    fn a_passphrase_opens_at_the_cost_that_the_file_states() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tieout.vault");
        let right = KeySource::Passphrase("correct horse battery staple".into());
        let set = SetName::new("acme-us/qad").unwrap();
        let mut vault = Vault::create(&path, &right, Default::default()).unwrap();
        vault
            .put(
                &set,
                &SecretFields::new().with("password", "p"),
                Default::default(),
            )
            .unwrap();

        let vault = Vault::open(&path, &right).unwrap();
        assert_eq!(
            vault
                .get(&set)
                .unwrap()
                .require("password")
                .unwrap()
                .expose_secret(),
            "p"
        );
        let wrong = KeySource::Passphrase("correct horse battery stable".into());
        assert!(matches!(
            Vault::open(&path, &wrong),
            Err(VaultError::WrongKey { .. })
        ));

        let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let cost = &document["body"]["key"]["passphrase"];
        assert_eq!(
            (cost["memory_kib"].as_u64(), cost["passes"].as_u64()),
            (Some(64 * 1024), Some(3))
        );
    }
}
