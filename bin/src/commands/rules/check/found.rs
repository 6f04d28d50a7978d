//! Whatever was found, in one form: for the exit status, and for tools that know nothing of rule sets.

use tieout_domain::rules::{
    ChartFault, ChartFinding, Position, Remark, RuleFault, RuleName, Severity, Subject,
};

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The set is refused, or something is certainly rejected.
    Error,
    /// Some of what meets it is rejected.
    Warning,
    /// Worth a look.
    Remark,
}
impl Level {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Remark => "remark",
        }
    }
}
impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warning,
        }
    }
}

/// One finding.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// A stable word for what it is.
    pub(super) code: &'static str,
    pub(super) level: Level,
    pub(super) at: Position,
    /// Where the other rule of a pair stands.
    pub(super) other_at: Option<Position>,
    /// What, and what to do.
    pub(super) message: String,
    /// The rules it is about, by their numbers in the file.
    pub(super) rules: Vec<usize>,
    /// What it is about beside these rules, in words that stay the same while other rules and lines come and go.
    pub(super) about: String,
}

impl Found {
    pub(super) fn fault(fault: &RuleFault) -> Self {
        use tieout_domain::rules::Place;
        let number = |rule: &RuleName| rule.number;
        let (rules, about) = match fault {
            RuleFault::Syntax { what, .. } => (Vec::new(), what.clone()),
            RuleFault::TooLarge { .. } => (Vec::new(), String::new()),
            RuleFault::Content { place, what, .. } => match place {
                Place::Rule(rule) => (vec![rule.number], what.clone()),
                place => (Vec::new(), format!("{place}: {what}")),
            },
            RuleFault::Ambiguous {
                first,
                second,
                dimension,
                ..
            }
            | RuleFault::Contradiction {
                first,
                second,
                dimension,
                ..
            } => (vec![first.number, second.number], dimension.to_string()),
            RuleFault::TooEntangled { rules, dimension, .. } => {
                (rules.iter().map(number).collect(), dimension.to_string())
            }
        };
        Self {
            code: fault_code(fault),
            level: Level::Error,
            at: fault.at(),
            other_at: fault.other_at(),
            message: fault.to_string(),
            rules,
            about,
        }
    }

    pub(super) fn remark(remark: &Remark) -> Self {
        let (Remark::NeverWins { rule, .. } | Remark::Unclear { rule, .. }) = remark;
        Self {
            code: remark_code(remark),
            level: Level::Remark,
            at: remark.at(),
            other_at: None,
            message: remark.to_string(),
            rules: vec![rule.number],
            about: String::new(),
        }
    }

    pub(super) fn of_chart(finding: &ChartFinding) -> Self {
        let (rules, place) = match &finding.subject {
            Subject::Rule(rule, dimension) => (vec![rule.number], dimension.to_string()),
            Subject::Setting(setting) => (Vec::new(), setting.to_string()),
        };
        // A line that shows it, and the rule it meets, are others once other rules change.
        let what = match &finding.fault {
            ChartFault::Lacking { account, .. }
            | ChartFault::NotTaken { account, .. }
            | ChartFault::Neither { account, .. }
            | ChartFault::Both { account, .. } => account.to_string(),
            ChartFault::Unclear { .. } => String::new(),
            fault => fault.to_string(),
        };
        Self {
            code: finding.fault.code(),
            level: finding.severity().into(),
            at: finding.at,
            other_at: finding.other_at,
            message: finding.to_string(),
            rules,
            about: format!("{place} {what}"),
        }
    }

    /// What a policy has that the set leaves out; it stands nowhere in the file.
    pub(super) fn of_policy(code: &'static str, level: Level, about: String, message: String) -> Self {
        Self {
            code,
            level,
            at: Position::START,
            other_at: None,
            message,
            rules: Vec::new(),
            about,
        }
    }
}

/// A stable word for a fault.
pub(super) fn fault_code(fault: &RuleFault) -> &'static str {
    match fault {
        RuleFault::Syntax { .. } => "syntax",
        RuleFault::TooLarge { .. } => "too_large",
        RuleFault::Content { .. } => "content",
        RuleFault::Ambiguous { .. } => "ambiguous",
        RuleFault::Contradiction { .. } => "contradiction",
        RuleFault::TooEntangled { .. } => "too_entangled",
    }
}

/// A stable word for a remark.
pub(super) fn remark_code(remark: &Remark) -> &'static str {
    match remark {
        Remark::NeverWins { .. } => "never_wins",
        Remark::Unclear { .. } => "unclear",
    }
}
