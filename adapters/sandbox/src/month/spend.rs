//! What people spend money on: categories with the account they mean, what such a thing costs, and where it is bought.

use super::dice::Few;
use super::site::Site;

/// A category.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spend {
    pub(super) category: &'static str,
    /// The ledger code that the policy carries for it; blank where nobody ever entered one.
    pub(super) account: &'static str,
    /// From and to, in whole dollars.
    price: (i64, i64),
    pub(super) mcc: i64,
    ohio: Few<&'static str>,
    bavaria: Few<&'static str>,
    tokyo: Few<&'static str>,
}

impl Spend {
    pub(super) fn merchants(&self, site: Site) -> Few<&'static str> {
        match site {
            Site::Ohio => self.ohio,
            Site::Bavaria => self.bavaria,
            Site::Tokyo => self.tokyo,
        }
    }

    /// From and to, in hundredths of a dollar.
    pub(super) fn price(&self) -> (i64, i64) {
        (self.price.0 * 100, self.price.1 * 100 + 99)
    }
}

macro_rules! spends {
    ($($name:ident = $category:literal, $account:literal, $price:expr, $mcc:literal,
       $ohio:expr, $bavaria:expr, $tokyo:expr;)*) => {
        $(pub(super) const $name: Spend = Spend {
            category: $category, account: $account, price: $price, mcc: $mcc,
            ohio: $ohio, bavaria: $bavaria, tokyo: $tokyo,
        };)*
        /// Every category of the policies.
        pub(super) const ALL: &[Spend] = &[$($name,)*];
    };
}

