//! From a captured report to its documents, or to every reason why it has none: all or nothing, and no defaults (law 5).

use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::amounts::{line_amount, report_faults, total_fault};
use super::build::sheets;
use super::coding::{Objections, code_line};
use super::document::{Body, Document, DocumentLine, DocumentTexts};
use super::header::{Header, header};
use super::supplier::{Owner, supplier_of};
use crate::chart::Chart;
use crate::ids::{DocumentKind, Email, Generation, Reference, SupplierCode};
use crate::money::Currency;
use crate::report::{
    Basis, Exclusion, FieldWhy, Flag, HeaderWhy, LineWhy, MapOutcome, Mapping, Payload, Personal,
    PersonalFields, PersonalLine, Reason, ReasonCode, ReportFacts, SourceStatus,
};
use crate::rules::{PostingDate, RuleSet, RuleSetVersion};

/// Everything a mapping is decided from.
pub struct MapInputs<'a> {
    /// The report as captured.
    pub payload: &'a Payload,
    /// The active rule set.
    pub rules: &'a RuleSet,
    /// Its version.
    pub version: &'a RuleSetVersion,
    /// The chart as it is known.
    pub chart: &'a Chart,
    /// The connection's time zone.
    pub zone: Tz,
    /// Today in that zone; decides only where the set posts by the day of posting.
    pub today: NaiveDate,
    /// Approvals before this day were keyed by hand.
    pub go_live: NaiveDate,
    /// The generation a document of each kind bears.
    pub generation: &'a (dyn Fn(DocumentKind) -> Generation + Sync),
}

/// What a mapping made now rests on.
pub fn basis_in_force(rules: &RuleSet, version: &RuleSetVersion, chart: &Chart, today: NaiveDate) -> Basis {
    let day = (rules.settings().posting.date == PostingDate::Posted).then_some(today);
    Basis {
        rules: version.clone(),
        chart: chart.version(),
        day,
    }
}

/// Applies the rules to a report.
pub fn map_report(inputs: &MapInputs<'_>) -> MapOutcome {
    let facts = &inputs.payload.facts;
    let basis = basis_in_force(inputs.rules, inputs.version, inputs.chart, inputs.today);
    match facts.approved.date_in(inputs.zone) {
        Some(approved) if approved < inputs.go_live => {
            return MapOutcome::Excluded(Exclusion::BeforeGoLive {
                approved,
                go_live: inputs.go_live,
            });
        }
        Some(_) => {}
        None => {
            let shown: String = facts.approved.as_str().chars().take(40).collect();
            let reason = Reason::of_report(
                ReasonCode::UnreadableDate,
                format!("the approval is dated `{shown}`"),
            );
            return MapOutcome::Rejected {
                basis,
                reasons: vec![reason],
            };
        }
    }
    let Some(personal) = inputs.payload.personal.known() else {
        let reason = Reason::of_report(
            ReasonCode::Forgotten,
            "the submitter was forgotten before the report was posted",
        );
        return MapOutcome::Rejected {
            basis,
            reasons: vec![reason],
        };
    };
    let mut against = Objections::default();
    let drafted = draft(inputs, facts, personal, &mut against);
    match drafted {
        _ if !against.reject.is_empty() => MapOutcome::Rejected {
            basis,
            reasons: against.reject,
        },
        _ if !against.hold.is_empty() => MapOutcome::Held {
            basis,
            reasons: against.hold,
            until: None,
        },
        Some(Drafted { documents, .. }) if documents.is_empty() => {
            MapOutcome::Excluded(Exclusion::NothingToPost)
        }
        Some(Drafted {
            documents,
            headers,
            lines,
            notes,
        }) => MapOutcome::Mapped(Mapping {
            basis,
            documents,
            headers,
            lines,
            notes,
            // Who a person is, only the log knows.
            approved_by_submitter: None,
        }),
        // Nothing was drafted, and nothing says why: that would be our mistake, and must not look like a success.
        None => MapOutcome::Rejected {
            basis,
            reasons: vec![Reason::of_report(
                ReasonCode::UnreadableAmount,
                "no document could be drafted from the report",
            )],
        },
    }
}

struct Drafted {
    documents: Vec<Arc<Document>>,
    headers: Vec<HeaderWhy>,
    lines: Vec<LineWhy>,
    notes: Vec<String>,
}

