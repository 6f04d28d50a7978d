//! Writes lines and reports: numbers that never repeat, prices that fit, dates in the order of life.

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use rust_decimal::{Decimal, RoundingStrategy};

use super::dice::{Dice, Few, at, before, day};
use super::people::Employee;
use super::site::{Foreign, Site, tag};
use super::spend::{self, Spend};
use crate::expensify::world::{Action, Approver, Expense, Report, ReportId, Tax, Units};

/// A company card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Card {
    /// "Summit Corporate Visa": the rule set knows it by the beginning of the card's name.
    Summit,
    /// The Bavarian AmEx: the rule set knows it by its feed; its cards bear no name.
    AlpenAmex,
    /// A virtual card that someone opened on their own: no program of the rule set has it.
    Brightpay,
}

/// The feed of the Summit cards.
pub(super) const SUMMIT_BANK: &str = "Summit National Bank CDF";
/// The feed of the Bavarian AmEx.
pub(super) const ALPEN_FEED: &str = "American Express Alpen Corporate";
const BRIGHTPAY_BANK: &str = "Brightpay";

/// The dates of a report's life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dates {
    /// The last expense.
    pub(super) last: NaiveDate,
    pub(super) submitted: DateTime<Utc>,
    pub(super) approved: DateTime<Utc>,
}

/// Writes everything of one month.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) dice: Dice,
    report: u64,
    transaction: u64,
}

impl Pen {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            // Numbers of a size that Expensify gives: transactions lie beyond 2^53.
            report: 2_080_715_894_610_667,
            transaction: 4_056_343_049_275_634_494,
        }
    }

    /// A life that ends with an approval on a working day of October, after an October expense.
    pub(super) fn october(&mut self, site: Site) -> Dates {
        let mut approval = day(10, u32::try_from(self.dice.between(5, 30)).unwrap_or(5));
        while matches!(approval.weekday(), Weekday::Sat | Weekday::Sun) {
            approval = before(approval, -1);
        }
        let submission = before(approval, self.dice.between(0, 2));
        let last = before(submission, self.dice.between(0, 2)).max(day(10, 1));
        let hour = site.morning();
        Dates {
            last,
            submitted: at(submission, hour + self.dice.between(0, 200)),
            approved: at(approval, hour + self.dice.between(210, 530)),
        }
    }

    /// An approved report without lines.
    pub(super) fn report(&mut self, who: &Employee, manager: &Employee, dates: Dates, title: &str) -> Report {
        self.report += 1 + self.dice.below(90_000_000);
        let id = ReportId(self.report);
        let mut report = Report::approved(id, who.site.policy(), who.site.currency(), dates.approved);
        report.name = title.to_owned();
        report.submitter = who.person.clone();
        report.manager = manager.person.clone();
        report.employee_custom_fields = [who.code.clone(), who.department.name.to_owned()];
        report.created = at(
            before(dates.submitted.date_naive(), self.dice.between(1, 6)),
            who.site.morning(),
        );
        report.submitted = Some(dates.submitted);
        report.approvers = vec![Approver {
            person: manager.person.clone(),
            date: dates.approved,
        }];
        let action = |action: &str, who: &Employee, created| Action {
            action: action.to_owned(),
            account_email: who.person.email.clone(),
            created,
            message: String::new(),
        };
        report.actions = vec![
            action("SUBMITTED", who, dates.submitted),
            action("APPROVED", manager, dates.approved),
        ];
        report
    }

    /// A line in the site's currency that the employee paid, at a price usual for what it buys.
    pub(super) fn line(&mut self, who: &Employee, what: Spend, on: NaiveDate) -> Expense {
        let (low, high) = what.price();
        let amount = who.site.price(self.dice.between(low, high));
        self.line_of(who, what, on, amount)
    }

    /// The same at a given amount, hundredths.
    pub(super) fn line_of(&mut self, who: &Employee, what: Spend, on: NaiveDate, amount: i64) -> Expense {
        self.transaction += 1 + self.dice.below(9_000_000_000);
        let mut line = Expense {
            transaction_id: self.transaction.to_string(),
            kind: "cash".to_owned(),
            currency: who.site.currency().to_owned(),
            created: on,
            inserted: Some(at(on, who.site.morning() + 400)),
            merchant: self.dice.pick(what.merchants(who.site)).to_owned(),
            category: what.category.to_owned(),
            tag: tag(who.site, who.department),
            conversion_rate: Some(Decimal::ONE),
            receipt_id: format!("{}", self.transaction % 1_000_000_007),
            receipt_filename: format!("w_{:016x}.jpg", self.transaction),
            ..Expense::default()
        };
        costs(&mut line, amount);
        if what.category == spend::MILEAGE.category {
            self.drive(&mut line, who.site);
        }
        if what.category == spend::ENTERTAINMENT.category {
            let guests = Few(
                "p.ortega@customer.example",
                &[
                    "h.lang@customer.example",
                    "buyer@oem.example",
                    "m.sato@oem.example",
                ],
            );
            line.attendees = (0..self.dice.between(1, 3))
                .map(|_| self.dice.pick(guests).to_owned())
                .collect();
            line.attendees.dedup();
            line.attendees.push(who.person.email.clone());
            line.comment = "Dinner with the customer's buyers".to_owned();
        }
        line
    }

    /// Makes a line of distance: an exact number of miles or kilometres at the site's rate.
    fn drive(&mut self, line: &mut Expense, site: Site) {
        // Hundredths for each, chosen so that every whole distance is a whole amount.
        let (rate, unit) = match site {
            Site::Ohio => (67, "mi"),
            Site::Bavaria => (30, "km"),
            Site::Tokyo => (2_000, "km"),
        };
        let count = self.dice.between(14, 240);
        costs(line, count * rate);
        line.kind = "distance".to_owned();
        line.is_distance = true;
        line.receipt_id.clear();
        line.receipt_filename.clear();
        line.units = Some(Units {
            count: Decimal::from(count),
            rate: Decimal::from(rate),
            unit: unit.to_owned(),
        });
    }

    /// So many lines of one trip, one of them on the last day.
    pub(super) fn trip(&mut self, who: &Employee, last: NaiveDate, lines: i64) -> Vec<Expense> {
        (0..lines)
            .map(|place| {
                let earlier = if place == 0 { 0 } else { self.dice.between(0, 7) };
                let what = if self.dice.percent(6) {
                    spend::MILEAGE
                } else {
                    self.dice.pick(spend::USUAL)
                };
                self.line(who, what, before(last, earlier))
            })
            .collect()
    }

    /// Turns a line into a receipt in a neighbour's money; what the employee is owed stays of the same size.
    pub(super) fn abroad(&mut self, line: &mut Expense, site: Site, where_to: Foreign) {
        let home = Decimal::from(line.amount);
        let rate = where_to.rate();
        // Whole units where the neighbour's money has no hundredths.
        let unit = if matches!(where_to.currency, "KRW" | "JPY") {
            100
        } else {
            1
        };
        let amount = home
            .checked_div(rate)
            .map_or(line.amount, |amount| whole(amount, unit));
        line.amount = amount;
        line.currency = where_to.currency.to_owned();
        line.conversion_rate = Some(rate);
        let unit = if site == Site::Tokyo { 100 } else { 1 };
        line.converted_amount = Some(whole(Decimal::from(amount) * rate, unit));
        line.comment = format!("Visit to {}", where_to.city);
        line.tax = None;
    }
}

