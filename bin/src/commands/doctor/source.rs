//! What Expensify shows to these credentials: the policies, and what going live would take.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use futures::StreamExt as _;
use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::money::Currency;
use tieout_domain::ports::{
    Clock as _, Listed, ListingQuery, Selection, Source as _, SourceError, SourceStates,
};
use tieout_domain::report::ReportFacts;
use tieout_domain::time::local_date;
use tieout_domain::workflow::windows;
use tieout_expensify::PolicySummary;

use super::Finding;
use crate::config::ConnectionConfig;
use crate::installation::{Expensify, Installation};

/// The policies that the configuration names, as the credentials see them (contract expensify §7.1).
pub async fn policies(expensify: &Expensify, config: &ConnectionConfig) -> Result<Vec<Finding>, SourceError> {
    let seen = expensify.policy_list(false).await?;
    let mut findings = vec![Finding::good(
        "expensify credentials",
        format!("accepted; {} policies are visible", seen.len()),
    )];
    for id in &config.expensify.policies {
        let name = format!("policy {id}");
        findings.push(match seen.iter().find(|policy| policy.id == *id) {
            Some(policy) => of_policy(name, policy),
            None => Finding::bad(
                name,
                "not visible to these credentials",
                "correct its id in `policies`, or make the account an admin or auditor of it",
            ),
        });
    }
    Ok(findings)
}

fn of_policy(name: String, policy: &PolicySummary) -> Finding {
    let detail = format!(
        "{}, in {}, as {}",
        policy.name, policy.output_currency, policy.role
    );
    if Currency::new(&policy.output_currency).is_err() {
        return Finding::bad(
            name,
            detail,
            "set the output currency of the policy in Expensify to one of ISO 4217",
        );
    }
    // Others see only their own reports, and nothing says that the rest is missing (contract expensify §4.1).
    if !["admin", "auditor"].contains(&policy.role.to_ascii_lowercase().as_str()) {
        return Finding::bad(
            name,
            detail,
            "make the account an admin or auditor of the policy: else other people's reports are missing, without a word",
        );
    }
    Finding::good(name, detail)
}

/// What a listing of today shows without our label: what the first cycle would take. Nothing is captured.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct GoingLive {
    /// Reports that would be taken.
    pub reports: u64,
    /// Of these, already paid at the source: they become journals, not payables.
    pub paid_at_source: u64,
    /// Their totals.
    pub totals: BTreeMap<String, Total>,
    /// Listed too, but approved before go-live: they would be left out, and counted.
    pub before_go_live: u64,
    /// Lines of the download that could not be read.
    pub unreadable: u64,
    #[serde(skip)]
    first_unreadable: Option<String>,
}

/// The reports of one currency.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How many.
    pub reports: u64,
    /// Their sum.
    pub amount: Decimal,
    /// How many came with a total that is no number, and are not in the sum.
    pub unreadable: u64,
}

/// Lists what going live would take.
pub async fn going_live(
    installation: &Installation,
    expensify: &Expensify,
    config: &ConnectionConfig,
) -> Result<GoingLive, SourceError> {
    let today = local_date(installation.clock.now(), config.qad.timezone);
    let mut taken = GoingLive::default();
    let mut shown = BTreeSet::new();
    for (approved_from, until) in windows(config.expensify.go_live, today) {
        let query = ListingQuery {
            policies: config.expensify.policies.clone(),
            selection: Selection::Window { approved_from, until },
            without_label: Some(config.expensify.label.clone()),
            states: SourceStates::Approved,
        };
        let mut lines = expensify.list(&query).await?;
        while let Some(line) = lines.next().await {
            match line? {
                Listed::Unreadable { line, why, .. } => {
                    taken.unreadable += 1;
                    taken
                        .first_unreadable
                        .get_or_insert_with(|| format!("line {line}: {why}"));
                }
                // Windows overlap, so that a report may be listed twice.
                Listed::Report(payload) if shown.insert(payload.facts.report) => {
                    let approved = payload.facts.approved.date_in(config.qad.timezone);
                    taken.count(&payload.facts, approved, config.expensify.go_live);
                }
                Listed::Report(_) => {}
            }
        }
    }
    Ok(taken)
}

impl GoingLive {
    fn count(&mut self, facts: &ReportFacts, approved: Option<NaiveDate>, go_live: NaiveDate) {
        if approved.is_some_and(|approved| approved < go_live) {
            self.before_go_live += 1;
            return;
        }
        self.reports += 1;
        self.paid_at_source += u64::from(facts.paid_at_source());
        let total = self.totals.entry(facts.currency.clone()).or_default();
        total.reports += 1;
        match facts
            .total
            .get()
            .and_then(|hundredths| total.amount.checked_add(Decimal::new(hundredths, 2)))
        {
            Some(sum) => total.amount = sum,
            None => total.unreadable += 1,
        }
    }

    /// In words.
    pub fn finding(&self, go_live: NaiveDate) -> Finding {
        let mut parts = vec![format!(
            "{} reports approved since {go_live} would be taken",
            self.reports
        )];
        parts.extend(self.totals.iter().map(in_words));
        if self.paid_at_source > 0 {
            parts.push(format!(
                "{} of them are paid at the source already and become journals",
                self.paid_at_source
            ));
        }
        if self.before_go_live > 0 {
            parts.push(format!(
                "{} more were approved before and would be left out",
                self.before_go_live
            ));
        }
        let detail = parts.join("\n");
        match &self.first_unreadable {
            None => Finding::good("going live", detail),
            Some(first) => Finding::bad(
                "going live",
                format!(
                    "{detail}\n{} lines of the download could not be read, the first is {first}",
                    self.unreadable
                ),
                "nothing posts while a listing is not whole: show the line to whoever keeps the export template",
            ),
        }
    }
}

fn in_words((currency, total): (&String, &Total)) -> String {
    let missing = match total.unreadable {
        0 => String::new(),
        n => format!(", of which {n} without a readable total"),
    };
    format!("  {} {currency} in {}{missing}", total.amount, total.reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(role: &str, currency: &str) -> PolicySummary {
        PolicySummary {
            id: tieout_domain::ids::PolicyId::new("0123456789ABCDEF").unwrap(),
            name: "Ohio".into(),
            owner: "owner@example.com".into(),
            role: role.into(),
            kind: "corporate".into(),
            output_currency: currency.into(),
        }
    }

    #[test]
    fn who_sees_only_his_own_reports_is_told_so() {
        assert!(of_policy("p".into(), &policy("admin", "USD")).ok);
        assert!(of_policy("p".into(), &policy("Auditor", "USD")).ok);
        let user = of_policy("p".into(), &policy("user", "USD"));
        assert!(!user.ok && user.fix.contains("missing"), "{user:?}");
        assert!(!of_policy("p".into(), &policy("admin", "")).ok);
    }

    #[test]
    fn what_would_be_taken_is_said_by_currency() {
        let totals = BTreeMap::from([(
            "USD".to_owned(),
            Total {
                reports: 2,
                amount: Decimal::new(12_345, 2),
                unreadable: 1,
            },
        )]);
        let taken = GoingLive {
            reports: 2,
            paid_at_source: 1,
            totals,
            before_go_live: 3,
            ..GoingLive::default()
        };
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        assert_eq!(
            taken.finding(day).detail,
            "2 reports approved since 2026-11-01 would be taken\n  123.45 USD in 2, of which 1 without a readable total\n\
             1 of them are paid at the source already and become journals\n\
             3 more were approved before and would be left out"
        );
    }
}
