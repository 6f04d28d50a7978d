//! What the chart has against a rule set: where, what, and what to do.

use std::fmt;

use crate::ids::{AccountCode, DaybookCode, DocumentKind, SupplierCode};
use crate::money::Currency;
use crate::rules::check::CodingFault;
use crate::rules::places::Setting;
use crate::rules::position::Position;
use crate::rules::set::{Dimension, RuleName};
use crate::rules::witness::Witness;

/// How sure it is that something is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Whatever meets it is rejected.
    Error,
    /// Some of what meets it is rejected, or it is only held.
    Warning,
}
impl Severity {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What in the file a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// What a rule sets.
    Rule(RuleName, Dimension),
    /// A setting.
    Setting(Setting),
}
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name, _) => name.fmt(f),
            Self::Setting(setting) => setting.fmt(f),
        }
    }
}

/// A finding of a rule set against a chart. The words say what, where and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFinding {
    /// What it is about.
    pub subject: Subject,
    /// Where that stands in the file.
    pub at: Position,
    /// Where the other rule of a combination stands.
    pub other_at: Option<Position>,
    /// What is wrong.
    pub fault: ChartFault,
}
impl ChartFinding {
    /// How sure it is that something is rejected.
    pub fn severity(&self) -> Severity {
        self.fault.severity()
    }
}
impl fmt::Display for ChartFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.subject, self.fault, self.fault.remedy())
    }
}

/// What is wrong with a set under a chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChartFault {
    /// A code, or a whole coding, that cannot be posted to.
    #[error("{0}")]
    Coding(CodingFault),
    /// The account is fixed to a currency that the rule's own condition leaves out.
    #[error(
        "account {account} accepts {only} only, and the rule is for expenses in {}: they are rejected on every report \
         that is not in {only}",
        currencies.join(", ")
    )]
    OtherCurrency {
        /// The account.
        account: AccountCode,
        /// What it accepts.
        only: Currency,
        /// What the rule is for.
        currencies: Vec<String>,
    },
    /// QAD has no such daybook.
    #[error("QAD has no daybook {0}")]
    UnknownDaybook(DaybookCode),
    /// QAD showed the daybook once, and not when last asked.
    #[error("daybook {0} was not shown when QAD was last asked")]
    DaybookHeld(DaybookCode),
    /// The daybook is not in use.
    #[error("daybook {0} is inactive")]
    InactiveDaybook(DaybookCode),
    /// The daybook is for other documents.
    #[error("daybook {daybook} does not take a {kind}")]
    WrongDaybook {
        /// The daybook.
        daybook: DaybookCode,
        /// What it is named for.
        kind: DocumentKind,
    },
    /// QAD has no such supplier.
    #[error("QAD has no supplier {0}")]
    UnknownSupplier(SupplierCode),
    /// QAD showed the supplier once, and not when last asked.
    #[error("supplier {0} was not shown when QAD was last asked")]
    SupplierHeld(SupplierCode),
    /// The supplier takes no invoices.
    #[error("supplier {0} is inactive")]
    InactiveSupplier(SupplierCode),
    /// Lines that get this account go without a cost centre, project or sub-account, and cannot.
    #[error(
        "{}, and {} from any rule: {witness}",
        if *required {
            format!("account {account} requires a {}", words(*dimension))
        } else {
            format!("a line with account {account} needs a cost centre, as every line does whose account takes one")
        },
        if *every { "no line that gets it by this rule has one" } else { "some that get it by this rule have none" }
    )]
    Lacking {
        /// Which of the three.
        dimension: Dimension,
        /// The account.
        account: AccountCode,
        /// Does QAD require it of the account? Else it is that every line needs a cost centre (design, law 5).
        required: bool,
        /// Do all lines of the rule go without, or some?
        every: bool,
        /// One that does.
        witness: Box<Witness>,
    },
    /// Lines that get this account get a cost centre, project or sub-account, and the account takes none.
    #[error(
        "account {account} takes no {}, and {} that get it by this rule have one, as {by} sets {code} for {witness}",
        words(*dimension),
        if *every { "all lines" } else { "some lines" }
    )]
    NotTaken {
        /// Which of the three.
        dimension: Dimension,
        /// The account.
        account: AccountCode,
        /// The code.
        code: String,
        /// The rule that sets it.
        by: RuleName,
        /// Do all lines of the rule get one, or some?
        every: bool,
        /// One that does.
        witness: Box<Witness>,
    },
    /// Lines that get this account have neither cost centre nor project, and it wants one of the two.
    #[error(
        "account {account} requires a cost centre or a project, and {} from any rule: {witness}",
        if *every { "no line that gets it by this rule has one" } else { "some that get it by this rule have neither" }
    )]
    Neither {
        /// The account.
        account: AccountCode,
        /// Do all lines of the rule go without, or some?
        every: bool,
        /// One that does.
        witness: Box<Witness>,
    },
    /// Lines that get this account have cost centre and project, and it takes one of the two.
    #[error(
        "account {account} takes a cost centre or a project, not both, and some lines that get it by this rule have both, \
         as {centre_by} sets {cost_centre} and {project_by} sets {project} for {witness}"
    )]
    Both {
        /// The account.
        account: AccountCode,
        /// The cost centre.
        cost_centre: String,
        /// The rule that sets it.
        centre_by: RuleName,
        /// The project.
        project: String,
        /// The rule that sets it.
        project_by: RuleName,
        /// One that has both.
        witness: Box<Witness>,
    },
    /// Too much to find out.
    #[error(
        "whether every line gets the {} that its account wants is too entangled to be found out for {rules} of the \
         rules, this one first",
        words(*dimension)
    )]
    Unclear {
        /// Which of the three.
        dimension: Dimension,
        /// So many.
        rules: usize,
    },
}

