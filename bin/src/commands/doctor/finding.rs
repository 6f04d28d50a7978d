//! One line of a check: what was looked at, what was seen, what to do.

use serde::Serialize;
use tieout_domain::ports::{LedgerError, SourceError};
use tieout_qad::Check;

use crate::out::{DONE, Failure, OUTSIDE, PERSON};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What, e.g. `expensify policy 0123456789ABCDEF`.
    pub name: String,
    /// As it should be?
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do; blank where it is as it should be.
    pub fix: String,
    /// An outside system gave no answer at all, so that this says nothing of the configuration.
    pub unreachable: bool,
}

impl Finding {
    /// As it should be.
    pub fn good(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: true,
            detail: detail.into(),
            fix: String::new(),
            unreachable: false,
        }
    }

    /// Not as it should be.
    pub fn bad(name: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: false,
            detail: detail.into(),
            fix: fix.into(),
            unreachable: false,
        }
    }

    /// Not as it should be, in the words of an error.
    pub fn failed(name: impl Into<String>, failure: &Failure, fix: impl Into<String>) -> Self {
        Self {
            unreachable: matches!(failure, Failure::Outside(_)),
            ..Self::bad(name, failure.to_string(), fix)
        }
    }

    /// Expensify did not answer as it should.
    pub fn source(name: impl Into<String>, error: &SourceError) -> Self {
        let (fix, unreachable) = match error {
            SourceError::Unauthorised { .. } => (
                "`tieout credentials expensify` with a pair of a policy admin",
                false,
            ),
            SourceError::Refused { .. } => (
                "make the account of the credentials an admin or auditor of the policies",
                false,
            ),
            SourceError::Throttled { .. } => (
                "another program uses this account's calls: wait a minute and try again",
                true,
            ),
            SourceError::Unreachable { .. }
            | SourceError::Unanswered { .. }
            | SourceError::Truncated { .. } => (
                "check `url` under [connection.expensify], the network and the proxy; else try again later",
                true,
            ),
            SourceError::NotSent { .. } => ("see to the log's file and its disk, and try again", false),
        };
        Self {
            unreachable,
            ..Self::bad(name, error.to_string(), fix)
        }
    }

    /// What QAD's client looked at.
    pub fn ledger(check: Check) -> Self {
        Self {
            name: format!("qad {}", check.name),
            ok: check.ok,
            detail: check.detail,
            fix: check.fix,
            unreachable: false,
        }
    }

    /// The same, told as out of reach where asking again gave no answer either.
    pub fn unless_reached(mut self, error: &LedgerError) -> Self {
        if matches!(error, LedgerError::Unanswered { .. }) {
            self.unreachable = true;
            self.fix =
                "check `url` under [connection.qad], the network and the proxy; else ask whether QAD is up"
                    .to_owned();
        }
        self
    }
}

/// The exit status that findings mean: 3 where a system could not be reached, 1 where anything else is not as it should be.
pub fn status(findings: &[Finding]) -> u8 {
    if findings.iter().any(|finding| !finding.ok && finding.unreachable) {
        OUTSIDE
    } else if findings.iter().any(|finding| !finding.ok) {
        PERSON
    } else {
        DONE
    }
}

/// Findings in words: a line each, its fix below where there is one.
pub fn words(title: &str, findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|finding| finding.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = format!("{title}\n");
    for finding in findings {
        let sign = if finding.ok { "ok " } else { "NOT" };
        text.push_str(&format!("  {sign}  {:<width$}  ", finding.name));
        // A detail of several lines (a rule set's faults) stays below its own beginning.
        let indent = format!("\n{}", " ".repeat(width + 9));
        text.push_str(&finding.detail.trim_end().replace('\n', &indent));
        text.push('\n');
        if !finding.fix.is_empty() {
            text.push_str(&format!("{}fix: {}\n", " ".repeat(width + 9), finding.fix));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_out_of_reach_outweighs_what_a_person_has_to_mend() {
        let good = Finding::good("a", "fine");
        let bad = Finding::bad("b", "wrong", "mend it");
        let gone = Finding::source(
            "c",
            &SourceError::Unanswered {
                job: "policy list",
                detail: "refused".into(),
            },
        );
        assert_eq!(status(std::slice::from_ref(&good)), DONE);
        assert_eq!(status(&[good.clone(), bad.clone()]), PERSON);
        assert_eq!(status(&[good, bad, gone]), OUTSIDE);
    }

    #[test]
    fn each_line_that_is_not_ok_says_its_fix_below() {
        let text = words(
            "main",
            &[
                Finding::good("one", "fine"),
                Finding::bad("second", "wrong\nagain", "mend it"),
            ],
        );
        assert_eq!(
            text,
            "main\n  ok   one     fine\n  NOT  second  wrong\n               again\n               fix: mend it\n"
        );
    }
}
