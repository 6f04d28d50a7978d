//! Why a report does not post, in words a controller can act on. One catalogue: stable code, cause, who can fix it, how,
//! and whether it goes away by itself. The guide prints it.

use serde::{Deserialize, Serialize};

use crate::ids::TransactionId;

/// Who can put a reason right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixer {
    /// The submitter or an approver, in Expensify.
    Submitter,
    /// The Expensify policy administrator.
    PolicyAdmin,
    /// Whoever keeps the rule set.
    RuleKeeper,
    /// Whoever keeps QAD's masters and periods.
    LedgerKeeper,
    /// Accounts payable, in QAD and here.
    AccountsPayable,
    /// The engineer who runs Tieout.
    Operator,
}
impl Fixer {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitter => "the submitter or approver, in Expensify",
            Self::PolicyAdmin => "the Expensify policy administrator",
            Self::RuleKeeper => "whoever keeps the rule set",
            Self::LedgerKeeper => "whoever keeps QAD's masters and periods",
            Self::AccountsPayable => "accounts payable",
            Self::Operator => "the engineer who runs Tieout",
        }
    }
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $who:ident, $retry:literal, $remedy:literal;)*) => {
        /// The stable code of a reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ReasonCode { $($(#[$doc])* #[serde(rename = $code)] $name,)* }

        impl ReasonCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The code as it is written.
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// Who can put it right.
            pub fn fixer(self) -> Fixer { match self { $(Self::$name => Fixer::$who,)* } }
            /// Does the next cycle try again by itself, once the cause is gone?
            pub fn retried(self) -> bool { match self { $(Self::$name => $retry,)* } }
            /// What to do.
            pub fn remedy(self) -> &'static str { match self { $(Self::$name => $remedy,)* } }
        }
    };
}

