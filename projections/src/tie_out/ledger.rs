//! The log against the ledger: every document posted stands there once and as it was posted; every document there of our
//! form is one the log explains.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tieout_domain::ids::{Reference, ReportId};

use super::check::{Sheet, captured, code};
use super::difference::What;
use super::ends::{Ends, LedgerRow};
use crate::work_list::{Bucket, DocumentStanding, Row, RowDocument};

pub(super) type ByReference<'a> = BTreeMap<Reference, Vec<&'a LedgerRow>>;

/// The ledger's documents by reference, and how many bear none of ours.
pub(super) fn by_reference(ledger: &[LedgerRow]) -> (ByReference<'_>, u64) {
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
pub(super) fn references_of(row: &Row) -> Vec<Reference> {
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

pub(super) fn against_the_ledger(
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
pub(super) fn unexplained(
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
