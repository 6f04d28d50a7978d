//! Which rule wins: the one whose match set is contained in the other's. And the proof that one always does.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::{Budget, Spent};
use super::cells::Universe;
use super::condition::{Condition, Test};
use super::fault::{Place, RuleFault};
use super::filing::Filing;
use super::hash::canonical_outcome;
use super::position::Position;
use super::region::Region;
use super::set::{Dimension, Rule, RuleName};
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
}
impl Contender {
    fn is_within(&self, other: &Self) -> bool {
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

/// So many looks at a number cost as much as one comparison of match sets.
pub(super) const A_LOOK: usize = 16;
/// What a fault of a pair costs of the budget, so that there are at most some thousands.
const A_FAULT: usize = 20_000;
/// So many rules are named where a set is too entangled.
const NAMED: usize = 6;

/// The rules that set one dimension, held against each other.
struct Contest<'a> {
    rules: &'a [Rule],
    dimension: Dimension,
    universe: &'a Universe,
    contenders: &'a [Contender],
    filing: Filing,
}

impl<'a> Contest<'a> {
    fn new(
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
    fn faults(&self, faults: &mut Vec<RuleFault>, budget: &mut Budget) -> Result<(), Spent> {
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

#[cfg(test)]
mod tests {
    use crate::rules::budget::Budget;
    use crate::rules::testing::{SETTINGS, accepted, line, refused};
    use crate::rules::{Dimension, RuleFault, RuleSet};

    fn account(rules: &[&str], category: &str, tag: &str) -> Option<String> {
        let line = line(category, tag);
        accepted(rules)
            .resolve(&line.view())
            .account
            .value()
            .map(ToString::to_string)
    }

    #[test]
    fn the_narrower_rule_wins_wherever_it_stands() {
        let wide = r#"category = ["Air", "Hotel"] => account = "6410""#;
        let narrow = r#"category = "Air" => account = "6420""#;
        for rules in [[wide, narrow], [narrow, wide]] {
            assert_eq!(account(&rules, "Air", "Ohio").as_deref(), Some("6420"));
            assert_eq!(account(&rules, "Hotel", "Ohio").as_deref(), Some("6410"));
            assert_eq!(account(&rules, "Meals", "Ohio"), None, "there is no default");
        }
    }

    #[test]
    fn two_rules_that_cross_are_refused_with_a_line_that_both_match() {
        let faults = refused(&[
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => account = "6420""#,
        ]);
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].starts_with(
                "rule 1 and rule 2 set different values for `account` and neither is more specific: both match a line with \
                 category \"Air\", tag \"Ohio\"."
            ),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn two_rules_that_cross_may_agree() {
        let rules = [
            r#"category = "Air" => account = "a1""#,
            r#"tag = "Ohio" => account = "A1""#,
        ];
        assert_eq!(
            account(&rules, "Air", "Ohio")
                .map(|code| code.to_uppercase())
                .as_deref(),
            Some("A1")
        );
    }

    #[test]
    fn two_rules_that_cross_on_other_dimensions_never_meet() {
        accepted(&[
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => cost_centre = "CC-OH""#,
        ]);
    }

    #[test]
    fn a_third_rule_for_what_both_match_settles_it() {
        let rules = [
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => account = "6420""#,
            r#"category = "Air", tag = "Ohio" => account = "6430""#,
        ];
        assert_eq!(account(&rules, "Air", "Ohio").as_deref(), Some("6430"));
    }

    #[test]
    fn several_rules_may_settle_it_together() {
        accepted(&[
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => account = "6420""#,
            r#"category = "Air", tag = "Ohio", amount_to = "99.99" => account = "6430""#,
            r#"category = "Air", tag = "Ohio", amount_from = 100 => account = "6440""#,
        ]);
    }

    #[test]
    fn what_is_settled_only_in_part_is_refused_with_a_line_from_the_rest() {
        let faults = refused(&[
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => account = "6420""#,
            r#"category = "Air", tag = "Ohio", amount_to = "99.99" => account = "6430""#,
            r#"category = "Air", tag = "Ohio", amount_from = "100.01" => account = "6440""#,
        ]);
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].contains("category \"Air\", tag \"Ohio\", amount 100"),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn twins_are_refused_unless_they_agree() {
        let faults = refused(&[
            r#"category = "Air" => account = "6410""#,
            r#"category = ["Air"] => account = "6420""#,
        ]);
        assert!(
            faults[0].contains("match exactly the same lines"),
            "{}",
            faults[0]
        );
        accepted(&[
            r#"category = "Air" => account = "6410""#,
            r#"category = ["Air"] => account = "6410""#,
        ]);
    }

    #[test]
    fn a_whole_tag_is_narrower_than_its_first_level() {
        let rules = [
            r#"tag_level_1 = "Ohio" => account = "1""#,
            r#"tag = "Ohio:Line 2" => account = "2""#,
        ];
        assert_eq!(account(&rules, "Air", "Ohio:Line 2").as_deref(), Some("2"));
        assert_eq!(account(&rules, "Air", "Ohio:Line 3").as_deref(), Some("1"));
        accepted(&[
            r#"tag_level_1 = "Ohio" => account = "1""#,
            r#"tag = "Texas" => account = "2""#,
        ]);
    }

    #[test]
    fn a_branch_is_wider_than_what_lies_below_it() {
        let rules = [
            r#"category = "Travel:*" => account = "1""#,
            r#"category = "Travel:Air:*" => account = "2""#,
            r#"category = "Travel:Air" => account = "3""#,
            r#"category = "Travel:Air:Long haul" => account = "4""#,
            r#"category = ["Travel : Hotel", "Travel:Motel"] => account = "4""#,
            r#"category = "Travel" => account = "5""#,
        ];
        for (category, expected) in [
            ("Travel:Rail", Some("1")),
            ("Travel:Air:Short", Some("2")),
            ("Travel: Air", Some("3")),
            ("Travel:Air:Long haul", Some("4")),
            ("Travel:Hotel", Some("4")),
            ("Travel", Some("5")),
            ("Travelling", None),
        ] {
            assert_eq!(account(&rules, category, "").as_deref(), expected, "{category}");
        }
    }

    #[test]
    fn a_branch_that_crosses_is_refused_with_a_category_of_it() {
        let faults = refused(&[
            r#"category = "Travel:*" => account = "1""#,
            r#"tag = "Ohio" => account = "2""#,
            r#"category = "Travel:another category", tag = "Ohio" => account = "3""#,
        ]);
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].contains("category \"Travel:another category2\", tag \"Ohio\""),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn a_longer_beginning_of_a_merchant_is_narrower() {
        accepted(&[
            r#"merchant = "Uber*" => account = "1""#,
            r#"merchant = "UBER EATS*" => account = "2""#,
            r#"merchant = "uber" => account = "3""#,
        ]);
    }

    #[test]
    fn a_witness_is_a_merchant_that_no_rule_names() {
        let faults = refused(&[
            r#"merchant = "u*" => account = "1""#,
            r#"category = "Air" => account = "2""#,
            r##"merchant = ["u", "u~*", "u#*", "u+*"], category = "Air" => account = "3""##,
        ]);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("merchant \"u\u{4e00}\""), "{}", faults[0]);
    }

    #[test]
    fn bounds_that_touch_overlap_and_bounds_a_cent_apart_do_not() {
        let faults = refused(&[
            r#"amount_to = 500 => account = "1""#,
            r#"amount_from = 500 => account = "2""#,
        ]);
        assert!(faults[0].contains("a line with amount 500"), "{}", faults[0]);
        accepted(&[
            r#"amount_to = 500 => account = "1""#,
            r#"amount_from = "500.01" => account = "2""#,
        ]);
    }

    #[test]
    fn a_rule_that_no_line_can_match_is_refused() {
        for rule in [
            r#"amount_from = 10, amount_to = 5 => account = "1""#,
            r#"tag = "Ohio", tag_level_1 = "Texas" => account = "1""#,
        ] {
            assert!(refused(&[rule])[0].contains("no line can match it"), "{rule}");
        }
    }

    #[test]
    fn credit_accounts_are_compared_where_they_are_asked_for() {
        // The two meet only on cards, where no credit account is looked for.
        accepted(&[
            r#"category = "Air", card_program = ["", "Visa"] => credit_account = "1""#,
            r#"tag = "Ohio", card_program = ["Visa", ""], category = "Hotel" => credit_account = "2""#,
        ]);
        let faults = refused(&[
            r#"category = "Air" => credit_account = "1""#,
            r#"tag = "Ohio" => credit_account = "2""#,
        ]);
        assert!(faults[0].contains("reimbursable false"), "{}", faults[0]);
    }

    #[test]
    fn a_set_that_is_too_entangled_is_refused_with_rules_to_split() {
        // Every two of them overlap, and none is within another.
        let crossing = |number: usize, code: &dyn Fn(usize) -> usize| -> String {
            let rule = |n: usize| {
                let (all, code) = (["A", "B", "C", "D", "E", "F"], code(n));
                let some = |skip: usize| all.iter().filter(|v| **v != all[skip % 6]).collect::<Vec<_>>();
                format!(
                    "[[rule]]\nwhen = {{ category = {:?}, tag = {:?}, kind = {:?} }}\nset = {{ account = \"{code}\" }}\n",
                    some(n),
                    some(n / 6),
                    some(n / 36)
                )
            };
            (0..number).map(rule).collect::<String>() + SETTINGS
        };
        let text = crossing(216, &|n| n);
        let found = RuleSet::parse_within(&text, &mut Budget::new(1_000_000)).expect_err("accepted");
        assert!(found.len() < 100, "{}", found.len());
        let Some(RuleFault::TooEntangled { rules, dimension, .. }) = found.last() else {
            panic!("{:?}", found.last());
        };
        assert_eq!((rules.len(), *dimension), (2, Dimension::Account));
        assert!(found.last().unwrap().to_string().contains("too entangled"));
        let agreeing = crossing(216, &|_| 1);
        assert!(RuleSet::parse_within(&agreeing, &mut Budget::new(1_000_000)).is_ok());
        let found = RuleSet::parse_within(&agreeing, &mut Budget::new(1_000)).expect_err("accepted");
        assert!(matches!(found.as_slice(), [RuleFault::TooEntangled { rules, .. }] if rules.len() == 6));
    }

    #[test]
    fn faults_are_told_in_the_order_of_the_file() {
        let faults = refused(&[
            r#"category = "Air" => account = "6410""#,
            r#"tag = "Ohio" => account = "6420", cost_centre = "C""#,
            r#"category = "Hotel", amount_from = 5, amount_to = 4 => account = "6430""#,
            r#"category = "Hotel" => cost_centre = "D""#,
        ]);
        let starts: Vec<&str> = faults.iter().map(|fault| fault.get(..17).unwrap()).collect();
        assert_eq!(
            starts,
            ["rule 1 and rule 2", "rule 2 and rule 4", "rule 3: no line c"],
            "{faults:#?}"
        );
    }
}
