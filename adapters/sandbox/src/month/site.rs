//! The three places the company works at: each an Expensify policy with its currency, departments and neighbours.

use rust_decimal::Decimal;

use super::dice::Few;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Site {
    Ohio,
    Bavaria,
    Tokyo,
}

/// The policy of the Ohio plant.
pub const OHIO_POLICY: &str = "4F1D0C26A8B93E57";
/// The policy of the Bavaria plant.
pub const BAVARIA_POLICY: &str = "9B27E4D1503AC86F";
/// The policy of the Tokyo sales office.
pub const TOKYO_POLICY: &str = "C05A7719E2D4B38A";

/// A department: the second level of a tag, and the cost centre it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Department {
    pub(super) name: &'static str,
    pub(super) cost_centre: &'static str,
}

const fn department(name: &'static str, cost_centre: &'static str) -> Department {
    Department { name, cost_centre }
}

/// A neighbour whose money comes home on receipts: the rate is what one of it is worth in the site's currency, as
/// mantissa and decimals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    pub(super) currency: &'static str,
    rate: (i64, u32),
    pub(super) city: &'static str,
}

impl Foreign {
    pub(super) fn rate(&self) -> Decimal {
        Decimal::new(self.rate.0, self.rate.1)
    }
}

const fn foreign(currency: &'static str, mantissa: i64, decimals: u32, city: &'static str) -> Foreign {
    Foreign {
        currency,
        rate: (mantissa, decimals),
        city,
    }
}

/// The department whose cost centre was closed in QAD while its tag stayed in Expensify.
pub(super) const PAINT_SHOP: Department = department("Paint Shop", "1120");

impl Site {
    pub(super) const ALL: [Self; 3] = [Self::Ohio, Self::Bavaria, Self::Tokyo];

    pub(super) fn policy(self) -> &'static str {
        match self {
            Self::Ohio => OHIO_POLICY,
            Self::Bavaria => BAVARIA_POLICY,
            Self::Tokyo => TOKYO_POLICY,
        }
    }

    /// The first level of its tags.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ohio => "Ohio",
            Self::Bavaria => "Bavaria",
            Self::Tokyo => "Tokyo",
        }
    }

    pub(super) fn policy_name(self) -> &'static str {
        match self {
            Self::Ohio => "Larkfield Ohio Plant",
            Self::Bavaria => "Larkfield Werk Bayern",
            Self::Tokyo => "Larkfield Tokyo Sales",
        }
    }

    pub(super) fn currency(self) -> &'static str {
        match self {
            Self::Ohio => "USD",
            Self::Bavaria => "EUR",
            Self::Tokyo => "JPY",
        }
    }

    /// The sub-account that the rule set gives it.
    pub(super) fn sub_account(self) -> &'static str {
        match self {
            Self::Ohio => "10",
            Self::Bavaria => "20",
            Self::Tokyo => "30",
        }
    }

    /// How many work there.
    pub(super) fn headcount(self) -> usize {
        match self {
            Self::Ohio => 140,
            Self::Bavaria => 94,
            Self::Tokyo => 16,
        }
    }

    /// When its working day begins, in minutes of UTC; a negative hour would be the day before, so Tokyo begins at nine.
    pub(super) fn morning(self) -> i64 {
        match self {
            Self::Ohio => 13 * 60,
            Self::Bavaria => 7 * 60,
            Self::Tokyo => 0,
        }
    }

    /// A price of so many hundredths of a dollar, in hundredths of the site's own currency and of a size usual there.
    pub(super) fn price(self, dollars: i64) -> i64 {
        match self {
            Self::Ohio => dollars,
            Self::Bavaria => dollars * 92 / 100,
            // Tens of whole yen: a yen has no hundredths.
            Self::Tokyo => dollars * 150 / 1_000 * 1_000,
        }
    }

    pub(super) fn departments(self) -> Few<Department> {
        match self {
            Self::Ohio => {
                const {
                    Few(
                        department("Assembly", "1100"),
                        &[
                            department("Machining", "1110"),
                            department("Maintenance", "1130"),
                            department("Quality", "1140"),
                            department("Logistics", "1150"),
                            department("Engineering", "1160"),
                            department("Sales East", "1170"),
                            department("Finance", "1180"),
                            department("Human Resources", "1190"),
                        ],
                    )
                }
            }
            Self::Bavaria => {
                const {
                    Few(
                        department("Montage", "1200"),
                        &[
                            department("Zerspanung", "1210"),
                            department("Instandhaltung", "1230"),
                            department("Qualität", "1240"),
                            department("Logistik", "1250"),
                            department("Konstruktion", "1260"),
                            department("Vertrieb", "1270"),
                            department("Verwaltung", "1280"),
                        ],
                    )
                }
            }
            Self::Tokyo => {
                const {
                    Few(
                        department("Sales Asia", "1310"),
                        &[department("Application Engineering", "1320")],
                    )
                }
            }
        }
    }

    pub(super) fn neighbours(self) -> Few<Foreign> {
        match self {
            Self::Ohio => {
                const {
                    Few(
                        foreign("CAD", 7_214, 4, "Windsor"),
                        &[
                            foreign("MXN", 5_430, 5, "Querétaro"),
                            foreign("EUR", 10_870, 4, "Landshut"),
                            foreign("GBP", 12_955, 4, "Coventry"),
                            foreign("JPY", 6_667, 6, "Nagoya"),
                        ],
                    )
                }
            }
            Self::Bavaria => {
                const {
                    Few(
                        foreign("CZK", 3_985, 5, "Plzeň"),
                        &[
                            foreign("CHF", 10_620, 4, "Winterthur"),
                            foreign("USD", 9_200, 4, "Toledo"),
                            foreign("PLN", 2_331, 4, "Gliwice"),
                            foreign("HUF", 2_541, 6, "Győr"),
                        ],
                    )
                }
            }
            Self::Tokyo => {
                const {
                    Few(
                        foreign("KRW", 1_087, 4, "Busan"),
                        &[
                            foreign("USD", 15_000, 2, "Toledo"),
                            foreign("TWD", 4_655, 3, "Hsinchu"),
                        ],
                    )
                }
            }
        }
    }
}

/// A department as the full tag of a line.
pub(super) fn tag(site: Site, department: Department) -> String {
    format!("{}:{}", site.name(), department.name)
}
