//! The ledger, as far as the workflow can tell: documents, requests that are still on their way, masters. A duplicate
//! reference is accepted, as QAD accepts it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tieout_domain::chart::{
    Account, AccountType, AnalysisUse, ChartReading, CostCentre, Daybook, DaybookUse, Employee, Limitation,
    MasterRead, Period, PeriodState, Supplier,
};
use tieout_domain::ids::{
    AccountCode, BusinessRelationCode, CostCentreCode, DaybookCode, DocumentKind, Email, EmployeeCode,
    Reference, ReportId, SupplierCode, TransactionId, Voucher,
};
use tieout_domain::money::Currency;
use tieout_domain::ports::LedgerMessage;
use tieout_domain::posting::{Document, DocumentKey, LedgerDocument, LedgerLine, LineOrigin, Side, Sighting};

use crate::expensify::SUBMITTER;

/// The account of travel under the first rule set, and under the other one.
pub const ACCOUNTS: [&str; 2] = ["6410", "6420"];

/// How QAD stores something else than it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    /// As sent.
    None,
    /// Another posting date.
    Date,
    /// Without cost centres.
    CostCentre,
}

/// A document in the ledger.
#[derive(Debug, Clone)]
pub struct Held {
    /// As it was sent.
    pub sent: Document,
    /// As a reading shows it.
    pub held: LedgerDocument,
    /// A person changed it after it was posted.
    pub tampered: bool,
    /// It was not sent from here: another installation or a person made it.
    pub foreign: bool,
}

impl Held {
    /// Does it stand?
    pub fn stands(&self) -> bool {
        !self.held.reversed
    }
    /// Its expenses and what each comes to, signed as at the source.
    pub fn expenses(&self) -> BTreeMap<TransactionId, i64> {
        expenses_in(&self.sent)
    }
}

/// The expenses a document carries and what each comes to, signed as at the source.
pub fn expenses_in(document: &Document) -> BTreeMap<TransactionId, i64> {
    let mut expenses = BTreeMap::new();
    for line in &document.lines {
        let (LineOrigin::Expense { transaction } | LineOrigin::Tax { transaction }) = &line.origin else {
            continue;
        };
        let cents = (line.amount * rust_decimal::Decimal::ONE_HUNDRED).normalize();
        assert_eq!(cents.scale(), 0, "{} is no whole number of cents", line.amount);
        let cents = i64::try_from(cents.mantissa()).unwrap();
        *expenses.entry(transaction.clone()).or_default() +=
            if line.side == Side::Debit { cents } else { -cents };
    }
    expenses
}

/// A request that its sender has given up.
#[derive(Debug, Clone)]
struct OnItsWay {
    due: u64,
    document: Document,
}

/// The ledger.
#[derive(Debug, Clone)]
pub struct Qad {
    /// In the order they were stored.
    pub documents: Vec<Held>,
    on_their_way: Vec<OnItsWay>,
    /// Are its periods open?
    pub periods_open: bool,
    /// Is the first travel account active?
    pub account_active: bool,
    /// Which contract its metadata show.
    pub contract: u32,
    /// The answer to the last post that was accepted.
    pub last_answer: Option<DocumentKey>,
}

impl Qad {
    /// An empty ledger.
    pub fn empty() -> Self {
        Self {
            documents: Vec::new(),
            on_their_way: Vec::new(),
            periods_open: true,
            account_active: true,
            contract: 1,
            last_answer: None,
        }
    }

    /// Stores a document; returns where.
    pub fn store(&mut self, document: &Document, twist: Twist) -> DocumentKey {
        let key = DocumentKey {
            year: document.period.year,
            daybook: document.daybook.clone(),
            voucher: Voucher(self.documents.len() as u64 + 1),
        };
        let lines = document.lines.iter().map(|line| {
            let mut coding = line.coding.clone();
            if twist == Twist::CostCentre {
                coding.cost_centre = None;
            }
            LedgerLine {
                coding,
                side: line.side,
                amount: line.amount,
            }
        });
        let date = match twist {
            Twist::Date => document
                .period
                .date
                .checked_add_days(chrono::Days::new(30))
                .unwrap(),
            _ => document.period.date,
        };
        let held = LedgerDocument {
            reference: document.reference.to_string(),
            key: key.clone(),
            kind: document.kind(),
            supplier: document.supplier().cloned(),
            currency: document.currency.to_string(),
            date,
            total: (document.kind() != DocumentKind::Journal).then(|| document.amount()),
            lines: lines.collect(),
            reversed: false,
        };
        self.documents.push(Held {
            sent: document.clone(),
            held,
            tampered: false,
            foreign: false,
        });
        key
    }

    /// Somebody else makes a document, which nobody here knows of.
    pub fn made_elsewhere(&mut self, document: &Document) {
        self.store(document, Twist::None);
        if let Some(held) = self.documents.last_mut() {
            held.foreign = true;
        }
    }

