//! From a captured report to its documents, or to every reason why it has none: all or nothing, and no defaults (law 5).

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::amounts::{line_amount, report_faults, total_fault};
use super::build::{Against, CodedLine, sheets};
use super::dates::{Placed, expense_date, place, policy_date};
use super::document::{Body, Coding, Document, DocumentLine, DocumentTexts};
use super::supplier::{Owner, supplier_of};
use crate::chart::{Chart, DaybookUse, Master};
use crate::ids::{DocumentKind, Email, Generation, Reference, SupplierCode};
use crate::money::Currency;
use crate::report::{
    Basis, Exclusion, FieldWhy, Flag, HeaderWhy, LineFacts, LineWhy, MapOutcome, Mapping, Payload, Personal,
    PersonalFields, PersonalLine, Reason, ReasonCode, ReportFacts, SourceStatus,
};
use crate::rules::{CodingFault, PostingDate, Resolution, RuleSet, RuleSetVersion, check_coding};

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

/// Reasons that reject, and reasons that only hold.
#[derive(Default)]
struct Objections {
    reject: Vec<Reason>,
    hold: Vec<Reason>,
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
    documents: Vec<Document>,
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
            .map(Document::kind);
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
        header: Header,
        lines: Vec<(DocumentLine, String)>,
    ) {
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
        self.documents.push(Document {
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
        });
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

struct LineResult {
    hundredths: i64,
    why: LineWhy,
    coded: Option<CodedLine>,
}

fn code_line(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    line: &LineFacts,
    text: &PersonalLine,
    submitter: Option<&Email>,
    currency: Currency,
    against: &mut Objections,
) -> Option<LineResult> {
    let before = against.reject.len() + against.hold.len();
    let id = &line.transaction;
    if let Err(reason) = expense_date(line, inputs.zone) {
        against.reject.push(reason);
    }
    let reimbursable = match &line.reimbursable {
        Flag::Yes => Some(true),
        Flag::No => Some(false),
        Flag::Blank | Flag::Unreadable(_) => {
            against.reject.push(Reason::of_line(
                ReasonCode::UnreadableFlag,
                id,
                "whether it is reimbursable did not come",
            ));
            None
        }
    };
    let amount = match line_amount(line, currency, inputs.rules) {
        Ok(amount) => amount,
        Err(reasons) => {
            against.reject.extend(reasons);
            return None;
        }
    };
    let reimbursable = reimbursable?;
    let mut fields = vec![FieldWhy {
        field: "amount".into(),
        value: amount.amount.to_string(),
        source: amount.source.clone(),
        rule: format!("hundredths of {currency}, exactly"),
    }];
    if amount.amount.is_zero() {
        if against.reject.len() + against.hold.len() > before {
            return None;
        }
        let why = LineWhy {
            transaction: id.clone(),
            amount: amount.amount,
            document: None,
            original: amount.original,
            fields,
        };
        return Some(LineResult {
            hundredths: amount.hundredths,
            why,
            coded: None,
        });
    }

    let view = inputs.rules.view(
        facts,
        line,
        submitter,
        text.merchant(),
        reimbursable,
        amount.amount,
    );
    let resolved = inputs.rules.resolve(&view);
    if let Resolution::Unset(unset) = &resolved.account {
        against.reject.push(Reason::of_line(
            ReasonCode::UnmappedAccount,
            id,
            unset.to_string(),
        ));
    }
    // Law 5 wants a cost centre on every line; only an account that takes none goes without.
    let takes_none = resolved
        .account
        .value()
        .and_then(|code| inputs.chart.account(code))
        .is_some_and(|account| account.cost_centre == crate::chart::CostCentreUse::Forbidden);
    if let Resolution::Unset(unset) = &resolved.cost_centre
        && !takes_none
    {
        against.reject.push(Reason::of_line(
            ReasonCode::UnmappedCostCentre,
            id,
            unset.to_string(),
        ));
    }
    for fault in check_coding(inputs.chart, &resolved, Some(currency)) {
        // Said already, and better, by the rule that is missing.
        if !matches!(fault, CodingFault::CostCentreRequired(_)) {
            coding_fault(fault, Some(line), against);
        }
    }
    let credit = counter_side(
        inputs,
        facts,
        line,
        reimbursable,
        &resolved.credit_account,
        &mut fields,
        against,
    );
    if let Some(Against::Account(coding)) = &credit {
        for fault in check_coding(inputs.chart, coding, Some(currency)) {
            coding_fault(fault, Some(line), against);
        }
    }
    if let Some((_, coding)) = &amount.tax {
        for fault in check_coding(inputs.chart, *coding, Some(currency)) {
            coding_fault(fault, Some(line), against);
        }
    }
    if let Some(note) = &amount.tax_note {
        fields.push(FieldWhy {
            field: "tax".into(),
            value: note.clone(),
            source: format!("taxCode = {}", line.tax_code),
            rule: "[tax]".into(),
        });
    }
    macro_rules! why {
        ($name:literal, $resolution:expr) => {
            if let Resolution::Found { value, why } = &$resolution {
                fields.push(FieldWhy {
                    field: $name.into(),
                    value: value.to_string(),
                    source: why.source(),
                    rule: why.rule.to_string(),
                });
            }
        };
    }
    why!("account", resolved.account);
    why!("cost centre", resolved.cost_centre);
    why!("sub-account", resolved.sub_account);
    why!("project", resolved.project);
    if against.reject.len() + against.hold.len() > before {
        return None;
    }
    let coding = Coding {
        account: resolved.account.value()?.clone(),
        sub_account: resolved.sub_account.value().cloned(),
        cost_centre: resolved.cost_centre.value().cloned(),
        project: resolved.project.value().cloned(),
    };
    let coded = CodedLine {
        transaction: id.clone(),
        amount: amount.amount,
        coding,
        tax: amount.tax.map(|(tax, coding)| (tax, coding.clone())),
        against: credit?,
        text: line_text(text, amount.original.as_ref()),
    };
    let why = LineWhy {
        transaction: id.clone(),
        amount: amount.amount,
        document: None,
        original: amount.original,
        fields,
    };
    Some(LineResult {
        hundredths: amount.hundredths,
        why,
        coded: Some(coded),
    })
}

/// The table of design §6: who is credited.
fn counter_side(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    line: &LineFacts,
    reimbursable: bool,
    named: &Resolution<crate::ids::AccountCode>,
    fields: &mut Vec<FieldWhy>,
    against: &mut Objections,
) -> Option<Against> {
    let id = &line.transaction;
    let rules = inputs.rules;
    let mut credited = |coding: &Coding, source: String, rule: String| {
        fields.push(FieldWhy {
            field: "credit account".into(),
            value: coding.account.to_string(),
            source,
            rule,
        });
        Some(Against::Account(coding.clone()))
    };
    if reimbursable {
        if !facts.paid_at_source() {
            return Some(Against::Supplier);
        }
        return match rules.clearing_for_reimbursement() {
            Some(coding) => credited(
                coding,
                "reimbursed at the source".into(),
                "clearing.reimbursement".into(),
            ),
            None => {
                against.reject.push(Reason::of_line(
                    ReasonCode::NoReimbursementClearing,
                    id,
                    "the report is paid at the source, and the set names no clearing account for that",
                ));
                None
            }
        };
    }
    let named_card = !(line.card_name.trim().is_empty() && line.bank.trim().is_empty());
    let on_card = named_card || !line.card_id.trim().is_empty() || !matches!(line.mcc.trim(), "" | "0");
    if on_card {
        if let Some(choice) = rules.clearing_for_card(&line.card_name, &line.bank) {
            return credited(
                choice.coding,
                format!("card = {}, bank = {}", line.card_name, line.bank),
                choice.by.to_string(),
            );
        }
        if !named_card && let Some(coding) = &rules.settings().clearing.cards_default {
            return credited(
                coding,
                "a card without name or bank".into(),
                "clearing.cards_default".into(),
            );
        }
        let message = format!(
            "card `{}` of bank `{}` has no clearing account",
            line.card_name, line.bank
        );
        against
            .reject
            .push(Reason::of_line(ReasonCode::NoCardClearing, id, message));
        return None;
    }
    match named {
        Resolution::Found { value, why } => {
            let coding = Coding {
                account: value.clone(),
                sub_account: None,
                cost_centre: None,
                project: None,
            };
            credited(&coding, why.source(), why.rule.to_string())
        }
        Resolution::Unset(unset) => {
            let message = format!("it is neither reimbursable nor on a card: {unset}");
            against
                .reject
                .push(Reason::of_line(ReasonCode::NoCreditAccount, id, message));
            None
        }
    }
}

fn coding_fault(fault: CodingFault, line: Option<&LineFacts>, against: &mut Objections) {
    use CodingFault as F;
    let code = match &fault {
        F::AccountHeld(_) | F::CostCentreHeld(_) | F::SubAccountHeld(_) | F::ProjectHeld(_) => {
            ReasonCode::ChartHeld
        }
        F::UnknownAccount(_) => ReasonCode::UnknownAccount,
        F::InactiveAccount(_) => ReasonCode::InactiveAccount,
        F::NotStandard { .. } => ReasonCode::AccountNotPostable,
        F::WrongCurrency { .. } => ReasonCode::AccountCurrency,
        F::CostCentreRequired(_) => ReasonCode::UnmappedCostCentre,
        F::CostCentreForbidden { .. } => ReasonCode::CostCentreForbidden,
        F::UnknownCostCentre(_) => ReasonCode::UnknownCostCentre,
        F::InactiveCostCentre(_) => ReasonCode::InactiveCostCentre,
        F::UnknownSubAccount(_) | F::InactiveSubAccount(_) => ReasonCode::BadSubAccount,
        F::UnknownProject(_) | F::InactiveProject(_) => ReasonCode::BadProject,
    };
    let reason = Reason {
        code,
        message: fault.to_string(),
        line: line.map(|l| l.transaction.clone()),
    };
    if code == ReasonCode::ChartHeld {
        against.hold.push(reason)
    } else {
        against.reject.push(reason)
    }
}

struct Header {
    daybook: crate::ids::DaybookCode,
    period: super::document::PostingPeriod,
    document_date: NaiveDate,
    fields: Vec<FieldWhy>,
    note: Option<String>,
}

fn header(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    kind: DocumentKind,
    against: &mut Objections,
) -> Option<Header> {
    let posting = &inputs.rules.settings().posting;
    let daybook = daybook(inputs, kind, against);
    let (date, source) = match policy_date(posting.date, facts, inputs.zone, inputs.today) {
        Ok(found) => found,
        Err(reasons) => {
            for reason in reasons {
                if !against.reject.contains(&reason) {
                    against.reject.push(reason);
                }
            }
            return None;
        }
    };
    let (period, note) = match place(inputs.chart, kind, date, posting.closed_period) {
        Placed::In(period, note) => (period, note),
        Placed::Hold(reason) => {
            against.hold.push(reason);
            return None;
        }
        Placed::Reject(reason) => {
            against.reject.push(reason);
            return None;
        }
    };
    let daybook = daybook?;
    // An invoice keeps its own date where a closed period moves its posting; a journal has no other date.
    let document_date = if kind == DocumentKind::Journal {
        period.date
    } else {
        date
    };
    let fields = vec![
        FieldWhy {
            field: "daybook".into(),
            value: daybook.to_string(),
            source: format!("a {kind}"),
            rule: "[daybooks]".into(),
        },
        FieldWhy {
            field: "posting date".into(),
            value: period.date.to_string(),
            source,
            rule: note.clone().unwrap_or_else(|| "posting.date".to_owned()),
        },
    ];
    Some(Header {
        daybook,
        period,
        document_date,
        fields,
        note,
    })
}

fn daybook(
    inputs: &MapInputs<'_>,
    kind: DocumentKind,
    against: &mut Objections,
) -> Option<crate::ids::DaybookCode> {
    let reject = |message: String| Reason::of_report(ReasonCode::BadDaybook, message);
    let Some(code) = inputs.rules.settings().daybooks.of(kind) else {
        against
            .reject
            .push(reject(format!("the rule set names no daybook for a {kind}")));
        return None;
    };
    match inputs.chart.daybook(code) {
        Some(book) if !book.active => against.reject.push(reject(format!("daybook {code} is inactive"))),
        Some(book) => {
            let fits = matches!(
                (kind, &book.accepts),
                (DocumentKind::SupplierInvoice, DaybookUse::SupplierInvoices)
                    | (DocumentKind::CreditNote, DaybookUse::CreditNotes)
                    | (DocumentKind::Journal, DaybookUse::Journals)
            );
            if fits {
                return Some(code.clone());
            }
            against
                .reject
                .push(reject(format!("daybook {code} does not take a {kind}")));
        }
        None if inputs.chart.is_missing(Master::Daybooks, code.as_str()) => {
            against.hold.push(Reason::of_report(
                ReasonCode::ChartHeld,
                format!("daybook {code} was not shown when QAD was last asked"),
            ));
        }
        None => against.reject.push(reject(format!("QAD has no daybook {code}"))),
    }
    None
}

/// What a line says in QAD: merchant, comment, and the foreign amount it came from.
fn line_text(text: &PersonalLine, original: Option<&crate::report::OriginalAmount>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !text.merchant().trim().is_empty() {
        parts.push(text.merchant().to_owned());
    }
    if !text.comment.trim().is_empty() {
        parts.push(text.comment.clone());
    }
    let mut line = parts.join(": ");
    if let Some(original) = original {
        let rate = if original.rate.trim().is_empty() {
            String::new()
        } else {
            format!(" at {}", original.rate)
        };
        let foreign = format!("({} {}{rate})", original.amount, original.currency);
        line = if line.is_empty() {
            foreign
        } else {
            format!("{line} {foreign}")
        };
    }
    line
}
