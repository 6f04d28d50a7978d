//! The source, as far as the workflow can tell: reports, what they showed and when, and the labels they bear.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::ids::{Label, PolicyId, ReportId, TransactionId};
use tieout_domain::money::Hundredths;
use tieout_domain::ports::{ListingQuery, Selection};
use tieout_domain::report::{
    Flag, LineFacts, Payload, Personal, PersonalFields, PersonalLine, ReportFacts, SourceStatus,
};
use tieout_domain::time::SourceTime;

use crate::plan::{LineSpec, ReportSpec};

/// The policy of every report.
pub const POLICY: &str = "0123456789ABCDEF";
/// Who submitted every report.
pub const SUBMITTER: &str = "kim@acme.example";

/// Where a report stands at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// Approved or reimbursed: a listing shows it.
    Shown,
    /// Taken back to open.
    Open,
    /// Deleted.
    Deleted,
}

/// A report at the source.
#[derive(Debug, Clone)]
pub struct SourceReport {
    /// Its id.
    pub id: ReportId,
    /// As it stands.
    pub facts: ReportFacts,
    /// Where it stands.
    pub there: There,
    /// What it bears.
    pub labels: BTreeSet<Label>,
    /// What a listing could show of it, from which true instant on; `None` while it showed nothing.
    pub versions: Vec<(u64, Option<ReportFacts>)>,
}

impl SourceReport {
    /// Did a listing at some instant since `since` show the report with these expenses and amounts?
    pub fn showed_since(&self, since: u64, expenses: &BTreeMap<TransactionId, i64>) -> bool {
        let ends = self
            .versions
            .iter()
            .skip(1)
            .map(|(from, _)| *from)
            .chain([u64::MAX]);
        self.versions.iter().zip(ends).any(|((_, facts), end)| {
            end > since
                && facts
                    .as_ref()
                    .is_some_and(|facts| expenses_of(facts) == *expenses)
        })
    }
}

/// The expenses of a report with what each comes to; those of zero post nothing.
pub fn expenses_of(facts: &ReportFacts) -> BTreeMap<TransactionId, i64> {
    facts
        .lines
        .iter()
        .map(|line| (line.transaction.clone(), line.amount.get().unwrap()))
        .filter(|(_, cents)| *cents != 0)
        .collect()
}

/// The source.
#[derive(Debug, Clone)]
pub struct Expensify {
    /// In the order of the plan.
    pub reports: Vec<SourceReport>,
}

impl Expensify {
    /// The source of a plan.
    pub fn of(specs: &[ReportSpec]) -> Self {
        let reports = specs
            .iter()
            .enumerate()
            .map(|(place, spec)| {
                let facts = facts(place, spec);
                SourceReport {
                    id: facts.report,
                    versions: vec![(0, Some(facts.clone()))],
                    facts,
                    there: There::Shown,
                    labels: BTreeSet::new(),
                }
            })
            .collect();
        Self { reports }
    }

    /// The report of an id.
    pub fn report(&self, id: ReportId) -> Option<&SourceReport> {
        self.reports.iter().find(|report| report.id == id)
    }

    /// What an export of this selection shows, in order.
    pub fn shown(&self, query: &ListingQuery) -> Vec<ReportId> {
        let named = |id: ReportId| match &query.selection {
            Selection::Window { .. } => true,
            Selection::Reports(ids) => ids.contains(&id),
        };
        self.reports
            .iter()
            .filter(|report| report.there == There::Shown && named(report.id))
            .filter(|report| {
                query
                    .without_label
                    .as_ref()
                    .is_none_or(|label| !report.labels.contains(label))
            })
            .map(|report| report.id)
            .collect()
    }

    /// A report as the template prints it, under a fresh salt.
    pub fn print(&self, id: ReportId, salt: [u8; 16]) -> Option<Payload> {
        let report = self.report(id)?;
        let lines = report.facts.lines.iter().map(|line| PersonalLine {
            merchant: format!("Merchant of {}", line.transaction),
            ..PersonalLine::default()
        });
        let personal = PersonalFields {
            salt: tieout_domain::report::hex(&salt),
            submitter: SUBMITTER.to_owned(),
            submitter_name: "Kim".to_owned(),
            submitter_user_id: String::new(),
            submitter_payroll_id: String::new(),
            manager: String::new(),
            approvers: Vec::new(),
            report_name: "Spend".to_owned(),
            lines: lines.collect(),
        };
        Some(Payload {
            facts: report.facts.clone(),
            personal: Personal::Known(personal),
        })
    }

