//! Many plain reports, or one that is very large: for sizes, not for stories.

use super::dice::{at, before, day};
use super::pen::{Dates, Pen};
use super::people::Staff;
use super::site::Site;
use super::spend as s;
use super::spend::Spend;
use super::story::{Expectation, Part, Scene, Story, documents};
use crate::expensify::world::Report;

/// Categories of a plain report, in turn.
const PLAIN: [Spend; 4] = [s::MEALS, s::TAXI, s::HOTEL, s::OFFICE];

/// So many characters stand in each comment of the large report: Expensify takes long ones, and no line is absurd.
const COMMENT: usize = 9_600;

/// Valid reports of Ohio, all reimbursable, of so many lines each; approvals spread over the working hours of October.
pub(super) fn many(seed: u64, staff: &Staff, reports: usize, lines: usize) -> (Vec<Report>, Story) {
    let mut pen = Pen::new(seed);
    let people = staff.regular(Site::Ohio);
    let told: Vec<Report> = people
        .iter()
        .cycle()
        .take(reports)
        .map(|who| {
            let approval = day(10, u32::try_from(pen.dice.between(8, 30)).unwrap_or(8));
            let dates = Dates {
                last: before(approval, 1),
                submitted: at(approval, 840),
                approved: at(approval, 900 + pen.dice.between(0, 300)),
            };
            let mut report = pen.report(who, staff.manager(Site::Ohio), dates, "Monthly expenses");
            report.actions.clear();
            for (what, number) in PLAIN.into_iter().cycle().zip(0..lines) {
                let earlier = i64::try_from(number % 5).unwrap_or(0);
                let line = pen.line(who, what, before(dates.last, earlier));
                report.expenses.push(line);
            }
            report.total = report.line_sum();
            report
        })
        .collect();
    let story = plain_story(&told);
    (told, story)
}

/// One valid report whose comments alone hold at least `bytes` bytes.
pub(super) fn one_large(seed: u64, staff: &Staff, bytes: usize) -> (Vec<Report>, Story) {
    let (mut reports, _) = many(seed, staff, 1, bytes.div_ceil(COMMENT).max(1));
    for line in reports.iter_mut().flat_map(|report| &mut report.expenses) {
        let sentence = format!("Receipt {} was read to the board, in full. ", line.transaction_id);
        line.comment = sentence.chars().cycle().take(COMMENT).collect();
    }
    let story = plain_story(&reports);
    (reports, story)
}

fn plain_story(reports: &[Report]) -> Story {
    let part = |report: &Report| Part {
        scene: Scene::Ordinary,
        expectation: Expectation::Posted {
            documents: documents(report),
        },
    };
    Story {
        parts: reports.iter().map(|report| (report.id, part(report))).collect(),
    }
}
