//! Accounts and cost centres that meet on a line: each account gets the cost centre that it wants, or there is a line that
//! shows where not.
//!
//! Which line shows it is first guessed and tried: which rules match it, and which of them win, is proof. Only where no guess
//! holds is the question settled over the cells, exactly.

use std::cell::OnceCell;

use super::finding::{ChartFault, ChartFinding, Subject};
use crate::chart::{Chart, CostCentreUse};
use crate::ids::{AccountCode, CostCentreCode, PolicyId};
use crate::rules::axis::Axis;
use crate::rules::budget::{Budget, Spent};
use crate::rules::contest::A_LOOK;
use crate::rules::filing::Filing;
use crate::rules::position::Position;
use crate::rules::region::Region;
use crate::rules::set::{Dimension, Outcome, RuleName, RuleSet};
use crate::rules::span::CellSet;
use crate::rules::specificity::{Contender, Ranking};
use crate::rules::view::Field;
use crate::rules::witness::Witness;

/// Comparisons for all accounts together: some seconds in the worst case.
const MOST: u64 = 20_000_000;

impl RuleSet {
    pub(super) fn centres_against(&self, chart: &Chart, policies: &[PolicyId]) -> Vec<ChartFinding> {
        let rankings = (
            self.rankings.get(&Dimension::Account),
            self.rankings.get(&Dimension::CostCentre),
        );
        let (Some(accounts), Some(centres)) = rankings else {
            return Vec::new();
        };
        Meetings::new(self, accounts, centres, policies).findings(chart)
    }
}

/// What is asked of one account.
struct Asked<'a> {
    contender: &'a Contender,
    account: AccountCode,
    wants: CostCentreUse,
    /// The lines that the rule matches, of the policies that there are.
    lines: Region,
    /// More specific rules for the account: their lines are not this one's.
    narrower: Vec<&'a Region>,
}

/// A line on which two rules meet.
struct Met {
    cost_centre: CostCentreCode,
    by: RuleName,
    witness: Witness,
}

struct Meetings<'a> {
    set: &'a RuleSet,
    accounts: &'a Ranking,
    centres: &'a Ranking,
    accounts_filed: Filing,
    centres_filed: Filing,
    policies: &'a [PolicyId],
    /// The cells of the policies that there are, where rules look at them.
    of_policies: Option<(usize, CellSet)>,
    /// A line without a cost centre, of all lines, if there is any. Looked for once, and only where it is needed.
    without: OnceCell<Result<Option<Witness>, Spent>>,
    budget: Budget,
}

impl<'a> Meetings<'a> {
    fn new(set: &'a RuleSet, accounts: &'a Ranking, centres: &'a Ranking, policies: &'a [PolicyId]) -> Self {
        let universe = &set.index.universe;
        let counts = universe.counts();
        let filed = |ranking: &Ranking| {
            Filing::new(
                ranking.contenders().iter().map(|contender| &contender.tight),
                &counts,
            )
        };
        let of_policies = universe
            .place(&Field::Policy)
            .filter(|_| !policies.is_empty())
            .and_then(|place| {
                let (_, axis) = universe.axes().get(place)?;
                let cells = policies.iter().map(|policy| axis.cell(policy.as_str()));
                Some((place, CellSet::of_cells(cells)))
            });
        Self {
            set,
            accounts,
            centres,
            accounts_filed: filed(accounts),
            centres_filed: filed(centres),
            policies,
            of_policies,
            without: OnceCell::new(),
            budget: Budget::new(MOST),
        }
    }

    fn findings(mut self, chart: &Chart) -> Vec<ChartFinding> {
        let mut findings = Vec::new();
        let mut unclear: Vec<(Position, RuleName)> = Vec::new();
        for contender in self.accounts.contenders() {
            let Some(asked) = self.asked(contender, chart) else {
                continue;
            };
            let Some(rule) = self.set.rules.get(contender.at) else {
                continue;
            };
            let found = match asked.wants {
                CostCentreUse::Forbidden => self.meets_one(&asked),
                CostCentreUse::Required | CostCentreUse::Optional => self.lacks_one(&asked),
            };
            match found {
                Ok(None) => {}
                Ok(Some((fault, other_at))) => findings.push(ChartFinding {
                    subject: Subject::Rule(rule.name.clone(), Dimension::Account),
                    at: rule.at,
                    other_at,
                    fault,
                }),
                Err(Spent) => unclear.push((rule.at, rule.name.clone())),
            }
        }
        unclear.sort();
        let rules = unclear.len();
        findings.extend(unclear.into_iter().next().map(|(at, name)| ChartFinding {
            subject: Subject::Rule(name, Dimension::Account),
            at,
            other_at: None,
            fault: ChartFault::Unclear { rules },
        }));
        findings
    }

