//! What most of a month is: trips and plant purchases, cash and cards, now and then a receipt from a neighbour.

use super::super::dice::Few;
use super::super::site::Site;
use super::super::story::Scene;
use super::{Plan, Teller};

const PROJECTS: Few<&str> = Few("New press line", &["Line 4 relocation", "Coating pilot"]);
const PURPOSES: Few<&str> = Few("Internal", &["Internal", "Plant", "Customer"]);

pub(super) fn tell(teller: &mut Teller<'_>, reports: usize) {
    for number in 0..reports {
        // The first three are one of each site, so that no seed leaves one out.
        let site = match (number, teller.pen.dice.below(100)) {
            (0, _) => Site::Tokyo,
            (1, _) => Site::Bavaria,
            (2, _) => Site::Ohio,
            (_, ..8) => Site::Tokyo,
            (_, ..43) => Site::Bavaria,
            _ => Site::Ohio,
        };
        one(teller, site);
    }
}

fn one(teller: &mut Teller<'_>, site: Site) {
    let who = teller.someone(site);
    let dates = teller.pen.october(site);
    let lines = teller.pen.dice.between(1, 4) + teller.pen.dice.between(0, 3);
    let mut expenses = teller.pen.trip(who, dates.last, lines);
    // A Tokyo report is in yen, and no company card of Tokyo is.
    let cards = if site == Site::Tokyo {
        0
    } else {
        teller.pen.dice.below(100)
    };
    let all_on_card = cards >= 86;
    let some_on_card = (70..86).contains(&cards);
    let abroad = teller.pen.dice.percent(14);
    let place = teller.pen.dice.pick(site.neighbours());
    for line in &mut expenses {
        if line.is_distance {
            continue;
        }
        if all_on_card || some_on_card && teller.pen.dice.percent(50) {
            teller.company_card(line, who);
        }
        if abroad && teller.pen.dice.percent(70) {
            teller.pen.abroad(line, site, place);
        } else if teller.pen.dice.percent(55) {
            teller.local_tax(line, site);
        }
    }
    let title = title(teller, site, abroad.then_some(place.city));
    let mut report = teller.pen.report(who, teller.staff.manager(site), dates, &title);
    let purpose = teller.pen.dice.pick(PURPOSES).to_owned();
    report.custom_fields.insert("Trip Purpose".to_owned(), purpose);
    if teller.pen.dice.percent(18) {
        let project = teller.pen.dice.pick(PROJECTS).to_owned();
        report.custom_fields.insert("Project".to_owned(), project);
    }
    report.expenses = expenses;
    teller.tell(Scene::Ordinary, Plan::Posts, report);
}

fn title(teller: &mut Teller<'_>, site: Site, abroad: Option<&str>) -> String {
    let week = teller.pen.dice.between(40, 44);
    match abroad {
        Some(city) => format!("Trip to {city}, week {week}"),
        None => {
            let what = Few(
                "Plant expenses",
                &["Customer visits", "Maintenance run", "Monthly expenses"],
            );
            format!("{} {} week {week}", site.name(), teller.pen.dice.pick(what))
        }
    }
}
