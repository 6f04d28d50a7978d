//! The data model a template sees (contract §4.3, §4.4): views on the world that copy nothing.
//!
//! What the vendor's table lists prints an empty string when unset; a name it does not list is missing, which prints
//! nothing either but is not there for `??`.

mod expense;

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use super::freemarker::{Hash, Record, Value};
use super::world::{Person, Policy, Report, ReportState, World};
use expense::ExpenseView;

/// How the world is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Text arrives HTML-escaped (contract §4.2).
    pub escape_html: bool,
    /// Cards are shown; otherwise they are `Unknown` (contract §2.4).
    pub cards: bool,
    /// A closed report says `Archived` instead of `Closed`.
    pub archived: bool,
    /// Unset edits are missing instead of blank, as a null-tolerant wrapper would have it.
    pub blanks_are_missing: bool,
}

impl Look {
    fn text<'a>(self, text: &'a str) -> Value<'a> {
        Value::Text(if self.escape_html {
            escaped(text)
        } else {
            Cow::Borrowed(text)
        })
    }

    fn optional<'a>(self, text: Option<&'a str>) -> Value<'a> {
        match text {
            None if self.blanks_are_missing => Value::Missing,
            text => self.text(text.unwrap_or_default()),
        }
    }

    fn integer<'a>(self, number: Option<i64>) -> Value<'a> {
        match number {
            None if self.blanks_are_missing => Value::Missing,
            number => Value::optional_integer(number),
        }
    }
}

/// The globals: `reports` and `addHeader`.
pub struct Globals<'a> {
    /// What the filters left.
    pub reports: Vec<ReportView<'a>>,
    /// Whether this is the first pass over the template.
    pub add_header: bool,
}

impl<'a> Hash<'a> for Globals<'a> {
    fn get(&self, key: &str) -> Value<'a> {
        match key {
            "reports" => Value::list(self.reports.iter().copied().map(Value::hash).collect()),
            "addHeader" => Value::Bool(self.add_header),
            _ => Value::Missing,
        }
    }
}

/// A report as `report.` shows it.
#[derive(Clone, Copy)]
pub struct ReportView<'a> {
    report: &'a Report,
    policy: Option<&'a Policy>,
    look: Look,
}

impl<'a> ReportView<'a> {
    /// A view on `report`.
    pub fn new(report: &'a Report, world: &'a World, look: Look) -> Self {
        Self {
            report,
            policy: world.policies.get(&report.policy_id),
            look,
        }
    }
}

impl<'a> Hash<'a> for ReportView<'a> {
    fn get(&self, key: &str) -> Value<'a> {
        let (report, look) = (self.report, self.look);
        match key {
            "reportID" => Value::owned(report.id.to_string()),
            "oldReportID" => Value::Number(report.id.0.into()),
            "reportName" => look.text(&report.name),
            "status" if look.archived && report.state == ReportState::Closed => Value::text("Archived"),
            "status" => Value::text(report.state.status_word()),
            "state" => Value::text(state_word(report)),
            "stateNum" => Value::integer(state_number(report)),
            "policyID" => Value::text(&report.policy_id),
            "policyName" => look.text(self.policy.map_or("", |policy| &policy.name)),
            "currency" => Value::text(&report.currency),
            "total" => Value::integer(report.total),
            "created" => instant(Some(report.created)),
            "submitted" => instant(report.submitted),
            "approved" => instant(report.approved),
            "reimbursed" => date(report.reimbursed),
            "isACHReimbursed" => Value::Bool(report.is_ach_reimbursed),
            "entryID" => Value::text(&report.entry_id),
            "accountEmail" | "submitterEmail" => look.text(&report.submitter.email),
            "accountID" => Value::Number(report.submitter.account_id.into()),
            "submitter" => person(&report.submitter, look),
            "submitterUserID" => look.text(&report.submitter.user_id),
            "submitterPayrollID" => look.text(&report.submitter.payroll_id),
            "employeeCustomField1" => {
                look.text(report.employee_custom_fields.first().map_or("", String::as_str))
            }
            "employeeCustomField2" => {
                look.text(report.employee_custom_fields.last().map_or("", String::as_str))
            }
            "manager" => person(&report.manager, look),
            "managerEmail" => look.text(&report.manager.email),
            "managerUserID" => look.text(&report.manager.user_id),
            "managerPayrollID" => look.text(&report.manager.payroll_id),
            "approvers" => Value::list(
                report
                    .approvers
                    .iter()
                    .map(|approver| {
                        let mut record = person_record(&approver.person, look);
                        record.set("date", instant(Some(approver.date)));
                        record.set("employeeUserID", look.text(&approver.person.user_id));
                        record.set("employeePayrollID", look.text(&approver.person.payroll_id));
                        Value::hash(record)
                    })
                    .collect(),
            ),
            "actionList" => Value::list(
                report
                    .actions
                    .iter()
                    .map(|action| {
                        let details = Record::default().with("message", look.text(&action.message));
                        Value::hash(
                            Record::default()
                                .with("action", Value::text(&action.action))
                                .with("accountEmail", look.text(&action.account_email))
                                .with("created", instant(Some(action.created)))
                                .with("details", Value::hash(details)),
                        )
                    })
                    .collect(),
            ),
            "customField" => Value::hash(CustomFields { report, look }),
            "transactionList" => {
                let policy = self.policy;
                let views = report.expenses.iter().map(|expense| ExpenseView {
                    expense,
                    report,
                    policy,
                    look,
                });
                Value::list(views.map(Value::hash).collect())
            }
            _ => Value::Missing,
        }
    }
}

