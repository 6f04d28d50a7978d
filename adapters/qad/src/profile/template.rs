//! The template a new profile begins with.

/// A commented profile with the contract's own names; each entry says what it rests on. Its canaries are still to be
/// filled in, by hand or by [`Canaries::fill`].
pub const TEMPLATE: &str = include_str!("../../profile-template.toml");

/// What must be found in each browse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canaries {
    /// Code of a GL account.
    pub account: String,
    /// Code of a cost centre.
    pub cost_centre: String,
    /// Code of a sub-account.
    pub sub_account: String,
    /// Code of a project.
    pub project: String,
    /// Code of a supplier.
    pub supplier: String,
    /// Code of an employee.
    pub employee: String,
    /// Code of a daybook.
    pub daybook: String,
    /// A period, `2026/01`.
    pub period: String,
    /// Reference of a supplier invoice.
    pub supplier_invoice: String,
    /// Reference of a journal entry.
    pub journal: String,
}

impl Canaries {
    /// Fills the template's places in.
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
        [
            ("<account>", &self.account),
            ("<cost centre>", &self.cost_centre),
            ("<sub-account>", &self.sub_account),
            ("<project>", &self.project),
            ("<supplier>", &self.supplier),
            ("<employee>", &self.employee),
            ("<daybook>", &self.daybook),
            ("<period>", &self.period),
            ("<supplier invoice>", &self.supplier_invoice),
            ("<journal entry>", &self.journal),
        ]
        .into_iter()
        .fold(template.to_owned(), |text, (place, canary)| {
            // Written as TOML would, so that a code with a quote or a backslash stays a code.
            text.replace(
                &format!("\"{place}\""),
                &toml::Value::String(canary.clone()).to_string(),
            )
        })
    }

    /// The codes of the contract's examples.
    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        Self {
            account: "6410".into(),
            cost_centre: "1200".into(),
            sub_account: "10".into(),
            project: "P100".into(),
            supplier: "EMP-E1001".into(),
            employee: "E1001".into(),
            daybook: "SINV".into(),
            period: "2024/01".into(),
            supplier_invoice: "CANARY-INV".into(),
            journal: "CANARY-JE".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Profile, ProfileError};

    #[test]
    fn the_template_waits_for_its_canaries() {
        let ProfileError::Unfit { key, .. } = Profile::parse(TEMPLATE).unwrap_err() else {
            panic!("not the canary")
        };
        assert_eq!(key, "masters.accounts.canary");
    }

    #[test]
    fn the_filled_template_is_a_profile() {
        let profile = Profile::parse(&Canaries::sample().fill(TEMPLATE)).unwrap();
        assert_eq!(profile.masters.accounts.columns.code.as_str(), "ac_mstr.ac_code");
        assert_eq!(profile.digest().len(), 64);
    }

    #[test]
    fn a_canary_with_a_quote_stays_a_canary() {
        let canaries = Canaries {
            account: "64\"10\\".into(),
            ..Canaries::sample()
        };
        let profile = Profile::parse(&canaries.fill(TEMPLATE)).unwrap();
        assert_eq!(profile.masters.accounts.canary, "64\"10\\");
    }

    #[test]
    fn every_entry_says_what_it_rests_on() {
        let bare: Vec<&str> = TEMPLATE
            .lines()
            .filter(|line| line.contains(" = ") && !line.trim_start().starts_with('#'))
            .filter(|line| {
                !["[C]", "[C1]", "[D]", "[A]", "[ours]"]
                    .iter()
                    .any(|tag| line.contains(tag))
            })
            .collect();
        assert!(bare.is_empty(), "no evidence beside: {bare:#?}");
    }
}
