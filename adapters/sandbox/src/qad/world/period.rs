//! Periods: per entity, each with a status and an opening per module (contract qad §2.4, §4).

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// The module that a document posts through; periods open and close for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// General ledger: journal entries.
    Gl,
    /// Purchasing: supplier invoices and credit notes.
    Purchasing,
}

/// How far a period is closed; each is stronger than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodStatus {
    /// Takes postings, module by module.
    #[default]
    Open,
    /// Takes none; may be opened again.
    Locked,
    /// Reported.
    Reported,
    /// Closed for good.
    Frozen,
}

impl PeriodStatus {
    /// As browses show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Locked => "LOCKED",
            Self::Reported => "REPORTED",
            Self::Frozen => "FROZEN",
        }
    }
}

/// What a period is for; only routine ones take documents from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodType {
    /// Routine.
    #[default]
    Normal,
    /// Corrections after the year.
    Correction,
    /// Closing of the year.
    YearEnd,
}

/// A GL period of one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The fiscal year.
    pub year: i32,
    /// The period's number in the year, from 1.
    pub number: u32,
    /// First day.
    pub start: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
    /// How far it is closed.
    pub status: PeriodStatus,
    /// What it is for.
    pub kind: PeriodType,
    /// Open for the general ledger.
    pub gl_allowed: bool,
    /// Open for purchases.
    pub purchasing_allowed: bool,
}

impl Period {
    /// A routine period, open for every module.
    pub fn open(year: i32, number: u32, start: NaiveDate, end: NaiveDate) -> Self {
        Self {
            year,
            number,
            start,
            end,
            status: PeriodStatus::Open,
            kind: PeriodType::Normal,
            gl_allowed: true,
            purchasing_allowed: true,
        }
    }

    /// The twelve months of a calendar year, all open. A year that the calendar cannot hold has none.
    pub fn calendar_year(year: i32) -> Vec<Self> {
        (1..=12)
            .filter_map(|month| {
                let start = NaiveDate::from_ymd_opt(year, month, 1)?;
                let end = start
                    .checked_add_months(Months::new(1))?
                    .checked_sub_days(Days::new(1))?;
                Some(Self::open(start.year(), month, start, end))
            })
            .collect()
    }

    /// Whether the day lies in it.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.start <= day && day <= self.end
    }

    /// Whether it takes postings of a module.
    pub fn is_open_for(&self, module: Module) -> bool {
        let allowed = match module {
            Module::Gl => self.gl_allowed,
            Module::Purchasing => self.purchasing_allowed,
        };
        self.status == PeriodStatus::Open && self.kind == PeriodType::Normal && allowed
    }

    /// Opens or closes it for one module, or for both.
    pub fn allow(&mut self, module: Option<Module>, allowed: bool) {
        if module != Some(Module::Purchasing) {
            self.gl_allowed = allowed;
        }
        if module != Some(Module::Gl) {
            self.purchasing_allowed = allowed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_year_has_no_gaps() {
        let year = Period::calendar_year(2024);
        assert_eq!(year.len(), 12);
        assert!(
            year.windows(2)
                .all(|pair| pair[0].end.succ_opt() == Some(pair[1].start))
        );
        assert_eq!(year[1].end, NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
    }

    #[test]
    fn a_period_opens_module_by_module() {
        let mut may = Period::calendar_year(2024).swap_remove(4);
        may.allow(Some(Module::Purchasing), false);
        assert!(may.is_open_for(Module::Gl) && !may.is_open_for(Module::Purchasing));
        may.allow(None, true);
        may.status = PeriodStatus::Locked;
        assert!(!may.is_open_for(Module::Gl));
    }

    #[test]
    fn only_a_routine_period_takes_documents() {
        let mut closing = Period::calendar_year(2024).swap_remove(11);
        closing.kind = PeriodType::YearEnd;
        assert!(!closing.is_open_for(Module::Gl));
    }
}