    /// What there is to ask of a rule: nothing where its account comes from the line, or is none that could post.
    fn asked(&self, contender: &'a Contender, chart: &Chart) -> Option<Asked<'a>> {
        let rule = self.set.rules.get(contender.at)?;
        let Some(Outcome::Code(code)) = rule.set.get(&Dimension::Account) else {
            return None;
        };
        let account = chart.account(&code.parse().ok()?)?;
        let lines = match &self.of_policies {
            Some((place, cells)) => {
                let ours: Region = [(*place, cells.clone())].into_iter().collect();
                self.set.index.universe.overlap(&contender.tight, &ours)?
            }
            None => contender.tight.clone(),
        };
        let (narrower, _) = self.accounts.narrower(contender, &self.accounts_filed);
        Some(Asked {
            contender,
            account: account.code.clone(),
            wants: account.cost_centre,
            lines,
            narrower: narrower.map(|other| &other.literal).collect(),
        })
    }

    /// The rules that may give a cost centre to a line of these.
    fn centres_for(&mut self, lines: &Region) -> Result<Vec<&'a Contender>, Spent> {
        let (met, seen) = self.centres_filed.meeting(lines, |_| true);
        self.budget.spend(seen / A_LOOK)?;
        let contenders = self.centres.contenders();
        Ok(met
            .into_iter()
            .filter_map(|at| contenders.get(at as usize))
            .collect())
    }

    /// Lines that go without a cost centre though their account takes one.
    fn lacks_one(&mut self, asked: &Asked<'a>) -> Result<Option<(ChartFault, Option<Position>)>, Spent> {
        let Some(witness) = self.line_without(asked)? else {
            return Ok(None);
        };
        let required = asked.wants == CostCentreUse::Required;
        let every = !self.some_line_gets_one(asked)?;
        // That an account may have one says little of a line that no tag rule names; that none can ever have one does.
        Ok((required || every).then(|| {
            let fault = ChartFault::NoCostCentre {
                account: asked.account.clone(),
                required,
                every,
                witness: Box::new(self.of_a_policy(witness)),
            };
            (fault, None)
        }))
    }

    /// Lines that get a cost centre though their account takes none.
    fn meets_one(&mut self, asked: &Asked<'a>) -> Result<Option<(ChartFault, Option<Position>)>, Spent> {
        let Some(met) = self.line_with_code(asked)? else {
            return Ok(None);
        };
        let other = self.set.rules.iter().find(|rule| rule.name == met.by);
        let fault = ChartFault::CostCentreMet {
            account: asked.account.clone(),
            cost_centre: met.cost_centre,
            by: met.by,
            every: self.line_without(asked)?.is_none() && self.all_are_codes(asked)?,
            witness: Box::new(self.of_a_policy(met.witness)),
        };
        Ok(Some((fault, other.map(|rule| rule.at))))
    }

    /// A line that gets its account by the rule, and that no rule for cost centres matches.
    fn line_without(&mut self, asked: &Asked<'a>) -> Result<Option<Witness>, Spent> {
        let universe = &self.set.index.universe;
        let own = universe.uncovered(&asked.lines, &asked.narrower, &mut self.budget)?;
        let Some(own) = own else {
            return Ok(None); // No line gets its account by this rule.
        };
        // Where nothing is said of a field, it holds what no rule names: mostly such a line has no cost centre either.
        if self.goes_without(&own, asked) {
            return Ok(Some(self.with_fields_of_centres(own)));
        }
        match self.without_of_all() {
            // Every line there is has a cost centre.
            Ok(None) => return Ok(None),
            Ok(Some(line)) => {
                let like = self.like(line, asked);
                let line = like.and_then(|region| universe.pick(&region));
                if let Some(line) = line.filter(|line| self.goes_without(line, asked)) {
                    return Ok(Some(line));
                }
            }
            Err(Spent) => {}
        }
        let centres = self.centres_for(&asked.lines)?;
        let taken: Vec<&Region> = asked
            .narrower
            .iter()
            .copied()
            .chain(centres.iter().map(|centre| &centre.literal))
            .collect();
        self.set
            .index
            .universe
            .uncovered(&asked.lines, &taken, &mut self.budget)
    }

    /// Does a line get its account by the rule, and match no rule for cost centres? One that takes the code from the line
    /// matches it all the same.
    fn goes_without(&self, line: &Witness, asked: &Asked<'_>) -> bool {
        let matching = self.set.index.matching(&line.view());
        let has_centre = |rule: &usize| self.centres.contender(*rule).is_some();
        self.decides(&matching, asked) && !matching.iter().any(has_centre)
    }

    /// Of the rules that match a line of the rule, is none more specific?
    fn decides(&self, matching: &[usize], asked: &Asked<'_>) -> bool {
        let mut others = matching.iter().filter_map(|rule| self.accounts.contender(*rule));
        !others.any(|other| other.is_strictly_within(asked.contender))
    }

