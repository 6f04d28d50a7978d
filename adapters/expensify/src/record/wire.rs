//! The names of the template, as they stand in a line: each a scalar of whatever kind, each may be missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lenient::Text;

/// A line: a report, or a trailer.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) trailer: Option<Trailer>,
    #[serde(rename = "reportID")]
    pub(super) report_id: Text,
    #[serde(rename = "oldReportID")]
    pub(super) old_report_id: Text,
    #[serde(rename = "policyID")]
    pub(super) policy_id: Text,
    pub(super) policy_name: Text,
    pub(super) report_name: Text,
    pub(super) status: Text,
    pub(super) currency: Text,
    pub(super) total: Text,
    pub(super) created: Text,
    pub(super) submitted: Text,
    pub(super) approved: Text,
    pub(super) reimbursed: Text,
    #[serde(rename = "isACHReimbursed")]
    pub(super) is_ach_reimbursed: Text,
    #[serde(rename = "entryID")]
    pub(super) entry_id: Text,
    pub(super) account_email: Text,
    pub(super) submitter_email: Text,
    pub(super) submitter_first_name: Text,
    pub(super) submitter_last_name: Text,
    pub(super) submitter_full_name: Text,
    #[serde(rename = "submitterUserID")]
    pub(super) submitter_user_id: Text,
    #[serde(rename = "submitterPayrollID")]
    pub(super) submitter_payroll_id: Text,
    pub(super) employee_custom_field1: Text,
    pub(super) employee_custom_field2: Text,
    pub(super) manager_email: Text,
    pub(super) approvers: Vec<ApproverRow>,
    pub(super) custom_field: BTreeMap<String, Text>,
    pub(super) n: Text,
    pub(super) lines: Vec<LineRow>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ApproverRow {
    pub(super) email: Text,
    pub(super) date: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TagRow {
    pub(super) name: Text,
    pub(super) gl: Text,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LineRow {
    #[serde(rename = "transactionID")]
    pub(super) transaction_id: Text,
    pub(super) r#type: Text,
    pub(super) amount: Text,
    pub(super) modified_amount: Text,
    pub(super) converted_amount: Text,
    pub(super) currency: Text,
    pub(super) currency_conversion_rate: Text,
    pub(super) created: Text,
    pub(super) modified_created: Text,
    pub(super) merchant: Text,
    pub(super) modified_merchant: Text,
    pub(super) comment: Text,
    pub(super) category: Text,
    pub(super) category_gl_code: Text,
    pub(super) tag: Text,
    pub(super) tag_gl_code: Text,
    pub(super) tags: Vec<TagRow>,
    pub(super) reimbursable: Text,
    pub(super) billable: Text,
    pub(super) bank: Text,
    #[serde(rename = "cardID")]
    pub(super) card_id: Text,
    pub(super) card_name: Text,
    pub(super) card_number: Text,
    pub(super) mcc: Text,
    #[serde(rename = "modifiedMCC")]
    pub(super) modified_mcc: Text,
    pub(super) has_tax: Text,
    pub(super) tax_amount: Text,
    pub(super) modified_tax_amount: Text,
    pub(super) tax_code: Text,
    pub(super) tax_name: Text,
    pub(super) tax_rate_name: Text,
    pub(super) tax_rate: Text,
    #[serde(rename = "externalID")]
    pub(super) external_id: Text,
    #[serde(rename = "receiptID")]
    pub(super) receipt_id: Text,
    pub(super) receipt_filename: Text,
    pub(super) units_count: Text,
    pub(super) units_unit: Text,
    pub(super) source: Text,
    pub(super) attendees: Vec<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Trailer {
    pub(super) reports: Text,
}
