//! A run as data: which reports there are, what goes wrong and when, and what people do meanwhile. A plan is printed
//! when it fails, shrunk, and kept; the same plan always gives the same run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The reports that are approved when it begins.
    pub reports: Vec<ReportSpec>,
    /// Calls that go wrong.
    #[serde(default)]
    pub strikes: Vec<Strike>,
    /// What happens at a gate: deaths, turns of the other instance, edits, decisions.
    #[serde(default)]
    pub happenings: Vec<Happening>,
    /// What befalls people while their commands run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interruptions: Vec<Interruption>,
    /// How many cycles the first instance begins before everything is well again.
    pub cycles: u32,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSpec {
    /// Its expenses.
    pub lines: Vec<LineSpec>,
    /// The source paid it already.
    #[serde(default)]
    pub reimbursed: bool,
}

/// An expense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSpec {
    /// Hundredths, signed.
    pub cents: i64,
    /// Paid by the company card, so that the employee is not owed it.
    #[serde(default)]
    pub card: bool,
    /// Of a category that no rule covers: the report is rejected.
    #[serde(default)]
    pub uncoded: bool,
}

/// An expense the employee is owed.
pub fn owed(cents: i64) -> LineSpec {
    LineSpec {
        cents,
        card: false,
        uncoded: false,
    }
}

/// An expense on the company card.
pub fn carded(cents: i64) -> LineSpec {
    LineSpec {
        card: true,
        ..owed(cents)
    }
}

/// A report of these expenses.
pub fn report(lines: impl Into<Vec<LineSpec>>) -> ReportSpec {
    ReportSpec {
        lines: lines.into(),
        reimbursed: false,
    }
}

/// A call of a port that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Append to the log.
    Append,
    /// Read of the log.
    Read,
    /// Export job of the source.
    List,
    /// A line of its download.
    Line,
    /// Marking job of the source.
    Mark,
    /// A line of what it prints.
    MarkLine,
    /// QAD's masters.
    Chart,
    /// QAD's metadata.
    Contract,
    /// Look-up by reference.
    LookUp,
    /// Listing of every document of ours.
    ListOurs,
    /// Reading one document back.
    ReadBack,
    /// Posting one document.
    Post,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Append,
        Self::Read,
        Self::List,
        Self::Line,
        Self::Mark,
        Self::MarkLine,
        Self::Chart,
        Self::Contract,
        Self::LookUp,
        Self::ListOurs,
        Self::ReadBack,
        Self::Post,
    ];

    /// What can go wrong with it.
    pub fn faults(self) -> &'static [Fault] {
        use Fault as F;
        match self {
            Self::Append => &[F::Full, F::NotDone, F::LostAnswer],
            Self::Read => &[F::NotDone],
            Self::List => &[F::NeverArrived, F::Unauthorised, F::Throttled, F::NotDone],
            Self::Line => &[F::Truncated, F::Unreadable],
            Self::Mark => &[
                F::NeverArrived,
                F::Throttled,
                F::NotDone,
                F::LostAnswer,
                F::PrintsNothing,
            ],
            Self::MarkLine => &[F::Truncated],
            Self::Chart => &[F::NotDone, F::Unauthorised, F::MasterSilent],
            Self::Contract => &[F::NotDone, F::Changed],
            Self::LookUp | Self::ListOurs => &[F::NotDone, F::CanarySilent, F::Unauthorised],
            Self::ReadBack => &[F::NotDone],
            Self::Post => &[
                F::NeverArrived,
                F::NotDone,
                F::LostAnswer,
                F::Late,
                F::Zombie,
                F::Refused,
                F::RefusedThoughStored,
                F::ShiftedDate,
                F::DroppedField,
                F::EarlierAnswer,
                F::NoNumber,
                F::Warned,
            ],
        }
    }
}

/// How a call goes wrong, as the workflow sees it through its port. What the wire has many ways for is one here: the
/// clients' own tests show that each of them becomes this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Log: no room; nothing appended.
    Full,
    /// It did not happen, and the caller cannot know: a lost request, a 5xx or a garbled answer before the effect.
    NotDone,
    /// It happened, and the caller cannot know: a lost answer, a 5xx, a garbled or an HTML answer, a failure with a
    /// warning after the effect.
    LostAnswer,
    /// Provably never arrived: no connection, or turned away (an expired token, a 403).
    NeverArrived,
    /// The secret is refused.
    Unauthorised,
    /// 429 until the retries were spent.
    Throttled,
    /// The download ends here.
    Truncated,
    /// A line that is no report.
    Unreadable,
    /// The job ran and marked, and prints no report.
    PrintsNothing,
    /// One master is silent under its canary.
    MasterSilent,
    /// The metadata is another than was certified.
    Changed,
    /// The browse is silent, and so is its canary.
    CanarySilent,
    /// Given up by the caller, carried out a minute later.
    Late,
    /// Given up by the caller, carried out shortly before the quarantine ends.
    Zombie,
    /// Refused, truly.
    Refused,
    /// Answered as refused, and stored.
    RefusedThoughStored,
    /// Accepted, and stored with another posting date.
    ShiftedDate,
    /// Accepted, and stored without its cost centres.
    DroppedField,
    /// Stored, and answered with the answer to the post before.
    EarlierAnswer,
    /// Stored, and accepted without a number.
    NoNumber,
    /// Stored, with the warning that the reference exists already.
    Warned,
}

/// The nth call of a kind goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Strike {
    /// Which calls are counted.
    pub call: Call,
    /// Which of them, from 0.
    pub nth: u32,
    /// How.
    pub fault: Fault,
}

