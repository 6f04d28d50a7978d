//! Rule sets: Expensify's words on one side, QAD's coding on the other (design §6).
//!
//! A rule is a conjunction of conditions on a line and sets one or more *dimensions*. Each dimension is resolved on its
//! own; the most specific matching rule wins, where specific means that its match set is contained in the other's. The
//! order in the file means nothing, and a set in which some line would meet two equally specific, different answers is
//! refused when it is read, with that line shown.
//!
//! [`RuleSet::parse`] reads and checks; [`RuleSet::resolve`] answers for one [`LineView`]; [`check_coding`] holds an
//! answer against the chart. How containment is decided: every field's values fall into finitely many *cells* that no
//! rule tells apart (`cells`), so that containment, overlap and what is left after more specific rules are plain set
//! operations, exact and not approximated (`specificity`).
//!
//! Invariant, by what is absent: no I/O, no clock, and no default. A dimension that no rule sets stays unset.

mod against;
mod axis;
mod budget;
mod cells;
mod check;
mod condition;
mod contest;
mod coverage;
mod fault;
mod filing;
mod hash;
mod index;
mod leftover;
mod life;
mod nearest;
mod parse;
mod places;
mod position;
mod print;
mod reader;
mod region;
mod remarks;
mod resolution;
mod resolve;
mod sections;
mod set;
mod settings;
mod span;
mod specificity;
mod version;
mod view;
mod witness;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use against::{ChartFault, ChartFinding, Severity, Subject};
pub use check::{CodingFault, Dimensions, check_coding};
pub use condition::{CategoryPattern, Condition, MerchantPattern, Test};
pub use coverage::{Coverage, Gap, GapKind};
pub use fault::{Place, RuleFault};
pub use hash::RuleSetHash;
#[cfg(test)]
pub(crate) use life::samples as life_samples;
pub use life::{
    Active, ApprovalMode, Approver, Backtest, ChartOf, Counts, Order, RuleSetFile, RuleSetStage, RuleSets,
    RulesCommand, RulesEvent, RulesRefusal, Span, StatementHash, decide_rules, statement_of, statement_text,
};
pub use nearest::{Miss, Nearest};
pub use places::Setting;
pub use position::Position;
pub use remarks::Remark;
pub use resolution::{Resolution, Resolved, Unset, Why};
pub use set::{Dimension, GlSource, Outcome, Rule, RuleName, RuleSet};
pub use settings::{
    CardProgram, Clearing, ClearingChoice, ClearingStep, ClosedPeriod, Daybooks, PostedMeans, PostingDate,
    PostingPolicy, Settings, SupplierMatch, Suppliers, Tax, TaxTreatment,
};
pub use version::RuleSetVersion;
pub use view::{Field, LineView, Seen};
pub use witness::Witness;
