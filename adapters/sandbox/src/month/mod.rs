//! A month of a manufacturer's spend, from a seed: October 2026 of Larkfield, 250 people in an Ohio plant (reports in
//! dollars), a Bavarian plant (euros) and a Tokyo sales office (yen), whose books are in one QAD workspace.
//!
//! [`month`] gives both stand-ins their worlds, and beside them the [`Story`]: what the generator means to become of
//! each report under the demo's rule set (`bin/demo/rules.toml`), so that what the product does can be held against it.
//! The same seed gives the same month, to the byte; the people and the ledger are the same for every seed, since the
//! rule set names some of them.
//!
//! What the rule set and the ledger agree on: go-live is [`go_live`], days are days of [`TIMEZONE`], the posting date
//! is that of the last expense, and of QAD's periods 2026/10 and 2026/11 are open. So a September expense that was
//! approved late waits, and nothing else does.
//!
//! Deliberately absent: any look at the product. Expectations come from the scenes' intent.

mod bulk;
mod dice;
mod ledger;
mod pen;
mod people;
mod policies;
mod scenes;
mod site;
mod spend;
mod story;

use chrono::{DateTime, NaiveDate, Utc};

use self::people::Staff;
use crate::{expensify, qad};

pub use site::{BAVARIA_POLICY, OHIO_POLICY, TOKYO_POLICY};
pub use spend::{RETIRED_CATEGORY, UNMAPPED_CATEGORIES};
pub use story::{Expectation, Part, Planned, PlannedKind, Scene, Story};

/// The time zone in which the company's days are counted.
pub const TIMEZONE: &str = "America/New_York";
/// The policies, in the order Ohio, Bavaria, Tokyo.
pub const POLICIES: [&str; 3] = [OHIO_POLICY, BAVARIA_POLICY, TOKYO_POLICY];

/// Approvals before this day were keyed by hand: 2026-10-01.
pub fn go_live() -> NaiveDate {
    dice::day(10, 1)
}

/// When the month is looked at: Monday, 2 November 2026, nine in the morning in New York. All of it lies in the past
/// then, and QAD's period 2026/11 has begun.
pub fn now() -> DateTime<Utc> {
    dice::at(dice::day(11, 2), 14 * 60)
}

/// What opens the stand-ins' doors. Nothing real: the stand-ins listen on loopback only.
pub mod credentials {
    /// `partnerUserID` of Expensify.
    pub const EXPENSIFY_USER_ID: &str = "aa_tieout_larkfield_example";
    /// `partnerUserSecret` of Expensify.
    pub const EXPENSIFY_SECRET: &str = "d3m0-only-9f2c71b84e5a";
    /// OAuth client id of QAD.
    pub const QAD_CLIENT_ID: &str = "TIEOUT-DEMO";
    /// User of QAD.
    pub const QAD_USER: &str = "tieout";
    /// Password of QAD's user.
    pub const QAD_PASSWORD: &str = "demo-only-Toledo!43604";
    /// The workspace that the month is posted to.
    pub const QAD_WORKSPACE: &str = "10USA_10USACO";
    /// A workspace with the same masters for trials, where a profile is certified.
    pub const QAD_TEST_WORKSPACE: &str = "10USA_10USATEST";
}

/// What is surely in the ledger, for reads that prove themselves on something known (contract qad §8.4).
pub mod canary {
    /// A GL account.
    pub const ACCOUNT: &str = "6410";
    /// A cost centre.
    pub const COST_CENTRE: &str = "1100";
    /// A sub-account.
    pub const SUB_ACCOUNT: &str = "10";
    /// A project.
    pub const PROJECT: &str = "P100";
    /// A supplier, in dollars.
    pub const SUPPLIER: &str = "EMP-E1001";
    /// An employee.
    pub const EMPLOYEE: &str = "E1001";
    /// The daybook of expense invoices.
    pub const DAYBOOK: &str = "EXPINV";
    /// A period.
    pub const PERIOD: &str = "2026/01";
    /// A posted supplier invoice.
    pub const INVOICE: &str = "ECANARYINV1";
    /// A posted credit note.
    pub const CREDIT_NOTE: &str = "ECANARYCRN1";
    /// A posted journal entry.
    pub const JOURNAL: &str = "ECANARYJRN1";
}

/// How much of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// About 400 approved reports, with everything that happens to real ones.
    Demo,
    /// Plain valid reports.
    Many {
        /// How many.
        reports: usize,
        /// Lines on each.
        lines: usize,
    },
    /// One valid report whose comments hold at least so many bytes.
    OneLarge {
        /// How many.
        bytes: usize,
    },
}

/// A month: both ends, and what is to become of it.
#[derive(Clone, Debug)]
pub struct Month {
    /// What the stand-in Expensify holds.
    pub expensify: expensify::world::World,
    /// What the stand-in QAD holds.
    pub qad: qad::world::World,
    /// What is to become of each report.
    pub story: Story,
}

/// The month of a seed.
pub fn month(seed: u64, size: Size) -> Month {
    let staff = Staff::hired();
    let (reports, story) = match size {
        Size::Demo => scenes::all(seed, &staff),
        Size::Many { reports, lines } => bulk::many(seed, &staff, reports, lines),
        Size::OneLarge { bytes } => bulk::one_large(seed, &staff, bytes),
    };
    let mut world =
        expensify::world::World::with_account(credentials::EXPENSIFY_USER_ID, credentials::EXPENSIFY_SECRET);
    for policy in policies::all(&staff) {
        world.add_policy(policy);
    }
    for report in reports {
        world.add_report(report);
    }
    Month {
        expensify: world,
        qad: ledger::world(&staff),
        story,
    }
}

/// A month of one very large report (see [`Size::OneLarge`]).
pub fn one_large(bytes: usize) -> Month {
    month(0, Size::OneLarge { bytes })
}

#[cfg(test)]
mod tests;
