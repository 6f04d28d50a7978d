//! What is told of a changed report and of a movement, the same wherever it is told.

use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::ids::{DocumentKind, Reference, ReportId, TransactionId};
use tieout_domain::money::Currency;
use tieout_domain::posting::{Document, LineOrigin, Side};
use tieout_domain::report::{Exclusion, Reason, ReasonCode};
use tieout_domain::workflow::{Amounts, Change, ChangeKind, Movements, Place, Verdict};

/// A movement: where, and how much stands and would stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moved {
    pub(super) currency: String,
    pub(super) year: i32,
    pub(super) period: u32,
    pub(super) account: Option<String>,
    pub(super) sub_account: Option<String>,
    pub(super) cost_centre: Option<String>,
    pub(super) project: Option<String>,
    /// In place of an account: what is owed to this supplier.
    pub(super) supplier: Option<String>,
    pub(super) before: Sides,
    pub(super) after: Sides,
    /// How much more debit less credit.
    pub(super) net: Decimal,
}

/// Both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Sides {
    pub(super) debit: Decimal,
    pub(super) credit: Decimal,
}

/// All changed reports of a currency and period: debit is credit, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Total {
    pub(super) currency: String,
    pub(super) year: i32,
    pub(super) period: u32,
    /// What stands where it stood: no movement tells of it, and without it the sides would not be equal.
    pub(super) unmoved: Sides,
    pub(super) before: Sides,
    pub(super) after: Sides,
}

/// An amount with the decimals of its currency, none of its own lost.
fn amount(currency: &str, amount: Decimal) -> Decimal {
    let units = Currency::new(currency).map_or(2, Currency::minor_units);
    let mut amount = amount.normalize();
    if amount.scale() < units {
        amount.rescale(units);
    }
    amount
}

impl Sides {
    fn of(currency: &str, amounts: &Amounts) -> Self {
        Self {
            debit: amount(currency, amounts.debit),
            credit: amount(currency, amounts.credit),
        }
    }
}

/// In order: by currency, period and code.
pub(super) fn moved(movements: &Movements) -> Vec<Moved> {
    movements
        .iter()
        .map(|(key, movement)| {
            let (coding, supplier) = match &key.place {
                Place::Account(coding) => (Some(coding), None),
                Place::Supplier(supplier) => (None, Some(supplier.to_string())),
            };
            let currency = key.currency.as_str();
            Moved {
                currency: currency.to_owned(),
                year: key.period.0,
                period: key.period.1,
                account: coding.map(|coding| coding.account.to_string()),
                sub_account: coding.and_then(|c| c.sub_account.as_ref().map(ToString::to_string)),
                cost_centre: coding.and_then(|c| c.cost_centre.as_ref().map(ToString::to_string)),
                project: coding.and_then(|c| c.project.as_ref().map(ToString::to_string)),
                supplier,
                before: Sides::of(currency, &movement.before),
                after: Sides::of(currency, &movement.after),
                net: amount(currency, movement.net()),
            }
        })
        .collect()
}

/// In order: by currency and period.
pub(super) fn totals(movements: &Movements) -> Vec<Total> {
    movements
        .totals()
        .into_iter()
        .map(|((currency, (year, period)), total)| {
            let of_it = movements
                .iter()
                .filter(|(key, _)| key.currency == currency && key.period == (year, period));
            let unmoved = of_it.fold(total.before, |left, (_, movement)| Amounts {
                debit: left.debit - movement.before.debit,
                credit: left.credit - movement.before.credit,
            });
            Total {
                currency: currency.to_owned(),
                year,
                period,
                unmoved: Sides::of(currency, &unmoved),
                before: Sides::of(currency, &total.before),
                after: Sides::of(currency, &total.after),
            }
        })
        .collect()
}

/// A report that comes out otherwise.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Changed {
    pub(super) report_id: ReportId,
    /// Its day of approval; `null` where that cannot be read.
    pub(super) approved: Option<chrono::NaiveDate>,
    pub(super) change: ChangeKind,
    pub(super) before: Outcome,
    pub(super) after: Outcome,
}

/// What rules make of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outcome {
    pub(super) verdict: &'static str,
    pub(super) documents: Vec<Planned>,
    pub(super) reasons: Vec<Given>,
    /// Why it needs no document.
    pub(super) left_out: Option<Exclusion>,
}

/// A document, without its texts: those are a person's.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Planned {
    pub(super) kind: DocumentKind,
    pub(super) reference: Reference,
    pub(super) supplier: Option<String>,
    pub(super) currency: String,
    pub(super) amount: Decimal,
    pub(super) daybook: String,
    pub(super) posting_date: chrono::NaiveDate,
    pub(super) year: i32,
    pub(super) period: u32,
    pub(super) lines: Vec<Line>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) account: String,
    pub(super) sub_account: Option<String>,
    pub(super) cost_centre: Option<String>,
    pub(super) project: Option<String>,
    pub(super) side: Side,
    pub(super) amount: Decimal,
    /// The expense it comes of; `null` for the counter side of a journal.
    pub(super) transaction: Option<TransactionId>,
}

