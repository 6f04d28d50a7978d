//! Two hundred and fifty people with invented names. They do not depend on the seed: the demo's rule set names one of
//! them, and whoever looks at two months meets the same faces.

use super::dice::Few;
use super::site::{Department, Site};
use crate::expensify::world::Person;

/// What is special about someone's supplier in QAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// One supplier, in the currency of the site.
    Regular,
    /// No supplier.
    NoSupplier,
    /// One supplier, in another currency than the site's.
    OtherCurrency,
    /// One supplier, inactive.
    Inactive,
    /// Two suppliers, of which one has the site's currency: it is found by that.
    TwoCurrencies,
    /// Two suppliers in the site's currency: the rule set's table names the right one.
    InTable,
}

/// Someone who spends.
#[derive(Clone, Debug)]
pub(super) struct Employee {
    pub(super) site: Site,
    pub(super) department: Department,
    pub(super) standing: Standing,
    /// `E1001`, ...
    pub(super) code: String,
    pub(super) person: Person,
}

impl Employee {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.person.first_name, self.person.last_name)
    }
}

type Names = Few<(&'static str, &'static str)>;

/// Each name beside its form in an address.
const fn names(first: &'static str, rest: &'static [(&'static str, &'static str)]) -> Names {
    Few((first, first), rest)
}

macro_rules! plain {
    ($first:literal $(, $name:literal)*) => { names($first, &[$(($name, $name)),*]) };
}

const OHIO_FIRST: Names = plain!(
    "Avery", "Marcus", "Denise", "Kim", "Terrence", "Sofia", "Walt", "Priya", "Luis", "Janet", "Omar",
    "Becky", "Curtis", "Maya", "Glenn", "Rosa", "Howard", "Tasha", "Neil", "Dolores"
);
const OHIO_LAST: Names = plain!(
    "Lindqvist",
    "Okafor",
    "Brandt",
    "Reyes",
    "Kowalczyk",
    "Haddad",
    "Pruitt",
    "Nakamura",
    "Dunleavy",
    "Osei",
    "Calloway"
);
const BAVARIA_FIRST: Names = names(
    "Anna",
    &[
        ("Jürgen", "juergen"),
        ("Katrin", "Katrin"),
        ("Lukas", "Lukas"),
        ("Börge", "boerge"),
        ("Sabine", "Sabine"),
        ("Matthias", "Matthias"),
        ("Ayşe", "ayse"),
        ("Florian", "Florian"),
        ("Grete", "Grete"),
        ("Tobias", "Tobias"),
        ("Ilse", "Ilse"),
        ("Marek", "Marek"),
    ],
);
const BAVARIA_LAST: Names = names(
    "Huber",
    &[
        ("Weiß", "weiss"),
        ("Stadlmeier", "Stadlmeier"),
        ("Yıldız", "yildiz"),
        ("Brückner", "brueckner"),
        ("Pfaffenberger", "Pfaffenberger"),
        ("Novák", "novak"),
        ("Reindl", "Reindl"),
        ("Oberhofer", "Oberhofer"),
        ("Dörfler", "doerfler"),
        ("Krämer", "kraemer"),
    ],
);
const TOKYO_FIRST: Names = plain!("Haruka", "Kenji", "Yui", "Daichi", "Emi");
const TOKYO_LAST: Names = plain!("Mori", "Takahashi", "Ueda", "Sakamoto", "Fujii", "Hayashi", "Ono");

/// Who has something special, by the place in their site's list.
const SPECIAL: &[(Site, usize, Standing)] = &[
    (Site::Ohio, 11, Standing::NoSupplier),
    (Site::Ohio, 23, Standing::Inactive),
    (Site::Bavaria, 5, Standing::OtherCurrency),
    (Site::Bavaria, 17, Standing::TwoCurrencies),
    (Site::Bavaria, 29, Standing::InTable),
];

/// Everyone, in the order of their codes.
#[derive(Clone, Debug)]
pub(super) struct Staff {
    all: Vec<Employee>,
    nobody: Employee,
}

impl Staff {
    pub(super) fn hired() -> Self {
        let mut all = Vec::new();
        for site in Site::ALL {
            for place in 0..site.headcount() {
                all.push(hire(site, place, 1_001 + all.len()));
            }
        }
        Self {
            all,
            nobody: hire(Site::Ohio, 0, 1_000),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Employee> {
        self.all.iter()
    }

    /// Those of a site with nothing special, so that a report of theirs fails only for reasons of its own.
    pub(super) fn regular(&self, site: Site) -> Vec<&Employee> {
        self.iter()
            .filter(|one| one.site == site && one.standing == Standing::Regular)
            .collect()
    }

    /// The first with this standing.
    pub(super) fn special(&self, standing: Standing) -> &Employee {
        self.iter()
            .find(|one| one.standing == standing)
            .unwrap_or(&self.nobody)
    }

    /// Who approves for a site: its first employee.
    pub(super) fn manager(&self, site: Site) -> &Employee {
        self.iter().find(|one| one.site == site).unwrap_or(&self.nobody)
    }
}

fn nth<T: Copy>(few: Few<T>, place: usize) -> T {
    few.iter().nth(place % (few.1.len() + 1)).unwrap_or(few.0)
}

fn hire(site: Site, place: usize, number: usize) -> Employee {
    let (firsts, lasts) = match site {
        Site::Ohio => (OHIO_FIRST, OHIO_LAST),
        Site::Bavaria => (BAVARIA_FIRST, BAVARIA_LAST),
        Site::Tokyo => (TOKYO_FIRST, TOKYO_LAST),
    };
    // The lists have coprime lengths, so that walking both in step meets every pair before any twice.
    let (first, last) = (nth(firsts, place), nth(lasts, place));
    let standing = SPECIAL
        .iter()
        .find(|(at, nth, _)| (*at, *nth) == (site, place))
        .map_or(Standing::Regular, |(_, _, standing)| *standing);
    let department = nth(site.departments(), place / 2);
    Employee {
        site,
        department,
        standing,
        code: format!("E{number}"),
        person: Person {
            email: format!("{}.{}@example.com", first.1.to_lowercase(), last.1.to_lowercase()),
            first_name: first.0.to_owned(),
            last_name: last.0.to_owned(),
            user_id: format!("E{number}"),
            payroll_id: format!("P{}", 40_000 + number),
            account_id: 9_000_000 + number as u64,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn two_hundred_and_fifty_people_have_an_address_each() {
        let staff = Staff::hired();
        let addresses: BTreeSet<&str> = staff.iter().map(|one| one.person.email.as_str()).collect();
        assert_eq!(addresses.len(), 250);
        assert!(
            addresses
                .iter()
                .all(|address| address.is_ascii() && address.ends_with("@example.com"))
        );
    }

    #[test]
    fn everyone_special_is_there() {
        let staff = Staff::hired();
        for (site, _, standing) in SPECIAL {
            assert!(
                staff
                    .iter()
                    .any(|one| one.site == *site && one.standing == *standing)
            );
        }
        assert_eq!(staff.special(Standing::InTable).site, Site::Bavaria);
    }
}
