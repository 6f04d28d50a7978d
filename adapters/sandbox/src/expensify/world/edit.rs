//! What people do in Expensify that no API call does: the edits that tests and users make over HTTP.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use thiserror::Error;

use super::{Expense, Marking, Report, ReportId, ReportState, World};

/// One edit. As JSON: `{"edit": "set_state", "report": "R00X9oNOn2MO", "state": "open"}`; ids in either spelling.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Moves a report to another state; approving or paying it sets the date, taking that back clears it.
    SetState {
        /// The report.
        report: String,
        /// The new state.
        state: ReportState,
        /// When; now, if absent.
        at: Option<DateTime<Utc>>,
    },
    /// Sets a label on a report or takes it off (which no API call can).
    SetLabel {
        /// The report.
        report: String,
        /// The label.
        label: String,
        /// Off instead of on.
        #[serde(default)]
        remove: bool,
    },
    /// Makes a report's total disagree with its lines.
    SetTotal {
        /// The report.
        report: String,
        /// Hundredths.
        total: i64,
    },
    /// Edits an expense as an employee or approver would: the original amount stays, the report's total follows.
    EditExpense {
        /// The transaction.
        transaction: String,
        /// The edited amount, hundredths.
        amount: Option<i64>,
        /// The amount in the report's currency, hundredths; with `amount` alone and one currency it follows.
        converted: Option<i64>,
        /// The category.
        category: Option<String>,
        /// The tag.
        tag: Option<String>,
        /// The edited merchant.
        merchant: Option<String>,
        /// The comment.
        comment: Option<String>,
        /// The edited date.
        date: Option<NaiveDate>,
    },
    /// Moves an expense to another report; both totals follow.
    MoveExpense {
        /// The transaction.
        transaction: String,
        /// The report it goes to.
        to: String,
    },
    /// Deletes an expense; the total follows.
    DeleteExpense {
        /// The transaction.
        transaction: String,
    },
    /// Deletes a report with its expenses.
    DeleteReport {
        /// The report.
        report: String,
    },
}

/// Why an edit was not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// No such report.
    #[error("there is no report `{0}`; GET /_sandbox/reports lists them")]
    NoReport(String),
    /// No such expense.
    #[error("there is no expense with transaction id `{0}`; GET /_sandbox/reports lists them")]
    NoExpense(String),
}

impl World {
    /// Makes one edit; `now` dates it where it bears no date of its own.
    pub fn apply(&mut self, edit: Edit, now: DateTime<Utc>) -> Result<(), EditError> {
        match edit {
            Edit::SetState { report, state, at } => {
                let report = self.named(&report)?;
                set_state(report, state, at.unwrap_or(now));
            }
            Edit::SetLabel {
                report,
                label,
                remove: false,
            } => {
                self.named(&report)?.markings.push(Marking { label, at: now });
            }
            Edit::SetLabel {
                report,
                label,
                remove: true,
            } => {
                self.named(&report)?
                    .markings
                    .retain(|marking| marking.label != label);
            }
            Edit::SetTotal { report, total } => self.named(&report)?.total = total,
            Edit::EditExpense {
                transaction,
                amount,
                converted,
                category,
                tag,
                merchant,
                comment,
                date,
            } => {
                let (report, place) = self.place_of(&transaction)?;
                let report = self.reports.get_mut(&report);
                let Some((report, place)) = report.zip(Some(place)) else {
                    return Err(EditError::NoExpense(transaction));
                };
                let Some(expense) = report.expenses.get_mut(place) else {
                    return Err(EditError::NoExpense(transaction));
                };
                let before = expense.effective();
                if let Some(amount) = amount {
                    expense.modified_amount = Some(amount);
                    if expense.currency == report.currency && expense.converted_amount.is_some() {
                        expense.converted_amount = Some(amount);
                    }
                }
                if converted.is_some() {
                    expense.converted_amount = converted;
                }
                if let Some(category) = category {
                    // The codes of the old category go with it.
                    expense.category_gl_code = None;
                    expense.category_payroll_code = None;
                    expense.category = category;
                }
                if let Some(tag) = tag {
                    expense.tag_gl_codes.clear();
                    expense.tag = tag;
                }
                expense.modified_merchant = merchant.or(expense.modified_merchant.take());
                expense.modified_created = date.or(expense.modified_created);
                if let Some(comment) = comment {
                    expense.comment = comment;
                }
                report.total += expense.effective() - before;
            }
            Edit::MoveExpense { transaction, to } => {
                let target = self.named(&to)?.id;
                let expense = self.take_expense(&transaction)?;
                if let Some(report) = self.reports.get_mut(&target) {
                    report.total += expense.effective();
                    report.expenses.push(expense);
                }
            }
            Edit::DeleteExpense { transaction } => {
                self.take_expense(&transaction)?;
            }
            Edit::DeleteReport { report } => {
                let id = self.named(&report)?.id;
                self.reports.remove(&id);
            }
        }
        Ok(())
    }

    fn named(&mut self, report: &str) -> Result<&mut Report, EditError> {
        let id = report.parse::<ReportId>().ok();
        id.and_then(|id| self.reports.get_mut(&id))
            .ok_or_else(|| EditError::NoReport(report.to_owned()))
    }

    fn place_of(&self, transaction: &str) -> Result<(ReportId, usize), EditError> {
        self.find_expense(transaction)
            .ok_or_else(|| EditError::NoExpense(transaction.to_owned()))
    }

    fn take_expense(&mut self, transaction: &str) -> Result<Expense, EditError> {
        let (id, place) = self.place_of(transaction)?;
        let Some(report) = self.reports.get_mut(&id) else {
            return Err(EditError::NoExpense(transaction.to_owned()));
        };
        let expense = report.expenses.remove(place);
        report.total -= expense.effective();
        Ok(expense)
    }
}

fn set_state(report: &mut Report, state: ReportState, at: DateTime<Utc>) {
    report.state = state;
    match state {
        ReportState::Open => {
            report.submitted = None;
            report.approved = None;
            report.reimbursed = None;
        }
        ReportState::Processing => {
            report.submitted = Some(at);
            report.approved = None;
            report.reimbursed = None;
        }
        ReportState::Approved => {
            report.approved = Some(at);
            report.reimbursed = None;
        }
        ReportState::Reimbursed => {
            report.approved = report.approved.or(Some(at));
            report.reimbursed = Some(at.date_naive());
        }
        ReportState::Closed => {}
    }
}
