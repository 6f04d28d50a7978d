//! The proof that one rule always wins: every two that can meet and disagree are held against each other.

use std::collections::BTreeMap;

use super::budget::{Budget, Spent};
use super::cells::Universe;
use super::fault::RuleFault;
use super::filing::Filing;
use super::position::Position;
use super::region::Region;
use super::set::{Dimension, Rule, RuleName};
use super::specificity::Contender;

/// So many looks at a number cost as much as one comparison of match sets.
pub(super) const A_LOOK: usize = 16;
/// What a fault of a pair costs of the budget, so that there are at most some thousands.
const A_FAULT: usize = 20_000;
/// So many rules are named where a set is too entangled.
const NAMED: usize = 6;

/// The rules that set one dimension, held against each other.
pub(super) struct Contest<'a> {
    rules: &'a [Rule],
    dimension: Dimension,
    universe: &'a Universe,
    contenders: &'a [Contender],
    filing: Filing,
}

impl<'a> Contest<'a> {
    pub(super) fn new(
        rules: &'a [Rule],
        dimension: Dimension,
        universe: &'a Universe,
        contenders: &'a [Contender],
    ) -> Self {
        Self {
            rules,
            dimension,
            universe,
            contenders,
            filing: Filing::new(
                contenders.iter().map(|contender| &contender.tight),
                &universe.counts(),
            ),
        }
    }

    fn name(&self, contender: &Contender) -> Option<(RuleName, Position)> {
        let rule = self.rules.get(contender.at)?;
        Some((rule.name.clone(), rule.at))
    }

    /// Those that may meet a region and are wanted, and how many were looked at.
    fn meeting(&self, region: &Region, wanted: impl Fn(&Contender) -> bool) -> (Vec<&'a Contender>, usize) {
        let contender = |at: u32| self.contenders.get(at as usize);
        let (met, seen) = self
            .filing
            .meeting(region, |at| contender(at).is_some_and(&wanted));
        (met.into_iter().filter_map(contender).collect(), seen)
    }

    /// Every fault of a pair that can meet; an error where the budget ended it, and then that is the last fault.
    pub(super) fn faults(&self, faults: &mut Vec<RuleFault>, budget: &mut Budget) -> Result<(), Spent> {
        for a in self.contenders {
            let (others, seen) = self.meeting(&a.tight, |b| b.at > a.at && b.outcome != a.outcome);
            if let Err(spent) = budget.spend(1 + seen / A_LOOK + others.len()) {
                let (others, _) = self.meeting(&a.tight, |b| b.at != a.at);
                faults.push(self.entangled([a].into_iter().chain(others)));
                return Err(spent);
            }
            for b in others {
                let found = self.fault(a, b, budget).and_then(|fault| {
                    // Nobody reads millions of faults, and they would not fit into memory.
                    let cost = if fault.is_some() { A_FAULT } else { 0 };
                    budget
                        .spend(cost)
                        .map_err(|Spent| self.entangled([a, b].into_iter()))?;
                    Ok(fault)
                });
                match found {
                    Ok(fault) => faults.extend(fault),
                    Err(entangled) => {
                        faults.push(entangled);
                        return Err(Spent);
                    }
                }
            }
        }
        Ok(())
    }

    /// What is wrong with two rules that disagree; an error where that is too much to find out.
    fn fault(
        &self,
        a: &Contender,
        b: &Contender,
        budget: &mut Budget,
    ) -> Result<Option<RuleFault>, RuleFault> {
        let (in_b, in_a) = (a.is_within(b), b.is_within(a));
        if in_a != in_b {
            return Ok(None); // One lies within the other and wins.
        }
        let Some(both) = self.universe.overlap(&a.tight, &b.tight) else {
            return Ok(None);
        };
        // A rule within either of the two takes its lines out of their quarrel. If one of these disagrees with the other
        // of the two, that is a pair of its own.
        let (settling, seen) = if in_a {
            (Vec::new(), 0)
        } else {
            self.meeting(&both, |c| c.is_strictly_within(a) || c.is_strictly_within(b))
        };
        let regions: Vec<&Region> = settling.iter().map(|contender| &contender.literal).collect();
        // Each of those seen was held against both.
        let left = budget
            .spend(2 * seen)
            .and_then(|()| self.universe.uncovered(&both, &regions, budget));
        let Ok(left) = left else {
            return Err(self.entangled([a, b].into_iter().chain(settling)));
        };
        let (Some(witness), Some(one), Some(other)) = (left.map(Box::new), self.name(a), self.name(b)) else {
            return Ok(None);
        };
        let ((first, first_at), (second, second_at)) = if one < other { (one, other) } else { (other, one) };
        let dimension = self.dimension;
        Ok(Some(if in_a {
            RuleFault::Contradiction {
                first,
                first_at,
                second,
                second_at,
                dimension,
                witness,
            }
        } else {
            RuleFault::Ambiguous {
                first,
                first_at,
                second,
                second_at,
                dimension,
                witness,
            }
        }))
    }

    fn entangled<'c>(&self, contenders: impl Iterator<Item = &'c Contender>) -> RuleFault {
        let rules: BTreeMap<RuleName, Position> =
            contenders.take(NAMED).filter_map(|c| self.name(c)).collect();
        RuleFault::TooEntangled {
            at: rules.values().next().copied().unwrap_or(Position::START),
            rules: rules.into_keys().collect(),
            dimension: self.dimension,
        }
    }
}
