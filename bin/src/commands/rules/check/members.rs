//! The members of policies who could not be paid back: their reimbursable expenses would be rejected.

use serde_json::{Value, json};
use tieout_domain::chart::{Chart, ChartVersion};
use tieout_domain::ids::Email;
use tieout_domain::ports::SourceError;
use tieout_domain::posting::no_supplier;
use tieout_domain::rules::RuleSet;
use tieout_expensify::{Employee, PolicyField};

use super::super::super::terminal::safe;
use super::coverage::PolicyCoverage;
use super::found::{Found, Level};
use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::Failure;

/// What was found of a policy's members.
pub(super) enum Members {
    /// Nobody asked.
    NotAsked,
    /// They could not be looked at, and why.
    NotShown(String),
    /// So many there are, and these have no supplier.
    Seen { number: usize, without: Vec<Unpaid> },
}

/// A member without a supplier.
pub(super) struct Unpaid {
    email: String,
    code: &'static str,
    message: String,
    remedy: &'static str,
    /// Is it only held, until QAD shows again what it showed before?
    is_held: bool,
}

/// Asks Expensify for the members of each policy, and looks for the supplier of each in the set's table and in the chart.
pub(super) async fn add(
    installation: &Installation,
    connection: &ConnectionConfig,
    rules: &RuleSet,
    chart: &Chart,
    policies: &mut [PolicyCoverage],
) -> Result<(), Failure> {
    let not_shown = |why: String, policies: &mut [PolicyCoverage]| {
        for policy in policies {
            policy.members = Members::NotShown(why.clone());
        }
    };
    if chart.version() == ChartVersion::default() {
        let why = "the log has no chart of QAD yet, and a cycle reads it (`tieout sync`)";
        not_shown(why.to_owned(), policies);
        return Ok(());
    }
    let expensify = installation.expensify(connection)?;
    let ids = &connection.expensify.policies;
    let seen = match expensify.policies(ids, &[PolicyField::Employees]).await {
        Ok(seen) => seen,
        // Whoever may see categories and tags need not be one who may see members (contract expensify §7.2).
        Err(error @ SourceError::Refused { .. }) => {
            not_shown(
                format!("only an admin of the policy may see them ({error})"),
                policies,
            );
            return Ok(());
        }
        Err(other) => return Err(other.into()),
    };
    for policy in policies {
        policy.members = match seen.get(&policy.policy).and_then(|seen| seen.employees.as_ref()) {
            Some(members) => Members::of(members, rules, chart),
            None => Members::NotShown("Expensify did not show them".to_owned()),
        };
    }
    Ok(())
}

impl Members {
    fn of(members: &[Employee], rules: &RuleSet, chart: &Chart) -> Self {
        let mut without: Vec<Unpaid> = members
            .iter()
            .filter_map(|member| unpaid(&member.email, rules, chart))
            .collect();
        without.sort_by(|a, b| a.email.cmp(&b.email));
        without.dedup_by(|a, b| a.email == b.email);
        Self::Seen {
            number: members.len(),
            without,
        }
    }

    pub(super) fn words(&self) -> String {
        let Self::Seen { number, without } = self else {
            return String::new();
        };
        let mut text = format!("    {} of {number} members have no supplier\n", without.len());
        for one in without {
            text.push_str(&format!(
                "      {}: {}. {}\n",
                safe(&one.email),
                one.message,
                one.remedy
            ));
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::NotAsked => Value::Null,
            Self::NotShown(why) => json!({"seen": null, "not_looked_at": why, "without_supplier": []}),
            Self::Seen { number, without } => {
                let list: Vec<Value> = without
                    .iter()
                    .map(|one| {
                        json!({
                            "email": one.email, "code": one.code, "severity": one.level().as_str(),
                            "message": one.message, "remedy": one.remedy,
                        })
                    })
                    .collect();
                json!({"seen": number, "not_looked_at": null, "without_supplier": list})
            }
        }
    }

    /// For a tool, which may hand them on: how many, and no address.
    pub(super) fn found(&self, policy: &str) -> Vec<Found> {
        let Self::Seen { without, .. } = self else {
            return Vec::new();
        };
        [Level::Error, Level::Warning]
            .into_iter()
            .filter_map(|level| {
                let number = without.iter().filter(|one| one.level() == level).count();
                let what = match level {
                    Level::Error => "have no supplier: their reimbursable expenses are rejected",
                    _ => "have a supplier that QAD does not show at present: their reimbursable expenses are held",
                };
                let message = format!(
                    "{number} members of policy {policy} {what}. `tieout rules check --coverage` names them, each with what \
                     to do"
                );
                let about = format!("members of {policy}, {}", level.as_str());
                (number > 0).then(|| Found::of_policy("member_without_supplier", level, about, message))
            })
            .collect()
    }

    pub(super) fn not_looked_at(&self) -> Option<&str> {
        match self {
            Self::NotShown(why) => Some(why),
            Self::NotAsked | Self::Seen { .. } => None,
        }
    }
}

impl Unpaid {
    fn level(&self) -> Level {
        if self.is_held {
            Level::Warning
        } else {
            Level::Error
        }
    }
}

fn unpaid(member: &str, rules: &RuleSet, chart: &Chart) -> Option<Unpaid> {
    let Ok(email) = Email::new(member) else {
        return Some(Unpaid {
            email: member.to_owned(),
            code: "no_address",
            message: "this is no address by which anybody could be found".to_owned(),
            remedy: "Correct the member in Expensify.",
            is_held: false,
        });
    };
    let reason = no_supplier(&email, rules, chart)?;
    Some(Unpaid {
        email: email.to_string(),
        code: reason.code.as_str(),
        is_held: reason.code == tieout_domain::report::ReasonCode::ChartHeld,
        remedy: reason.remedy(),
        message: reason.message,
    })
}
