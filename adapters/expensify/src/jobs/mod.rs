//! The forms of the jobs, byte for byte (contract expensify §1, §2, §3, §7).
//!
//! Keys stand where the worked examples of the contract have them, because the server ignores a misplaced key in
//! silence (§1.1). Every form field is percent-encoded; the JSON is strict.

mod shape;

use chrono::{Days, Months, NaiveDate};
use serde::Serialize;
use tieout_domain::ids::{Label, PolicyId, ReportId};
use tieout_domain::ports::{ListingQuery, Selection, SourceStates};

use crate::TEMPLATE;
use crate::credentials::Credentials;
use crate::policy::PolicyField;

use shape::{
    DownloadJob, FileJob, Filters, GetJob, MarkAsExported, OnReceive, Output, Pair, PolicyInput,
    PolicyListInput, ReportData,
};

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// An export that lists.
    Export,
    /// An export that also sets the exported flag.
    Mark,
    /// A download.
    Download,
    /// The list of policies.
    PolicyList,
    /// Policies with their categories, tags, tax and employees.
    Policy,
}

impl Job {
    /// As errors name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Mark => "marking export",
            Self::Download => "download",
            Self::PolicyList => "policy list",
            Self::Policy => "policy",
        }
    }
}

/// The most reports or policies that one job names (contract §12: no cap is documented).
pub(crate) const AT_MOST: usize = 100;

/// Approved spend only; not part of the filters, where it would be ignored (contract §2.2, §10.21).
const STATES: &str = "APPROVED,REIMBURSED";

/// And what was closed since (`ARCHIVED` is Expensify's word for what its pages call Closed, contract §2.2).
const STATES_AND_CLOSED: &str = "APPROVED,REIMBURSED,ARCHIVED";

/// The body of a request. It holds the pair, so it has no `Debug`.
pub(crate) struct Form(String);

impl Form {
    fn new(description: &impl Serialize, template: Option<&str>) -> Result<Self, String> {
        let description = serde_json::to_string(description)
            .map_err(|error| format!("the job cannot be written as JSON: {error}"))?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("requestJobDescription", &description);
        if let Some(template) = template {
            form.append_pair("template", template);
        }
        Ok(Self(form.finish()))
    }

    /// The bytes for the wire.
    pub(crate) fn body(&self) -> String {
        self.0.clone()
    }
}

/// The name of a rendered file. Whoever knows it and any pair of the account can read the file, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FileName(pub(crate) String);
impl std::fmt::Debug for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileName([redacted])")
    }
}

/// An export that lists (contract §2, E1). `today` bounds a window that has no end.
pub(crate) fn export(
    credentials: &Credentials,
    query: &ListingQuery,
    today: NaiveDate,
) -> Result<Form, String> {
    let mut filters = match &query.selection {
        Selection::Window { approved_from, until } => {
            let (after, end) = window(*approved_from, *until, today)?;
            Filters {
                approved_after: Some(after),
                end_date: end,
                ..Filters::default()
            }
        }
        Selection::Reports(reports) => Filters {
            reports: Some(joined_reports(reports)?),
            ..Filters::default()
        },
    };
    filters.policies = joined_policies(&query.policies)?;
    filters.marked_as_exported = query.without_label.as_ref().map(Label::as_str);
    let states = match query.states {
        SourceStates::Approved => STATES,
        SourceStates::AlsoClosed => STATES_AND_CLOSED,
    };
    file_job(credentials, states, filters, None)
}

/// An export of exactly these reports that sets their exported flag: without the `markedAsExported` filter, so that the
/// file shows every report the job touched, those marked before too (contract §9, E3).
pub(crate) fn mark(
    credentials: &Credentials,
    policies: &[PolicyId],
    reports: &[ReportId],
    label: &Label,
) -> Result<Form, String> {
    let filters = Filters {
        reports: Some(joined_reports(reports)?),
        policies: joined_policies(policies)?,
        ..Filters::default()
    };
    file_job(
        credentials,
        STATES,
        filters,
        Some([MarkAsExported {
            action_name: "markAsExported",
            label: label.as_str(),
        }]),
    )
}

