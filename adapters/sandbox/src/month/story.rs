//! What the generator means to happen to each report: the other side of every comparison.
//!
//! Expectations come from the intent of the scene that wrote the report and from the table of design §6, read here a
//! second time; nothing of the product is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::expensify::world::{Expense, Report, ReportId, ReportState};

/// What a report is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the sentences; the scenes say more")]
pub enum Scene {
    Ordinary,
    Refund,
    CreditNote,
    ZeroNet,
    CardRefund,
    PaidAtSource,
    MonthEndEvening,
    HostileText,
    ZeroAmountLine,
    Split,
    Edited,
    CompanyAccount,
    SupplierByCurrency,
    SupplierByTable,
    LabelledElsewhere,
    LateApprovalOfOctober,
    LowValueAsset,
    LateApprovalOfSeptember,
    BeforeGoLive,
    NothingToPost,
    Resubmitted,
    UnmappedCategory,
    UnmappedTag,
    InactiveCostCentre,
    UnknownCostCentre,
    InactiveAccount,
    InactiveProject,
    UnmappedTax,
    MissingConversion,
    AmountsDisagree,
    HalfYen,
    TotalDisagrees,
    NoCreditAccount,
    UnknownCard,
    CardOfAnotherCurrency,
    NoSupplier,
    InactiveSupplier,
    SupplierCurrency,
    ManyReasons,
    NotApproved,
}

/// The kind of a planned document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedKind {
    /// The employee is owed.
    Invoice,
    /// The employee owes.
    CreditNote,
    /// Between accounts.
    Journal,
}

/// A document that a report is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Planned {
    /// Its kind.
    pub kind: PlannedKind,
    /// Its total, or a journal's debits; hundredths of the report's currency, above zero.
    pub hundredths: i64,
}

/// What is to become of a report under the demo's rule set and this month's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Expectation {
    /// It posts, as these documents.
    Posted {
        /// One or two.
        documents: Vec<Planned>,
    },
    /// It shares an expense with another report: one of the two posts, the other is rejected with `expense_claimed`.
    PostedOrClaimed {
        /// The other one.
        with: ReportId,
        /// If it is the one that posts.
        documents: Vec<Planned>,
    },
    /// It is rejected, for exactly these reasons (codes of the product's catalogue).
    Rejected {
        /// The codes.
        codes: BTreeSet<&'static str>,
    },
    /// It waits, for this reason.
    Held {
        /// The code.
        code: &'static str,
    },
    /// It was approved before `go_live`.
    BeforeGoLive,
    /// It comes to nothing.
    NothingToPost,
    /// A listing of approved and reimbursed reports does not show it.
    NotListed,
}

impl Expectation {
    /// The class alone, to be counted.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Posted { .. } => "posted",
            Self::PostedOrClaimed { .. } => "posted or claimed",
            Self::Rejected { .. } => "rejected",
            Self::Held { .. } => "held",
            Self::BeforeGoLive | Self::NothingToPost => "excluded",
            Self::NotListed => "not listed",
        }
    }
}

/// One report's part in the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is there to show.
    pub scene: Scene,
    /// What is to become of it.
    pub expectation: Expectation,
}

/// The whole story.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Every report of the month, listed or not.
    pub parts: BTreeMap<ReportId, Part>,
}

impl Story {
    /// Reports of a scene, in the order of their ids.
    pub fn of(&self, scene: Scene) -> impl Iterator<Item = ReportId> {
        self.parts
            .iter()
            .filter(move |(_, part)| part.scene == scene)
            .map(|(id, _)| *id)
    }

    /// How many reports each class has.
    pub fn classes(&self) -> BTreeMap<&'static str, usize> {
        let mut classes = BTreeMap::new();
        for part in self.parts.values() {
            *classes.entry(part.expectation.class()).or_default() += 1;
        }
        classes
    }
}

/// The documents of a report whose lines all resolve (design §6, the table and the paragraph below it).
pub(super) fn documents(report: &Report) -> Vec<Planned> {
    let paid =
        report.state == ReportState::Reimbursed || report.is_ach_reimbursed || !report.entry_id.is_empty();
    let owed = |line: &&Expense| line.reimbursable && !paid;
    let net: i64 = report.expenses.iter().filter(owed).map(Expense::effective).sum();
    let mut planned = Vec::new();
    if net != 0 {
        planned.push(Planned {
            kind: if net > 0 {
                PlannedKind::Invoice
            } else {
                PlannedKind::CreditNote
            },
            hundredths: net.abs(),
        });
    }
    let mut debits = 0;
    let mut clearing: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &report.expenses {
        let amount = line.effective();
        if owed(&line) {
            // A payable that nets to nothing is a journal between its own accounts.
            debits += if net == 0 { amount.max(0) } else { 0 };
            continue;
        }
        debits += amount.max(0);
        let account = if line.reimbursable {
            "reimbursement"
        } else {
            line.bank.as_str()
        };
        *clearing.entry(account).or_default() -= amount;
    }
    debits += clearing.values().map(|amount| (*amount).max(0)).sum::<i64>();
    if debits > 0 {
        planned.push(Planned {
            kind: PlannedKind::Journal,
            hundredths: debits,
        });
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::month::dice::{at, day};

    fn report(lines: &[(i64, bool, &str)]) -> Report {
        lines.iter().fold(
            Report::approved(ReportId(1), "P", "USD", at(day(10, 5), 0)),
            |report, (amount, reimbursable, bank)| {
                report.with_expense(Expense {
                    amount: *amount,
                    reimbursable: *reimbursable,
                    bank: (*bank).to_owned(),
                    ..Expense::default()
                })
            },
        )
    }

    fn planned(kind: PlannedKind, hundredths: i64) -> Planned {
        Planned { kind, hundredths }
    }

    #[test]
    fn a_mixed_report_is_an_invoice_and_a_journal() {
        let report = report(&[
            (900, true, ""),
            (-100, true, ""),
            (500, false, "A"),
            (-50, false, "A"),
        ]);
        assert_eq!(
            documents(&report),
            [
                planned(PlannedKind::Invoice, 800),
                planned(PlannedKind::Journal, 500)
            ]
        );
    }

    #[test]
    fn below_zero_is_a_credit_note_and_zero_a_journal() {
        assert_eq!(
            documents(&report(&[(100, true, ""), (-400, true, "")])),
            [planned(PlannedKind::CreditNote, 300)]
        );
        assert_eq!(
            documents(&report(&[(100, true, ""), (-100, true, "")])),
            [planned(PlannedKind::Journal, 100)]
        );
        assert_eq!(documents(&report(&[(0, true, "")])), []);
    }

    #[test]
    fn a_refund_on_a_card_debits_the_clearing_account() {
        assert_eq!(
            documents(&report(&[(-400, false, "A")])),
            [planned(PlannedKind::Journal, 400)]
        );
    }

    #[test]
    fn what_was_paid_at_the_source_is_never_payable() {
        let mut report = report(&[(700, true, "")]);
        report.entry_id = "77".into();
        assert_eq!(documents(&report), [planned(PlannedKind::Journal, 700)]);
    }
}
