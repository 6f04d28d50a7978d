//! QAD's masters, each read whole and under its canary. One that cannot be read fails alone, with the reason; wrong
//! credentials or a denied call fail the whole reading, since the others would fare no better or be half a truth.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

use tieout_domain::chart::{ChartReading, CostCentre, Master as Which, MasterRead, Project, SubAccount};
use tieout_domain::ids::{
    AccountCode, CostCentreCode, DaybookCode, EmployeeCode, ProjectCode, SubAccountCode, SupplierCode,
};
use tieout_domain::ports::{Clock, LedgerError};

use crate::browse::{Browse, Row, Rows};
use crate::client::QadClient;
use crate::profile::{Column, Master, Masters, Optional};
use crate::rows;

type Read<T> = Result<T, LedgerError>;

impl<C: Clock> QadClient<C> {
    /// Reads every master, one after the other: live loaders do so, and no rate limit is published (§1.12).
    pub(crate) async fn chart(&self) -> Read<ChartReading> {
        let Masters {
            accounts,
            cost_centres,
            sub_accounts,
            projects,
            suppliers,
            employees,
            daybooks,
            periods,
        } = &self.profile().masters;
        // Without a token every master would fail for the same reason.
        self.log_in().await?;

        let read = self.listed(Which::Accounts, accounts).await;
        let accounts = believed(read.and_then(|rows| {
            let own = &accounts.columns;
            let named = named(
                [&own.code, &own.active, &own.kind],
                [
                    &own.description,
                    &own.cost_centre,
                    &own.project,
                    &own.sub_account,
                    &own.limitation,
                    &own.currency,
                ],
            );
            let canary = AccountCode::new(&accounts.canary).ok();
            gather(
                &rows,
                &named,
                canary,
                &accounts.canary,
                |row| rows::code(row, &own.code, AccountCode::new),
                |row, code| rows::account(row, code, own, &accounts.words),
            )
        }))?;

        let read = self.listed(Which::CostCentres, cost_centres).await;
        let cost_centres = believed(read.and_then(|rows| {
            let own = &cost_centres.columns;
            let canary = CostCentreCode::new(&cost_centres.canary).ok();
            let code = |row: &Row<'_>| rows::code(row, &own.code, CostCentreCode::new);
            gather(
                &rows,
                &named([&own.code, &own.active], [&own.description]),
                canary,
                &cost_centres.canary,
                code,
                |row, code| {
                    let (description, active) = rows::coded(row, own, &cost_centres.words)?;
                    Ok(Some(CostCentre {
                        code,
                        description,
                        active,
                    }))
                },
            )
        }))?;

        let sub_accounts = match sub_accounts {
            Optional::Unused => MasterRead::Rows(Vec::new()),
            Optional::Used(used) => {
                let read = self.listed(Which::SubAccounts, used).await;
                believed(read.and_then(|rows| {
                    let own = &used.columns;
                    let canary = SubAccountCode::new(&used.canary).ok();
                    let code = |row: &Row<'_>| rows::code(row, &own.code, SubAccountCode::new);
                    gather(
                        &rows,
                        &named([&own.code, &own.active], [&own.description]),
                        canary,
                        &used.canary,
                        code,
                        |row, code| {
                            let (description, active) = rows::coded(row, own, &used.words)?;
                            Ok(Some(SubAccount {
                                code,
                                description,
                                active,
                            }))
                        },
                    )
                }))?
            }
        };

        let projects = match projects {
            Optional::Unused => MasterRead::Rows(Vec::new()),
            Optional::Used(used) => {
                let read = self.listed(Which::Projects, used).await;
                believed(read.and_then(|rows| {
                    let own = &used.columns;
                    let canary = ProjectCode::new(&used.canary).ok();
                    let code = |row: &Row<'_>| rows::code(row, &own.code, ProjectCode::new);
                    gather(
                        &rows,
                        &named([&own.code, &own.active], [&own.description]),
                        canary,
                        &used.canary,
                        code,
                        |row, code| {
                            let (description, active) = rows::coded(row, own, &used.words)?;
                            Ok(Some(Project {
                                code,
                                description,
                                active,
                            }))
                        },
                    )
                }))?
            }
        };

        let suppliers = match suppliers {
            Optional::Unused => MasterRead::Rows(Vec::new()),
            Optional::Used(used) => {
                let read = self.listed(Which::Suppliers, used).await;
                believed(read.and_then(|rows| {
                    let own = &used.columns;
                    let canary = SupplierCode::new(&used.canary).ok();
                    let code = |row: &Row<'_>| rows::code(row, &own.code, SupplierCode::new);
                    let named = named([&own.code, &own.active], [&own.business_relation, &own.currency]);
                    gather(&rows, &named, canary, &used.canary, code, |row, code| {
                        rows::supplier(row, code, own, &used.words)
                    })
                }))?
            }
        };

        let employees = match employees {
            Optional::Unused => MasterRead::Rows(Vec::new()),
            Optional::Used(used) => {
                let read = self.listed(Which::Employees, used).await;
                believed(read.and_then(|rows| {
                    let own = &used.columns;
                    let canary = EmployeeCode::new(&used.canary).ok();
                    let code = |row: &Row<'_>| rows::code(row, &own.code, EmployeeCode::new);
                    let named = named([&own.code, &own.business_relation, &own.email], []);
                    gather(&rows, &named, canary, &used.canary, code, |row, code| {
                        rows::employee(row, code, own).map(Some)
                    })
                }))?
            }
        };

        let read = self.listed(Which::Daybooks, daybooks).await;
        let daybooks = believed(read.and_then(|rows| {
            let own = &daybooks.columns;
            let canary = DaybookCode::new(&daybooks.canary).ok();
            let code = |row: &Row<'_>| rows::code(row, &own.code, DaybookCode::new);
            gather(
                &rows,
                &named([&own.code, &own.kind, &own.active], []),
                canary,
                &daybooks.canary,
                code,
                |row, code| rows::daybook(row, code, own, &daybooks.words).map(Some),
            )
        }))?;

        let read = self.listed(Which::Periods, periods).await;
        let periods = believed(read.and_then(|rows| {
            let own = &periods.columns;
            let named = named(
                [&own.year, &own.number, &own.start, &own.end, &own.kind],
                [&own.status, &own.general_ledger, &own.purchasing],
            );
            let canary = periods
                .canary
                .split_once('/')
                .and_then(|(year, number)| Some(Dated(year.parse().ok()?, number.parse().ok()?)));
            let key = |row: &Row<'_>| Ok(Dated(row.integer(&own.year)?, row.integer(&own.number)?));
            gather(
                &rows,
                &named,
                canary,
                &periods.canary,
                key,
                |row, Dated(year, number)| rows::period(row, year, number, own, &periods.words).map(Some),
            )
        }))?;

        Ok(ChartReading {
            accounts,
            cost_centres,
            sub_accounts,
            projects,
            suppliers,
            employees,
            daybooks,
            periods,
        })
    }

