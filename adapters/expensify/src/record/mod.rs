//! One line of a rendered export: a report, captured whole, or the trailer of a pass.

mod entities;
mod wire;

use tieout_domain::ids::{PolicyId, ReportId, TransactionId};
use tieout_domain::money::Hundredths;
use tieout_domain::report::{
    Approver, Flag, LineFacts, Payload, Personal, PersonalFields, PersonalLine, ReportFacts, SourceStatus,
    TagLevel, hex,
};
use tieout_domain::time::SourceTime;

use crate::classify::without_mark;
use crate::lenient::Text;

use entities::decoded;
use wire::{LineRow, Row, TagRow};

/// What a line is.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A report.
    Report(Box<Payload>),
    /// The end of a pass: how many reports the server printed since the trailer before.
    Trailer(u64),
}

/// Why a line could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not the JSON that the template prints; usually it was cut off.
    #[error("it is not the JSON of one report: {0}")]
    NotJson(String),
    /// It lacks what names the report or one of its expenses, without which nothing can be kept of it.
    #[error("{0}")]
    Nameless(String),
}

/// Reads a line as the template prints it. Unknown keys are ignored and blanks stay blank; HTML entities are decoded
/// once (contract expensify §4.2). The salt is for the personal section.
pub fn read_line(line: &[u8], salt: [u8; 16]) -> Result<Entry, ReadError> {
    let row: Row =
        serde_json::from_slice(without_mark(line)).map_err(|error| ReadError::NotJson(error.to_string()))?;
    match row.trailer {
        Some(trailer) => {
            let reports = trailer.reports.0.trim().parse();
            reports
                .map(Entry::Trailer)
                .map_err(|_| ReadError::NotJson("its trailer counts no reports".to_owned()))
        }
        None => row
            .into_payload(salt)
            .map(|payload| Entry::Report(Box::new(payload))),
    }
}

impl Text {
    /// The text with its HTML entities decoded.
    fn plain(self) -> String {
        decoded(self.0)
    }
    fn amount(self) -> Hundredths {
        Hundredths::from(self.0)
    }
    fn flag(self) -> Flag {
        Flag::from(self.0)
    }
    fn time(self) -> SourceTime {
        SourceTime::new(&self.0)
    }
    fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
    fn or(self, other: Self) -> Self {
        if self.is_blank() { other } else { self }
    }
}

impl Row {
    fn into_payload(self, salt: [u8; 16]) -> Result<Payload, ReadError> {
        let given = self.report_id.or(self.old_report_id).0;
        if given.trim().is_empty() {
            return Err(ReadError::Nameless("it names no report".to_owned()));
        }
        let report: ReportId = given
            .parse()
            .map_err(|error| ReadError::Nameless(format!("{error}")))?;
        let policy = PolicyId::new(&self.policy_id.0)
            .map_err(|error| ReadError::Nameless(format!("report {report}: {error}")))?;

        let (mut lines, mut personal_lines) = (
            Vec::with_capacity(self.lines.len()),
            Vec::with_capacity(self.lines.len()),
        );
        for (index, row) in self.lines.into_iter().enumerate() {
            let (facts, personal) = row.into_parts().map_err(|error| {
                ReadError::Nameless(format!("report {report}, expense {}: {error}", index + 1))
            })?;
            lines.push(facts);
            personal_lines.push(personal);
        }

        let names = format!(
            "{} {}",
            self.submitter_first_name.plain(),
            self.submitter_last_name.plain()
        );
        let full_name = self.submitter_full_name.plain();
        let personal = PersonalFields {
            salt: hex(&salt),
            submitter: self.account_email.or(self.submitter_email).plain(),
            submitter_name: if full_name.trim().is_empty() {
                names.trim().to_owned()
            } else {
                full_name
            },
            submitter_user_id: self.submitter_user_id.or(self.employee_custom_field1).plain(),
            submitter_payroll_id: self.submitter_payroll_id.or(self.employee_custom_field2).plain(),
            manager: self.manager_email.plain(),
            approvers: self
                .approvers
                .into_iter()
                .filter(|row| !row.email.is_blank() || !row.date.is_blank())
                .map(|row| Approver {
                    email: row.email.plain(),
                    date: row.date.0,
                })
                .collect(),
            report_name: self.report_name.plain(),
            lines: personal_lines,
        };
        let facts = ReportFacts {
            report,
            policy,
            policy_name: self.policy_name.plain(),
            status: SourceStatus::from(self.status.0),
            currency: self.currency.0,
            total: self.total.amount(),
            created: self.created.time(),
            submitted: self.submitted.time(),
            approved: self.approved.time(),
            reimbursed: self.reimbursed.time(),
            ach_reimbursed: self.is_ach_reimbursed.flag(),
            entry_id: self.entry_id.0,
            declared_lines: self.n.0.trim().parse().ok(),
            // A field that is there and blank is, at the source, the same as one that is not there.
            fields: self
                .custom_field
                .into_iter()
                .filter(|(_, value)| !value.is_blank())
                .map(|(name, value)| (name, value.plain()))
                .collect(),
            lines,
        };
        Ok(Payload {
            facts,
            personal: Personal::Known(personal),
        })
    }
}

