//! A small plant: six accounts, its daybooks and periods, one employee, one card program, and a rule file.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::chart::{
    Account, AccountType, AnalysisUse, Chart, ChartReading, CostCentre, Daybook, DaybookUse, Employee,
    Limitation, MasterRead, Period, PeriodState, Project, SubAccount, Supplier, compare,
};
use crate::ids::{
    AccountCode, BusinessRelationCode, CostCentreCode, DaybookCode, DocumentKind, Email, EmployeeCode,
    Generation, ProjectCode, SubAccountCode, SupplierCode,
};
use crate::money::{Currency, Hundredths};
use crate::posting::{Document, DocumentLine, MapInputs, Side, map_report};
use crate::report::tests::samples::{self, day};
use crate::report::{
    Exclusion, Flag, LineFacts, MapOutcome, Mapping, Payload, Personal, PersonalFields, PersonalLine, Reason,
    ReasonCode,
};
use crate::rules::RuleSet;

/// What a controller would write.
pub(crate) const RULES: &str = r#"
[[rule]]
name = "Travel"
when = { category = ["Airfare", "Hotel"] }
set = { account = "6410" }

[[rule]]
name = "Bank fees"
when = { category = "Fees" }
set = { account = "6900" }

[[rule]]
name = "By tag"
set = { cost_centre = { from = "tag_gl_code" } }

[[rule]]
name = "Tooling"
when = { category = "Tooling" }
set = { account = "6410", sub_account = "01", project = "P-7" }

[[rule]]
name = "Petty cash"
when = { category = "Hotel", reimbursable = false, card_program = "" }
set = { credit_account = "1010" }

[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"

[daybooks]
invoice = "EXPINV"
credit_note = "EXPCN"
journal = "EXPJE"

[clearing]
reimbursement = "2155"
cards_default = "2160"

[[card_program]]
name = "Corporate Visa"
card_name = "Corp Visa*"
bank = "Chase"
clearing = "2161"

[suppliers]
match = "business_relation"
[suppliers.table]
"lee@acme.example" = "EMP-LEE"

[tax]
treat_as_cost = false
[tax.codes]
VAT20 = { account = "1410" }
"#;

pub(crate) fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

fn account(code: &str, cost_centre: AnalysisUse) -> Account {
    Account {
        code: AccountCode::new(code).unwrap(),
        description: format!("account {code}"),
        active: true,
        kind: AccountType::Standard,
        cost_centre,
        project: AnalysisUse::Optional,
        sub_account: AnalysisUse::Optional,
        limitation: Limitation::None,
        only_currency: None,
    }
}

pub(crate) fn supplier(code: &str, relation: &str, currency: Option<&str>) -> Supplier {
    Supplier {
        code: SupplierCode::new(code).unwrap(),
        business_relation: BusinessRelationCode::new(relation).ok(),
        currency: currency.map(|code| Currency::new(code).unwrap()),
        active: true,
    }
}

fn daybook(code: &str, accepts: DaybookUse) -> Daybook {
    Daybook {
        code: DaybookCode::new(code).unwrap(),
        accepts,
        active: true,
    }
}

pub(crate) fn period(number: u32, start: &str, end: &str) -> Period {
    Period {
        year: 2026,
        number,
        start: day(start),
        end: day(end),
        general_ledger: PeriodState::Open,
        purchasing: PeriodState::Open,
        normal: true,
    }
}

/// What QAD shows. The fields are lists, so that a test can say what is different about its plant.
#[derive(Debug, Clone)]
pub(crate) struct Masters {
    pub(crate) accounts: Vec<Account>,
    pub(crate) cost_centres: Vec<CostCentre>,
    pub(crate) sub_accounts: Vec<SubAccount>,
    pub(crate) projects: Vec<Project>,
    pub(crate) suppliers: Vec<Supplier>,
    pub(crate) employees: Vec<Employee>,
    pub(crate) daybooks: Vec<Daybook>,
    pub(crate) periods: Vec<Period>,
}
impl Masters {
    pub(crate) fn reading(&self) -> ChartReading {
        ChartReading {
            accounts: MasterRead::Rows(self.accounts.clone()),
            cost_centres: MasterRead::Rows(self.cost_centres.clone()),
            sub_accounts: MasterRead::Rows(self.sub_accounts.clone()),
            projects: MasterRead::Rows(self.projects.clone()),
            suppliers: MasterRead::Rows(self.suppliers.clone()),
            employees: MasterRead::Rows(self.employees.clone()),
            daybooks: MasterRead::Rows(self.daybooks.clone()),
            periods: MasterRead::Rows(self.periods.clone()),
        }
    }

    pub(crate) fn account(&mut self, code: &str) -> &mut Account {
        self.accounts
            .iter_mut()
            .find(|row| row.code.as_str() == code)
            .unwrap()
    }
}

fn masters() -> Masters {
    use AnalysisUse::{Forbidden, Optional, Required};
    Masters {
        accounts: vec![
            account("6410", Required),
            account("6900", Forbidden),
            account("1010", Optional),
            account("1410", Forbidden),
            account("2155", Optional),
            account("2160", Forbidden),
            account("2161", Forbidden),
        ],
        cost_centres: vec![CostCentre {
            code: CostCentreCode::new("OH").unwrap(),
            description: "Ohio".into(),
            active: true,
        }],
        sub_accounts: vec![SubAccount {
            code: SubAccountCode::new("01").unwrap(),
            description: "Plant 1".into(),
            active: true,
        }],
        projects: vec![Project {
            code: ProjectCode::new("P-7").unwrap(),
            description: "Retooling".into(),
            active: true,
        }],
        suppliers: vec![
            supplier("EMP-E1001", "BR1001", Some("USD")),
            supplier("EMP-LEE", "BR1002", None),
        ],
        employees: vec![Employee {
            code: EmployeeCode::new("E1001").unwrap(),
            business_relation: BusinessRelationCode::new("BR1001").ok(),
            email: Email::new("Kim@Acme.example").ok(),
        }],
        daybooks: vec![
            daybook("EXPINV", DaybookUse::SupplierInvoices),
            daybook("EXPCN", DaybookUse::CreditNotes),
            daybook("EXPJE", DaybookUse::Journals),
        ],
        periods: vec![
            period(10, "2026-10-01", "2026-10-31"),
            period(11, "2026-11-01", "2026-11-30"),
            period(12, "2026-12-01", "2026-12-31"),
        ],
    }
}

/// A report about to be mapped, and everything it is mapped by.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) payload: Payload,
    pub(crate) rules: String,
    pub(crate) masters: Masters,
    /// What QAD shows on the second day, if that is another thing.
    pub(crate) later: Option<ChartReading>,
    pub(crate) zone: Tz,
    pub(crate) today: NaiveDate,
    pub(crate) go_live: NaiveDate,
    pub(crate) generation: Generation,
}

