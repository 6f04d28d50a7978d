//! The JSON of a job description. The order of keys is that of the contract's examples.

use chrono::NaiveDate;
use serde::Serialize;
use tieout_domain::ids::PolicyId;

use crate::credentials::Credentials;
use crate::policy::PolicyField;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pair<'a> {
    #[serde(rename = "partnerUserID")]
    pub(super) user_id: &'a str,
    #[serde(rename = "partnerUserSecret")]
    pub(super) user_secret: &'a str,
}
impl<'a> Pair<'a> {
    pub(super) fn of(credentials: &'a Credentials) -> Self {
        Self {
            user_id: credentials.user_id(),
            user_secret: credentials.user_secret(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileJob<'a> {
    pub(super) r#type: &'static str,
    pub(super) credentials: Pair<'a>,
    pub(super) on_receive: OnReceive,
    pub(super) input_settings: ReportData<'a>,
    pub(super) output_settings: Output,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_finish: Option<[MarkAsExported<'a>; 1]>,
}

/// Without it the server blocks and then answers a bare 500 (contract §1.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnReceive {
    pub(super) immediate_response: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportData<'a> {
    pub(super) r#type: &'static str,
    pub(super) report_state: &'static str,
    pub(super) filters: Filters<'a>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filters<'a> {
    #[serde(rename = "reportIDList", skip_serializing_if = "Option::is_none")]
    pub(super) reports: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approved_after: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_date: Option<NaiveDate>,
    #[serde(rename = "policyIDList")]
    pub(super) policies: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marked_as_exported: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    pub(super) file_extension: &'static str,
    pub(super) file_basename: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MarkAsExported<'a> {
    pub(super) action_name: &'static str,
    pub(super) label: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DownloadJob<'a> {
    pub(super) r#type: &'static str,
    pub(super) credentials: Pair<'a>,
    pub(super) file_name: &'a str,
    pub(super) file_system: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetJob<'a, I> {
    pub(super) r#type: &'static str,
    pub(super) credentials: Pair<'a>,
    pub(super) input_settings: I,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyListInput {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) admin_only: bool,
}

#[derive(Serialize)]
pub(super) struct PolicyInput<'a> {
    pub(super) r#type: &'static str,
    #[serde(rename = "policyIDList")]
    pub(super) policies: &'a [PolicyId],
    pub(super) fields: &'a [PolicyField],
}