    async fn listed<L, W>(&self, which: Which, master: &Master<L, W>) -> Read<Rows> {
        let asked = Browse {
            what: format!("the {which}"),
            browse_id: &master.browse_id,
            page_size: master.page_size,
            filters: master
                .filters
                .iter()
                .map(|filter| self.wire().localised(filter))
                .collect(),
        };
        self.browse(&asked).await
    }
}

/// Year and number of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Dated(i32, u32);
impl Display for Dated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{:02}", self.0, self.1)
    }
}

/// A failure of one master stays with it, unless it is about who we are.
fn believed<T>(read: Read<Vec<T>>) -> Read<MasterRead<T>> {
    match read {
        Ok(rows) => Ok(MasterRead::Rows(rows)),
        Err(error @ (LedgerError::Unauthorised { .. } | LedgerError::Denied { .. })) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "a master of QAD could not be read");
            Ok(MasterRead::Failed(error.to_string()))
        }
    }
}

fn named<'a, const N: usize, const M: usize>(
    required: [&'a Column; N],
    optional: [&'a Option<Column>; M],
) -> Vec<&'a Column> {
    required
        .into_iter()
        .chain(optional.into_iter().flatten())
        .collect()
}

/// The rows of a master, if its canary is among them. A row shown twice is one; shown twice with different content
/// it is a browse too wide for its master.
fn gather<K: Ord + Display + Clone, T: PartialEq>(
    listed: &Rows,
    columns: &[&Column],
    canary: Option<K>,
    canary_text: &str,
    key: impl Fn(&Row<'_>) -> Read<K>,
    row: impl Fn(&Row<'_>, K) -> Read<Option<T>>,
) -> Read<Vec<T>> {
    let mut found = BTreeMap::new();
    for shown in listed.with_columns(columns)? {
        let key = key(&shown)?;
        let read = row(&shown, key.clone())?;
        match found.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(read);
            }
            Entry::Occupied(entry) if *entry.get() != read => {
                let detail = format!(
                    "{} is shown twice, differently: narrow the browse with `filters`",
                    entry.key()
                );
                return Err(LedgerError::Profile {
                    what: listed.what().to_owned(),
                    detail,
                });
            }
            Entry::Occupied(_) => {}
        }
    }
    if canary.is_some_and(|canary| found.contains_key(&canary)) {
        Ok(found.into_values().flatten().collect())
    } else {
        Err(LedgerError::CanarySilent {
            what: listed.what().to_owned(),
            canary: canary_text.to_owned(),
        })
    }
}