/// An expense the employee is owed, in the report's currency, for travel of the Ohio plant.
pub(crate) fn owed(hundredths: i64) -> LineFacts {
    let mut line = samples::payload().facts.lines[0].clone();
    line.amount = Hundredths::Of(hundredths);
    line.converted_amount = Hundredths::Of(hundredths);
    line
}

/// The same on the company card.
pub(crate) fn carded(hundredths: i64) -> LineFacts {
    LineFacts {
        reimbursable: Flag::No,
        card_name: "Corp Visa 7".into(),
        bank: "Chase".into(),
        ..owed(hundredths)
    }
}

/// The same, neither owed nor on a card.
pub(crate) fn orphan(hundredths: i64) -> LineFacts {
    LineFacts {
        reimbursable: Flag::No,
        ..owed(hundredths)
    }
}

/// A report with these lines, whose total and count are theirs.
pub(crate) fn report(lines: Vec<LineFacts>) -> Case {
    let mut payload = *samples::payload();
    payload.facts.lines = lines;
    for (line, number) in payload.facts.lines.iter_mut().zip(1..) {
        line.transaction = samples::transaction(number);
    }
    let mut case = Case {
        payload,
        rules: RULES.to_owned(),
        masters: masters(),
        later: None,
        zone: chrono_tz::America::New_York,
        today: day("2026-11-10"),
        go_live: day("2026-11-01"),
        generation: Generation::FIRST,
    };
    case.add_up();
    let lines = case.payload.facts.lines.len();
    case.personal().lines = (1..=lines)
        .map(|n| PersonalLine {
            merchant: format!("Merchant {n}"),
            ..PersonalLine::default()
        })
        .collect();
    case
}

impl Case {
    /// Sets total and count to what the lines say.
    pub(crate) fn add_up(&mut self) {
        let facts = &mut self.payload.facts;
        let of = |line: &LineFacts| {
            line.converted_amount
                .get()
                .or(line.modified_amount.get())
                .or(line.amount.get())
        };
        let total = facts.lines.iter().filter_map(of).fold(0, i64::wrapping_add);
        facts.total = Hundredths::Of(total);
        facts.declared_lines = Some(facts.lines.len() as u64);
    }

    pub(crate) fn personal(&mut self) -> &mut PersonalFields {
        match &mut self.payload.personal {
            Personal::Known(personal) => personal,
            Personal::Forgotten => panic!("the sample has one"),
        }
    }

