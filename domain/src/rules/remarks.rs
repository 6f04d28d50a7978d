//! What is odd about a set that was accepted: no reason to refuse it, and worth a look.

use std::fmt;

use super::budget::{Budget, Spent};
use super::contest::A_LOOK;
use super::filing::Filing;
use super::position::Position;
use super::region::Region;
use super::set::{Rule, RuleName, RuleSet};
use super::specificity::{Contender, Ranking};

/// A finding that is no fault. The words say what, where and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// For everything it sets, and on every line it matches, a more specific rule wins.
    NeverWins {
        /// The rule.
        rule: RuleName,
        /// Where it stands in the file.
        at: Position,
        /// The rules that win instead, in the order of the file; at most a few are named.
        instead: Vec<RuleName>,
    },
    /// Whether it can ever win is too entangled to be found out.
    Unclear {
        /// The rule.
        rule: RuleName,
        /// Where it stands in the file.
        at: Position,
    },
}
impl Remark {
    /// Where it stands in the file.
    pub fn at(&self) -> Position {
        match self {
            Self::NeverWins { at, .. } | Self::Unclear { at, .. } => *at,
        }
    }
}
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverWins { rule, instead, .. } => {
                let instead: Vec<String> = instead.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "{rule} can never win: more specific rules take every line it matches ({}). Remove it, or widen what it \
                     matches",
                    instead.join(", ")
                )
            }
            Self::Unclear { rule, .. } => write!(
                f,
                "whether {rule} can ever win is too entangled to be found out: very many more specific rules overlap it"
            ),
        }
    }
}

/// So many of the rules that win instead are named.
const NAMED: usize = 6;

impl RuleSet {
    /// What is odd about the set, in the order of the file.
    pub fn remarks(&self) -> Vec<Remark> {
        let counts = self.index.universe.counts();
        let contests: Vec<(&Ranking, Filing)> = self
            .rankings
            .values()
            .map(|ranking| {
                let tight = ranking.contenders().iter().map(|contender| &contender.tight);
                (ranking, Filing::new(tight, &counts))
            })
            .collect();
        // One budget for them all: the time that remarks take is bounded, however many rules there are.
        let mut budget = Budget::new(Budget::CHECK);
        let mut remarks: Vec<Remark> = self
            .rules
            .iter()
            .enumerate()
            .filter_map(|(at, rule)| self.remark(at, rule, &contests, &mut budget))
            .collect();
        remarks.sort_by_key(Remark::at);
        remarks
    }

    fn remark(
        &self,
        at: usize,
        rule: &Rule,
        contests: &[(&Ranking, Filing)],
        budget: &mut Budget,
    ) -> Option<Remark> {
        let mut instead: Vec<RuleName> = Vec::new();
        for (ranking, filing) in contests {
            let Some(contender) = ranking.contender(at) else {
                continue;
            };
            let (narrower, seen) = ranking.narrower(contender, filing);
            let narrower: Vec<&Contender> = narrower.collect();
            let regions: Vec<&Region> = narrower.iter().map(|other| &other.literal).collect();
            let left = budget
                .spend(seen / A_LOOK)
                .and_then(|()| self.index.universe.uncovered(&contender.tight, &regions, budget));
            match left {
                Ok(None) => {
                    let names = narrower.iter().filter_map(|other| self.rules.get(other.at));
                    instead.extend(names.map(|rule| rule.name.clone()));
                }
                Ok(Some(_)) => return None,
                Err(Spent) => {
                    return Some(Remark::Unclear {
                        rule: rule.name.clone(),
                        at: rule.at,
                    });
                }
            }
        }
        instead.sort();
        instead.dedup();
        instead.truncate(NAMED);
        Some(Remark::NeverWins {
            rule: rule.name.clone(),
            at: rule.at,
            instead,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::accepted;

    fn remarks(rules: &[&str]) -> Vec<String> {
        let remarks = accepted(rules).remarks();
        remarks
            .iter()
            .map(|remark| format!("{}: {remark}", remark.at()))
            .collect()
    }

    #[test]
    fn a_rule_whose_every_line_is_taken_by_more_specific_ones_can_never_win() {
        let found = remarks(&[
            r#"category = "Air", reimbursable = true => account = "1""#,
            r#"category = "Air" => account = "2""#,
            r#"category = "Air", reimbursable = false => account = "3""#,
        ]);
        assert_eq!(
            found,
            [
                "4:1: rule 2 can never win: more specific rules take every line it matches (rule 1, rule 3). Remove it, or \
                 widen what it matches"
            ]
        );
    }

    #[test]
    fn a_rule_that_wins_something_somewhere_is_not_remarked() {
        for rules in [
            // Some lines are left to it.
            [
                r#"category = "Air", amount_to = 5 => account = "1""#,
                r#"category = "Air" => account = "2""#,
            ],
            // It sets something that the narrower one does not.
            [
                r#"category = "Air" => account = "1""#,
                r#"category = ["Air", "Hotel"] => account = "2", project = "P""#,
            ],
            // They match the same lines and agree.
            [
                r#"category = "Air" => account = "1""#,
                r#"category = "Air" => account = "1""#,
            ],
        ] {
            assert_eq!(remarks(&rules), Vec::<String>::new());
        }
    }

    #[test]
    fn a_branch_is_never_wholly_taken_by_names() {
        let rules = [
            r#"category = "Travel:*" => account = "1""#,
            r#"category = ["Travel:Air", "Travel:Hotel"] => account = "2""#,
        ];
        assert_eq!(
            remarks(&rules),
            Vec::<String>::new(),
            "there may be a category that nobody has named yet"
        );
    }
}
