//! The reports of the month: ordinary ones, and one scene for each thing that happens to real ones.
//!
//! * [`ordinary`]: trips, plant purchases, cards;
//! * [`odd`]: strange and right: they post;
//! * [`wrong`]: they are rejected, each for a reason a controller knows;
//! * [`waiting`]: held, excluded, contested or not yet approved.

mod odd;
mod ordinary;
mod waiting;
mod wrong;

pub(super) use wrong::NEW_HALL;

use super::dice::{at, before};
use super::pen::{Card, Dates, Pen, on_card, taxed};
use super::people::{Employee, Staff};
use super::site::Site;
use super::spend::{self, Spend};
use super::story::{Expectation, Part, Scene, Story, documents};
use crate::expensify::world::{Expense, Report, ReportId};

/// How many reports are approved in October.
pub(super) const APPROVED_IN_OCTOBER: usize = 400;

/// What the writer of a scene has in mind.
enum Plan {
    Posts,
    Rejected(&'static [&'static str]),
    Held,
    BeforeGoLive,
    Nothing,
    NotListed,
}

/// Tells the story, report by report.
pub(super) struct Teller<'a> {
    pub(super) pen: Pen,
    staff: &'a Staff,
    pub(super) reports: Vec<Report>,
    pub(super) story: Story,
}

/// Every report of the month and what is to become of it.
pub(super) fn all(seed: u64, staff: &Staff) -> (Vec<Report>, Story) {
    let mut teller = Teller {
        pen: Pen::new(seed),
        staff,
        reports: Vec::new(),
        story: Story::default(),
    };
    odd::tell(&mut teller);
    wrong::tell(&mut teller);
    waiting::tell(&mut teller);
    let told = teller.approved_in_october();
    ordinary::tell(&mut teller, APPROVED_IN_OCTOBER.saturating_sub(told));
    (teller.reports, teller.story)
}

impl<'a> Teller<'a> {
    /// Someone of a site with nothing special.
    fn someone(&mut self, site: Site) -> &'a Employee {
        let regular = self.staff.regular(site);
        let place = usize::try_from(self.pen.dice.below(regular.len() as u64)).unwrap_or(0);
        regular
            .get(place)
            .copied()
            .unwrap_or_else(|| self.staff.manager(site))
    }

    /// A report with a line for each purchase, the last on the last day.
    fn report(&mut self, who: &Employee, title: &str, what: &[Spend]) -> Report {
        let dates = self.pen.october(who.site);
        self.report_of(who, title, what, dates)
    }

    fn report_of(&mut self, who: &Employee, title: &str, what: &[Spend], dates: Dates) -> Report {
        let mut report = self.pen.report(who, self.staff.manager(who.site), dates, title);
        for (place, spend) in what.iter().enumerate() {
            let earlier = i64::try_from(place).unwrap_or(0);
            let line = self.pen.line(who, *spend, before(dates.last, earlier));
            report.expenses.push(line);
        }
        report
    }

    /// Puts a line on the card of its site.
    fn company_card(&self, line: &mut Expense, who: &Employee) {
        let card = if who.site == Site::Bavaria {
            Card::AlpenAmex
        } else {
            Card::Summit
        };
        self.card(line, who, card);
    }

    fn card(&self, line: &mut Expense, who: &Employee, card: Card) {
        let spend = spend::ALL.iter().find(|spend| spend.category == line.category);
        on_card(line, who, spend.map_or(5_999, |spend| spend.mcc), card);
    }

    /// The tax that stands on a receipt of the site, if receipts there bear any.
    fn local_tax(&self, line: &mut Expense, site: Site) {
        match site {
            Site::Ohio => {}
            Site::Bavaria if matches!(line.category.as_str(), "Hotel" | "Rail") => {
                taxed(line, site, "DE07", 7)
            }
            Site::Bavaria => taxed(line, site, "DE19", 19),
            Site::Tokyo => taxed(line, site, "JP10", 10),
        }
    }

    /// Adds a report whose total is the sum of its lines.
    fn tell(&mut self, scene: Scene, plan: Plan, mut report: Report) -> ReportId {
        report.total = report.line_sum();
        self.tell_as_it_is(scene, plan, report)
    }

    fn tell_as_it_is(&mut self, scene: Scene, plan: Plan, report: Report) -> ReportId {
        let expectation = match plan {
            Plan::Posts => Expectation::Posted {
                documents: documents(&report),
            },
            Plan::Rejected(codes) => Expectation::Rejected {
                codes: codes.iter().copied().collect(),
            },
            Plan::Held => Expectation::Held {
                code: "closed_period",
            },
            Plan::BeforeGoLive => Expectation::BeforeGoLive,
            Plan::Nothing => Expectation::NothingToPost,
            Plan::NotListed => Expectation::NotListed,
        };
        let id = report.id;
        self.story.parts.insert(id, Part { scene, expectation });
        self.reports.push(report);
        id
    }

    fn approved_in_october(&self) -> usize {
        let listed = |id: &ReportId| {
            self.story.parts.get(id).is_some_and(|part| {
                !matches!(
                    part.expectation,
                    Expectation::NotListed | Expectation::BeforeGoLive
                )
            })
        };
        self.reports.iter().filter(|report| listed(&report.id)).count()
    }
}

/// Dates chosen by hand: last expense, and submission and approval in minutes after midnight UTC of their days.
fn dates(
    last: chrono::NaiveDate,
    submitted: (chrono::NaiveDate, i64),
    approved: (chrono::NaiveDate, i64),
) -> Dates {
    Dates {
        last,
        submitted: at(submitted.0, submitted.1),
        approved: at(approved.0, approved.1),
    }
}