impl LineRow {
    fn into_parts(self) -> Result<(LineFacts, PersonalLine), String> {
        let transaction = TransactionId::new(&self.transaction_id.0).map_err(|error| error.to_string())?;
        let personal = PersonalLine {
            merchant: self.merchant.plain(),
            modified_merchant: self.modified_merchant.plain(),
            comment: self.comment.plain(),
            card_number: self.card_number.plain(),
            attendees: self
                .attendees
                .into_iter()
                .filter(|text| !text.is_blank())
                .map(Text::plain)
                .collect(),
            receipt_filename: self.receipt_filename.plain(),
        };
        let facts = LineFacts {
            transaction,
            kind: self.r#type.plain(),
            amount: self.amount.amount(),
            modified_amount: self.modified_amount.amount(),
            converted_amount: self.converted_amount.amount(),
            currency: self.currency.0,
            rate: self.currency_conversion_rate.0,
            created: self.created.time(),
            modified_created: self.modified_created.time(),
            category: self.category.plain(),
            category_gl: self.category_gl_code.plain(),
            tag: self.tag.plain(),
            tag_gl: self.tag_gl_code.plain(),
            tag_levels: levels(self.tags),
            reimbursable: self.reimbursable.flag(),
            billable: self.billable.flag(),
            bank: self.bank.plain(),
            card_id: self.card_id.0,
            card_name: self.card_name.plain(),
            mcc: self.modified_mcc.or(self.mcc).0,
            has_tax: self.has_tax.flag(),
            tax_amount: self.tax_amount.amount(),
            modified_tax_amount: self.modified_tax_amount.amount(),
            tax_code: self.tax_code.plain(),
            tax_name: self.tax_rate_name.or(self.tax_name).plain(),
            tax_rate: self.tax_rate.0,
            external_id: self.external_id.plain(),
            receipt_id: self.receipt_id.0,
            distance: format!("{} {}", self.units_count.0, self.units_unit.0)
                .trim()
                .to_owned(),
            source: self.source.0,
        };
        Ok((facts, personal))
    }
}

