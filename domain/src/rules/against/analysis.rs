//! Accounts and what else codes a line, cost centre, project or sub-account: each account gets what its analysis wants
//! (contract qad §2.4), or there is a line that shows where not.
//!
//! Which line shows it is first guessed and tried: which rules match it, and which of them win, is proof. Only where no guess
//! holds is the question settled over the cells, exactly.

mod pair;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::finding::{ChartFault, ChartFinding, Subject};
use crate::chart::{Account, AnalysisUse, Chart, Limitation};
use crate::ids::{AccountCode, PolicyId};
use crate::rules::axis::Axis;
use crate::rules::budget::{Budget, Spent};
use crate::rules::contest::A_LOOK;
use crate::rules::filing::Filing;
use crate::rules::position::Position;
use crate::rules::region::Region;
use crate::rules::set::{Dimension, Outcome, Rule, RuleName, RuleSet};
use crate::rules::span::CellSet;
use crate::rules::specificity::{Contender, Ranking};
use crate::rules::view::Field;
use crate::rules::witness::Witness;

/// Comparisons for all accounts together: some seconds in the worst case.
const MOST: u64 = 20_000_000;

/// What an account may want beside it.
const ANALYSED: [Dimension; 3] = [Dimension::CostCentre, Dimension::Project, Dimension::SubAccount];

impl RuleSet {
    pub(super) fn analysis_against(&self, chart: &Chart, policies: &[PolicyId]) -> Vec<ChartFinding> {
        let mut findings = Vec::new();
        for dimension in ANALYSED {
            let meetings = Meetings::new(self, dimension, policies);
            findings.extend(meetings.into_iter().flat_map(|meetings| meetings.findings(chart)));
        }
        let of = |dimension| Meetings::new(self, dimension, policies);
        if let (Some(centres), Some(projects)) = (of(Dimension::CostCentre), of(Dimension::Project)) {
            findings.extend(pair::findings(centres, projects, chart));
        }
        findings
    }
}

/// What is asked of one account.
struct Asked<'a> {
    contender: &'a Contender,
    account: AccountCode,
    wants: AnalysisUse,
    limitation: Limitation,
    /// The lines that the rule matches, of the policies that there are.
    lines: Region,
    /// More specific rules for the account: their lines are not this one's.
    narrower: Vec<&'a Region>,
}

/// A line on which two rules meet.
struct Met {
    code: String,
    by: RuleName,
    witness: Witness,
}

struct Meetings<'a> {
    set: &'a RuleSet,
    dimension: Dimension,
    accounts: &'a Ranking,
    /// The rules for the dimension.
    others: &'a Ranking,
    accounts_filed: Filing,
    others_filed: Filing,
    policies: &'a [PolicyId],
    /// The cells of the policies that there are, where rules look at them.
    of_policies: Option<(usize, CellSet)>,
    /// A line without the dimension, of all lines, if there is any. Looked for once, and only where it is needed.
    without: OnceCell<Result<Option<Witness>, Spent>>,
    budget: Budget,
}

impl<'a> Meetings<'a> {
    /// `None` where rules are not ranked for it, which those of a set always are.
    fn new(set: &'a RuleSet, dimension: Dimension, policies: &'a [PolicyId]) -> Option<Self> {
        let accounts = set.rankings.get(&Dimension::Account)?;
        let others = set.rankings.get(&dimension)?;
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
        Some(Self {
            set,
            dimension,
            accounts,
            others,
            accounts_filed: filed(accounts),
            others_filed: filed(others),
            policies,
            of_policies,
            without: OnceCell::new(),
            budget: Budget::new(MOST),
        })
    }

    fn findings(mut self, chart: &Chart) -> Vec<ChartFinding> {
        let mut found = Found::default();
        for contender in self.accounts.contenders() {
            let Some(asked) = self.asked(contender, chart, |account| self.is_asked_alone(account)) else {
                continue;
            };
            let Some(rule) = self.set.rules.get(contender.at) else {
                continue;
            };
            found.of(
                rule,
                match asked.wants {
                    AnalysisUse::Forbidden => self.meets_one(&asked),
                    AnalysisUse::Required | AnalysisUse::Optional => self.lacks_one(&asked),
                },
            );
        }
        found.all(self.dimension)
    }

