//! The tie-out itself: pure, over both ends and the work list.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use rust_decimal::Decimal;
use tieout_domain::ids::{Reference, ReportId};

use super::difference::{Difference, What};
use super::ends::{Ends, LedgerRow, SourceRow};
use super::{Cell, Group, TieOut, TieOutRow};
use crate::month::Month;
use crate::work_list::{Bucket, CaseKind, DocumentStanding, Row, RowDocument};

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
struct Sheet(BTreeMap<Group, TieOutRow>);

impl Sheet {
    fn row(&mut self, connection: &str, currency: &str, period: Option<Month>) -> &mut TieOutRow {
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

fn code(currency: &str) -> String {
    currency.trim().to_uppercase()
}

fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(
        || "nothing that can be read".to_owned(),
        |value| value.to_string(),
    )
}

// ── the source ──

fn against_the_source(ends: &Ends<'_>, sheet: &mut Sheet, found: &mut BTreeSet<What>) {
    let known: BTreeMap<ReportId, &Row> = ends.rows.iter().map(|row| (row.report_id, row)).collect();
    let mut seen: BTreeSet<ReportId> = BTreeSet::new();
    for source in ends.source {
        sheet
            .row(ends.connection, &source.currency, source.period)
            .seen
            .add(source.report_id, source.amount);
        let report_id = source.report_id;
        if !seen.insert(report_id) {
            found.insert(What::ListedTwice { report_id });
            continue;
        }
        match known.get(&report_id).copied() {
            None => {
                let (lines, amount, currency) = (source.lines, source.amount, code(&source.currency));
                found.insert(What::MissingInLog {
                    report_id,
                    lines,
                    amount,
                    currency,
                });
            }
            Some(row) => {
                if row.bucket() == Bucket::Withdrawn {
                    found.insert(What::ShownThoughWithdrawn { report_id });
                }
                found.extend(report_differences(source, row, ends.zone));
            }
        }
    }
    for row in ends.rows.iter().filter(|row| !seen.contains(&row.report_id)) {
        let bucket = row.bucket();
        let gone_after_posting = row.cases.iter().any(|case| case.case == CaseKind::SourceGone);
        if matches!(bucket, Bucket::Withdrawn | Bucket::Excluded) || gone_after_posting {
            let (currency, amount) = captured(row);
            sheet
                .row(ends.connection, &currency, row.approved_in(ends.zone))
                .gone
                .add(row.report_id, amount);
        } else {
            found.insert(What::NotAtSource {
                report_id: row.report_id,
                bucket,
            });
        }
    }
}

/// Currency and amount of a report as the log captured it.
fn captured(row: &Row) -> (String, Option<Decimal>) {
    row.capture().map_or((String::new(), None), |capture| {
        (capture.currency.clone(), capture.line_amount)
    })
}

/// In what the source's listing and the log's capture differ.
fn report_differences(source: &SourceRow, row: &Row, zone: Tz) -> Vec<What> {
    let (currency, amount) = captured(row);
    let lines = row.capture().map_or(0, |capture| capture.line_count);
    let period = row.approved_in(zone);
    let case = row
        .cases
        .iter()
        .find(|case| case.case == CaseKind::SourceDrifted)
        .map(|case| case.message.clone());
    let checks = [
        (
            "lines",
            source.lines != lines,
            source.lines.to_string(),
            lines.to_string(),
        ),
        (
            "amount",
            source.amount != amount,
            shown(source.amount),
            shown(amount),
        ),
        (
            "currency",
            code(&source.currency) != code(&currency),
            code(&source.currency),
            code(&currency),
        ),
        (
            "period",
            source.period != period,
            shown(source.period),
            shown(period),
        ),
    ];
    let report_id = row.report_id;
    let differing = checks.into_iter().filter(|(_, differs, _, _)| *differs);
    differing
        .map(|(field, _, source, log)| What::ReportDiffers {
            report_id,
            field,
            source,
            log,
            case: case.clone(),
        })
        .collect()
}

// ── the ledger ──

type ByReference<'a> = BTreeMap<Reference, Vec<&'a LedgerRow>>;

/// The ledger's documents by reference, and how many bear none of ours.
fn by_reference(ledger: &[LedgerRow]) -> (ByReference<'_>, u64) {
    let mut ours = ByReference::new();
    let mut others = 0u64;
    for row in ledger {
        match row.reference.parse() {
            Ok(reference) => ours.entry(reference).or_default().push(row),
            Err(_) => others = others.saturating_add(1),
        }
    }
    (ours, others)
}

/// The references that a report explains: what it posted, may have posted, or posted and saw reversed. One that is only
/// planned, or was refused, explains nothing.
fn references_of(row: &Row) -> Vec<Reference> {
    let may_stand = |document: &&RowDocument| document.standing.stands() || document.standing.in_flight();
    let documents = row
        .now
        .documents
        .iter()
        .filter(may_stand)
        .map(|document| document.reference);
    documents
        .chain(row.reversals.iter().map(|reversal| reversal.reference))
        .collect()
}

fn against_the_ledger(
    ends: &Ends<'_>,
    row: &Row,
    ledger: &ByReference<'_>,
    sheet: &mut Sheet,
    found: &mut BTreeSet<What>,
) {
    let (currency, captured) = captured(row);
    let bucket = row.bucket();
    let mut whole = true;
    let mut in_ledger = Decimal::ZERO;
    for document in row
        .now
        .documents
        .iter()
        .filter(|document| document.standing.stands())
    {
        match document_in_ledger(row, document, ledger, found) {
            Some(share) => in_ledger = in_ledger.saturating_add(share),
            None => whole = false,
        }
    }
    reversals_in_ledger(row, ledger, found);
    if bucket == Bucket::Posted {
        let sum = row
            .now
            .documents
            .iter()
            .fold(Decimal::ZERO, |sum, document| sum.saturating_add(document.share));
        if captured != Some(sum) {
            found.insert(What::DocumentsDoNotAddUp {
                report_id: row.report_id,
                documents: sum,
                lines: captured,
            });
        }
    }
    let amount = if bucket == Bucket::Posted {
        Some(in_ledger)
    } else {
        captured
    };
    // What the ledger does not show is not posted, whatever the log says: it is missing from the sum, and named.
    if bucket != Bucket::Posted || whole {
        let cells = sheet.row(ends.connection, &currency, row.approved_in(ends.zone));
        cells
            .accounted
            .entry(bucket)
            .or_default()
            .add(row.report_id, amount);
    }
}

/// What the ledger's document (or documents) of a posted one come to of the report; `None` where there is none.
fn document_in_ledger(
    row: &Row,
    document: &RowDocument,
    ledger: &ByReference<'_>,
    found: &mut BTreeSet<What>,
) -> Option<Decimal> {
    let DocumentStanding::Posted { key, .. } = &document.standing else {
        return None;
    };
    let (report_id, reference) = (row.report_id, document.reference);
    let held = ledger.get(&reference).map(Vec::as_slice).unwrap_or_default();
    if held.is_empty() {
        found.insert(What::DocumentMissing {
            report_id,
            reference,
            voucher: key.to_string(),
            amount: document.amount,
            currency: document.currency.clone(),
        });
        return None;
    }
    if held.len() > 1 {
        let vouchers = held.iter().map(|held| held.key.to_string()).collect();
        found.insert(What::DocumentDuplicated {
            report_id,
            reference,
            vouchers,
        });
    }
    let mut share = Decimal::ZERO;
    for (index, one) in held.iter().enumerate() {
        let mut differs = |field, differs: bool, log: String, ledger: String| {
            if differs {
                found.insert(What::DocumentDiffers {
                    report_id,
                    reference,
                    field,
                    log,
                    ledger,
                });
            }
        };
        differs(
            "kind",
            one.kind != reference.kind,
            reference.kind.to_string(),
            one.kind.to_string(),
        );
        differs(
            "currency",
            code(&one.currency) != code(&document.currency),
            code(&document.currency),
            code(&one.currency),
        );
        differs(
            "amount",
            one.amount != document.amount,
            document.amount.to_string(),
            one.amount.to_string(),
        );
        // Of duplicates, one stands where the log says; that there are others is said already.
        let elsewhere =
            one.key != *key && (held.len() == 1 || index == 0 && held.iter().all(|held| held.key != *key));
        differs("voucher", elsewhere, key.to_string(), one.key.to_string());
        differs(
            "reversed",
            one.reversed,
            "it stands".to_owned(),
            "it was reversed".to_owned(),
        );
        if one.reversed {
            continue;
        }
        // As much as the ledger's amount is off, the document's share of the report is off, in the direction of its sign.
        let off = one.amount.saturating_sub(document.amount);
        let off = if document.share.is_sign_negative() {
            -off
        } else {
            off
        };
        share = share.saturating_add(document.share).saturating_add(off);
    }
    Some(share)
}

/// A document whose reversal is on record must not stand.
fn reversals_in_ledger(row: &Row, ledger: &ByReference<'_>, found: &mut BTreeSet<What>) {
    for reversal in &row.reversals {
        for held in ledger
            .get(&reversal.reference)
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            if !held.reversed {
                found.insert(What::DocumentDiffers {
                    report_id: row.report_id,
                    reference: reversal.reference,
                    field: "reversed",
                    log: format!("it was reversed by {}", reversal.ledger_reference),
                    ledger: format!("it stands as {}", held.key),
                });
            }
        }
    }
}

/// Documents of our form that no report explains.
fn unexplained(
    ends: &Ends<'_>,
    ledger: &ByReference<'_>,
    explained: &BTreeSet<Reference>,
    found: &mut BTreeSet<What>,
) {
    let known: BTreeMap<ReportId, &Row> = ends.rows.iter().map(|row| (row.report_id, row)).collect();
    for (reference, held) in ledger {
        if explained.contains(reference) || ends.apart.contains(reference) {
            continue;
        }
        let why = known.get(&reference.report).map_or_else(
            || "is not in the log".to_owned(),
            |row| format!("is {} there", row.bucket().as_str()),
        );
        for one in held {
            found.insert(What::DocumentUnexplained {
                report_id: reference.report,
                reference: *reference,
                voucher: one.key.to_string(),
                amount: one.amount,
                currency: code(&one.currency),
                why: why.clone(),
            });
        }
    }
}