fn draft(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    personal: &PersonalFields,
    against: &mut Objections,
) -> Option<Drafted> {
    if let SourceStatus::Other(status) = &facts.status {
        let shown: String = status.chars().take(40).collect();
        against.reject.push(Reason::of_report(
            ReasonCode::UnknownStatus,
            format!("the source's status is `{shown}`"),
        ));
    }
    let (currency, faults) = report_faults(facts);
    against.reject.extend(faults);
    let currency = currency?;
    let submitter = Email::new(&personal.submitter).ok();

    let mut coded = Vec::new();
    let mut whys = Vec::new();
    let mut hundredths = Vec::new();
    let mut all_read = true;
    let blank = PersonalLine::default();
    for (index, line) in facts.lines.iter().enumerate() {
        let text = personal.lines.get(index).unwrap_or(&blank);
        match code_line(inputs, facts, line, text, submitter.as_ref(), currency, against) {
            Some(result) => {
                hundredths.push(result.hundredths);
                whys.push(result.why);
                coded.extend(result.coded);
            }
            None => {
                // The sum can be judged only where each amount could be read.
                match line_amount(line, currency, inputs.rules) {
                    Ok(amount) => hundredths.push(amount.hundredths),
                    Err(_) => all_read = false,
                }
            }
        }
    }
    if all_read {
        against.reject.extend(total_fault(facts, &hundredths));
    }

    let sheets = sheets(&coded);
    let mut drafted = Drafted {
        documents: Vec::new(),
        headers: Vec::new(),
        lines: whys,
        notes: Vec::new(),
    };
    let payable_kind = if sheets.net.is_sign_negative() {
        DocumentKind::CreditNote
    } else {
        DocumentKind::SupplierInvoice
    };
    // Lines that failed are not on any sheet: whether a supplier serves is still worth saying in the same breath.
    let owed = facts.lines.iter().any(|line| line.reimbursable == Flag::Yes) && !facts.paid_at_source();
    let supplier = if owed && !(sheets.payable.is_empty() && against.reject.is_empty()) {
        find_supplier(submitter.as_ref(), currency, inputs, against)
    } else {
        None
    };
    if !sheets.payable.is_empty() {
        let header = header(inputs, facts, payable_kind, against);
        if let (Some((supplier, why)), Some(mut header)) = (supplier, header) {
            header.fields.insert(0, why);
            let status = inputs.rules.settings().posting.invoice_status.clone();
            let total = sheets.net.abs();
            header.fields.push(FieldWhy {
                field: "invoice status".into(),
                value: status.to_string(),
                source: format!("a {payable_kind}"),
                rule: "posting.invoice_status".into(),
            });
            header.fields.push(FieldWhy {
                field: "total".into(),
                value: total.to_string(),
                source: "its lines".into(),
                rule: "what is owed, added up".into(),
            });
            let body = if payable_kind == DocumentKind::CreditNote {
                Body::CreditNote {
                    supplier,
                    status,
                    total,
                }
            } else {
                Body::SupplierInvoice {
                    supplier,
                    status,
                    total,
                }
            };
            drafted.add(
                inputs,
                facts,
                personal,
                currency,
                payable_kind,
                body,
                header,
                sheets.payable,
            );
        }
    }
    if !sheets.journal.is_empty()
        && let Some(header) = header(inputs, facts, DocumentKind::Journal, against)
    {
        drafted.add(
            inputs,
            facts,
            personal,
            currency,
            DocumentKind::Journal,
            Body::Journal,
            header,
            sheets.journal,
        );
    }
    for why in &mut drafted.lines {
        why.document = drafted
            .documents
            .iter()
            .find(|d| d.transactions().contains(&why.transaction))
            .map(|document| document.kind());
    }
    if let Some(unbalanced) = drafted.documents.iter().find(|document| !document.balances()) {
        against.reject.push(Reason::of_report(
            ReasonCode::TotalDisagrees,
            format!("{} would not balance", unbalanced.reference),
        ));
    }
    Some(drafted)
}

impl Drafted {
    #[allow(clippy::too_many_arguments, reason = "a document is made of exactly these")]
    fn add(
        &mut self,
        inputs: &MapInputs<'_>,
        facts: &ReportFacts,
        personal: &PersonalFields,
        currency: Currency,
        kind: DocumentKind,
        body: Body,
        mut header: Header,
        lines: Vec<(DocumentLine, String)>,
    ) {
        header.fields.push(FieldWhy {
            field: "currency".into(),
            value: currency.to_string(),
            source: "the report's currency".into(),
            rule: "as it is".into(),
        });
        let reference = Reference {
            report: facts.report,
            kind,
            generation: (inputs.generation)(kind),
        };
        let (lines, texts): (Vec<DocumentLine>, Vec<String>) = lines.into_iter().unzip();
        let title = personal.report_name.trim();
        let text = if title.is_empty() {
            format!("Expense report {}", facts.report)
        } else {
            title.to_owned()
        };
        self.notes.extend(header.note);
        self.headers.push(HeaderWhy {
            document: kind,
            fields: header.fields,
        });
        self.documents.push(Arc::new(Document {
            reference,
            body,
            currency,
            daybook: header.daybook,
            period: header.period,
            document_date: header.document_date,
            lines,
            texts: Personal::Known(DocumentTexts {
                header: text,
                lines: texts,
            }),
        }));
    }
}

fn find_supplier(
    submitter: Option<&Email>,
    currency: Currency,
    inputs: &MapInputs<'_>,
    against: &mut Objections,
) -> Option<(SupplierCode, FieldWhy)> {
    let Some(submitter) = submitter else {
        against.reject.push(Reason::of_report(
            ReasonCode::NoSubmitter,
            "the submitter's address is missing or is none",
        ));
        return None;
    };
    match supplier_of(submitter, currency, inputs.rules, inputs.chart) {
        Owner::Found(code, why) => Some((code, why)),
        Owner::Hold(reason) => {
            against.hold.push(reason);
            None
        }
        Owner::Reject(reason) => {
            against.reject.push(reason);
            None
        }
    }
}
