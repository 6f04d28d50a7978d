//! What cannot post, for a reason that someone can put right. The codes are those of the product's catalogue.

use super::super::dice::day;
use super::super::pen::{Card, taxed};
use super::super::people::Standing;
use super::super::site::{PAINT_SHOP, Site, tag};
use super::super::spend::{self as s, Spend};
use super::super::story::Scene;
use super::{Plan, Teller};
use crate::expensify::world::{Expense, Report};

/// A tag of Bavaria whose ledger code QAD does not know: the new hall is in Expensify before it is in the chart.
pub(in crate::month) const NEW_HALL: (&str, &str) = ("Neubau", "1299");

pub(super) fn tell(teller: &mut Teller<'_>) {
    for (site, what) in [
        (Site::Ohio, s::TEAM_BUILDING),
        (Site::Bavaria, s::GIFTS),
        (Site::Ohio, s::UNCATEGORIZED),
        (Site::Tokyo, s::GIFTS),
    ] {
        spoil(
            teller,
            site,
            Scene::UnmappedCategory,
            &["unmapped_account"],
            &[what, s::MEALS],
            |_| {},
        );
    }
    let ohio = |teller: &mut Teller<'_>, scene, codes, change: &dyn Fn(&mut Expense)| {
        spoil(teller, Site::Ohio, scene, codes, &[s::MEALS, s::TAXI], change);
    };
    ohio(teller, Scene::UnmappedTag, &["unmapped_cost_centre"], &|line| {
        line.tag.clear()
    });
    for _ in 0..3 {
        ohio(
            teller,
            Scene::InactiveCostCentre,
            &["inactive_cost_centre"],
            &|line| {
                line.tag = tag(Site::Ohio, PAINT_SHOP);
            },
        );
    }
    ohio(
        teller,
        Scene::MissingConversion,
        &["missing_conversion"],
        &|line| {
            "CAD".clone_into(&mut line.currency);
            line.converted_amount = None;
            line.conversion_rate = None;
        },
    );
    ohio(teller, Scene::AmountsDisagree, &["amounts_disagree"], &|line| {
        line.modified_amount = Some(line.amount + 250);
    });
    ohio(teller, Scene::NoCreditAccount, &["no_credit_account"], &|line| {
        line.reimbursable = false
    });

    let bavaria = |teller: &mut Teller<'_>, scene, codes, change: &dyn Fn(&mut Expense)| {
        spoil(
            teller,
            Site::Bavaria,
            scene,
            codes,
            &[s::TOOLING, s::MEALS],
            change,
        );
    };
    bavaria(
        teller,
        Scene::UnknownCostCentre,
        &["unknown_cost_centre"],
        &|line| {
            line.tag = format!("{}:{}", Site::Bavaria.name(), NEW_HALL.0);
        },
    );
    for code in ["DE19RC", "AT20"] {
        bavaria(teller, Scene::UnmappedTax, &["unmapped_tax"], &|line| {
            taxed(line, Site::Bavaria, code, if code == "AT20" { 20 } else { 19 });
        });
    }
    spoil(
        teller,
        Site::Ohio,
        Scene::InactiveAccount,
        &["inactive_account"],
        &[s::TELEX, s::OFFICE],
        |_| {},
    );
    spoil(
        teller,
        Site::Tokyo,
        Scene::HalfYen,
        &["amount_remainder"],
        &[s::MEALS, s::TAXI],
        |line| {
            // 50 hundredths of a yen: a share of a bill that was divided by two.
            line.amount += 50;
            line.converted_amount = Some(line.amount);
        },
    );
    totals(teller);
    cards(teller);
    people(teller);
}

/// An otherwise good report whose first line is spoilt.
fn spoil(
    teller: &mut Teller<'_>,
    site: Site,
    scene: Scene,
    codes: &'static [&'static str],
    what: &[Spend],
    change: impl Fn(&mut Expense),
) {
    let who = teller.someone(site);
    let mut report = teller.report(who, "Monthly expenses", what);
    if let Some(line) = report.expenses.first_mut() {
        change(line);
    }
    teller.tell(scene, Plan::Rejected(codes), report);
}

fn totals(teller: &mut Teller<'_>) {
    let who = teller.someone(Site::Ohio);
    let mut report = teller.report(who, "Workshop week", &[s::TRAINING, s::HOTEL, s::MEALS]);
    // Someone removed a line while the report was being approved, and the total stayed.
    report.total = report.line_sum() + 4_180;
    teller.tell_as_it_is(
        Scene::TotalDisagrees,
        Plan::Rejected(&["total_disagrees"]),
        report,
    );

    let who = teller.someone(Site::Ohio);
    let mut report = teller.report(who, "Audit travel of last year", &[s::RAIL]);
    report
        .custom_fields
        .insert("Project".to_owned(), "Plant audit 2025".to_owned());
    teller.tell(Scene::InactiveProject, Plan::Rejected(&["bad_project"]), report);
}

fn cards(teller: &mut Teller<'_>) {
    for (scene, site, card, codes) in [
        (
            Scene::UnknownCard,
            Site::Ohio,
            Card::Brightpay,
            &["no_card_clearing"],
        ),
        // A dollar card on a report in yen: its clearing account takes dollars only.
        (
            Scene::CardOfAnotherCurrency,
            Site::Tokyo,
            Card::Summit,
            &["account_currency"],
        ),
    ] {
        let who = teller.someone(site);
        let mut report = teller.report(who, "Card statement", &[s::SOFTWARE]);
        for line in &mut report.expenses {
            teller.card(line, who, card);
        }
        teller.tell(scene, Plan::Rejected(codes), report);
    }
}

fn people(teller: &mut Teller<'_>) {
    let staff = teller.staff;
    for (scene, standing, codes) in [
        (Scene::NoSupplier, Standing::NoSupplier, &["no_supplier"]),
        (
            Scene::InactiveSupplier,
            Standing::Inactive,
            &["inactive_supplier"],
        ),
        (
            Scene::SupplierCurrency,
            Standing::OtherCurrency,
            &["supplier_currency"],
        ),
    ] {
        let who = staff.special(standing);
        let report = teller.report(who, "Monthly expenses", &[s::HOTEL, s::MEALS]);
        teller.tell(scene, Plan::Rejected(codes), report);
    }
    // Everything at once: whoever corrects it wants to hear it once.
    let who = staff.special(Standing::NoSupplier);
    let mut report: Report = teller.report(who, "First month at the plant", &[s::MEALS, s::TOOLING]);
    let mut lost = teller.pen.line(who, s::GIFTS, day(10, 1));
    lost.tag = tag(Site::Ohio, PAINT_SHOP);
    report.expenses.push(lost);
    let codes = &["unmapped_account", "inactive_cost_centre", "no_supplier"];
    teller.tell(Scene::ManyReasons, Plan::Rejected(codes), report);
}
