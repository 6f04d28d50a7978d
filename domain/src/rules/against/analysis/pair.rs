//! Accounts for which a limitation joins cost centre and project: at least one of the two, or exactly one.

use super::{Answer, Asked, Found, Meetings};
use crate::chart::{Account, Chart, Limitation};
use crate::rules::against::finding::{ChartFault, ChartFinding};
use crate::rules::budget::Spent;
use crate::rules::contest::A_LOOK;
use crate::rules::region::Region;
use crate::rules::set::{Dimension, Outcome};
use crate::rules::specificity::Contender;
use crate::rules::witness::Witness;

pub(super) fn findings<'a>(
    mut centres: Meetings<'a>,
    mut projects: Meetings<'a>,
    chart: &Chart,
) -> Vec<ChartFinding> {
    let mut found = Found::default();
    let accounts = centres.accounts;
    for contender in accounts.contenders() {
        let is_joined = |account: &Account| account.limitation != Limitation::None;
        let Some(asked) = centres.asked(contender, chart, is_joined) else {
            continue;
        };
        let Some(rule) = centres.set.rules.get(contender.at) else {
            continue;
        };
        found.of(rule, neither(&mut centres, &mut projects, &asked));
        if asked.limitation == Limitation::ExactlyOne {
            found.of(rule, both(&mut centres, &mut projects, &asked));
        }
    }
    found.all(Dimension::CostCentre)
}

/// A line that gets its account by the rule, and that no rule gives a cost centre or a project.
fn neither<'a>(centres: &mut Meetings<'a>, projects: &mut Meetings<'a>, asked: &Asked<'a>) -> Answer {
    let Some(witness) = line_with_neither(centres, projects, asked)? else {
        return Ok(None);
    };
    let every = !centres.some_line_gets_one(asked)? && !projects.some_line_gets_one(asked)?;
    let fault = ChartFault::Neither {
        account: asked.account.clone(),
        every,
        witness: Box::new(centres.of_a_policy(witness)),
    };
    Ok(Some((fault, None)))
}

fn line_with_neither<'a>(
    centres: &mut Meetings<'a>,
    projects: &mut Meetings<'a>,
    asked: &Asked<'a>,
) -> Result<Option<Witness>, Spent> {
    let universe = &centres.set.index.universe;
    let own = universe.uncovered(&asked.lines, &asked.narrower, &mut centres.budget)?;
    let Some(own) = own else {
        return Ok(None); // No line gets its account by this rule.
    };
    // Where nothing is said of a field, it holds what no rule names: mostly such a line goes without both.
    if centres.goes_without(&own, asked) && projects.goes_without(&own, asked) {
        let shown = projects.with_fields_looked_at(centres.with_fields_looked_at(own));
        return Ok(Some(shown));
    }
    let giving = [
        centres.others_for(&asked.lines)?,
        projects.others_for(&asked.lines)?,
    ]
    .concat();
    let taken: Vec<&Region> = asked
        .narrower
        .iter()
        .copied()
        .chain(giving.iter().map(|other| &other.literal))
        .collect();
    universe.uncovered(&asked.lines, &taken, &mut centres.budget)
}

/// A line that gets its account by the rule, a cost centre by a rule that names it, and a project by one that does.
fn both<'a>(centres: &mut Meetings<'a>, projects: &mut Meetings<'a>, asked: &Asked<'a>) -> Answer {
    let giving_projects = projects.others_for(&asked.lines)?;
    for centre in centres.others_for(&asked.lines)? {
        let Some(with_centre) = centres.set.index.universe.overlap(&asked.lines, &centre.tight) else {
            continue;
        };
        for project in &giving_projects {
            let universe = &centres.set.index.universe;
            // Also for a pair that does not meet: there may be many of those.
            centres.budget.spend(1)?;
            let Some(lines) = universe.overlap(&with_centre, &project.tight) else {
                continue;
            };
            let (Some(centre_code), Some(project_code)) =
                (code_of(centres, centre), code_of(projects, project))
            else {
                continue;
            };
            let Some(witness) = line_won_by(centres, projects, asked, (centre, project), &lines)? else {
                continue;
            };
            let other_at = centres.set.rules.get(project.at).map(|rule| rule.at);
            let fault = ChartFault::Both {
                account: asked.account.clone(),
                cost_centre: centre_code.to_owned(),
                centre_by: centre.name.clone(),
                project: project_code.to_owned(),
                project_by: project.name.clone(),
                witness: Box::new(centres.of_a_policy(witness)),
            };
            return Ok(Some((fault, other_at)));
        }
    }
    Ok(None)
}

/// The code that a rule names, where it names one.
fn code_of<'a>(meetings: &Meetings<'a>, giving: &Contender) -> Option<&'a str> {
    match meetings.set.rules.get(giving.at)?.set.get(&meetings.dimension)? {
        Outcome::Code(code) => Some(code.as_str()),
        Outcome::From(_) => None,
    }
}

/// One of these lines that gets its account, its cost centre and its project by these very rules.
fn line_won_by<'a>(
    centres: &mut Meetings<'a>,
    projects: &mut Meetings<'a>,
    asked: &Asked<'a>,
    (centre, project): (&'a Contender, &'a Contender),
    lines: &Region,
) -> Result<Option<Witness>, Spent> {
    let universe = &centres.set.index.universe;
    let wins = |line: &Witness| {
        let matching = centres.set.index.matching(&line.view());
        centres.decides(&matching, asked)
            && centres.is_best(centre, &matching)
            && projects.is_best(project, &matching)
    };
    if let Some(guess) = universe.pick(lines).filter(wins) {
        return Ok(Some(guess));
    }
    let (narrower_centres, seen) = centres.others.narrower(centre, &centres.others_filed);
    let (narrower_projects, seen_too) = projects.others.narrower(project, &projects.others_filed);
    let taken: Vec<&Region> = asked
        .narrower
        .iter()
        .copied()
        .chain(narrower_centres.map(|other| &other.literal))
        .chain(narrower_projects.map(|other| &other.literal))
        .collect();
    centres.budget.spend((seen + seen_too) / A_LOOK)?;
    universe.uncovered(lines, &taken, &mut centres.budget)
}
