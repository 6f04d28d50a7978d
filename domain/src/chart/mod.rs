//! QAD's masters as the rules see them: accounts, cost centres, sub-accounts, projects, suppliers, employees, daybooks
//! and periods. [`Chart`] is folded from the events of the connection's chart stream; a row that a later read no longer
//! showed is *missing*, neither trusted nor forgotten.

mod compare;
mod fold;
mod owners;
mod rows;

pub use compare::{ChartReading, MasterRead, compare};
pub use fold::{Chart, ChartDelta, ChartEvent, ChartVersion, MasterHeld};
pub use rows::{
    Account, AccountType, AnalysisUse, CostCentre, Daybook, DaybookUse, Employee, Limitation, Master, Period,
    PeriodState, Project, SubAccount, Supplier,
};