fn file_job(
    credentials: &Credentials,
    states: &'static str,
    filters: Filters<'_>,
    on_finish: Option<[MarkAsExported<'_>; 1]>,
) -> Result<Form, String> {
    let job = FileJob {
        r#type: "file",
        credentials: Pair::of(credentials),
        on_receive: OnReceive {
            immediate_response: ["returnRandomFileName"],
        },
        input_settings: ReportData {
            r#type: "combinedReportData",
            report_state: states,
            filters,
        },
        output_settings: Output {
            file_extension: "txt",
            file_basename: "tieout",
        },
        on_finish,
    };
    Form::new(&job, Some(TEMPLATE))
}

/// The download of a rendered file (contract §3, E2).
pub(crate) fn download(credentials: &Credentials, file: &FileName) -> Result<Form, String> {
    let job = DownloadJob {
        r#type: "download",
        credentials: Pair::of(credentials),
        file_name: &file.0,
        file_system: "integrationServer",
    };
    Form::new(&job, None)
}

/// The policies the pair can see (contract §7.1).
pub(crate) fn policy_list(credentials: &Credentials, admin_only: bool) -> Result<Form, String> {
    let input_settings = PolicyListInput {
        r#type: "policyList",
        admin_only,
    };
    Form::new(
        &GetJob {
            r#type: "get",
            credentials: Pair::of(credentials),
            input_settings,
        },
        None,
    )
}

/// Sections of policies (contract §7.2, E6); both lists must name something.
pub(crate) fn policy(
    credentials: &Credentials,
    policies: &[PolicyId],
    fields: &[PolicyField],
) -> Result<Form, String> {
    let input_settings = PolicyInput {
        r#type: "policy",
        policies,
        fields,
    };
    Form::new(
        &GetJob {
            r#type: "get",
            credentials: Pair::of(credentials),
            input_settings,
        },
        None,
    )
}

/// `approvedAfter`, a day earlier than asked because its boundary is disputed (contract §2.3, §12), and `endDate`. A range
/// of more than a year is refused by the server with a code nobody has recorded, so it is refused here.
fn window(
    from: NaiveDate,
    until: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<(NaiveDate, Option<NaiveDate>), String> {
    let too_early = || format!("the window from {from} begins before the calendar does");
    let after = from.checked_sub_days(Days::new(1)).ok_or_else(too_early)?;
    let latest = after.checked_add_months(Months::new(12)).ok_or_else(too_early)?;
    let end = until.unwrap_or(today);
    if end > latest {
        return Err(format!(
            "the window from {from} to {end} is longer than a year, which Expensify refuses (a day is added before it): ask for windows of at most 364 days"
        ));
    }
    if until.is_some_and(|until| until < from) {
        return Err(format!("the window from {from} to {end} ends before it begins"));
    }
    Ok((after, until))
}

fn joined_reports(reports: &[ReportId]) -> Result<String, String> {
    joined("reports", reports.iter().map(ToString::to_string))
}

/// An absent policy filter means every policy the account can see, so an empty one is refused.
fn joined_policies(policies: &[PolicyId]) -> Result<String, String> {
    joined("policies", policies.iter().map(ToString::to_string))
}

fn joined(what: &str, ids: impl ExactSizeIterator<Item = String>) -> Result<String, String> {
    match ids.len() {
        0 => Err(format!("no {what} are named")),
        many if many > AT_MOST => Err(format!("{many} {what} are named, and at most {AT_MOST} may be")),
        _ => Ok(ids.collect::<Vec<_>>().join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }
    fn credentials() -> Credentials {
        Credentials::new("aa_etl_acme_com".into(), "S3cr&t+1%=\"".into()).unwrap()
    }
    fn policies() -> Vec<PolicyId> {
        vec![
            PolicyId::new("0123456789ABCDEF").unwrap(),
            PolicyId::new("4C6722D4BD2BD941").unwrap(),
        ]
    }
    fn reports() -> Vec<ReportId> {
        vec!["R00X9oNOn2MO".parse().unwrap(), "R00PdJbQrzoC".parse().unwrap()]
    }
    fn label() -> Label {
        Label::new("tieout-acme-us").unwrap()
    }

    /// Written here again, by the standard's words and not by the library's code.
    fn percent_encoded(text: &str) -> String {
        let mut encoded = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                    encoded.push(char::from(byte))
                }
                b' ' => encoded.push('+'),
                other => encoded.push_str(&format!("%{other:02X}")),
            }
        }
        encoded
    }

    /// A golden file holds the body with the template's text left out after `template=`, so that a word changed in the
    /// template does not touch them all.
    #[track_caller]
    fn check(form: Result<Form, String>, golden: &str) {
        let golden = golden.trim_end();
        let template = if golden.ends_with("&template=") {
            percent_encoded(TEMPLATE)
        } else {
            String::new()
        };
        assert_eq!(
            form.unwrap_or_else(|why| panic!("{why}")).body(),
            format!("{golden}{template}")
        );
    }

    fn window_query(until: Option<&str>, label: Option<Label>) -> ListingQuery {
        let selection = Selection::Window {
            approved_from: date("2026-02-02"),
            until: until.map(date),
        };
        ListingQuery {
            policies: policies(),
            selection,
            without_label: label,
            states: SourceStates::Approved,
        }
    }

    #[test]
    fn a_listing_of_a_closed_window_asks_from_the_day_before_and_leaves_out_our_label() {
        let form = export(
            &credentials(),
            &window_query(Some("2026-09-30"), Some(label())),
            date("2026-11-23"),
        );
        check(form, include_str!("../../tests/golden/export-window.form"));
    }

    #[test]
    fn a_listing_of_an_open_window_has_no_end_and_one_without_label_names_none() {
        check(
            export(&credentials(), &window_query(None, None), date("2026-11-23")),
            include_str!("../../tests/golden/export-open.form"),
        );
    }

    #[test]
    fn a_listing_of_named_reports_has_no_dates() {
        let query = ListingQuery {
            policies: policies(),
            selection: Selection::Reports(reports()),
            without_label: None,
            states: SourceStates::Approved,
        };
        check(
            export(&credentials(), &query, date("2026-11-23")),
            include_str!("../../tests/golden/export-reports.form"),
        );
    }

    #[test]
    fn a_listing_of_what_was_posted_asks_for_what_was_closed_since_too() {
        let query = ListingQuery {
            states: SourceStates::AlsoClosed,
            ..window_query(None, None)
        };
        check(
            export(&credentials(), &query, date("2026-11-23")),
            include_str!("../../tests/golden/export-closed.form"),
        );
    }

    #[test]
    fn marking_names_the_reports_and_filters_no_label() {
        check(
            mark(&credentials(), &policies(), &reports(), &label()),
            include_str!("../../tests/golden/mark.form"),
        );
    }

    #[test]
    fn a_download_names_the_file_at_the_top_level() {
        let file = FileName("tieout5d0c7a52-3a0e-4c0a-9f53-0d1f4d2b7c11.txt".into());
        check(
            download(&credentials(), &file),
            include_str!("../../tests/golden/download.form"),
        );
    }

    #[test]
    fn policies_are_asked_for_by_list_and_by_id() {
        check(
            policy_list(&credentials(), false),
            include_str!("../../tests/golden/policy-list.form"),
        );
        check(
            policy_list(&credentials(), true),
            include_str!("../../tests/golden/policy-list-admin.form"),
        );
        let fields = [
            PolicyField::Categories,
            PolicyField::ReportFields,
            PolicyField::Tags,
            PolicyField::Tax,
            PolicyField::Employees,
        ];
        check(
            policy(&credentials(), &policies(), &fields),
            include_str!("../../tests/golden/policy.form"),
        );
    }

    #[test]
    fn a_window_of_more_than_a_year_is_refused_before_it_is_sent() {
        let check = |from: &str, until: Option<&str>| window(date(from), until.map(date), date("2026-11-23"));
        assert_eq!(
            check("2026-01-02", Some("2027-01-01")),
            Ok((date("2026-01-01"), Some(date("2027-01-01"))))
        );
        assert!(check("2026-01-02", Some("2027-01-02")).is_err());
        assert!(check("2025-11-01", None).is_err(), "an open window reaches today");
        assert_eq!(check("2026-11-23", None), Ok((date("2026-11-22"), None)));
        assert!(
            check("2026-02-02", Some("2026-02-01"))
                .unwrap_err()
                .contains("ends before it begins")
        );
    }

    #[test]
    fn nothing_is_asked_without_policies_or_for_too_many_reports() {
        let mut query = window_query(None, None);
        query.policies.clear();
        assert_eq!(
            export(&credentials(), &query, date("2026-11-23")).err().unwrap(),
            "no policies are named"
        );
        let many: Vec<ReportId> = (1..=101).map(|id| ReportId::from_decimal(id).unwrap()).collect();
        let refusal = mark(&credentials(), &policies(), &many, &label()).err().unwrap();
        assert_eq!(refusal, "101 reports are named, and at most 100 may be");
    }
}