/// Something befalls a person's command when the gates of all of them are passed for the nth time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// Which passing, from 0.
    pub at: u32,
    /// What.
    pub how: How,
}

/// What befalls a person's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It is killed, and the person does no more about it; what must be done at last, somebody does anew.
    Killed,
    /// It is killed, and the person gives it again.
    GivenAgain,
    /// Another instance runs a whole cycle before it goes on.
    Overtaken,
}

/// Something happens when the first instance's gates are passed for the nth time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// Which passing, from 0.
    pub at: u32,
    /// What.
    pub what: What,
}

/// What can happen at a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The process at work dies.
    Crash,
    /// The machine goes down: every process dies, the steady clock begins anew, and the wall clock comes back as many
    /// seconds off.
    Reboot {
        /// How far the wall clock is off afterwards.
        off: i64,
    },
    /// The process at work stands still, and the other instance goes on.
    Switch,
    /// The process at work stands still while the other instance runs so many whole cycles.
    Suspend {
        /// How many.
        cycles: u32,
    },
    /// The process at work stands still for so many seconds, and nobody else is there.
    Pause {
        /// How long.
        seconds: u32,
    },
    /// The wall clock is set by so many seconds.
    ClockSet {
        /// By how much.
        seconds: i64,
    },
    /// Somebody changes a system.
    Edit(Edit),
    /// Somebody gives a command.
    Decide(Decide),
    /// The log is copied away.
    Backup,
    /// The process dies, and the log is put back as it was when it was last copied away.
    Restore,
}

/// A change of the source, of QAD, or of the installation. Reports are named by their place in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// An amount of the report is changed.
    Amount(usize),
    /// It is taken back to open.
    Unapprove(usize),
    /// It is approved again.
    Approve(usize),
    /// It is deleted.
    Delete(usize),
    /// The source pays it.
    Reimburse(usize),
    /// Its first expense moves to the other report.
    Move {
        /// From this one.
        from: usize,
        /// To that one.
        to: usize,
    },
    /// QAD's open periods are closed.
    ClosePeriods,
    /// They are opened again.
    OpenPeriods,
    /// The travel account is closed.
    CloseAccount,
    /// It is opened again.
    OpenAccount,
    /// The other rule set comes into force with the next cycle.
    OtherRules,
    /// The secrets are rotated at both systems: a process has the new ones only once it is started anew.
    RotateSecrets,
    /// A person reverses the report's first standing document in QAD.
    Reverse(usize),
    /// A person changes the report's first standing document in QAD.
    Tamper(usize),
    /// Another installation, with a log of its own, posts the report's next document, unless one is being sent here.
    Elsewhere(usize),
    /// A person enters the report's first standing document a second time in QAD, under the same reference.
    Duplicate(usize),
}

/// A command of a person about a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decide {
    /// `tieout replay`.
    Rewind(usize),
    /// `tieout exclude`.
    Exclude(usize),
    /// `tieout resolve --adopt` with what QAD shows, where it shows exactly one.
    Adopt(usize),
    /// `tieout resolve --absent`, where it is true and nothing is on its way.
    Absent(usize),
    /// `tieout reverse --again`, where QAD shows a posted document of it as reversed.
    ReverseAgain(usize),
    /// `tieout reverse --leave-out`, likewise.
    ReverseForGood(usize),
}

impl Plan {
    /// A run of these reports in which nothing goes wrong.
    pub fn quiet(reports: impl Into<Vec<ReportSpec>>) -> Self {
        Self {
            reports: reports.into(),
            strikes: Vec::new(),
            happenings: Vec::new(),
            interruptions: Vec::new(),
            cycles: 2,
        }
    }

    /// The same run with one more call going wrong.
    pub fn struck(&self, call: Call, nth: u32, fault: Fault) -> Self {
        let mut plan = self.clone();
        plan.strikes.push(Strike { call, nth, fault });
        plan
    }

    /// The same run with one more thing happening.
    pub fn with(&self, at: u32, what: What) -> Self {
        let mut plan = self.clone();
        plan.happenings.push(Happening { at, what });
        plan
    }

    /// The same run with a person interrupted.
    pub fn interrupted(&self, at: u32, how: How) -> Self {
        let mut plan = self.clone();
        plan.interruptions.push(Interruption { at, how });
        plan
    }

    /// Does nobody but the process at work write to the log, and is every event kept?
    pub(crate) fn leaves_the_log_alone(&self) -> bool {
        let alone = |what: &What| {
            !matches!(
                what,
                What::Switch | What::Suspend { .. } | What::Decide(_) | What::Restore
            )
        };
        self.strikes.iter().all(|strike| strike.call != Call::Append)
            && self.happenings.iter().all(|happening| alone(&happening.what))
    }

    /// Does nobody change either system or give a command, and does QAD store and refuse as it is asked to?
    pub(crate) fn leaves_the_systems_alone(&self) -> bool {
        self.strikes.iter().all(|strike| strike.call != Call::Post)
            && self
                .happenings
                .iter()
                .all(|happening| !matches!(happening.what, What::Edit(_) | What::Decide(_)))
    }

    /// What happens, by gate.
    pub(crate) fn by_gate(&self) -> BTreeMap<u32, Vec<What>> {
        let mut by_gate: BTreeMap<u32, Vec<What>> = BTreeMap::new();
        for happening in &self.happenings {
            by_gate
                .entry(happening.at)
                .or_default()
                .push(happening.what.clone());
        }
        by_gate
    }
}