fn state_word(report: &Report) -> &'static str {
    match report.state {
        ReportState::Open => "OPEN",
        ReportState::Processing => "SUBMITTED",
        ReportState::Approved => "APPROVED",
        ReportState::Reimbursed if report.is_ach_reimbursed => "AUTOREIMBURSED",
        ReportState::Reimbursed => "MANUALREIMBURSED",
        ReportState::Closed => "ARCHIVED",
    }
}

fn state_number(report: &Report) -> i64 {
    match report.state {
        ReportState::Open => 0,
        ReportState::Processing => 1,
        ReportState::Approved | ReportState::Closed => 2,
        ReportState::Reimbursed if report.is_ach_reimbursed => 6,
        ReportState::Reimbursed => 4,
    }
}

/// `customField.<Name>`, where all but letters and digits of the field's name are `_`.
struct CustomFields<'a> {
    report: &'a Report,
    look: Look,
}

impl<'a> Hash<'a> for CustomFields<'a> {
    fn get(&self, key: &str) -> Value<'a> {
        let matches = |name: &str| {
            name.chars()
                .map(|c| if c.is_alphanumeric() { c } else { '_' })
                .eq(key.chars())
        };
        let field = self.report.custom_fields.iter().find(|(name, _)| matches(name));
        self.look.text(field.map_or("", |(_, value)| value))
    }

    fn keys(&self) -> Vec<String> {
        let named = |name: &String| {
            name.chars()
                .map(|c| if c.is_alphanumeric() { c } else { '_' })
                .collect()
        };
        self.report.custom_fields.keys().map(named).collect()
    }

    fn is_empty(&self) -> bool {
        self.report.custom_fields.is_empty()
    }
}

fn person<'a>(person: &'a Person, look: Look) -> Value<'a> {
    Value::hash(person_record(person, look))
}

fn person_record<'a>(person: &'a Person, look: Look) -> Record<'a> {
    let full = format!("{} {}", person.first_name, person.last_name)
        .trim()
        .to_owned();
    let full = if look.escape_html {
        escaped(&full).into_owned()
    } else {
        full
    };
    Record::default()
        .with("email", look.text(&person.email))
        .with("firstName", look.text(&person.first_name))
        .with("lastName", look.text(&person.last_name))
        .with("fullName", Value::owned(full))
}

fn instant<'a>(at: Option<DateTime<Utc>>) -> Value<'a> {
    Value::owned(
        at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string())
            .unwrap_or_default(),
    )
}

fn date<'a>(day: Option<NaiveDate>) -> Value<'a> {
    Value::owned(
        day.map(|day| day.format("%Y-%m-%d").to_string())
            .unwrap_or_default(),
    )
}

/// The five entities (contract §4.2).
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
