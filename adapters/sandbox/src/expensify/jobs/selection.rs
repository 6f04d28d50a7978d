//! Which reports a job means (contract §2.2, §2.3).

use chrono::{DateTime, Months, NaiveDate, Utc};
use serde_json::Value;

use super::super::reply::Refusal;
use super::super::world::{Account, Report, ReportId, ReportState, Role, World};
use super::id_list;

/// The filters of a job. A key that is unknown, or stands in the wrong place, is ignored.
#[derive(Debug, Default)]
pub struct Selection {
    /// The words of `reportState`; none, any state.
    states: Option<Vec<String>>,
    /// Only these; an id that is none selects nothing.
    ids: Option<Vec<Option<ReportId>>>,
    policies: Option<Vec<String>>,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    approved_after: Option<NaiveDate>,
    without_label: Option<String>,
    limit: Option<usize>,
    as_employee: Option<String>,
}

impl Selection {
    /// Reads the filters of an export: `input` is its `inputSettings`.
    pub fn of_export(input: &Value, today: NaiveDate) -> Result<Self, Refusal> {
        let mut selection = Self::of_filters(input.get("filters"))?;
        selection.states = input
            .get("reportState")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(|text| text.split(',').map(|word| word.trim().to_owned()).collect());
        selection.limit = match input.get("limit") {
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Number(number)) => number.as_u64().and_then(|limit| usize::try_from(limit).ok()),
            _ => None,
        };
        selection.as_employee = text(input.get("employeeEmail"));
        if selection.ids.is_none() && selection.start.is_none() && selection.approved_after.is_none() {
            return Err(Refusal::new(
                410,
                "One of 'reportIDList', 'startDate' or 'approvedAfter' is required in 'filters'",
            ));
        }
        for start in [selection.start, selection.approved_after].into_iter().flatten() {
            selection.within_a_year(start, today)?;
        }
        Ok(selection)
    }

    /// Reads the filters of an update of the status.
    pub fn of_filters(filters: Option<&Value>) -> Result<Self, Refusal> {
        let key = |key: &str| filters.and_then(|filters| filters.get(key));
        let ids = key("reportIDList")
            .map(|list| id_list(Some(list)))
            .filter(|ids| !ids.is_empty());
        Ok(Self {
            ids: ids.map(|ids| ids.iter().map(|id| id.parse().ok()).collect()),
            policies: Some(id_list(key("policyIDList"))).filter(|policies| !policies.is_empty()),
            start: date(key("startDate"))?,
            end: date(key("endDate"))?,
            approved_after: date(key("approvedAfter"))?,
            without_label: text(key("markedAsExported")),
            ..Self::default()
        })
    }

    /// Whether it narrows by id or by date.
    pub fn is_bounded(&self) -> bool {
        self.ids.is_some() || self.start.is_some()
    }

    /// The rule of one year: `endDate` is required when the range began more than a year ago, and no range is longer.
    fn within_a_year(&self, start: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
        let Some(year_later) = start.checked_add_months(Months::new(12)) else {
            return Err(malformed(&start.to_string()));
        };
        match self.end {
            None if year_later < today => Err(Refusal::new(
                410,
                "'endDate' is required when 'startDate' or 'approvedAfter' is more than one year ago",
            )),
            Some(end) if year_later < end => Err(Refusal::new(410, "The date range cannot exceed one year")),
            _ => Ok(()),
        }
    }

    /// Refuses to act as someone else without the right to (contract §2.2).
    pub fn permitted(&self, account: &Account) -> Result<(), Refusal> {
        match &self.as_employee {
            Some(employee) if *employee != account.email && !account.acts_for_others => Err(Refusal::new(
                500,
                format!("Not authorized to authenticate as user {employee}"),
            )),
            _ => Ok(()),
        }
    }

    /// The reports it means, of those the account sees.
    pub fn of<'w>(&self, world: &'w World, account: &Account, approved_on_counts: bool) -> Vec<&'w Report> {
        let limit = self.limit.unwrap_or(usize::MAX);
        // A list of ids is looked up and not searched for: marking a hundred of twenty thousand is quick.
        let candidates: Vec<&Report> = match &self.ids {
            Some(ids) => {
                let mut ids: Vec<ReportId> = ids.iter().copied().flatten().collect();
                ids.sort_unstable();
                ids.dedup();
                ids.iter().filter_map(|id| world.reports.get(id)).collect()
            }
            None => world.reports.values().collect(),
        };
        candidates
            .into_iter()
            .filter(|report| self.matches(report, approved_on_counts))
            .filter(|report| self.sees(world, account, report))
            .take(limit)
            .collect()
    }

    fn matches(&self, report: &Report, approved_on_counts: bool) -> bool {
        let day = report.window_instant().date_naive();
        let approved = |floor: NaiveDate, at: DateTime<Utc>| {
            let on = at.date_naive();
            if approved_on_counts {
                on >= floor
            } else {
                on > floor
            }
        };
        self.states.as_ref().is_none_or(|words| words.iter().any(|word| word == report.state.filter_word()))
            && self.policies.as_ref().is_none_or(|policies| policies.contains(&report.policy_id))
            && self.start.is_none_or(|start| day >= start)
            && self.end.is_none_or(|end| day <= end)
            // Reports that were never approved are not tested: `approvedAfter` does not remove them.
            && self.approved_after.zip(report.approved).is_none_or(|(floor, at)| approved(floor, at))
            && self.without_label.as_ref().is_none_or(|label| !report.is_marked(label))
    }

    fn sees(&self, world: &World, account: &Account, report: &Report) -> bool {
        if let Some(employee) = &self.as_employee {
            return report.submitter.email == *employee && report.state != ReportState::Open;
        }
        let role = world
            .policies
            .get(&report.policy_id)
            .and_then(|policy| account.role_on(policy));
        account.everywhere
            || report.submitter.email == account.email
            || matches!(role, Some(Role::Admin | Role::Auditor))
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn date(value: Option<&Value>) -> Result<Option<NaiveDate>, Refusal> {
    let Some(text) = text(value) else { return Ok(None) };
    // Unpadded months and days were seen to work (contract §1.1); two-digit years are the documented error.
    let parts: Vec<&str> = text.split('-').collect();
    let date = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            let number = |part: &str| part.parse::<u32>().ok();
            year.parse().ok().zip(number(month)).zip(number(day))
        }
        _ => None,
    };
    let date = date.and_then(|((year, month), day)| NaiveDate::from_ymd_opt(year, month, day));
    date.map(Some).ok_or_else(|| malformed(&text))
}

fn malformed(date: &str) -> Refusal {
    Refusal::new(
        410,
        format!("Malformed date '{date}'. Expected format is yyyy-MM-dd"),
    )
}
