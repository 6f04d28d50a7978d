//! What waits, what is left out, what two reports claim, and what was never approved.

use super::super::dice::day;
use super::super::site::Site;
use super::super::spend as s;
use super::super::story::{Expectation, Part, Scene, documents};
use super::{Plan, Teller, dates};
use crate::expensify::world::ReportState;

pub(super) fn tell(teller: &mut Teller<'_>) {
    september(teller);
    before_go_live(teller);
    nothing_to_post(teller);
    resubmitted(teller);
    not_approved(teller);
}

/// Spent and submitted in September or before, approved in October: the period is closed by then.
fn september(teller: &mut Teller<'_>) {
    let sites = [
        Site::Ohio,
        Site::Bavaria,
        Site::Ohio,
        Site::Tokyo,
        Site::Ohio,
        Site::Bavaria,
        Site::Ohio,
        Site::Bavaria,
    ];
    for (number, site) in (0_u32..).zip(sites) {
        let who = teller.someone(site);
        let spent = day(9, 30 - 2 * number);
        let life = dates(spent, (day(9, 30), 700), (day(10, 6 + number), 905));
        let mut report = teller.report_of(
            who,
            "September, approved late",
            &[s::HOTEL, s::MEALS, s::TAXI],
            life,
        );
        if number == 2 {
            for line in &mut report.expenses {
                teller.company_card(line, who);
            }
        }
        teller.tell(Scene::LateApprovalOfSeptember, Plan::Held, report);
    }
}

/// Approved on 30 September in New York, where go-live begins: these were keyed by hand.
fn before_go_live(teller: &mut Teller<'_>) {
    let lives = [
        (Site::Ohio, (day(9, 30), 840)),
        (Site::Ohio, (day(9, 30), 1_210)),
        (Site::Bavaria, (day(9, 30), 1_010)),
        // 23:12 in New York, and October already in UTC.
        (Site::Ohio, (day(10, 1), 192)),
        // Half past midnight of 1 October in Munich, and still September in New York.
        (Site::Bavaria, (day(9, 30), 1_350)),
    ];
    for (site, approved) in lives {
        let who = teller.someone(site);
        let life = dates(day(9, 25), (day(9, 28), 700), approved);
        let report = teller.report_of(who, "September expenses", &[s::MEALS, s::RAIL], life);
        teller.tell(Scene::BeforeGoLive, Plan::BeforeGoLive, report);
    }
}

fn nothing_to_post(teller: &mut Teller<'_>) {
    let who = teller.someone(Site::Ohio);
    let mut report = teller.report(who, "Receipts for the record only", &[]);
    for what in [s::HOTEL, s::MEALS] {
        let line = teller.pen.line_of(who, what, day(10, 1), 0);
        report.expenses.push(line);
    }
    teller.tell(Scene::NothingToPost, Plan::Nothing, report);
}

/// One expense under two reports: the employee took it off the first, submitted it again, and both were approved.
fn resubmitted(teller: &mut Teller<'_>) {
    let who = teller.someone(Site::Ohio);
    let first = teller.report(who, "Chicago fair", &[s::HOTEL, s::CONFERENCE]);
    let mut second = teller.report(who, "Chicago fair, second try", &[s::TAXI]);
    second.expenses.extend(first.expenses.first().cloned());
    let ids = (first.id, second.id);
    for (mut report, with) in [(first, ids.1), (second, ids.0)] {
        report.total = report.line_sum();
        let documents = documents(&report);
        let expectation = Expectation::PostedOrClaimed { with, documents };
        let scene = Scene::Resubmitted;
        teller.story.parts.insert(report.id, Part { scene, expectation });
        teller.reports.push(report);
    }
}

fn not_approved(teller: &mut Teller<'_>) {
    for number in 0..17 {
        let site = if number % 3 == 0 {
            Site::Bavaria
        } else {
            Site::Ohio
        };
        let who = teller.someone(site);
        let mut report = teller.report(who, "Not done yet", &[s::MEALS, s::PARKING]);
        match number {
            0..8 => {
                report.state = ReportState::Open;
                report.submitted = None;
            }
            8..15 => report.state = ReportState::Processing,
            _ => report.state = ReportState::Closed,
        }
        if number < 15 {
            report.approved = None;
            report.approvers.clear();
            report.actions.truncate(usize::from(number >= 8));
        }
        teller.tell(Scene::NotApproved, Plan::NotListed, report);
    }
}
