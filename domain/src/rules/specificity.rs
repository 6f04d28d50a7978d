//! Which rule wins: the one whose match set is contained in the other's. And the proof that one always does.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Region, Universe, contained};
use super::condition::{Condition, Test};
use super::fault::{Place, RuleFault};
use super::set::{Dimension, Rule};
use super::view::Field;

/// For each rule that sets a dimension, the rules that are strictly more specific. By index into the set's rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranking {
    narrower: BTreeMap<usize, BTreeSet<usize>>,
}

impl Ranking {
    /// Ranks the rules of every dimension; refuses a set in which some line would meet two answers.
    pub(super) fn of_all(rules: &[Rule]) -> Result<BTreeMap<Dimension, Self>, Vec<RuleFault>> {
        let mut faults = never_matching(rules);
        let mut rankings = BTreeMap::new();
        for dimension in Dimension::ALL {
            let contest = Contest::new(rules, dimension);
            faults.extend(contest.faults());
            rankings.insert(dimension, contest.ranking());
        }
        if faults.is_empty() {
            Ok(rankings)
        } else {
            Err(faults)
        }
    }

    /// Of rules that match one line, those that no other of them is more specific than.
    pub(super) fn deciding(&self, matching: &[usize]) -> Vec<usize> {
        let beaten = |rule: usize| {
            self.narrower
                .get(&rule)
                .is_some_and(|by| matching.iter().any(|other| by.contains(other)))
        };
        matching.iter().copied().filter(|rule| !beaten(*rule)).collect()
    }
}

fn never_matching(rules: &[Rule]) -> Vec<RuleFault> {
    let universe = Universe::new(rules.iter().map(|rule| &rule.when));
    let never = |rule: &&Rule| {
        universe
            .tight(&rule.when)
            .is_none_or(|region| universe.uncovered(&region, &[]).is_none())
    };
    let fault = |rule: &Rule| {
        RuleFault::content(
            &Place::Rule(rule.name.clone()),
            "no line can match it: its conditions contradict each other",
            "See whether `amount_from` lies above `amount_to`, or `tag` names a tag without that level, and correct it",
        )
    };
    rules.iter().filter(never).map(fault).collect()
}

/// When a rule is asked for a dimension: its own conditions, and for a credit account that the line is neither
/// reimbursable nor on a card.
fn asked(rule: &Rule, dimension: Dimension) -> Condition {
    let mut when = rule.when.clone();
    if dimension == Dimension::CreditAccount {
        for (field, value) in [(Field::Reimbursable, "false"), (Field::CardProgram, "")] {
            let only = BTreeSet::from([value.to_owned()]);
            let both = match when.tests.get(&field) {
                Some(Test::OneOf(values)) => values.intersection(&only).cloned().collect(),
                _ => only,
            };
            when.tests.insert(field, Test::OneOf(both));
        }
    }
    when
}

struct Contender<'a> {
    at: usize,
    rule: &'a Rule,
    literal: Region,
    tight: Region,
}

/// The rules that set one dimension.
struct Contest<'a> {
    dimension: Dimension,
    universe: Universe,
    contenders: Vec<Contender<'a>>,
}

impl<'a> Contest<'a> {
    fn new(rules: &'a [Rule], dimension: Dimension) -> Self {
        let setting: Vec<(usize, &Rule, Condition)> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.set.contains_key(&dimension))
            .map(|(at, rule)| (at, rule, asked(rule, dimension)))
            .collect();
        let universe = Universe::new(setting.iter().map(|(_, _, when)| when));
        let contender = |(at, rule, when): &(usize, &'a Rule, Condition)| {
            // A rule that nothing matches is a fault of its own and no contender.
            let tight = universe.tight(when)?;
            Some(Contender {
                at: *at,
                rule,
                literal: universe.literal(when),
                tight,
            })
        };
        let contenders = setting.iter().filter_map(contender).collect();
        Self {
            dimension,
            universe,
            contenders,
        }
    }

    fn within(a: &Contender<'_>, b: &Contender<'_>) -> bool {
        contained(&a.tight, &b.literal)
    }

    fn strictly_within(a: &Contender<'_>, b: &Contender<'_>) -> bool {
        Self::within(a, b) && !Self::within(b, a)
    }

    fn ranking(&self) -> Ranking {
        let narrower = |b: &Contender<'_>| {
            self.contenders
                .iter()
                .filter(|a| Self::strictly_within(a, b))
                .map(|a| a.at)
                .collect()
        };
        Ranking {
            narrower: self.contenders.iter().map(|b| (b.at, narrower(b))).collect(),
        }
    }

    fn faults(&self) -> Vec<RuleFault> {
        let pairs = self
            .contenders
            .iter()
            .enumerate()
            .flat_map(|(i, a)| self.contenders.iter().skip(i + 1).map(move |b| (a, b)));
        pairs.filter_map(|(a, b)| self.fault(a, b)).collect()
    }

    fn fault(&self, a: &Contender<'_>, b: &Contender<'_>) -> Option<RuleFault> {
        if a.rule.set.get(&self.dimension) == b.rule.set.get(&self.dimension) {
            return None;
        }
        let both = self.universe.overlap(&a.tight, &b.tight)?;
        let (first, second) = if a.rule.name < b.rule.name { (a, b) } else { (b, a) };
        let (first, second) = (first.rule.name.clone(), second.rule.name.clone());
        let dimension = self.dimension;
        match (Self::within(a, b), Self::within(b, a)) {
            (true, true) => {
                let witness = Box::new(self.universe.uncovered(&both, &[])?);
                Some(RuleFault::Contradiction {
                    first,
                    second,
                    dimension,
                    witness,
                })
            }
            (false, false) => {
                // A rule within either of the two takes its lines out of their quarrel. If one of these disagrees with
                // the other of the two, that is a pair of its own.
                let settling: Vec<&Region> = self
                    .contenders
                    .iter()
                    .filter(|c| Self::strictly_within(c, a) || Self::strictly_within(c, b))
                    .map(|c| &c.literal)
                    .collect();
                let witness = Box::new(self.universe.uncovered(&both, &settling)?);
                Some(RuleFault::Ambiguous {
                    first,
                    second,
                    dimension,
                    witness,
                })
            }
            // One lies within the other and wins.
            _ => None,
        }
    }
}
