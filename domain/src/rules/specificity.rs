//! Which rule wins: the one whose match set is contained in the other's. And the proof that one always does.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Region, Universe, apart, contained};
use super::condition::{Condition, Test};
use super::fault::{Place, RuleFault};
use super::set::{Dimension, Rule};
use super::view::Field;

/// The rules that set one dimension, ranked. By index into the set's rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranking {
    /// For each rule, those that are strictly more specific.
    narrower: BTreeMap<usize, BTreeSet<usize>>,
    /// The fields that their conditions look at.
    pub(super) fields: BTreeSet<Field>,
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
        faults.sort_by_key(RuleFault::place_in_file);
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
            fields: self
                .contenders
                .iter()
                .flat_map(|contender| contender.rule.when.fields().cloned())
                .collect(),
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
        if apart(&a.tight, &b.tight) {
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

#[cfg(test)]
mod tests {
    use crate::rules::testing::{accepted, line, refused};

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
