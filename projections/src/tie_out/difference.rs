//! What keeps source, log and ledger from tying out, each named so that somebody can go and look.

use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;
use tieout_domain::ids::{Reference, ReportId};

use crate::work_list::Bucket;

/// One thing that does not tie out, with the connection it was found on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Name of the connection.
    pub connection: String,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What does not tie out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum What {
    /// The source shows a report that the log does not know.
    MissingInLog {
        /// Which.
        report_id: ReportId,
        /// Its lines.
        lines: u64,
        /// Its amount.
        amount: Option<Decimal>,
        /// Its currency.
        currency: String,
    },
    /// The listing of the source shows a report more than once.
    ListedTwice {
        /// Which.
        report_id: ReportId,
    },
    /// The log has a report that the source does not show, and nothing in the log says why.
    NotAtSource {
        /// Which.
        report_id: ReportId,
        /// Where it counts.
        bucket: Bucket,
    },
    /// The source shows a report that the log holds as withdrawn.
    ShownThoughWithdrawn {
        /// Which.
        report_id: ReportId,
    },
    /// The source's listing and the log's capture of a report differ.
    ReportDiffers {
        /// Which.
        report_id: ReportId,
        /// In what: `lines`, `amount`, `currency` or `period`.
        field: &'static str,
        /// What the source shows.
        source: String,
        /// What the log captured.
        log: String,
        /// An open case on the report that explains it.
        case: Option<String>,
    },
    /// The documents of a posted report do not come to what its lines do.
    DocumentsDoNotAddUp {
        /// Which.
        report_id: ReportId,
        /// What its documents come to.
        documents: Decimal,
        /// What its lines come to.
        lines: Option<Decimal>,
    },
    /// A document that the log holds as posted is not in the ledger.
    DocumentMissing {
        /// The report.
        report_id: ReportId,
        /// The document.
        reference: Reference,
        /// Where the log says it stands.
        voucher: String,
        /// Its amount.
        amount: Decimal,
        /// Its currency.
        currency: String,
    },
    /// More than one document in the ledger bears one reference.
    DocumentDuplicated {
        /// The report.
        report_id: ReportId,
        /// The reference.
        reference: Reference,
        /// Where they stand.
        vouchers: Vec<String>,
    },
    /// A document in the ledger bears a reference of ours, and no report explains it.
    DocumentUnexplained {
        /// The report its reference names.
        report_id: ReportId,
        /// The document.
        reference: Reference,
        /// Where it stands.
        voucher: String,
        /// Its amount.
        amount: Decimal,
        /// Its currency.
        currency: String,
        /// What the log knows of that report.
        why: String,
    },
    /// A posted document stands in the ledger as something else.
    DocumentDiffers {
        /// The report.
        report_id: ReportId,
        /// The document.
        reference: Reference,
        /// In what: `kind`, `currency`, `amount`, `voucher` or `reversed`.
        field: &'static str,
        /// What the log says.
        log: String,
        /// What the ledger shows.
        ledger: String,
    },
}

fn amount_of(amount: Option<&Decimal>) -> String {
    amount.map_or_else(|| "an amount that cannot be read".to_owned(), ToString::to_string)
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingInLog {
                report_id,
                lines,
                amount,
                currency,
            } => write!(
                f,
                "report {report_id} ({lines} lines, {} {currency}) is at the source and not in the log: poll again, and if it stays, \
                 see why the poll misses it",
                amount_of(amount.as_ref())
            ),
            Self::ListedTwice { report_id } => write!(
                f,
                "report {report_id} stands in the source's listing more than once"
            ),
            Self::NotAtSource { report_id, bucket } => write!(
                f,
                "report {report_id} is {} in the log, and the source does not show it: a complete poll would record why",
                bucket.as_str()
            ),
            Self::ShownThoughWithdrawn { report_id } => {
                write!(
                    f,
                    "report {report_id} is withdrawn in the log, and the source shows it again: poll again"
                )
            }
            Self::ReportDiffers {
                report_id,
                field,
                source,
                log,
                case,
            } => {
                write!(
                    f,
                    "report {report_id}: {field}: the source shows {source}, the log captured {log}"
                )?;
                match case {
                    Some(case) => write!(f, " (open case: {case})"),
                    None => Ok(()),
                }
            }
            Self::DocumentsDoNotAddUp {
                report_id,
                documents,
                lines,
            } => write!(
                f,
                "report {report_id}: its documents come to {documents}, its lines to {}",
                amount_of(lines.as_ref())
            ),
            Self::DocumentMissing {
                report_id,
                reference,
                voucher,
                amount,
                currency,
            } => write!(
                f,
                "report {report_id}: document {reference} ({amount} {currency}) was posted as {voucher}, and the ledger does not show it"
            ),
            Self::DocumentDuplicated {
                report_id,
                reference,
                vouchers,
            } => write!(
                f,
                "report {report_id}: {} documents in the ledger bear the reference {reference}: {}; reverse all but one in QAD",
                vouchers.len(),
                vouchers.join(", ")
            ),
            Self::DocumentUnexplained {
                report_id,
                reference,
                voucher,
                amount,
                currency,
                why,
            } => write!(
                f,
                "document {reference} ({amount} {currency}, {voucher}) is in the ledger, and the log does not explain it: report {report_id} {why}"
            ),
            Self::DocumentDiffers {
                report_id,
                reference,
                field,
                log,
                ledger,
            } => {
                write!(
                    f,
                    "report {report_id}: document {reference}: {field}: the log says {log}, the ledger shows {ledger}"
                )
            }
        }
    }
}