/// The tag's levels up to the last that has a name or a code; a blank one between stays, for its place counts.
fn levels(rows: Vec<TagRow>) -> Vec<TagLevel> {
    let used = rows
        .iter()
        .rposition(|row| !row.name.is_blank() || !row.gl.is_blank())
        .map_or(0, |last| last + 1);
    rows.into_iter()
        .take(used)
        .map(|row| TagLevel {
            name: row.name.plain(),
            gl: row.gl.plain(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn report(json: &str) -> Payload {
        match read_line(json.as_bytes(), [7; 16]) {
            Ok(Entry::Report(payload)) => *payload,
            other => panic!("{other:?}"),
        }
    }
    fn personal(payload: &Payload) -> &PersonalFields {
        payload.personal.known().unwrap()
    }

    #[test]
    fn the_contracts_own_example_is_read() {
        // Contract §11 E2, and what our template adds around it.
        let payload = report(
            r#"{"reportID":"R00X9oNOn2MO","policyID":"0123456789ABCDEF","status":"Approved","currency":"USD","total":"12900","approved":"2026-09-02 10:11:12",
                "expenses":"an unknown key","lines":[{"transactionID":"4056343049275634494","amount":"10900","modifiedAmount":"","convertedAmount":"12900","currency":"EUR","reimbursable":"true"}],"n":1}"#,
        );
        let line = payload.facts.lines.first().unwrap();
        assert_eq!(payload.facts.report.to_string(), "R00X9oNOn2MO");
        assert_eq!(
            (payload.facts.status.clone(), payload.facts.declared_lines),
            (SourceStatus::Approved, Some(1))
        );
        assert_eq!(payload.facts.approved.as_str(), "2026-09-02 10:11:12");
        assert_eq!(
            (
                line.amount.get(),
                line.modified_amount.clone(),
                line.converted_amount.get()
            ),
            (Some(10_900), Hundredths::Blank, Some(12_900))
        );
        assert_eq!(
            (
                line.transaction.as_str(),
                line.reimbursable.clone(),
                line.billable.clone()
            ),
            ("4056343049275634494", Flag::Yes, Flag::Blank)
        );
        assert_eq!(personal(&payload).salt, "07".repeat(16));
    }

    #[test]
    fn what_makes_no_sense_is_captured_as_it_came() {
        let payload = report(
            r#"{"reportID":"50352738","policyID":"P","status":"Odd","currency":"ZZZ","total":"12.5","n":"many","isACHReimbursed":"yes","lines":[]}"#,
        );
        assert_eq!(payload.facts.report.decimal(), 50_352_738);
        assert_eq!(payload.facts.status, SourceStatus::Other("Odd".into()));
        assert_eq!(payload.facts.currency, "ZZZ");
        assert_eq!(payload.facts.total, Hundredths::Unreadable("12.5".into()));
        assert_eq!(payload.facts.declared_lines, None);
        assert_eq!(payload.facts.ach_reimbursed, Flag::Unreadable("yes".into()));
    }

    #[test]
    fn what_names_nothing_is_refused_and_says_what_is_missing() {
        let error = |json: &str| read_line(json.as_bytes(), [0; 16]).unwrap_err().to_string();
        assert_eq!(error("{}"), "it names no report");
        assert!(error(r#"{"reportID":"R00X9oNOn2MO"}"#).starts_with("report R00X9oNOn2MO: policy id"));
        assert!(
            error(r#"{"reportID":"R00X9oNOn2MO","policyID":"P","lines":[{}]}"#)
                .starts_with("report R00X9oNOn2MO, expense 1: transaction id")
        );
        assert!(error(r#"{"reportID":"what"}"#).contains("report id `what`"));
        assert!(error(r#"{"reportID":"R00X9oNOn2MO","poli"#).starts_with("it is not the JSON of one report"));
        assert!(error(r#"{"trailer":{"reports":"x"}}"#).contains("counts no reports"));
    }

    #[test]
    fn older_names_and_edited_values_stand_in_where_the_newer_are_blank() {
        let payload = report(
            r#"{"oldReportID":"50352738","policyID":"P","submitterEmail":"a@b.c","submitterFirstName":"Ann","submitterLastName":"O&apos;Hara",
                "employeeCustomField1":"E1","employeeCustomField2":"P2","submitterPayrollID":"P1",
                "lines":[{"transactionID":"1","mcc":"0","modifiedMCC":"5812","taxName":"VAT","unitsCount":"12.5","unitsUnit":"mi"}]}"#,
        );
        let who = personal(&payload);
        assert_eq!(payload.facts.report.decimal(), 50_352_738);
        assert_eq!(
            (who.submitter.as_str(), who.submitter_name.as_str()),
            ("a@b.c", "Ann O'Hara")
        );
        assert_eq!(
            (who.submitter_user_id.as_str(), who.submitter_payroll_id.as_str()),
            ("E1", "P1")
        );
        let line = payload.facts.lines.first().unwrap();
        assert_eq!(
            (line.mcc.as_str(), line.tax_name.as_str(), line.distance.as_str()),
            ("5812", "VAT", "12.5 mi")
        );
    }

    #[test]
    fn tag_levels_end_at_the_last_used_one_and_keep_their_places() {
        let payload = report(
            r#"{"reportID":"1","policyID":"P","lines":[{"transactionID":"1","tags":[{"name":"A","gl":""},{"name":"","gl":""},{"name":"","gl":"C3"},{"name":"","gl":""}]}]}"#,
        );
        let levels = &payload.facts.lines.first().unwrap().tag_levels;
        let pairs: Vec<(&str, &str)> = levels
            .iter()
            .map(|level| (level.name.as_str(), level.gl.as_str()))
            .collect();
        assert_eq!(pairs, [("A", ""), ("", ""), ("", "C3")]);
    }

    #[test]
    fn blank_report_fields_and_approvers_leave_no_trace() {
        let payload = report(
            r#"{"reportID":"1","policyID":"P","customField":{"Trip":"Lyon &amp; back","Empty":" "},"approvers":[{"email":"","date":""},{"email":"m@b.c","date":""}]}"#,
        );
        assert_eq!(
            payload.facts.fields,
            BTreeMap::from([("Trip".to_owned(), "Lyon & back".to_owned())])
        );
        assert_eq!(
            personal(&payload).approvers,
            [Approver {
                email: "m@b.c".into(),
                date: String::new()
            }]
        );
    }

    proptest! {
        #[test]
        fn no_line_whatever_makes_the_reader_fail_badly(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_line(&line, [0; 16]);
        }
    }
}