    /// A line without a cost centre shows why: what the rules for cost centres look at, it holds otherwise.
    fn with_fields_of_centres(&self, mut line: Witness) -> Witness {
        let more = self.centres.fields.iter();
        let more: Vec<Field> = more
            .filter(|field| !line.matters.contains(field))
            .cloned()
            .collect();
        line.matters.extend(more);
        if line.matters.contains(&Field::Tag) {
            line.matters.retain(|field| !matches!(field, Field::TagLevel(_)));
        }
        line
    }

    fn without_of_all(&self) -> &Result<Option<Witness>, Spent> {
        self.without.get_or_init(|| {
            let all: Region = self.of_policies.clone().into_iter().collect();
            let centres: Vec<&Region> = self.centres.contenders().iter().map(|c| &c.literal).collect();
            let mut budget = Budget::new(Budget::QUESTION);
            self.set.index.universe.uncovered(&all, &centres, &mut budget)
        })
    }

    /// The lines of a rule that are otherwise like this one.
    fn like(&self, line: &Witness, asked: &Asked<'_>) -> Option<Region> {
        let universe = &self.set.index.universe;
        let view = line.view();
        let mut region = asked.lines.clone();
        for field in &line.matters {
            let Some(place) = universe.place(field).filter(|place| region.get(*place).is_none()) else {
                continue;
            };
            match universe.axes().get(place) {
                Some((_, Axis::Amounts(_))) | None => {}
                Some((field, axis)) => {
                    region.put(place, CellSet::of_cells([axis.cell(&view.value(field))]));
                }
            }
        }
        universe.tighten(region)
    }

    /// Does some line of the rule get a cost centre? One that is taken from the line counts: whether it is there, only the
    /// line can tell.
    fn some_line_gets_one(&mut self, asked: &Asked<'a>) -> Result<bool, Spent> {
        for centre in self.centres_for(&asked.lines)? {
            let Some(both) = self.set.index.universe.overlap(&asked.lines, &centre.tight) else {
                continue;
            };
            let universe = &self.set.index.universe;
            let guess = universe.pick(&both);
            let is_ours = |line: Witness| self.decides(&self.set.index.matching(&line.view()), asked);
            if guess.is_some_and(is_ours) {
                return Ok(true);
            }
            if universe
                .uncovered(&both, &asked.narrower, &mut self.budget)?
                .is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A line that gets its account by the rule, and a cost centre by a rule that names it.
    fn line_with_code(&mut self, asked: &Asked<'a>) -> Result<Option<Met>, Spent> {
        let meeting = self.centres_for(&asked.lines)?;
        for centre in meeting {
            let universe = &self.set.index.universe;
            let Some(rule) = self.set.rules.get(centre.at) else {
                continue;
            };
            let Some(Outcome::Code(code)) = rule.set.get(&Dimension::CostCentre) else {
                continue;
            };
            let Some(both) = universe.overlap(&asked.lines, &centre.tight) else {
                continue;
            };
            let met = |witness| {
                Some(Met {
                    cost_centre: code.parse().ok()?,
                    by: rule.name.clone(),
                    witness,
                })
            };
            let wins = |line: &Witness| {
                let matching = self.set.index.matching(&line.view());
                let mut others = matching.iter().filter_map(|rule| self.centres.contender(*rule));
                self.decides(&matching, asked) && !others.any(|other| other.is_strictly_within(centre))
            };
            if let Some(guess) = universe.pick(&both).filter(wins) {
                return Ok(met(guess));
            }
            let (narrower, seen) = self.centres.narrower(centre, &self.centres_filed);
            let taken: Vec<&Region> = asked
                .narrower
                .iter()
                .copied()
                .chain(narrower.map(|other| &other.literal))
                .collect();
            self.budget.spend(seen / A_LOOK)?;
            if let Some(witness) = universe.uncovered(&both, &taken, &mut self.budget)? {
                return Ok(met(witness));
            }
        }
        Ok(None)
    }

    /// Does every rule that may give these lines a cost centre name it?
    fn all_are_codes(&mut self, asked: &Asked<'a>) -> Result<bool, Spent> {
        let meeting = self.centres_for(&asked.lines)?;
        Ok(meeting.iter().all(|centre| {
            let rule = self.set.rules.get(centre.at);
            let outcome = rule.and_then(|rule| rule.set.get(&Dimension::CostCentre));
            matches!(outcome, Some(Outcome::Code(_)))
        }))
    }

    /// A line that is shown is of a policy that there is.
    fn of_a_policy(&self, mut line: Witness) -> Witness {
        let axis = self
            .of_policies
            .as_ref()
            .and_then(|(place, _)| self.set.index.universe.axes().get(*place));
        if let Some((_, axis)) = axis {
            let cell = axis.cell(&line.policy);
            let same = self
                .policies
                .iter()
                .find(|policy| axis.cell(policy.as_str()) == cell);
            if let Some(policy) = same {
                line.policy = policy.as_str().to_owned();
            }
        }
        line
    }
}