/// A reason against it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Given {
    pub(super) code: ReasonCode,
    pub(super) message: String,
    pub(super) remedy: &'static str,
    pub(super) line: Option<TransactionId>,
}

impl Changed {
    pub(super) fn of(change: &Change) -> Self {
        Self {
            report_id: change.report,
            approved: change.approved,
            change: change.kind,
            before: Outcome::of(&change.before),
            after: Outcome::of(&change.after),
        }
    }
}

impl Outcome {
    fn of(verdict: &Verdict) -> Self {
        Self {
            verdict: match verdict {
                Verdict::Waiting => "waiting",
                Verdict::Mapped(_) => "mapped",
                Verdict::Rejected(_) => "rejected",
                Verdict::Held(_) => "held",
                Verdict::LeftOut(_) => "left_out",
            },
            documents: verdict
                .documents()
                .iter()
                .map(|document| Planned::of(document))
                .collect(),
            reasons: verdict.reasons().iter().map(Given::of).collect(),
            left_out: verdict.left_out().cloned(),
        }
    }

    /// For people: a document, a reason, or why there is neither; beside what the report comes to otherwise, so that
    /// the lines that differ can be told from those that do not.
    pub(super) fn beside(&self, other: &Self) -> Vec<Part> {
        let left_out = self.left_out.iter().map(|why| {
            Part::of(match why {
                Exclusion::BeforeGoLive { approved, go_live } => {
                    format!("left out: approved on {approved}, before {go_live}")
                }
                Exclusion::NothingToPost => "left out: nothing to post".to_owned(),
                Exclusion::Decided { .. } => "left out by a person".to_owned(),
            })
        });
        let documents = self.documents.iter().map(|document| Part {
            head: document.head(),
            lines: {
                let same_kind = other.documents.iter().find(|one| one.kind == document.kind);
                let stands = |line: &Line| same_kind.is_some_and(|one| one.lines.contains(line));
                let lines = document.lines.iter();
                lines.map(|line| (line.words(), !stands(line))).collect()
            },
        });
        let reasons = self.reasons.iter().map(|reason| {
            Part::of(format!(
                "{}, {}: {}",
                self.verdict,
                reason.code.as_str(),
                reason.message
            ))
        });
        let mut parts: Vec<Part> = documents.chain(reasons).chain(left_out).collect();
        if parts.is_empty() {
            parts.push(Part::of("waiting: no rules judged it yet".to_owned()));
        }
        parts
    }

    /// All of it in words.
    pub(super) fn words(&self) -> Vec<String> {
        let whole = |part: Part| {
            let lines: Vec<String> = part.lines.into_iter().map(|(line, _)| line).collect();
            match lines.is_empty() {
                true => part.head,
                false => format!("{}: {}", part.head, lines.join(", ")),
            }
        };
        self.beside(self).into_iter().map(whole).collect()
    }
}

/// A document or a reason, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) head: String,
    /// The lines of a document, and whether the other side lacks it.
    pub(super) lines: Vec<(String, bool)>,
}
impl Part {
    fn of(head: String) -> Self {
        Self {
            head,
            lines: Vec::new(),
        }
    }
}

impl Planned {
    fn of(document: &Document) -> Self {
        let currency = document.currency.code();
        Self {
            kind: document.kind(),
            reference: document.reference,
            supplier: document.supplier().map(ToString::to_string),
            currency: currency.to_owned(),
            amount: amount(currency, document.amount()),
            daybook: document.daybook.to_string(),
            posting_date: document.period.date,
            year: document.period.year,
            period: document.period.number,
            lines: document
                .lines
                .iter()
                .map(|line| Line {
                    account: line.coding.account.to_string(),
                    sub_account: line.coding.sub_account.as_ref().map(ToString::to_string),
                    cost_centre: line.coding.cost_centre.as_ref().map(ToString::to_string),
                    project: line.coding.project.as_ref().map(ToString::to_string),
                    side: line.side,
                    amount: amount(currency, line.amount),
                    transaction: match &line.origin {
                        LineOrigin::Expense { transaction } | LineOrigin::Tax { transaction } => {
                            Some(transaction.clone())
                        }
                        LineOrigin::Clearing => None,
                    },
                })
                .collect(),
        }
    }

    fn head(&self) -> String {
        let supplier = self
            .supplier
            .as_ref()
            .map_or_else(String::new, |supplier| format!(" on {supplier}"));
        format!(
            "{} {} {}{supplier}, {} in {}/{}",
            self.kind, self.amount, self.currency, self.posting_date, self.year, self.period,
        )
    }
}

impl Line {
    fn words(&self) -> String {
        let codes = [
            Some(&self.account),
            self.sub_account.as_ref(),
            self.cost_centre.as_ref(),
            self.project.as_ref(),
        ];
        let codes: Vec<&str> = codes.into_iter().flatten().map(String::as_str).collect();
        let side = match self.side {
            Side::Debit => "Dr",
            Side::Credit => "Cr",
        };
        format!("{} {side} {}", codes.join(" "), self.amount)
    }
}

impl Given {
    fn of(reason: &Reason) -> Self {
        Self {
            code: reason.code,
            message: reason.message.clone(),
            remedy: reason.code.remedy(),
            line: reason.line.clone(),
        }
    }
}
