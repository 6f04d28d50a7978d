//! The tie-out itself: pure, over both ends and the work list.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tieout_domain::ids::Reference;

use super::difference::Difference;
use super::ends::Ends;
use super::ledger::{against_the_ledger, by_reference, references_of, unexplained};
use super::source::against_the_source;
use super::{Cell, Group, TieOut, TieOutRow};
use crate::month::Month;
use crate::work_list::{Bucket, Row};

/// Ties the two ends to the log and to each other.
pub fn tie_out(ends: &[Ends<'_>]) -> TieOut {
    // References name no connection: a document one connection's ledger shows may be explained by another one's report.
    let explained: BTreeSet<Reference> = ends
        .iter()
        .flat_map(|ends| ends.rows)
        .flat_map(references_of)
        .collect();
    let mut result = TieOut::default();
    let mut sheet = Sheet::default();
    for one in ends {
        let mut differences = BTreeSet::new();
        let (ledger, not_ours) = by_reference(one.ledger);
        result.not_ours = result.not_ours.saturating_add(not_ours);
        against_the_source(one, &mut sheet, &mut differences);
        for row in one.rows {
            against_the_ledger(one, row, &ledger, &mut sheet, &mut differences);
        }
        unexplained(one, &ledger, &explained, &mut differences);
        let named = |what| Difference {
            connection: one.connection.to_owned(),
            what,
        };
        result.differences.extend(differences.into_iter().map(named));
    }
    result.rows = sheet.0.into_values().collect();
    result
}

/// The rows as they fill.
#[derive(Default)]
pub(super) struct Sheet(BTreeMap<Group, TieOutRow>);

impl Sheet {
    /// The row of a group, made where there is none yet.
    pub(super) fn row(&mut self, connection: &str, currency: &str, period: Option<Month>) -> &mut TieOutRow {
        let group = Group {
            connection: connection.to_owned(),
            currency: code(currency),
            period,
        };
        self.0.entry(group.clone()).or_insert_with(|| TieOutRow {
            group,
            seen: Cell::default(),
            gone: Cell::default(),
            accounted: Bucket::ALL
                .into_iter()
                .map(|bucket| (bucket, Cell::default()))
                .collect(),
        })
    }
}

/// A currency code as it is grouped by.
pub(super) fn code(currency: &str) -> String {
    currency.trim().to_uppercase()
}

/// Currency and amount of a report as the log captured it.
pub(super) fn captured(row: &Row) -> (String, Option<Decimal>) {
    row.capture().map_or((String::new(), None), |capture| {
        (capture.currency.clone(), capture.total)
    })
}