    /// Another rule file: this text in place of that one.
    pub(crate) fn ruled(mut self, instead_of: &str, text: &str) -> Self {
        assert!(
            self.rules.contains(instead_of),
            "{instead_of} is not in the rule file"
        );
        self.rules = self.rules.replace(instead_of, text);
        self
    }

    /// Something else about the plant or the report.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The same report under another currency, with everything in it.
    pub(crate) fn in_currency(mut self, code: &str) -> Self {
        self.payload.facts.currency = code.into();
        for line in &mut self.payload.facts.lines {
            line.currency = code.into();
        }
        for supplier in &mut self.masters.suppliers {
            supplier.currency = Currency::new(code).ok();
        }
        self
    }

    pub(crate) fn chart(&self) -> Chart {
        let observe = |chart: Chart, reading: &ChartReading| {
            compare(&chart, reading)
                .iter()
                .fold(chart, |chart, event| chart.evolve(event))
        };
        let chart = observe(Chart::default(), &self.masters.reading());
        self.later.iter().fold(chart, observe)
    }

    pub(crate) fn outcome(&self) -> MapOutcome {
        let rules = RuleSet::parse(&self.rules).unwrap_or_else(|faults| panic!("{faults:?}"));
        let generation = self.generation;
        map_report(&MapInputs {
            payload: &self.payload,
            rules: &rules,
            version: &rules.version(3),
            chart: &self.chart(),
            zone: self.zone,
            today: self.today,
            go_live: self.go_live,
            generation: &|_| generation,
        })
    }

    #[track_caller]
    pub(crate) fn mapped(&self) -> Mapping {
        match self.outcome() {
            MapOutcome::Mapped(mapping) => mapping,
            other => panic!("it was not mapped: {other:?}"),
        }
    }

    /// The one document it becomes.
    #[track_caller]
    pub(crate) fn document(&self) -> Document {
        let documents = self.mapped().documents;
        let [document] = documents.as_slice() else {
            panic!("not one: {documents:?}")
        };
        document.as_ref().clone()
    }

    /// Every reason for which it is rejected.
    #[track_caller]
    pub(crate) fn rejected(&self) -> Vec<Reason> {
        match self.outcome() {
            MapOutcome::Rejected { reasons, .. } => reasons,
            other => panic!("it was not rejected: {other:?}"),
        }
    }

    /// It is rejected for this and nothing else, in words that say this.
    #[track_caller]
    pub(crate) fn rejected_for(&self, code: ReasonCode, words: &str) {
        let reasons = self.rejected();
        let codes: BTreeSet<ReasonCode> = reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(codes, BTreeSet::from([code]), "{reasons:?}");
        assert!(
            reasons.iter().any(|reason| reason.message.contains(words)),
            "{reasons:?} does not say `{words}`"
        );
    }

    /// It is held for this and nothing else, in words that say this.
    #[track_caller]
    pub(crate) fn held_for(&self, code: ReasonCode, words: &str) {
        match self.outcome() {
            MapOutcome::Held { reasons, .. } => {
                assert!(reasons.iter().all(|reason| reason.code == code), "{reasons:?}");
                assert!(
                    reasons.iter().any(|r| r.message.contains(words)),
                    "{reasons:?} does not say `{words}`"
                );
            }
            other => panic!("it was not held: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn excluded(&self) -> Exclusion {
        match self.outcome() {
            MapOutcome::Excluded(why) => why,
            other => panic!("it was not left out: {other:?}"),
        }
    }
}

/// The lines of a document as a reader sees them: `account cost-centre side amount`.
pub(crate) fn shown(document: &Document) -> Vec<String> {
    document
        .lines
        .iter()
        .map(|line| {
            let cost_centre = line
                .coding
                .cost_centre
                .as_ref()
                .map_or("-", CostCentreCode::as_str);
            format!(
                "{} {cost_centre} {} {}",
                line.coding.account, line.side, line.amount
            )
        })
        .collect()
}

/// What a document says of an expense report in signed amounts: what it costs.
/// The amount of a line: above zero for a debit.
pub(crate) fn signed_line(line: &DocumentLine) -> Decimal {
    if line.side == Side::Debit {
        line.amount
    } else {
        -line.amount
    }
}

pub(crate) fn signed(document: &Document) -> Decimal {
    let expenses = document
        .lines
        .iter()
        .filter(|line| line.origin != crate::posting::LineOrigin::Clearing);
    let net: Decimal = expenses.map(signed_line).sum();
    match document.kind() {
        DocumentKind::SupplierInvoice => assert_eq!(net, document.amount()),
        DocumentKind::CreditNote => assert_eq!(-net, document.amount()),
        DocumentKind::Journal => {}
    }
    net
}