spends! {
    AIRFARE = "Airfare", "6410", (180, 1_400), 3_000,
        Few("Lakeshore Air", &["Great Plains Airways", "TransOhio Connect"]),
        Few("Alpenflug", &["Nordbayern Air", "Lakeshore Air"]),
        Few("Sakura Air Lines", &["Setouchi Airways"]);
    HOTEL = "Hotel", "6420", (120, 240), 7_011,
        Few("Maumee River Inn", &["The Foundry Hotel", "Cuyahoga Suites", "Roadside Comfort 41"]),
        Few("Gasthof zur Linde", &["Hotel am Domberg", "Stadthotel Regensburg"]),
        Few("Hotel Kiso", &["Shinagawa Bay Hotel"]);
    TAXI = "Ground Transport", "6430", (9, 78), 4_121,
        Few("Checker Cab Toledo", &["RideWell", "Airport Shuttle Co"]),
        Few("Taxi Funk München", &["RideWell"]),
        Few("Kanto Taxi", &["RideWell"]);
    RAIL = "Rail", "6431", (14, 190), 4_112,
        Few("Midwest Rail", &["Coastline Rail"]),
        Few("Bayernbahn", &["Donau-Express"]),
        Few("Tokai Shinkansen", &["Kanto Metro"]);
    CAR_RENTAL = "Car Rental", "6432", (48, 310), 7_512,
        Few("Keystone Rent-a-Car", &["Northline Cars"]),
        Few("Isar Autovermietung", &["Northline Cars"]),
        Few("Fuji Rent-a-Car", &[]);
    MILEAGE = "Mileage", "6435", (12, 160), 0,
        Few("Mileage", &[]), Few("Mileage", &[]), Few("Mileage", &[]);
    FUEL = "Fuel", "6436", (28, 84), 5_541,
        Few("Buckeye Fuel Stop", &["Interstate Gas 77"]),
        Few("Tankstelle Isartal", &["Autohof Geiselwind"]),
        Few("Meguro Fuel", &[]);
    PARKING = "Parking & Tolls", "6437", (4, 46), 7_523,
        Few("Ohio Turnpike", &["City Garage 4"]),
        Few("Parkhaus am Stachus", &["Parkhaus Flughafen"]),
        Few("Shuto Expressway", &[]);
    MEALS = "Meals", "6440", (12, 95), 5_812,
        Few("Tony's Diner", &["Blue Heron Grill", "Corner Bakehouse", "Smoke & Oak BBQ"]),
        Few("Wirtshaus zum Löwen", &["Bäckerei Huber", "Ratskeller"]),
        Few("Soba Matsuya", &["Izakaya Tori", "Ekiben Corner"]);
    ENTERTAINMENT = "Client Entertainment", "6445", (68, 420), 5_813,
        Few("The Copper Room", &["Lakeview Steakhouse"]),
        Few("Brauhaus am Markt", &["Zum Goldenen Hirsch"]),
        Few("Ginza Kappo", &["Kaiseki Ume"]);
    TRAINING = "Training", "6510", (140, 900), 8_299,
        Few("Great Lakes Welding Academy", &["Lean Works Institute"]),
        Few("TÜ-Akademie Nürnberg", &["Schweißtechnik Campus"]),
        Few("Kanto Skills Center", &[]);
    CONFERENCE = "Conference Fees", "6515", (190, 1_100), 8_398,
        Few("Fabrication Expo Chicago", &["Midwest Quality Forum"]),
        Few("Werkzeugmesse Stuttgart", &["Blechtage Nürnberg"]),
        Few("Machine Tool Fair Tokyo", &[]);
    TOOLING = "Tooling Supplies", "6610", (40, 420), 5_072,
        Few("Erie Tool & Die Supply", &["Carbide Direct"]),
        Few("Werkzeug Maier", &["Hartmetall Kontor"]),
        Few("Monozukuri Tools", &[]);
    MAINTENANCE = "Maintenance Parts", "6615", (22, 360), 5_085,
        Few("Bearings & Belts", &["Toledo Hydraulics"]),
        Few("Wälzlager Kraus", &["Hydraulik Süd"]),
        Few("Kanda Parts", &[]);
    SAFETY = "Safety Equipment", "6620", (18, 210), 5_099,
        Few("SafeHands Supply", &["Steel Toe Depot"]),
        Few("Arbeitsschutz Brandl", &[]),
        Few("Anzen Store", &[]);
    OFFICE = "Office Supplies", "6710", (7, 120), 5_943,
        Few("Paper & Pen", &["Desk Depot"]),
        Few("Bürobedarf Lang", &[]),
        Few("Bungu Ya", &[]);
    SOFTWARE = "Software", "6720", (12, 260), 5_734,
        Few("Cloudhaven", &["DraftPro CAD", "Flowchart.app"]),
        Few("Cloudhaven EU", &["DraftPro CAD"]),
        Few("Cloudhaven Japan", &[]);
    PHONE = "Phone & Internet", "6730", (18, 96), 4_814,
        Few("Lakes Wireless", &[]),
        Few("Bayern Mobil", &[]),
        Few("Kanto Mobile", &[]);
    FREIGHT = "Postage & Freight", "6740", (9, 180), 4_215,
        Few("Parcel Runner", &["Overnight Ohio"]),
        Few("Paketdienst Franken", &[]),
        Few("Yamabiko Express", &[]);
    DUES = "Dues & Subscriptions", "6750", (35, 280), 8_699,
        Few("Society of Tool Engineers", &["Quality Digest Weekly"]),
        Few("Verein der Werkzeugmacher", &[]),
        Few("Nippon Machinery Review", &[]);
    TELEX = "Fax & Telex", "6790", (12, 40), 4_821,
        Few("Lakes Wireless", &[]), Few("Bayern Mobil", &[]), Few("Kanto Mobile", &[]);
    TEAM_BUILDING = "Team Building", "", (60, 380), 7_999,
        Few("Axe & Target Lanes", &["Toledo Bowl"]),
        Few("Kletterwald Altmühltal", &[]),
        Few("Karaoke Hall 8", &[]);
    GIFTS = "Gifts", "", (18, 90), 5_947,
        Few("Basket & Bow", &[]),
        Few("Blumen Reiter", &[]),
        Few("Depachika Gifts", &[]);
    UNCATEGORIZED = "Uncategorized", "", (10, 140), 5_999,
        Few("Corner Store", &[]), Few("Kiosk am Bahnhof", &[]), Few("Konbini 24", &[]);
}

/// Categories that the demo's rule set maps to no account, on purpose.
pub const UNMAPPED_CATEGORIES: &[&str] = &["Team Building", "Gifts", "Uncategorized"];

/// The category that the rule set maps to an account which is inactive in QAD.
pub const RETIRED_CATEGORY: &str = "Fax & Telex";

/// What an ordinary trip or workshop buys, some of it more often.
pub(super) const USUAL: Few<Spend> = Few(
    MEALS,
    &[
        MEALS,
        MEALS,
        HOTEL,
        HOTEL,
        TAXI,
        TAXI,
        AIRFARE,
        RAIL,
        CAR_RENTAL,
        FUEL,
        PARKING,
        PARKING,
        ENTERTAINMENT,
        TRAINING,
        CONFERENCE,
        TOOLING,
        TOOLING,
        MAINTENANCE,
        MAINTENANCE,
        SAFETY,
        OFFICE,
        SOFTWARE,
        PHONE,
        FREIGHT,
        DUES,
    ],
);