/// Rounds half up to a multiple of `unit`.
fn whole(amount: Decimal, unit: i64) -> i64 {
    let units =
        (amount / Decimal::from(unit)).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    i64::try_from(units).unwrap_or(0) * unit
}

/// Sets the amount of a line in the report's currency, hundredths.
pub(super) fn costs(line: &mut Expense, amount: i64) {
    line.amount = amount;
    line.converted_amount = Some(amount);
}

/// What was paid comes back.
pub(super) fn refund(line: &mut Expense) {
    costs(line, -line.amount);
    line.comment = "Refund".to_owned();
    if let Some(tax) = &mut line.tax {
        tax.amount = tax.amount.map(|amount| -amount);
    }
}

/// Puts a line on a card: the company owes the bank, not the employee.
pub(super) fn on_card(line: &mut Expense, who: &Employee, what_mcc: i64, card: Card) {
    let digits = who.person.account_id % 10_000;
    let (bank, name, number) = match card {
        Card::Summit => (
            SUMMIT_BANK,
            format!("Summit Corporate Visa - {}", who.person.last_name),
            format!("448512XXXXXX{digits:04}"),
        ),
        Card::AlpenAmex => (ALPEN_FEED, String::new(), format!("3759XXXXXXX{digits:04}")),
        Card::Brightpay => (
            BRIGHTPAY_BANK,
            "Brightpay Virtual 0042".to_owned(),
            "535511XXXXXX0042".to_owned(),
        ),
    };
    line.kind = "card".to_owned();
    line.reimbursable = false;
    line.bank = bank.to_owned();
    line.card_id = (8_100_000 + who.person.account_id % 100_000).to_string();
    line.card_name = name;
    line.card_number = number;
    line.mcc = Some(what_mcc);
}

/// Gives a line tax that is included in its amount.
pub(super) fn taxed(line: &mut Expense, site: Site, code: &str, percent: i64) {
    let included = Decimal::from(line.amount) * Decimal::from(percent) / Decimal::from(100 + percent);
    let unit = if site == Site::Tokyo { 100 } else { 1 };
    line.tax = Some(Tax {
        amount: Some(whole(included, unit)),
        modified_amount: None,
        name: if site == Site::Tokyo {
            "Shohizei"
        } else {
            "Umsatzsteuer"
        }
        .to_owned(),
        rate: Some(Decimal::from(percent)),
        rate_name: format!("{percent}%"),
        code: code.to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::month::people::Staff;

    #[test]
    fn a_receipt_from_abroad_converts_at_its_rate_to_an_amount_the_currency_bears() {
        let staff = Staff::hired();
        let mut pen = Pen::new(5);
        for site in Site::ALL {
            let who = staff.manager(site);
            for place in site.neighbours().iter() {
                let mut line = pen.line(who, spend::HOTEL, day(10, 9));
                pen.abroad(&mut line, site, place);
                let exact = Decimal::from(line.amount) * place.rate();
                let off = (exact - Decimal::from(line.effective())).abs();
                let half = if site == Site::Tokyo { 50 } else { 1 };
                assert!(off <= Decimal::from(half), "{line:?}");
                assert!(line.amount > 0 && (site != Site::Tokyo || line.effective() % 100 == 0));
            }
        }
    }

    #[test]
    fn approvals_come_after_submissions_and_those_after_the_last_expense() {
        let mut pen = Pen::new(11);
        for _ in 0..300 {
            let dates = pen.october(Site::Tokyo);
            assert!(dates.last >= day(10, 1) && dates.last <= dates.submitted.date_naive());
            assert!(dates.submitted < dates.approved && dates.approved < at(day(11, 1), 0));
        }
    }

    #[test]
    fn mileage_is_its_distance_times_its_rate() {
        let staff = Staff::hired();
        let line = Pen::new(3).line(staff.manager(Site::Ohio), spend::MILEAGE, day(10, 2));
        let units = line.units.clone().unwrap();
        assert_eq!(Decimal::from(line.effective()), units.count * units.rate);
    }
}
