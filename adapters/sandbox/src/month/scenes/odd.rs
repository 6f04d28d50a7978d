//! Strange and right: refunds, payments at the source, edits, splits, text that bites. All of these post.

use super::super::dice::{at, before, day};
use super::super::pen::{costs, refund};
use super::super::people::Standing;
use super::super::site::Site;
use super::super::spend as s;
use super::super::story::Scene;
use super::{Plan, Teller, dates};
use crate::expensify::world::{Marking, ReportState};

pub(super) fn tell(teller: &mut Teller<'_>) {
    refunds(teller);
    paid_at_source(teller);
    edges_of_the_month(teller);
    hostile_text(teller);
    lines_of_their_own_kind(teller);
    suppliers(teller);
    labelled_elsewhere(teller);
}

fn refunds(teller: &mut Teller<'_>) {
    for site in [Site::Ohio, Site::Ohio, Site::Bavaria, Site::Bavaria, Site::Tokyo] {
        let who = teller.someone(site);
        let mut report = teller.report(
            who,
            "Hotel changed, one night returned",
            &[s::HOTEL, s::MEALS, s::AIRFARE],
        );
        let mut back = teller.pen.line_of(who, s::MEALS, day(10, 1), site.price(1_100));
        refund(&mut back);
        report.expenses.push(back);
        teller.tell(Scene::Refund, Plan::Posts, report);
    }
    for site in [Site::Ohio, Site::Bavaria] {
        // The employee got more back than was spent: a credit note.
        let who = teller.someone(site);
        let mut report = teller.report(who, "Cancelled flight", &[s::MEALS]);
        let mut back = teller
            .pen
            .line_of(who, s::AIRFARE, day(10, 1), site.price(61_240));
        refund(&mut back);
        report.expenses.push(back);
        teller.tell(Scene::CreditNote, Plan::Posts, report);
    }
    let who = teller.someone(Site::Ohio);
    let mut report = teller.report(who, "Booked on the wrong category, put right", &[s::TRAINING]);
    let amount = report.line_sum();
    let mut back = teller.pen.line_of(who, s::CONFERENCE, day(10, 1), amount);
    refund(&mut back);
    report.expenses.push(back);
    teller.tell(Scene::ZeroNet, Plan::Posts, report);
    for site in [Site::Ohio, Site::Bavaria] {
        let who = teller.someone(site);
        let mut report = teller.report(who, "Car returned early", &[s::CAR_RENTAL]);
        for line in &mut report.expenses {
            refund(line);
            teller.company_card(line, who);
        }
        teller.tell(Scene::CardRefund, Plan::Posts, report);
    }
}

fn paid_at_source(teller: &mut Teller<'_>) {
    let sites = [
        Site::Ohio,
        Site::Bavaria,
        Site::Ohio,
        Site::Tokyo,
        Site::Ohio,
        Site::Bavaria,
        Site::Ohio,
        Site::Ohio,
        Site::Bavaria,
    ];
    for (number, site) in sites.into_iter().enumerate() {
        let who = teller.someone(site);
        let mut report = teller.report(who, "Paid through Expensify", &[s::HOTEL, s::TAXI, s::MEALS]);
        let paid = report.approved.map(|approved| before(approved.date_naive(), -1));
        // Three ways in which a report says so: status with a transfer, status alone, and a transfer alone.
        match number % 3 {
            0 => {
                report.state = ReportState::Reimbursed;
                report.reimbursed = paid;
                report.is_ach_reimbursed = true;
                report.entry_id = format!("{}", 7_741_000 + number);
            }
            1 => {
                report.state = ReportState::Reimbursed;
                report.reimbursed = paid;
            }
            _ => report.entry_id = format!("{}", 7_742_000 + number),
        }
        if number == 0 {
            // Reimbursed and card lines on one report: two clearing accounts in one journal.
            let mut line = teller.pen.line(who, s::SOFTWARE, day(10, 1));
            teller.company_card(&mut line, who);
            report.expenses.push(line);
        }
        teller.tell(Scene::PaidAtSource, Plan::Posts, report);
    }
}

fn edges_of_the_month(teller: &mut Teller<'_>) {
    // Half past ten in the evening of 31 October in New York is 1 November in UTC.
    for minutes in [150, 221] {
        let who = teller.someone(Site::Ohio);
        let life = dates(day(10, 31), (day(10, 31), 1_100), (day(11, 1), minutes));
        let report = teller.report_of(
            who,
            "Weekend shift, approved late at night",
            &[s::MEALS, s::SAFETY],
            life,
        );
        teller.tell(Scene::MonthEndEvening, Plan::Posts, report);
    }
    // Submitted in September, approved in October, for something that took place in October: not a September expense.
    for site in [Site::Ohio, Site::Bavaria, Site::Ohio] {
        let who = teller.someone(site);
        let life = dates(day(10, 2), (day(9, 28), 900), (day(10, 6), 905));
        let report = teller.report_of(
            who,
            "Trade fair of 2 October, booked ahead",
            &[s::CONFERENCE, s::RAIL],
            life,
        );
        teller.tell(Scene::LateApprovalOfOctober, Plan::Posts, report);
    }
}

