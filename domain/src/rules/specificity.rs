//! Which rule wins: the one whose match set is contained in the other's.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Budget;
use super::cells::Universe;
use super::condition::{Condition, Test};
use super::contest::Contest;
use super::fault::{Place, RuleFault};
use super::filing::Filing;
use super::hash::canonical_outcome;
use super::region::Region;
use super::set::{Dimension, Outcome, Rule, RuleName};
use super::view::Field;

/// The rules that set one dimension, ranked. By index into the set's rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranking {
    /// For each rule of the set, its place among the contenders.
    place: Vec<Option<usize>>,
    contenders: Vec<Contender>,
    /// The fields that their conditions look at.
    pub(super) fields: BTreeSet<Field>,
}

/// A rule that sets the dimension.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) at: usize,
    /// Equal for outcomes that are.
    pub(super) outcome: u32,
    pub(super) literal: Region,
    pub(super) tight: Region,
    /// What is strictly within another has a smaller one.
    extent: u64,
    /// What a line is told where it wins. Together, since the rules of a large set lie far apart in memory.
    pub(super) name: RuleName,
    pub(super) value: Outcome,
    /// The fields that its conditions look at, by their places in the universe.
    pub(super) looks_at: Box<[u32]>,
}
impl Contender {
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.extent <= other.extent && self.tight.is_within(&other.literal)
    }

    /// Is it the more specific one?
    pub(super) fn is_strictly_within(&self, other: &Self) -> bool {
        self.extent < other.extent && self.tight.is_within(&other.literal)
    }
}

impl Ranking {
    /// Ranks the rules of every dimension; refuses a set in which some line would meet two answers, or that is too
    /// entangled to be proven free of such lines.
    pub(super) fn of_all(
        rules: &[Rule],
        universe: &Universe,
        budget: &mut Budget,
    ) -> Result<BTreeMap<Dimension, Self>, Vec<RuleFault>> {
        let mut faults = never_matching(rules, universe);
        let mut rankings = BTreeMap::new();
        for dimension in Dimension::ALL {
            let ranking = Self::new(rules, dimension, universe);
            let contest = Contest::new(rules, dimension, universe, &ranking.contenders);
            let ended = contest.faults(&mut faults, budget);
            rankings.insert(dimension, ranking);
            if ended.is_err() {
                break;
            }
        }
        faults.sort_by_key(RuleFault::place_in_file);
        if faults.is_empty() {
            Ok(rankings)
        } else {
            Err(faults)
        }
    }

    fn new(rules: &[Rule], dimension: Dimension, universe: &Universe) -> Self {
        let mut outcomes = BTreeMap::new();
        let mut ranking = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            let outcome = rule.set.get(&dimension);
            // A rule that nothing matches is a fault of its own and no contender.
            let contender = outcome.and_then(|outcome| {
                let when = asked(rule, dimension);
                let tight = universe.tight(&when)?;
                let next = outcomes.len() as u32;
                Some(Contender {
                    at,
                    outcome: *outcomes.entry(canonical_outcome(outcome)).or_insert(next),
                    literal: universe.literal(&when),
                    extent: universe.extent(&tight),
                    tight,
                    name: rule.name.clone(),
                    value: outcome.clone(),
                    looks_at: rule
                        .when
                        .fields()
                        .filter_map(|field| Some(universe.place(field)? as u32))
                        .collect(),
                })
            });
            ranking
                .place
                .push(contender.as_ref().map(|_| ranking.contenders.len()));
            if contender.is_some() {
                ranking.fields.extend(rule.when.fields().cloned());
            }
            ranking.contenders.extend(contender);
        }
        ranking
    }

    /// The rules that set the dimension.
    pub(super) fn contenders(&self) -> &[Contender] {
        &self.contenders
    }

    /// A rule among them.
    pub(super) fn contender(&self, rule: usize) -> Option<&Contender> {
        self.contenders.get((*self.place.get(rule)?)?)
    }

    /// Those that are strictly more specific than one of them, and how many were looked at.
    pub(super) fn narrower<'a>(
        &'a self,
        wide: &'a Contender,
        filing: &Filing,
    ) -> (impl Iterator<Item = &'a Contender>, usize) {
        let is_narrower = |other: u32| {
            let other = self.contenders.get(other as usize);
            other.is_some_and(|other| other.is_strictly_within(wide))
        };
        let (met, seen) = filing.meeting(&wide.tight, is_narrower);
        (
            met.into_iter().filter_map(|at| self.contenders.get(at as usize)),
            seen,
        )
    }

    /// Of rules that match one line, those that set the dimension and that no other of them is more specific than; in
    /// the order given.
    pub(super) fn deciding(&self, matching: &[usize]) -> Vec<&Contender> {
        let mut setting: Vec<&Contender> = matching.iter().filter_map(|at| self.contender(*at)).collect();
        if setting.len() > 1 {
            // What is more specific has the smaller extent and is met first. Whatever is beaten is also beaten by one
            // that itself is not, so that only those need be remembered.
            setting.sort_by_key(|contender| contender.extent);
            let mut unbeaten: Vec<&Contender> = Vec::new();
            for contender in setting {
                if !unbeaten.iter().any(|better| better.is_strictly_within(contender)) {
                    unbeaten.push(contender);
                }
            }
            unbeaten.sort_by_key(|contender| contender.at);
            setting = unbeaten;
        }
        setting
    }
}

fn never_matching(rules: &[Rule], universe: &Universe) -> Vec<RuleFault> {
    let fault = |rule: &Rule| {
        RuleFault::content(
            &Place::Rule(rule.name.clone()),
            rule.at,
            "no line can match it: its conditions contradict each other",
            "See whether `amount_from` lies above `amount_to`, or `tag` names a tag without that level, and correct it",
        )
    };
    let never = |rule: &&Rule| universe.tight(&rule.when).is_none();
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

/// The cells of everything that rules are asked.
pub(super) fn universe_of(rules: &[Rule]) -> Universe {
    let credit: Vec<Condition> = rules
        .iter()
        .filter(|rule| rule.set.contains_key(&Dimension::CreditAccount))
        .map(|rule| asked(rule, Dimension::CreditAccount))
        .collect();
    Universe::new(rules.iter().map(|rule| &rule.when).chain(&credit))
}

#[cfg(test)]
mod tests;
