//! The log against the source: every report listed is known, as it was captured; every report known is listed, or the log
//! says why it is not.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use tieout_domain::ids::ReportId;

use super::check::{Sheet, captured, code};
use super::difference::What;
use super::ends::{Ends, SourceRow};
use crate::work_list::{Bucket, CaseKind, Row};

fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(
        || "nothing that can be read".to_owned(),
        |value| value.to_string(),
    )
}

pub(super) fn against_the_source(ends: &Ends<'_>, sheet: &mut Sheet, found: &mut BTreeSet<What>) {
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
