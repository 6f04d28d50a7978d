//! A month with a report in every bucket, to be spoilt one thing at a time.

use std::collections::BTreeSet;

use tieout_domain::ids::Reference;
use tieout_domain::posting::Document;
use tieout_domain::report::{Doubt, Exclusion, Reason, ReasonCode, ReportEvent};

use crate::testing::{
    basis, discovered, facts, journal_of, key, mapped, moment, payable_of, posted, posted_whole, report,
    row_of, started,
};
use crate::tie_out::{Ends, LedgerRow, SourceRow, TieOut, What, tie_out};
use crate::work_list::Row;

pub(super) const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

/// Both ends and the log between them, to be spoilt one thing at a time.
pub(super) struct Month {
    pub(super) source: Vec<SourceRow>,
    pub(super) ledger: Vec<LedgerRow>,
    pub(super) apart: BTreeSet<Reference>,
    pub(super) rows: Vec<Row>,
}

impl Month {
    pub(super) fn tie_out(&self) -> TieOut {
        let ends = Ends {
            connection: "acme-us",
            zone: ZONE,
            source: &self.source,
            ledger: &self.ledger,
            apart: &self.apart,
            rows: &self.rows,
        };
        tie_out(&[ends])
    }
    /// Everything that does not tie out, which must be enough to say so.
    #[track_caller]
    pub(super) fn differences(&self) -> Vec<What> {
        let result = self.tie_out();
        assert!(!result.ties());
        result
            .differences
            .into_iter()
            .map(|difference| difference.what)
            .collect()
    }
    pub(super) fn source(&mut self, id: u64) -> &mut SourceRow {
        self.source
            .iter_mut()
            .find(|row| row.report_id == report(id))
            .unwrap()
    }
    pub(super) fn ledger(&mut self, document: &Document) -> &mut LedgerRow {
        self.ledger
            .iter_mut()
            .find(|row| row.reference == document.reference.to_string())
            .unwrap()
    }
    pub(super) fn row(&mut self, id: u64, events: Vec<ReportEvent>) {
        self.rows.retain(|row| row.report_id != report(id));
        self.rows.push(row_of(id, events));
    }
}

pub(super) fn in_ledger(document: &Document, voucher: u64) -> LedgerRow {
    LedgerRow {
        reference: document.reference.to_string().to_lowercase(),
        kind: document.kind(),
        currency: "usd".into(),
        amount: document.amount(),
        key: key(voucher),
        reversed: false,
    }
}

pub(super) const TRIP: [(&str, i64); 2] = [("1", 21_250), ("2", -1_250)];
pub(super) const REFUND: [(&str, i64); 1] = [("3", -4_000)];
pub(super) const CARD: [(&str, i64); 2] = [("4", 10_000), ("5", -3_000)];

pub(super) fn trip() -> Document {
    payable_of(1, &TRIP)
}
pub(super) fn refund() -> Document {
    payable_of(2, &REFUND)
}
pub(super) fn card() -> Document {
    journal_of(3, &CARD)
}

/// Report 1 is an invoice, 2 a credit note, 3 a journal with a refund in it; 4 to 10 are in every other bucket.
pub(super) fn month() -> Month {
    let mut month = Month {
        source: Vec::new(),
        ledger: Vec::new(),
        apart: BTreeSet::new(),
        rows: Vec::new(),
    };
    let lines: [(u64, &[(&str, i64)]); 10] = [
        (1, &TRIP),
        (2, &REFUND),
        (3, &CARD),
        (4, &[("6", 100)]),
        (5, &[("7", 200)]),
        (6, &[("8", 300)]),
        (7, &[("9", 400)]),
        (8, &[("10", 500), ("11", 600)]),
        (9, &[("12", 700)]),
        (10, &[("13", 800)]),
    ];
    month.source = lines
        .iter()
        .map(|(id, lines)| SourceRow::of(&facts(*id, "USD", lines), ZONE))
        .collect();
    month.source.pop();

    for (id, lines, document) in [
        (1, &TRIP[..], trip()),
        (2, &REFUND[..], refund()),
        (3, &CARD[..], card()),
    ] {
        month.row(id, posted_whole(id, lines, vec![document.clone()]));
        month.ledger.push(in_ledger(&document, id * 10));
    }
    month.row(4, vec![discovered(4, lines[3].1)]);
    let why = || {
        vec![Reason::of_report(
            ReasonCode::NoPeriod,
            "no period of QAD contains 2026-10-31",
        )]
    };
    month.row(
        5,
        vec![
            discovered(5, lines[4].1),
            ReportEvent::Rejected {
                basis: basis(1),
                reasons: why(),
            },
        ],
    );
    month.row(
        6,
        vec![
            discovered(6, lines[5].1),
            ReportEvent::Held {
                basis: basis(1),
                reasons: why(),
                until: None,
            },
        ],
    );
    month.row(
        7,
        vec![
            discovered(7, lines[6].1),
            ReportEvent::Excluded(Exclusion::NothingToPost),
        ],
    );

    let (stands, refused) = (payable_of(8, &[("10", 500)]), journal_of(8, &[("11", 600)]));
    month.row(
        8,
        vec![
            discovered(8, lines[7].1),
            mapped(vec![stands.clone(), refused.clone()]),
            started(&stands, 1),
            posted(&stands, 80),
            started(&refused, 1),
            ReportEvent::DocumentRefused {
                reference: refused.reference,
                messages: Vec::new(),
            },
        ],
    );
    month.ledger.push(in_ledger(&stands, 80));

    let lost = payable_of(9, lines[8].1);
    let doubt = Doubt::Unknown {
        detail: "timeout".into(),
    };
    month.row(
        9,
        vec![
            discovered(9, lines[8].1),
            mapped(vec![lost.clone()]),
            started(&lost, 1),
            ReportEvent::PostingInDoubt {
                reference: lost.reference,
                doubt,
                since: moment(),
            },
        ],
    );
    month.row(10, vec![discovered(10, lines[9].1), ReportEvent::Withdrawn]);
    month
}
