//! The certification of a QAD profile (design §7): one test document of each kind, posted in a named non-production
//! workspace, looked up, read back and compared line by line. Only that opens posting.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use tieout_domain::chart::{MasterRead, Period, PeriodState};
use tieout_domain::ids::{
    AccountCode, CostCentreCode, DocumentKind, Generation, PersonName, Reference, ReportId, SupplierCode,
    TransactionId, Workspace,
};
use tieout_domain::money::Currency;
use tieout_domain::ports::{Clock as _, Entropy as _, Ledger, LookUp, PostAnswer};
use tieout_domain::posting::{
    Body, Coding, Document, DocumentKey, DocumentLine, DocumentTexts, LineOrigin, PostingPeriod, Side,
    differences,
};
use tieout_domain::report::Personal;
use tieout_domain::rules::RuleSet;
use tieout_domain::time::local_date;
use tieout_domain::workflow::{Desk, person};
use uuid::Uuid;

use crate::config::ConnectionConfig;
use crate::installation::{Installation, Qad};
use crate::out::Failure;
use crate::ports::SystemEntropy;

/// With what a profile is certified.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The non-production workspace.
    pub workspace: String,
    /// A supplier there.
    pub supplier: String,
    /// An expense account there.
    pub account: String,
    /// The other side of the journal.
    pub clearing: String,
    /// A cost centre there.
    pub cost_centre: String,
    /// The supplier's currency.
    pub currency: String,
    /// Posting date; today in the connection's zone without it.
    pub date: Option<NaiveDate>,
    /// Who certifies.
    pub person: String,
}

/// Posts, reads back and compares a document of each kind, telling each step; then records the certification.
pub async fn certify_in(
    installation: &Installation,
    config: &ConnectionConfig,
    certificate: &Certificate,
    tell: &mut (dyn FnMut(&str) -> Result<(), Failure> + Send),
) -> Result<Vec<(Reference, DocumentKey)>, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
    let workspace = Workspace::new(&certificate.workspace).map_err(|e| usage(&e))?;
    let actor = person(PersonName::new(&certificate.person).map_err(|e| usage(&e))?);
    if installation
        .config
        .connection
        .iter()
        .any(|c| c.qad.workspace.as_str().eq_ignore_ascii_case(workspace.as_str()))
    {
        return Err(Failure::Usage(format!(
            "{workspace} is the workspace of a connection: test documents go to a non-production workspace, name one with --workspace"
        )));
    }
    let (rules, _) = installation.rules(config)?;
    let date = certificate
        .date
        .unwrap_or_else(|| local_date(installation.clock.now(), config.qad.timezone));
    let trial = installation.qad(config, Some(&workspace))?;
    let period = open_period(&trial, date).await?;
    tell(&format!("{workspace}: {date} lies in the open period {period}"))?;

    let mut evidence = Vec::new();
    for kind in [
        DocumentKind::SupplierInvoice,
        DocumentKind::CreditNote,
        DocumentKind::Journal,
    ] {
        let document = test_document(certificate, &rules, kind, &period, date)?;
        let key = prove(&trial, &document, tell).await?;
        evidence.push((document.reference, key));
    }
    // What is vouched for is the contract of the workspace that will be posted to, which the same profile describes.
    let ours = installation.qad(config, None)?;
    let (there, here) = (trial.contract_hash().await?, ours.contract_hash().await?);
    if there != here {
        return Err(Failure::Person(format!(
            "the metadata of {workspace} and of {} differ: what was tried in one says nothing of the other; align the two in QAD",
            config.qad.workspace
        )));
    }
    let world = installation.world(config)?;
    let connection = installation.connection(config)?;
    let desk = Desk::for_command(&world, &connection, installation.instance, "profile certify");
    desk.certify(actor, here, evidence.clone()).await?;
    tell(&format!(
        "certified by {}: posting is open while profile and metadata stay as they are",
        certificate.person
    ))?;
    Ok(evidence)
}

async fn open_period(trial: &Qad, date: NaiveDate) -> Result<Period, Failure> {
    let reading = trial.read_chart().await?;
    let periods = match reading.periods {
        MasterRead::Rows(periods) => periods,
        MasterRead::Failed(why) => {
            return Err(Failure::Person(format!("the periods could not be read: {why}")));
        }
    };
    periods
        .into_iter()
        .find(|p| {
            p.normal
                && p.contains(date)
                && p.general_ledger == PeriodState::Open
                && p.purchasing == PeriodState::Open
        })
        .ok_or_else(|| {
            Failure::Person(format!(
                "{date} lies in no open period of the test workspace: open one there, or give another --date"
            ))
        })
}

/// By chance, not by the clock, which may be set back to where an earlier certification was; and with the highest bit
/// set, where no report's number is.
fn number_of_no_report() -> u64 {
    let (_, chance) = Uuid::from_bytes(SystemEntropy.salt()).as_u64_pair();
    chance | 1 << 63
}