    /// Is it asked of the dimension by itself? That an account may have a project or a sub-account asks nothing; where a
    /// limitation joins cost centre and project, both are asked together.
    fn is_asked_alone(&self, account: &Account) -> bool {
        let joined = account.limitation != Limitation::None && self.dimension != Dimension::SubAccount;
        let wants = self.wanted_by(account);
        !joined && (wants != AnalysisUse::Optional || self.dimension == Dimension::CostCentre)
    }

    fn wanted_by(&self, account: &Account) -> AnalysisUse {
        match self.dimension {
            Dimension::Project => account.project,
            Dimension::SubAccount => account.sub_account,
            _ => account.cost_centre,
        }
    }

    /// What there is to ask of a rule: nothing where its account comes from the line, is none that could post, or is not asked.
    fn asked(
        &self,
        contender: &'a Contender,
        chart: &Chart,
        is_asked: impl Fn(&Account) -> bool,
    ) -> Option<Asked<'a>> {
        let rule = self.set.rules.get(contender.at)?;
        let Some(Outcome::Code(code)) = rule.set.get(&Dimension::Account) else {
            return None;
        };
        let account = chart
            .account(&code.parse().ok()?)
            .filter(|account| is_asked(account))?;
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
            wants: self.wanted_by(account),
            limitation: account.limitation,
            lines,
            narrower: narrower.map(|other| &other.literal).collect(),
        })
    }

    /// The rules that may give the dimension to a line of these.
    fn others_for(&mut self, lines: &Region) -> Result<Vec<&'a Contender>, Spent> {
        let (met, seen) = self.others_filed.meeting(lines, |_| true);
        self.budget.spend(seen / A_LOOK)?;
        let contenders = self.others.contenders();
        Ok(met
            .into_iter()
            .filter_map(|at| contenders.get(at as usize))
            .collect())
    }

    /// Lines that go without though their account takes one.
    fn lacks_one(&mut self, asked: &Asked<'a>) -> Answer {
        let Some(witness) = self.line_without(asked)? else {
            return Ok(None);
        };
        let required = asked.wants == AnalysisUse::Required;
        let every = !self.some_line_gets_one(asked)?;
        // That an account may have one says little of a line that no tag rule names; that none can ever have one does.
        Ok((required || every).then(|| {
            let fault = ChartFault::Lacking {
                dimension: self.dimension,
                account: asked.account.clone(),
                required,
                every,
                witness: Box::new(self.of_a_policy(witness)),
            };
            (fault, None)
        }))
    }

    /// Lines that get one though their account takes none.
    fn meets_one(&mut self, asked: &Asked<'a>) -> Answer {
        let Some(met) = self.line_with_code(asked)? else {
            return Ok(None);
        };
        let other = self.set.rules.iter().find(|rule| rule.name == met.by);
        let fault = ChartFault::NotTaken {
            dimension: self.dimension,
            account: asked.account.clone(),
            code: met.code,
            by: met.by,
            every: self.line_without(asked)?.is_none() && self.all_are_codes(asked)?,
            witness: Box::new(self.of_a_policy(met.witness)),
        };
        Ok(Some((fault, other.map(|rule| rule.at))))
    }

    /// A line that gets its account by the rule, and that no rule for the dimension matches.
    fn line_without(&mut self, asked: &Asked<'a>) -> Result<Option<Witness>, Spent> {
        let universe = &self.set.index.universe;
        let own = universe.uncovered(&asked.lines, &asked.narrower, &mut self.budget)?;
        let Some(own) = own else {
            return Ok(None); // No line gets its account by this rule.
        };
        // Where nothing is said of a field, it holds what no rule names: mostly such a line goes without, too.
        if self.goes_without(&own, asked) {
            return Ok(Some(self.with_fields_looked_at(own)));
        }
        match self.without_of_all() {
            // Every line there is has one.
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
        let giving = self.others_for(&asked.lines)?;
        let taken: Vec<&Region> = asked
            .narrower
            .iter()
            .copied()
            .chain(giving.iter().map(|other| &other.literal))
            .collect();
        self.set
            .index
            .universe
            .uncovered(&asked.lines, &taken, &mut self.budget)
    }

    /// Does a line get its account by the rule, and match no rule for the dimension? One that takes the code from the line
    /// matches it all the same.
    fn goes_without(&self, line: &Witness, asked: &Asked<'_>) -> bool {
        let matching = self.set.index.matching(&line.view());
        self.decides(&matching, asked) && !self.is_given_by(&matching)
    }

    /// Is one of the rules for the dimension among these?
    fn is_given_by(&self, matching: &[usize]) -> bool {
        matching.iter().any(|rule| self.others.contender(*rule).is_some())
    }

    /// Of the rules that match a line of the rule, is none more specific?
    fn decides(&self, matching: &[usize], asked: &Asked<'_>) -> bool {
        let mut others = matching.iter().filter_map(|rule| self.accounts.contender(*rule));
        !others.any(|other| other.is_strictly_within(asked.contender))
    }

    /// Of the rules for the dimension that match a line, is none more specific than this one?
    fn is_best(&self, giving: &Contender, matching: &[usize]) -> bool {
        let mut others = matching.iter().filter_map(|rule| self.others.contender(*rule));
        !others.any(|other| other.is_strictly_within(giving))
    }

    /// A line that goes without shows why: what the rules for the dimension look at, it holds otherwise.
    fn with_fields_looked_at(&self, mut line: Witness) -> Witness {
        let more = self.others.fields.iter();
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
            let others: Vec<&Region> = self.others.contenders().iter().map(|c| &c.literal).collect();
            let mut budget = Budget::new(Budget::QUESTION);
            self.set.index.universe.uncovered(&all, &others, &mut budget)
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

    /// Does some line of the rule get one? One that is taken from the line counts: whether it is there, only the line can
    /// tell.
    fn some_line_gets_one(&mut self, asked: &Asked<'a>) -> Result<bool, Spent> {
        for giving in self.others_for(&asked.lines)? {
            let Some(both) = self.set.index.universe.overlap(&asked.lines, &giving.tight) else {
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

    /// A line that gets its account by the rule, and the dimension by a rule that names the code.
    fn line_with_code(&mut self, asked: &Asked<'a>) -> Result<Option<Met>, Spent> {
        let meeting = self.others_for(&asked.lines)?;
        for giving in meeting {
            let universe = &self.set.index.universe;
            let Some(rule) = self.set.rules.get(giving.at) else {
                continue;
            };
            let Some(Outcome::Code(code)) = rule.set.get(&self.dimension) else {
                continue;
            };
            let Some(both) = universe.overlap(&asked.lines, &giving.tight) else {
                continue;
            };
            let met = |witness| {
                Some(Met {
                    code: code.clone(),
                    by: rule.name.clone(),
                    witness,
                })
            };
            let wins = |line: &Witness| {
                let matching = self.set.index.matching(&line.view());
                self.decides(&matching, asked) && self.is_best(giving, &matching)
            };
            if let Some(guess) = universe.pick(&both).filter(wins) {
                return Ok(met(guess));
            }
            let (narrower, seen) = self.others.narrower(giving, &self.others_filed);
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

    /// Does every rule that may give it to these lines name the code?
    fn all_are_codes(&mut self, asked: &Asked<'a>) -> Result<bool, Spent> {
        let meeting = self.others_for(&asked.lines)?;
        Ok(meeting.iter().all(|giving| {
            let rule = self.set.rules.get(giving.at);
            let outcome = rule.and_then(|rule| rule.set.get(&self.dimension));
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

/// What is wrong with the lines of a rule, if anything is, and where the other rule stands; or it is too much to find out.
type Answer = Result<Option<(ChartFault, Option<Position>)>, Spent>;

/// What was found, rule by rule.
#[derive(Default)]
struct Found {
    findings: Vec<ChartFinding>,
    /// Rules of which nobody knows.
    unclear: BTreeSet<(Position, RuleName)>,
}

impl Found {
    fn of(&mut self, rule: &Rule, answer: Answer) {
        match answer {
            Ok(None) => {}
            Ok(Some((fault, other_at))) => self.findings.push(ChartFinding {
                subject: Subject::Rule(rule.name.clone(), Dimension::Account),
                at: rule.at,
                other_at,
                fault,
            }),
            Err(Spent) => drop(self.unclear.insert((rule.at, rule.name.clone()))),
        }
    }

    /// All of it: that nobody knows is said of the first rule, with how many there are.
    fn all(mut self, dimension: Dimension) -> Vec<ChartFinding> {
        let rules = self.unclear.len();
        self.findings
            .extend(self.unclear.pop_first().map(|(at, name)| ChartFinding {
                subject: Subject::Rule(name, Dimension::Account),
                at,
                other_at: None,
                fault: ChartFault::Unclear { dimension, rules },
            }));
        self.findings
    }
}
