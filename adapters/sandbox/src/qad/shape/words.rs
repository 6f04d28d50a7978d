//! The words that stand in coded fields. Most are of the Financials' own vocabulary (contract qad §2); how REST
//! spells them is assumed, so they are data.

use serde::{Deserialize, Serialize};

/// What an installation writes in its coded fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// Type of a supplier invoice (§2.2).
    pub invoice: String,
    /// Type of a credit note (§2.2).
    pub credit_note: String,
    /// Type of an account that may be posted to (§2.4).
    pub standard_account: String,
    /// An account that must bear a cost centre.
    pub cost_centre_required: String,
    /// An account that may bear a cost centre.
    pub cost_centre_optional: String,
    /// An account that must not bear a cost centre.
    pub cost_centre_forbidden: String,
    /// An account that is analysed by nothing of these (§2.4).
    pub analysis_none: String,
    /// One that is analysed by cost centre.
    pub analysis_cost_centre: String,
    /// One that is analysed by project.
    pub analysis_project: String,
    /// One that is analysed by both.
    pub analysis_both: String,
    /// No limitation on how both are used (§2.4).
    pub limitation_none: String,
    /// At least one of the two.
    pub limitation_at_least_one: String,
    /// Both are required.
    pub limitation_both: String,
    /// One excludes the other.
    pub limitation_excluding: String,
    /// Type of a daybook that takes supplier invoices.
    pub invoice_daybook: String,
    /// Type of a daybook that takes credit notes of suppliers.
    pub credit_note_daybook: String,
    /// Type of a daybook that takes journal entries.
    pub journal_daybook: String,
    /// Type of a routine period (§2.4).
    pub normal_period: String,
    /// Type of a correction period (§2.4).
    pub correction_period: String,
    /// Type of a year-end closing period (§2.4).
    pub year_end_period: String,
    /// Status of a document that stands.
    pub posted: String,
    /// Status of a document that was reversed.
    pub reversed: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            invoice: "INVOICE".into(),
            credit_note: "CREDITNOTE".into(),
            standard_account: "STANDARD".into(),
            cost_centre_required: "REQUIRED".into(),
            cost_centre_optional: "OPTIONAL".into(),
            cost_centre_forbidden: "FORBIDDEN".into(),
            analysis_none: "NONE".into(),
            analysis_cost_centre: "COSTCENTRE".into(),
            analysis_project: "PROJECT".into(),
            analysis_both: "BOTH".into(),
            limitation_none: "NONE".into(),
            limitation_at_least_one: "ATLEASTONE".into(),
            limitation_both: "BOTHREQUIRED".into(),
            limitation_excluding: "EXCLUDING".into(),
            invoice_daybook: "SUPPLIERINVOICE".into(),
            credit_note_daybook: "SUPPLIERCREDITNOTE".into(),
            journal_daybook: "JOURNALENTRY".into(),
            normal_period: "NORMAL".into(),
            correction_period: "CORRECTION".into(),
            year_end_period: "YEARENDCLOSING".into(),
            posted: "POSTED".into(),
            reversed: "REVERSED".into(),
        }
    }
}
