//! The people at the source: reports keep coming, and some are edited, taken back, approved again or paid while the
//! program is at them.

use std::collections::BTreeMap;

use tieout_sandbox::expensify::world::{Edit, Expense, Report, ReportId, ReportState};
use tieout_sandbox::month::{self, Expectation, Size};

use crate::book::{Book, listed};
use crate::{Dice, Scene};

/// Reports that come together, and what is meant to become of each.
type Lot = (Vec<Report>, Vec<(ReportId, Expectation)>);

/// Reports that have not come yet, with what is meant to become of them.
pub struct Supply {
    dice: Dice,
    month: u64,
    stock: Vec<Lot>,
    /// Reports that were taken back, as they were before.
    taken_back: BTreeMap<ReportId, Report>,
}

impl Supply {
    /// Everything there is to come.
    pub fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            month: seed.wrapping_mul(1_000),
            stock: Vec::new(),
            taken_back: BTreeMap::new(),
        }
    }

    /// Another month of the same company, shuffled; reports that share an expense come together.
    fn restock(&mut self) {
        self.month += 1;
        let month = month::month(self.month, Size::Demo);
        let mut reports = month.expensify.reports;
        for (id, part) in &month.story.parts {
            let with = match part.expectation {
                Expectation::PostedOrClaimed { with, .. } => Some(with),
                _ => None,
            };
            let lot: Vec<ReportId> = std::iter::once(*id).chain(with).collect();
            let told = lot.iter().filter_map(|id| reports.remove(id)).collect::<Vec<_>>();
            if told.is_empty() {
                continue;
            }
            let meant = lot
                .iter()
                .map(|id| (*id, month.story.parts[id].expectation.clone()))
                .collect();
            let plain = matches!(part.scene, month::Scene::Ordinary);
            // Two in three ordinary ones stay out, so that the strange are not too few.
            if plain && self.dice.below(3) != 0 {
                continue;
            }
            let place = usize::try_from(self.dice.below(self.stock.len() as u64 + 1)).expect("small");
            self.stock.insert(place, (told, meant));
        }
    }

    /// So many more reports are approved (or a few more, where they come together).
    pub fn arrive(&mut self, scene: &Scene, book: &mut Book, how_many: usize) {
        let mut come = 0;
        while come < how_many {
            let Some((reports, meant)) = self.stock.pop() else {
                self.restock();
                continue;
            };
            come += reports.len();
            book.means(meant);
            let ids: Vec<ReportId> = reports.iter().map(|report| report.id).collect();
            book.change(scene, &ids, |world| {
                for report in reports {
                    assert!(!world.reports.contains_key(&report.id), "numbers never repeat");
                    world.add_report(report);
                }
            });
        }
    }

    /// Somebody does something to a report that does not bear our label yet. What, in words.
    pub fn meddle(&mut self, scene: &Scene, book: &mut Book) -> Option<String> {
        if self.dice.below(3) == 0
            && let Some((id, as_it_was)) = self.taken_back.pop_first()
        {
            self.approve_again(scene, book, id, &as_it_was);
            return Some(format!("{id} is approved again"));
        }
        let marked = scene.marked();
        let open: Vec<Report> = scene.stand_ins.expensify.world().read(|world| {
            let posts = |id: &ReportId| matches!(book.meaning(*id), Some(Expectation::Posted { .. }));
            let reports = world.reports.values();
            reports
                .filter(|r| listed(r) && !marked.contains(&r.id) && posts(&r.id))
                .cloned()
                .collect()
        });
        let place = usize::try_from(self.dice.below(open.len() as u64)).expect("small");
        let report = open.get(place)?;
        let (id, name) = (report.id, report.id.to_string());
        let now = scene.now();
        let edit = match self.dice.below(10) {
            0..5 => {
                let line = report.expenses.iter().find(|line| can_be_edited(line, report))?;
                let more = 100 * i64::try_from(1 + self.dice.below(9)).expect("small");
                Edit::EditExpense {
                    transaction: line.transaction_id.clone(),
                    amount: Some(line.amount + more),
                    converted: None,
                    category: None,
                    tag: None,
                    merchant: None,
                    comment: None,
                    date: None,
                }
            }
            5..7 if report.state == ReportState::Approved => Edit::SetState {
                report: name,
                state: ReportState::Reimbursed,
                at: Some(now),
            },
            _ => {
                self.taken_back.insert(id, report.clone());
                Edit::SetState {
                    report: name,
                    state: ReportState::Open,
                    at: Some(now),
                }
            }
        };
        let words = format!("{id}: {edit:?}");
        book.change(scene, &[id], |world| world.apply(edit, now))
            .expect("an edit that fits");
        Some(words)
    }

    /// Everything that was taken back is approved again, as it was.
    pub fn approve_all(&mut self, scene: &Scene, book: &mut Book) {
        while let Some((id, as_it_was)) = self.taken_back.pop_first() {
            self.approve_again(scene, book, id, &as_it_was);
        }
    }

    fn approve_again(&self, scene: &Scene, book: &mut Book, id: ReportId, as_it_was: &Report) {
        book.change(scene, &[id], |world| {
            let report = world.reports.get_mut(&id).expect("it is there");
            report.state = as_it_was.state;
            report.submitted = as_it_was.submitted;
            report.approved = as_it_was.approved;
            report.reimbursed = as_it_was.reimbursed;
        });
    }

    /// The controller undoes each edit that came too late: the report is again as it was when its documents posted (of
    /// several versions that the documents can be of, another one at each attempt). One that only was paid since, and
    /// posted whole, stays so: that is what happens to reports. How many were undone.
    pub fn undo_what_came_too_late(&self, scene: &Scene, book: &mut Book, attempt: usize) -> usize {
        let mut undone = 0;
        for id in book.posted_otherwise(scene) {
            let versions = book.posted_versions(scene, id);
            let Some(posted) = versions
                .get(attempt % versions.len().max(1))
                .map(|v| v.report.clone())
            else {
                continue;
            };
            let now = scene
                .stand_ins
                .expensify
                .world()
                .read(|world| world.reports[&id].clone());
            let only_paid = Report {
                state: posted.state,
                reimbursed: posted.reimbursed,
                markings: Vec::new(),
                ..now.clone()
            } == posted;
            if only_paid && scene.marked().contains(&id) {
                continue;
            }
            undone += 1;
            book.change(scene, &[id], |world| {
                let report = world.reports.get_mut(&id).expect("it is there");
                let markings = std::mem::take(&mut report.markings);
                *report = Report { markings, ..posted };
            });
        }
        undone
    }
}

/// Lines whose amount an approver may change without breaking what else the line says.
fn can_be_edited(line: &Expense, report: &Report) -> bool {
    line.kind == "cash"
        && line.amount > 0
        && line.currency == report.currency
        && line.modified_amount.is_none()
        && line.tax.is_none()
        && line.units.is_none()
}