catalogue! {
    /// The category matches no rule that sets an account.
    UnmappedAccount, "unmapped_account", RuleKeeper, true, "Add a rule that gives this category an account, or correct the category in Expensify.";
    /// No rule sets a cost centre, and the account wants one.
    UnmappedCostCentre, "unmapped_cost_centre", RuleKeeper, true, "Add a rule that gives this tag a cost centre, or correct the tag in Expensify.";
    /// The account does not exist in QAD.
    UnknownAccount, "unknown_account", RuleKeeper, true, "Correct the account in the rule set, or create it in QAD.";
    /// The account is inactive in QAD.
    InactiveAccount, "inactive_account", LedgerKeeper, true, "Activate the account in QAD, or map to another one.";
    /// The account is a control, bank or system account.
    AccountNotPostable, "account_not_postable", RuleKeeper, true, "Map to an account of type STANDARD; control, bank and system accounts are never posted to.";
    /// The account takes another currency only.
    AccountCurrency, "account_currency", RuleKeeper, true, "Map to an account that accepts the report's currency.";
    /// The cost centre does not exist in QAD.
    UnknownCostCentre, "unknown_cost_centre", RuleKeeper, true, "Correct the cost centre in the rule set, or create it in QAD.";
    /// The cost centre is inactive in QAD.
    InactiveCostCentre, "inactive_cost_centre", LedgerKeeper, true, "Activate the cost centre in QAD, or recode the tag.";
    /// The account must not have a cost centre.
    CostCentreForbidden, "cost_centre_forbidden", RuleKeeper, true, "Map to an account that takes a cost centre, or set none for it.";
    /// No rule sets a project, and the account wants one.
    UnmappedProject, "unmapped_project", RuleKeeper, true, "Add a rule that gives such lines a project, or map to an account that needs none.";
    /// The account must not have a project.
    ProjectForbidden, "project_forbidden", RuleKeeper, true, "Map to an account that takes a project, or set none for it.";
    /// No rule sets a sub-account, and the account wants one.
    UnmappedSubAccount, "unmapped_sub_account", RuleKeeper, true, "Add a rule that gives such lines a sub-account, or map to an account that needs none.";
    /// The account must not have a sub-account.
    SubAccountForbidden, "sub_account_forbidden", RuleKeeper, true, "Map to an account that takes a sub-account, or set none for it.";
    /// The account takes a cost centre or a project, not both, and has both.
    CentreAndProject, "cost_centre_and_project", RuleKeeper, true, "Have the rules set one of the two for such lines: QAD lets the account bear a cost centre or a project, not both.";
    /// The sub-account does not exist or is inactive.
    BadSubAccount, "bad_sub_account", RuleKeeper, true, "Correct the sub-account in the rule set, or create or activate it in QAD.";
    /// The project does not exist or is inactive.
    BadProject, "bad_project", RuleKeeper, true, "Correct the project in the rule set, or create or activate it in QAD.";
    /// The submitter has no supplier.
    NoSupplier, "no_supplier", LedgerKeeper, true, "Give the submitter's business relation a supplier in QAD, or name the supplier in the rule set's table.";
    /// More than one supplier stands on the submitter's business relation.
    AmbiguousSupplier, "ambiguous_supplier", RuleKeeper, true, "Name the right one in the rule set's supplier table.";
    /// The supplier is inactive.
    InactiveSupplier, "inactive_supplier", LedgerKeeper, true, "Activate the supplier in QAD.";
    /// The supplier is kept in another currency than the report.
    SupplierCurrency, "supplier_currency", LedgerKeeper, true, "Give the employee a supplier in the report's currency, and name it in the rule set's table.";
    /// The rule set names no daybook that serves, or QAD's does not accept the document.
    BadDaybook, "bad_daybook", RuleKeeper, true, "Name an active daybook of the right type in the rule set.";
    /// No clearing account for reports paid at the source.
    NoReimbursementClearing, "no_reimbursement_clearing", RuleKeeper, true, "Name the reimbursement clearing account in the rule set: the report is paid, an open payable would pay it twice.";
    /// No clearing account for the card program.
    NoCardClearing, "no_card_clearing", RuleKeeper, true, "Name the clearing account of this card program, or a default one, in the rule set.";
    /// Not reimbursable and on no card.
    NoCreditAccount, "no_credit_account", RuleKeeper, true, "Correct `reimbursable` in Expensify, or add a rule that names the credit account.";
    /// The report's or a line's currency is none of ISO 4217.
    UnknownCurrency, "unknown_currency", PolicyAdmin, true, "Correct the currency in Expensify.";
    /// A foreign line came without a converted amount.
    MissingConversion, "missing_conversion", Submitter, true, "Have Expensify convert the expense (edit and save it), then approve again.";
    /// A line in the report's currency has two amounts that differ.
    AmountsDisagree, "amounts_disagree", Submitter, true, "Correct the amount of the expense in Expensify: the edited and the converted one differ.";
    /// The lines do not add up to the report's total.
    TotalDisagrees, "total_disagrees", Submitter, true, "Open and save the report in Expensify so that its total is computed anew; if it stays, ask Expensify.";
    /// The source says another number of expenses than it sent.
    LineCountDisagrees, "line_count_disagrees", Operator, true, "Poll again; if it stays, the export template or the download loses lines: nothing is posted until they agree.";
    /// The report has two lines with one transaction.
    DuplicateLine, "duplicate_line", Operator, true, "Poll again; if it stays, show the report to Expensify: one expense stands on it twice.";
    /// An amount has a remainder its currency cannot bear.
    AmountRemainder, "amount_remainder", Submitter, true, "Correct the amount in Expensify: its currency has no such fraction. It is never rounded.";
    /// An amount is missing or is no number.
    UnreadableAmount, "unreadable_amount", Operator, true, "Show the report to whoever keeps the export template: an amount did not come as a whole number of hundredths.";
    /// A date is missing or is none.
    UnreadableDate, "unreadable_date", Operator, true, "Correct the date in Expensify, or show the report to whoever keeps the export template.";
    /// Whether the line is reimbursable did not come.
    UnreadableFlag, "unreadable_flag", Operator, true, "Show the report to whoever keeps the export template: a yes or no did not come as one.";
    /// The source's status is neither approved nor reimbursed.
    UnknownStatus, "unknown_status", Operator, true, "Only approved and reimbursed reports post. If Expensify has a new word for either, it must be added here.";
    /// The line carries tax that the set does not map.
    UnmappedTax, "unmapped_tax", RuleKeeper, true, "Map the tax code to an account, or say in the rule set that tax is cost.";
    /// The line's tax cannot be split in the document's currency.
    TaxNotConvertible, "tax_not_convertible", RuleKeeper, true, "Say in the rule set that tax is cost, or have the expense in the report's currency: Expensify converts no tax amounts.";
    /// The expense was claimed by another report.
    ExpenseClaimed, "expense_claimed", AccountsPayable, true, "The expense went to QAD with another report. Remove it from this one in Expensify, or exclude this report with the ledger reference of the other document.";
    /// The posting date falls in no open period, and the set says to wait.
    ClosedPeriod, "closed_period", LedgerKeeper, true, "Open the period in QAD, or let the rule set post into the next open period.";
    /// No period contains the date.
    NoPeriod, "no_period", LedgerKeeper, true, "Create the period in QAD.";
    /// A row of QAD's masters that is needed was not shown when last asked.
    ChartHeld, "chart_held", LedgerKeeper, true, "See why QAD did not show it (permissions, browse, deletion): `tieout doctor`. It posts when QAD shows it again, or when the rules no longer need it.";
    /// QAD refused the document.
    RefusedByQad, "refused_by_qad", AccountsPayable, true, "Put right what QAD says; a change of rules or chart tries again, or `tieout replay` does at once.";
    /// The submitter's personal data was forgotten.
    Forgotten, "forgotten", AccountsPayable, false, "The submitter was forgotten here: post by hand and exclude the report with its ledger reference.";
    /// The document would need more digits or lines than a document may have.
    TooLarge, "too_large", Operator, false, "Split the report in Expensify.";
    /// The submitter is not named.
    NoSubmitter, "no_submitter", Operator, true, "The source names no submitter's address; show the report to whoever keeps the export template.";
}

impl std::fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason. Its message names codes, dates and amounts, never a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code.
    pub code: ReasonCode,
    /// What is wrong, with the values.
    pub message: String,
    /// The expense it is about; `None` for the report as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<TransactionId>,
}
impl Reason {
    /// A reason about the report as a whole.
    pub fn of_report(code: ReasonCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            line: None,
        }
    }
    /// A reason about one expense.
    pub fn of_line(code: ReasonCode, line: &TransactionId, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            line: Some(line.clone()),
        }
    }
    /// What to do.
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}
