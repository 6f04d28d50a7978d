//! What the streams beside the reports record: polls, certifications of the QAD profile, claims on expenses.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::chart::ChartEvent;
use crate::ids::{Reference, ReportId, TransactionId, Workspace};
use crate::journal::stored_events;
use crate::ports::SourceCalls;
use crate::posting::DocumentKey;
use crate::rules::RulesEvent;

/// Count and amount of what a listing showed, in one currency: the control totals of the interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ControlTotal {
    /// Reports.
    pub reports: u64,
    /// Expenses.
    pub lines: u64,
    /// Sum of the reports' totals, hundredths; a total that could not be read counts nothing and is counted below.
    pub total_hundredths: i64,
    /// Reports whose total could not be read.
    pub unreadable: u64,
}

/// A poll of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum PollEvent {
    /// Every window was listed whole. What it does not show is not there.
    PollCompleted {
        /// The windows: approvals from, submissions until.
        windows: Vec<(NaiveDate, Option<NaiveDate>)>,
        /// By the currency as it came.
        totals: BTreeMap<String, ControlTotal>,
        /// What was asked of Expensify since the poll before.
        calls: SourceCalls,
        /// When the last window was complete.
        listed_at: DateTime<Utc>,
        /// Reports asked for by name beside the windows: open again, and bearing our label from before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        named: Vec<ReportId>,
    },
    /// A window could not be listed whole. What was shown was captured; nothing follows from what was not.
    PollFailed {
        /// Why.
        why: String,
        /// Lines that could not be read: number, the report it says it is of, what is wrong.
        unreadable: Vec<(u64, String, String)>,
        /// What was seen all the same.
        totals: BTreeMap<String, ControlTotal>,
        /// What was asked of Expensify since the poll before.
        calls: SourceCalls,
    },
    /// The exported flag was asked for. Whether it was set, the next complete poll shows.
    MarkingAsked {
        /// Reports that the job printed.
        printed: u64,
        /// Reports named to the job that it did not print.
        not_printed: Vec<ReportId>,
        /// Batches whose outcome is unknown or refused, in words.
        failures: Vec<String>,
        /// What was asked of Expensify for it.
        calls: SourceCalls,
    },
    /// What is posted was held against the source, listed whatever label it bears, and against QAD.
    RecheckCompleted {
        /// The windows: approvals from, submissions until.
        windows: Vec<(NaiveDate, Option<NaiveDate>)>,
        /// What the source showed, closed reports too, by the currency as it came.
        totals: BTreeMap<String, ControlTotal>,
        /// What was held against that, and against QAD.
        held: HeldAgainst,
        /// What was asked of Expensify for it.
        calls: SourceCalls,
        /// When it ended: the next one is due so long after it.
        ended_at: DateTime<Utc>,
    },
    /// The source or QAD could not be asked whole. What was shown was judged; nothing follows from what was not.
    RecheckFailed {
        /// Why, in words.
        why: Vec<String>,
        /// What the source showed all the same.
        totals: BTreeMap<String, ControlTotal>,
        /// What was held against both all the same.
        held: HeldAgainst,
        /// What was asked of Expensify for it.
        calls: SourceCalls,
    },
}

/// What a recheck held against the source and QAD, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeldAgainst {
    /// Posted reports that the source showed.
    pub reports: u64,
    /// Posted documents looked for in QAD.
    pub documents: u64,
    /// Of these, read back with all their lines.
    pub read_back: u64,
    /// Documents that QAD did not show when it was asked for them one by one, and why: of these nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<(Reference, String)>,
    /// Cases that opened or changed.
    pub raised: u64,
    /// Cases that closed.
    pub closed: u64,
}

/// The certification of the QAD profile (design §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ProfileEvent {
    /// One document of each kind was posted, read back and compared in a named workspace. Opens posting.
    ProfileVerified {
        /// Hash of QAD's metadata and of the profile.
        contract_hash: String,
        /// Where it was tried.
        workspace: Workspace,
        /// The test documents and where they stand.
        evidence: Vec<(Reference, DocumentKey)>,
    },
}

/// Who carries an expense (law 10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ExpenseEvent {
    /// It is about to go to QAD with this report, and with no other.
    ExpenseClaimed {
        /// The expense.
        transaction: TransactionId,
        /// The report.
        report: ReportId,
    },
    /// The document that carried it was reversed in QAD.
    ExpenseReleased {
        /// The expense.
        transaction: TransactionId,
        /// The report that carried it.
        report: ReportId,
        /// Where the reversal stands.
        ledger_reference: String,
    },
}

stored_events!(PollEvent { Self::PollCompleted { .. } => "PollCompleted", Self::PollFailed { .. } => "PollFailed",
    Self::MarkingAsked { .. } => "MarkingAsked", Self::RecheckCompleted { .. } => "RecheckCompleted",
    Self::RecheckFailed { .. } => "RecheckFailed",
});
stored_events!(RulesEvent {
    Self::RuleSetProposed { .. } => "RuleSetProposed",
    Self::RuleSetBacktested { .. } => "RuleSetBacktested",
    Self::RuleSetApproved { .. } => "RuleSetApproved",
    Self::RuleSetDeclined { .. } => "RuleSetDeclined",
    Self::ActivationOrdered { .. } => "ActivationOrdered",
    Self::ActivationRefused { .. } => "ActivationRefused",
    Self::RuleSetActivated { .. } => "RuleSetActivated",
    Self::RuleSetRetired { .. } => "RuleSetRetired",
    Self::ApprovalModeChosen { .. } => "ApprovalModeChosen",
});
stored_events!(ProfileEvent { Self::ProfileVerified { .. } => "ProfileVerified" });
stored_events!(ExpenseEvent { Self::ExpenseClaimed { .. } => "ExpenseClaimed", Self::ExpenseReleased { .. } => "ExpenseReleased" });
stored_events!(ChartEvent {
    Self::ChartChanged(_) => "ChartChanged",
    Self::ChartHeld { .. } => "ChartHeld",
    Self::ChartReleased => "ChartReleased",
});