/// A dimension, for people.
fn words(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::CostCentre => "cost centre",
        Dimension::SubAccount => "sub-account",
        other => other.as_str(),
    }
}

impl ChartFault {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        use CodingFault as C;
        match self {
            Self::Coding(C::UnknownAccount(_)) => "unknown_account",
            Self::Coding(C::AccountHeld(_)) => "account_held",
            Self::Coding(C::InactiveAccount(_)) => "inactive_account",
            Self::Coding(C::NotStandard { .. }) => "account_not_postable",
            Self::Coding(C::WrongCurrency { .. }) | Self::OtherCurrency { .. } => "account_currency",
            Self::Coding(C::CostCentreRequired(_)) => "cost_centre_required",
            Self::Coding(C::ProjectRequired(_)) => "project_required",
            Self::Coding(C::SubAccountRequired(_)) => "sub_account_required",
            Self::Lacking { dimension, .. } => match dimension {
                Dimension::Project => "project_required",
                Dimension::SubAccount => "sub_account_required",
                _ => "cost_centre_required",
            },
            Self::Coding(C::CostCentreForbidden { .. }) => "cost_centre_forbidden",
            Self::Coding(C::ProjectForbidden { .. }) => "project_forbidden",
            Self::Coding(C::SubAccountForbidden { .. }) => "sub_account_forbidden",
            Self::NotTaken { dimension, .. } => match dimension {
                Dimension::Project => "project_forbidden",
                Dimension::SubAccount => "sub_account_forbidden",
                _ => "cost_centre_forbidden",
            },
            Self::Coding(C::CentreOrProjectRequired(_)) | Self::Neither { .. } => {
                "cost_centre_or_project_required"
            }
            Self::Coding(C::CentreAndProject { .. }) | Self::Both { .. } => "cost_centre_and_project",
            Self::Coding(C::UnknownCostCentre(_)) => "unknown_cost_centre",
            Self::Coding(C::CostCentreHeld(_)) => "cost_centre_held",
            Self::Coding(C::InactiveCostCentre(_)) => "inactive_cost_centre",
            Self::Coding(C::UnknownSubAccount(_)) => "unknown_sub_account",
            Self::Coding(C::SubAccountHeld(_)) => "sub_account_held",
            Self::Coding(C::InactiveSubAccount(_)) => "inactive_sub_account",
            Self::Coding(C::UnknownProject(_)) => "unknown_project",
            Self::Coding(C::ProjectHeld(_)) => "project_held",
            Self::Coding(C::InactiveProject(_)) => "inactive_project",
            Self::UnknownDaybook(_) => "unknown_daybook",
            Self::DaybookHeld(_) => "daybook_held",
            Self::InactiveDaybook(_) => "inactive_daybook",
            Self::WrongDaybook { .. } => "wrong_daybook",
            Self::UnknownSupplier(_) => "unknown_supplier",
            Self::SupplierHeld(_) => "supplier_held",
            Self::InactiveSupplier(_) => "inactive_supplier",
            Self::Unclear { dimension, .. } => match dimension {
                Dimension::Project => "project_unclear",
                Dimension::SubAccount => "sub_account_unclear",
                _ => "cost_centre_unclear",
            },
        }
    }

    /// How sure it is that something is rejected. What QAD does not show at present is held until it does.
    pub fn severity(&self) -> Severity {
        use CodingFault as C;
        match self {
            Self::Coding(
                C::AccountHeld(_) | C::CostCentreHeld(_) | C::SubAccountHeld(_) | C::ProjectHeld(_),
            )
            | Self::DaybookHeld(_)
            | Self::SupplierHeld(_)
            | Self::OtherCurrency { .. }
            | Self::Lacking { every: false, .. }
            | Self::NotTaken { every: false, .. }
            | Self::Neither { every: false, .. }
            | Self::Both { .. }
            | Self::Unclear { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What to do.
    pub fn remedy(&self) -> &'static str {
        use CodingFault as C;
        match self {
            Self::Coding(
                C::UnknownAccount(_)
                | C::UnknownCostCentre(_)
                | C::UnknownSubAccount(_)
                | C::UnknownProject(_),
            )
            | Self::UnknownDaybook(_)
            | Self::UnknownSupplier(_) => "Correct the code, or create it in QAD and let a cycle read it",
            Self::Coding(
                C::AccountHeld(_) | C::CostCentreHeld(_) | C::SubAccountHeld(_) | C::ProjectHeld(_),
            )
            | Self::DaybookHeld(_)
            | Self::SupplierHeld(_) => {
                "See in QAD whether it is still there and visible to this user; until it is shown again, what needs it is \
                 held"
            }
            Self::Coding(
                C::InactiveAccount(_)
                | C::InactiveCostCentre(_)
                | C::InactiveSubAccount(_)
                | C::InactiveProject(_),
            )
            | Self::InactiveDaybook(_)
            | Self::InactiveSupplier(_) => "Name an active one, or have it activated in QAD",
            Self::Coding(C::NotStandard { .. }) => {
                "Name an account of type STANDARD: control, bank and system accounts are never posted to"
            }
            Self::Coding(C::WrongCurrency { .. }) | Self::OtherCurrency { .. } => {
                "Name an account that accepts the currency, or correct `currency`"
            }
            Self::Coding(C::CostCentreRequired(_)) => {
                "Name an account that needs none, or write { account = …, cost_centre = … } where that may be written"
            }
            Self::Coding(
                C::ProjectRequired(_) | C::SubAccountRequired(_) | C::CentreOrProjectRequired(_),
            ) => "Name an account that needs none, or write the whole coding where that may be written",
            Self::Coding(C::CostCentreForbidden { .. }) => {
                "Remove the cost centre, or name an account that takes one"
            }
            Self::Coding(C::ProjectForbidden { .. }) => {
                "Remove the project, or name an account that takes one"
            }
            Self::Coding(C::SubAccountForbidden { .. }) => {
                "Remove the sub-account, or name an account that takes one"
            }
            Self::Coding(C::CentreAndProject { .. }) => "Remove one of the two",
            Self::WrongDaybook { .. } => "Name a daybook of that type",
            Self::Lacking { dimension, .. } => match dimension {
                Dimension::Project => "Add a rule that sets `project` for such lines, or narrow this one",
                Dimension::SubAccount => {
                    "Add a rule that sets `sub_account` for such lines, or narrow this one"
                }
                _ => "Add a rule that sets `cost_centre` for such lines, or narrow this one",
            },
            Self::NotTaken { dimension, .. } => match dimension {
                Dimension::Project => {
                    "Narrow the rule that sets the project so that it leaves out such lines, or name an account that \
                     takes one"
                }
                Dimension::SubAccount => {
                    "Narrow the rule that sets the sub-account so that it leaves out such lines, or name an account \
                     that takes one"
                }
                _ => {
                    "Narrow the rule that sets the cost centre so that it leaves out such lines, or name an account \
                     that takes one"
                }
            },
            Self::Neither { .. } => {
                "Add a rule that sets `cost_centre` or `project` for such lines, or narrow this one"
            }
            Self::Both { .. } => {
                "Narrow the rule that sets the cost centre, or the one that sets the project, so that it leaves out \
                 such lines"
            }
            Self::Unclear { .. } => {
                "Fewer fields in one rule, a rule for each of its values, or a set for each policy"
            }
        }
    }
}