    /// A request is given up by its sender and carried out later.
    pub fn send_later(&mut self, document: &Document, due: u64) {
        self.on_their_way.push(OnItsWay {
            due,
            document: document.clone(),
        });
    }

    /// The requests that arrive until now.
    pub fn arrivals(&mut self, now: u64) -> Vec<Document> {
        let (due, later) = std::mem::take(&mut self.on_their_way)
            .into_iter()
            .partition(|request| request.due <= now);
        self.on_their_way = later;
        let due: Vec<OnItsWay> = due;
        due.into_iter().map(|request| request.document).collect()
    }

    /// Is a request for a document with this reference still on its way?
    pub fn expects(&self, reference: Reference) -> bool {
        self.on_their_way
            .iter()
            .any(|request| request.document.reference == reference)
    }

    /// The documents of a report, standing or reversed.
    pub fn of(&self, report: ReportId) -> impl Iterator<Item = &Held> {
        self.documents
            .iter()
            .filter(move |held| held.sent.reference.report == report)
    }

    /// The first standing document of a report.
    pub fn first_standing(&mut self, report: ReportId) -> Option<&mut Held> {
        self.documents
            .iter_mut()
            .find(|held| held.sent.reference.report == report && held.stands())
    }

    /// What a look-up shows of these.
    pub fn sightings<'a>(documents: impl Iterator<Item = &'a Held>) -> Vec<Sighting> {
        documents
            .map(|held| Sighting {
                reference: held.sent.reference,
                key: held.held.key.clone(),
                reversed: held.held.reversed,
            })
            .collect()
    }

    /// Why QAD would refuse a document now, by its own rules.
    pub fn objection(&self, document: &Document) -> Option<LedgerMessage> {
        let refused = |field: &str, message: &str| {
            Some(LedgerMessage {
                field: field.to_owned(),
                message: message.to_owned(),
                code: "1".to_owned(),
            })
        };
        if !self.periods_open {
            return refused("postingDate", "the period is closed");
        }
        let uses_closed =
            |line: &tieout_domain::posting::DocumentLine| line.coding.account.as_str() == ACCOUNTS[0];
        if !self.account_active && document.lines.iter().any(uses_closed) {
            return refused("glAccountCode", "the account is inactive");
        }
        None
    }

    /// The masters as a reading shows them.
    pub fn chart(&self) -> ChartReading {
        let account = |code: &str, cost_centre| Account {
            code: AccountCode::new(code).unwrap(),
            description: code.to_owned(),
            active: self.account_active || code != ACCOUNTS[0],
            kind: AccountType::Standard,
            cost_centre,
            project: AnalysisUse::Optional,
            sub_account: AnalysisUse::Optional,
            limitation: Limitation::None,
            only_currency: None,
        };
        let daybook = |code: &str, accepts| Daybook {
            code: DaybookCode::new(code).unwrap(),
            accepts,
            active: true,
        };
        let state = if self.periods_open {
            PeriodState::Open
        } else {
            PeriodState::Closed
        };
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
        let period = |number, start, end| Period {
            year: 2026,
            number,
            start,
            end,
            general_ledger: state,
            purchasing: state,
            normal: true,
        };
        ChartReading {
            accounts: MasterRead::Rows(vec![
                account(ACCOUNTS[0], AnalysisUse::Required),
                account(ACCOUNTS[1], AnalysisUse::Required),
                account("2155", AnalysisUse::Forbidden),
                account("2161", AnalysisUse::Forbidden),
            ]),
            cost_centres: MasterRead::Rows(vec![CostCentre {
                code: CostCentreCode::new("OH").unwrap(),
                description: "Ohio".to_owned(),
                active: true,
            }]),
            sub_accounts: MasterRead::Rows(Vec::new()),
            projects: MasterRead::Rows(Vec::new()),
            suppliers: MasterRead::Rows(vec![Supplier {
                code: SupplierCode::new("EMP-E1001").unwrap(),
                business_relation: BusinessRelationCode::new("BR1001").ok(),
                currency: Currency::new("USD").ok(),
                active: true,
            }]),
            employees: MasterRead::Rows(vec![Employee {
                code: EmployeeCode::new("E1001").unwrap(),
                business_relation: BusinessRelationCode::new("BR1001").ok(),
                email: Email::new(SUBMITTER).ok(),
            }]),
            daybooks: MasterRead::Rows(vec![
                daybook("EXPINV", DaybookUse::SupplierInvoices),
                daybook("EXPCN", DaybookUse::CreditNotes),
                daybook("EXPJE", DaybookUse::Journals),
            ]),
            periods: MasterRead::Rows(vec![
                period(11, day(11, 1), day(11, 30)),
                period(12, day(12, 1), day(12, 31)),
            ]),
        }
    }
}