/// Merchants and comments that break whoever glues text together.
const HOSTILE: &[(&str, &str)] = &[
    (
        "O'Malley \"The Hammer\" & Sons",
        "a \\ backslash, a \"quote\", a\nnew line and a\ttab",
    ),
    (
        "</script><script>alert(1)</script>",
        "${7*7} <#list reports as r>${r.total}</#list> #{7*7} {{7*7}}",
    ),
    (
        "Smith &amp; Weiß &lt;GmbH&gt;",
        "&quot;entities&quot; &apos;twice&apos; &amp;amp;",
    ),
    (
        "مطعم النخيل",
        "\u{202E}txet tfel-ot-thgir\u{202C} then ordinary again",
    ),
    (
        "🍕 Pizza 🚀 e\u{301}clair",
        "zero\u{200B}width, nbsp\u{A0}here, 👩‍👩‍👧‍👦 family, line\u{2028}separator",
    ),
    (
        "'; DROP TABLE reports; --",
        "=HYPERLINK(\"http://example.com\") %s %n \u{FEFF}BOM {\"json\": [1]}",
    ),
];

fn hostile_text(teller: &mut Teller<'_>) {
    for (number, (merchant, comment)) in HOSTILE.iter().enumerate() {
        let site = if number % 2 == 0 {
            Site::Ohio
        } else {
            Site::Bavaria
        };
        let who = teller.someone(site);
        let mut report = teller.report(who, comment, &[s::MEALS, s::OFFICE]);
        for line in &mut report.expenses {
            (*merchant).clone_into(&mut line.merchant);
            (*comment).clone_into(&mut line.comment);
        }
        if number == 0
            && let Some(line) = report.expenses.last_mut()
        {
            line.comment = "The whole minutes of the meeting, pasted here. ".repeat(210);
        }
        teller.tell(Scene::HostileText, Plan::Posts, report);
    }
}

fn lines_of_their_own_kind(teller: &mut Teller<'_>) {
    for site in [Site::Ohio, Site::Tokyo] {
        let who = teller.someone(site);
        let mut report = teller.report(who, "With a voucher", &[s::MEALS, s::TAXI]);
        let mut free = teller.pen.line_of(who, s::HOTEL, day(10, 1), 0);
        "Night on points".clone_into(&mut free.comment);
        report.expenses.push(free);
        teller.tell(Scene::ZeroAmountLine, Plan::Posts, report);
    }
    for site in [Site::Ohio, Site::Bavaria, Site::Ohio] {
        // One invoice, shared by three categories.
        let who = teller.someone(site);
        let mut report = teller.report(who, "Hotel bill, split", &[s::HOTEL, s::MEALS, s::PARKING]);
        let merchant = report
            .expenses
            .first()
            .map(|line| line.merchant.clone())
            .unwrap_or_default();
        for line in &mut report.expenses {
            line.split = true;
            line.merchant.clone_from(&merchant);
        }
        teller.tell(Scene::Split, Plan::Posts, report);
    }
    for site in [Site::Ohio, Site::Bavaria, Site::Tokyo, Site::Ohio] {
        // The approver took the tip out; the original amount, date and merchant stay visible.
        let who = teller.someone(site);
        let mut report = teller.report(who, "Dinner, corrected by the approver", &[s::MEALS, s::TAXI]);
        if let Some(line) = report.expenses.first_mut() {
            let less = line.amount - site.price(300);
            line.modified_amount = Some(less);
            line.converted_amount = Some(less);
            line.modified_created = Some(before(line.created, 1).max(day(10, 1)));
            line.modified_merchant = Some(format!("{} (corrected)", line.merchant));
        }
        teller.tell(Scene::Edited, Plan::Posts, report);
    }
    for _ in 0..3 {
        // The railway bills the company: not reimbursable, no card, and a rule names the account.
        let who = teller.someone(Site::Bavaria);
        let mut report = teller.report(who, "Bahn, Firmenrechnung", &[s::RAIL, s::RAIL, s::MEALS]);
        for line in report.expenses.iter_mut().take(2) {
            line.reimbursable = false;
        }
        teller.tell(Scene::CompanyAccount, Plan::Posts, report);
    }
    for site in [Site::Ohio, Site::Bavaria] {
        // Above the threshold of the rule set: another account than tooling has.
        let who = teller.someone(site);
        let mut report = teller.report(who, "Torque station", &[s::TOOLING, s::FREIGHT]);
        if let Some(line) = report.expenses.first_mut() {
            costs(line, site.price(164_000));
        }
        teller.tell(Scene::LowValueAsset, Plan::Posts, report);
    }
}

fn suppliers(teller: &mut Teller<'_>) {
    for (scene, standing) in [
        (Scene::SupplierByCurrency, Standing::TwoCurrencies),
        (Scene::SupplierByTable, Standing::InTable),
    ] {
        let who = teller.staff.special(standing);
        let report = teller.report(who, "Kundenbesuch", &[s::HOTEL, s::RAIL, s::ENTERTAINMENT]);
        teller.tell(scene, Plan::Posts, report);
    }
}

/// Another program's label does not hide a report from us.
fn labelled_elsewhere(teller: &mut Teller<'_>) {
    for site in [Site::Ohio, Site::Bavaria, Site::Ohio] {
        let who = teller.someone(site);
        let mut report = teller.report(who, "Monthly expenses", &[s::PHONE, s::DUES]);
        report.markings.push(Marking {
            label: "travel-desk-statistics".to_owned(),
            at: at(day(11, 1), 60),
        });
        teller.tell(Scene::LabelledElsewhere, Plan::Posts, report);
    }
}