fn test_document(
    certificate: &Certificate,
    rules: &RuleSet,
    kind: DocumentKind,
    period: &Period,
    date: NaiveDate,
) -> Result<Document, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
    let report = ReportId::from_decimal(number_of_no_report()).map_err(|e| usage(&e))?;
    let currency = Currency::new(&certificate.currency).map_err(|e| usage(&e))?;
    let supplier = SupplierCode::new(&certificate.supplier).map_err(|e| usage(&e))?;
    let settings = rules.settings();
    let daybook = settings.daybooks.of(kind).cloned().ok_or_else(|| {
        Failure::Usage(format!(
            "the rule set names no daybook for a {kind}: add it under [daybooks]"
        ))
    })?;
    let cost = Coding {
        account: AccountCode::new(&certificate.account).map_err(|e| usage(&e))?,
        sub_account: None,
        cost_centre: Some(CostCentreCode::new(&certificate.cost_centre).map_err(|e| usage(&e))?),
        project: None,
    };
    let other = Coding {
        account: AccountCode::new(&certificate.clearing).map_err(|e| usage(&e))?,
        sub_account: None,
        cost_centre: None,
        project: None,
    };
    let transaction = TransactionId::new(&report.decimal().to_string()).map_err(|e| usage(&e))?;
    let line = |origin, coding: &Coding, side, units: i64| DocumentLine {
        origin,
        coding: coding.clone(),
        side,
        amount: Decimal::from(units),
    };
    let expense = || LineOrigin::Expense {
        transaction: transaction.clone(),
    };
    let status = settings.posting.invoice_status.clone();
    let total = Decimal::ONE;
    // Two lines, so that a profile which drops or merges lines is found out.
    let (body, lines) = match kind {
        DocumentKind::SupplierInvoice => (
            Body::SupplierInvoice {
                supplier,
                status,
                total,
            },
            vec![
                line(expense(), &cost, Side::Debit, 3),
                line(expense(), &cost, Side::Credit, 2),
            ],
        ),
        DocumentKind::CreditNote => (
            Body::CreditNote {
                supplier,
                status,
                total,
            },
            vec![
                line(expense(), &cost, Side::Credit, 3),
                line(expense(), &cost, Side::Debit, 2),
            ],
        ),
        DocumentKind::Journal => (
            Body::Journal,
            vec![
                line(expense(), &cost, Side::Debit, 1),
                line(LineOrigin::Clearing, &other, Side::Credit, 1),
            ],
        ),
    };
    let texts = DocumentTexts {
        header: "Tieout certification".into(),
        lines: vec!["Tieout certification".into(); lines.len()],
    };
    Ok(Document {
        reference: Reference {
            report,
            kind,
            generation: Generation::FIRST,
        },
        body,
        currency,
        daybook,
        period: PostingPeriod {
            date,
            year: period.year,
            number: period.number,
        },
        document_date: date,
        lines,
        texts: Personal::Known(texts),
    })
}

async fn prove(
    trial: &Qad,
    document: &Document,
    tell: &mut (dyn FnMut(&str) -> Result<(), Failure> + Send),
) -> Result<DocumentKey, Failure> {
    let (kind, reference) = (document.kind(), document.reference);
    match trial.look_up(reference.report).await? {
        LookUp::Absent => {}
        LookUp::Found(sightings) => {
            let ours: Vec<_> = sightings.iter().filter(|s| s.reference == reference).collect();
            if !ours.is_empty() {
                return Err(Failure::Person(format!(
                    "{reference} is taken in the test workspace: run the certification again"
                )));
            }
        }
    }
    match trial.post(document).await {
        PostAnswer::Accepted { warnings, .. } => {
            for warning in warnings {
                tell(&format!("{kind} {reference}: QAD warned: {warning}"))?;
            }
        }
        PostAnswer::DuplicateWarned { warning, .. } => {
            return Err(Failure::Person(format!(
                "QAD says that the reference {reference} of the test {kind} exists already ({warning}), and a look-up just before did not \
                 show it: correct the profile's look-up browse and columns, or run the certification again"
            )));
        }
        PostAnswer::Refused { messages } => {
            let said: Vec<String> = messages
                .iter()
                .map(|m| format!("{}: {} [{}]", m.field, m.message, m.code))
                .collect();
            return Err(Failure::Person(format!(
                "QAD refused the test {kind}: {}; correct the profile's fields, or the codes given",
                said.join("; ")
            )));
        }
        PostAnswer::NeverArrived { detail } | PostAnswer::Unknown { detail } => {
            return Err(Failure::Outside(format!(
                "the outcome of the test {kind} {reference} is unknown: {detail}; look for it in the test workspace"
            )));
        }
    }
    let sightings = match trial.look_up(reference.report).await? {
        LookUp::Found(sightings) => sightings,
        LookUp::Absent => Vec::new(),
    };
    let found: Vec<_> = sightings
        .into_iter()
        .filter(|s| s.reference == reference)
        .collect();
    let [sighting] = found.as_slice() else {
        return Err(Failure::Person(format!(
            "QAD confirmed the test {kind} {reference}, and the look-up shows {} of it: correct the profile's look-up browse and columns",
            found.len()
        )));
    };
    let held = trial.read_back(reference, &sighting.key).await?;
    let found = differences(document, &held);
    if !found.is_empty() {
        let list: Vec<String> = found.iter().map(ToString::to_string).collect();
        return Err(Failure::Person(format!(
            "the test {kind} read back differs from what was sent: {}; correct the profile's fields",
            list.join("; ")
        )));
    }
    tell(&format!(
        "{kind} {reference} posted as {}, found by its reference, read back: all {} lines agree",
        sighting.key,
        held.lines.len()
    ))?;
    Ok(sighting.key.clone())
}