    /// Changes a report; what a listing can show of it changes at this instant.
    pub fn edit(&mut self, place: usize, now: u64, change: impl FnOnce(&mut SourceReport)) {
        let Some(report) = self.reports.get_mut(place) else {
            return;
        };
        change(report);
        add_up(&mut report.facts);
        let shows = (report.there == There::Shown).then(|| report.facts.clone());
        report.versions.push((now, shows));
    }

    /// Moves the first expense of one report to another: both change.
    pub fn move_expense(&mut self, from: usize, to: usize, now: u64) {
        if from == to || to >= self.reports.len() {
            return;
        }
        let mut moved = None;
        self.edit(from, now, |report| {
            if report.facts.lines.len() > 1 {
                moved = Some(report.facts.lines.remove(0));
            }
        });
        if let Some(line) = moved {
            self.edit(to, now, |report| report.facts.lines.push(line));
        }
    }
}

fn add_up(facts: &mut ReportFacts) {
    let total = facts.lines.iter().map(|line| line.amount.get().unwrap()).sum();
    facts.total = Hundredths::Of(total);
    facts.declared_lines = Some(facts.lines.len() as u64);
}

fn facts(place: usize, spec: &ReportSpec) -> ReportFacts {
    let number = place as u64 + 1;
    let (status, reimbursed) = if spec.reimbursed {
        (SourceStatus::Reimbursed, SourceTime::new("2026-11-04 12:00:00"))
    } else {
        (SourceStatus::Approved, SourceTime::default())
    };
    let mut facts = ReportFacts {
        report: ReportId::from_decimal(2_080_715_894_610_000 + number).unwrap(),
        policy: PolicyId::new(POLICY).unwrap(),
        policy_name: "Ohio plant".to_owned(),
        status,
        currency: "USD".to_owned(),
        total: Hundredths::Of(0),
        created: SourceTime::new("2026-11-02 09:00:00"),
        submitted: SourceTime::new("2026-11-03 09:00:00"),
        approved: SourceTime::new("2026-11-03 15:00:00"),
        reimbursed,
        ach_reimbursed: Flag::No,
        entry_id: String::new(),
        declared_lines: None,
        fields: BTreeMap::new(),
        lines: spec
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| line_facts(number, index, line))
            .collect(),
    };
    add_up(&mut facts);
    facts
}

fn line_facts(number: u64, index: usize, spec: &LineSpec) -> LineFacts {
    let (reimbursable, bank, card_name) = if spec.card {
        (Flag::No, "Chase", "Corp Visa 7")
    } else {
        (Flag::Yes, "", "")
    };
    LineFacts {
        transaction: TransactionId::new(&format!("47210091883{number:03}{index:03}")).unwrap(),
        kind: "expense".to_owned(),
        amount: Hundredths::Of(spec.cents),
        modified_amount: Hundredths::Blank,
        converted_amount: Hundredths::Of(spec.cents),
        currency: "USD".to_owned(),
        rate: String::new(),
        created: SourceTime::new("2026-11-02"),
        modified_created: SourceTime::default(),
        category: if spec.uncoded { "Mystery" } else { "Travel" }.to_owned(),
        category_gl: String::new(),
        tag: "Ohio".to_owned(),
        tag_gl: "OH".to_owned(),
        tag_levels: Vec::new(),
        reimbursable,
        billable: Flag::No,
        bank: bank.to_owned(),
        card_id: String::new(),
        card_name: card_name.to_owned(),
        mcc: String::new(),
        has_tax: Flag::No,
        tax_amount: Hundredths::Blank,
        modified_tax_amount: Hundredths::Blank,
        tax_code: String::new(),
        tax_name: String::new(),
        tax_rate: String::new(),
        external_id: String::new(),
        receipt_id: String::new(),
        distance: String::new(),
        source: String::new(),
    }
}
