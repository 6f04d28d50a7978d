//! The look-up by reference (contract qad §3, §8.4): every document of a report, whatever its kind and generation.
//! A browse that shows none of ours is believed only where the same request, sent just after, found its canary.

use tieout_domain::ids::{DaybookCode, Reference, ReportId, Voucher};
use tieout_domain::ports::{Clock, LedgerError, LookUp};
use tieout_domain::posting::{DocumentKey, Sighting};

use crate::browse::{Browse, Row, Rows, filter};
use crate::client::QadClient;
use crate::profile::{Column, Layout};

impl<C: Clock> QadClient<C> {
    /// Looks for every document of a report.
    pub(crate) async fn documents_of(&self, report: ReportId) -> Result<LookUp, LedgerError> {
        let stem = Reference::stem(report);
        let mut found = Vec::new();
        let mut empty = Vec::new();
        for layout in self.profile().documents.layouts() {
            let rows = self.beginning_with(&layout, &stem).await?;
            let before = found.len();
            for row in rows.with_columns(&columns(&layout))? {
                found.extend(sighting(&row, &layout, report, &stem)?);
            }
            if found.len() == before {
                empty.push(layout);
            }
        }
        // A report may have a document of one kind and lack the other: each emptiness needs its own proof.
        for layout in &empty {
            self.find_canary(layout).await?;
        }
        Ok(if found.is_empty() {
            LookUp::Absent
        } else {
            LookUp::Found(found)
        })
    }

    /// Lists every document that bears a reference of our form.
    pub(crate) async fn documents_of_ours(&self) -> Result<Vec<Sighting>, LedgerError> {
        let mut found = Vec::new();
        for layout in self.profile().documents.layouts() {
            let rows = self.beginning_with(&layout, Reference::LETTER).await?;
            for row in rows.with_columns(&columns(&layout))? {
                let word = row.word(&layout.look_up.columns.reference)?;
                // Many references in the world begin with this letter: only those of our whole form are ours.
                let Ok(Reference { report, .. }) = word.parse() else {
                    continue;
                };
                found.extend(sighting(&row, &layout, report, &Reference::stem(report))?);
            }
        }
        for layout in self.profile().documents.layouts() {
            self.find_canary(&layout).await?;
        }
        Ok(found)
    }

    /// Sends the request of a look-up for the canary: same browse, same columns, same operator.
    pub(crate) async fn find_canary(&self, layout: &Layout<'_>) -> Result<(), LedgerError> {
        let canary = layout.look_up.canary.trim();
        let rows = self.beginning_with(layout, canary).await?;
        for row in rows.with_columns(&columns(layout))? {
            if row
                .word(&layout.look_up.columns.reference)?
                .eq_ignore_ascii_case(canary)
            {
                return Ok(());
            }
        }
        Err(LedgerError::CanarySilent {
            what: rows.what().to_owned(),
            canary: canary.to_owned(),
        })
    }

    async fn beginning_with(&self, layout: &Layout<'_>, beginning: &str) -> Result<Rows, LedgerError> {
        let what = if layout.invoice.is_some() {
            "the look-up of supplier invoices"
        } else {
            "the look-up of journal entries"
        };
        self.browse(&Browse {
            what: what.to_owned(),
            browse_id: &layout.look_up.browse_id,
            page_size: layout.look_up.page_size,
            filters: vec![filter(&layout.look_up.columns.reference, "sw", beginning)],
        })
        .await
    }
}

fn columns<'a>(layout: &Layout<'a>) -> Vec<&'a Column> {
    let own = &layout.look_up.columns;
    [&own.reference, &own.year, &own.daybook, &own.voucher]
        .into_iter()
        .chain(&own.document_status)
        .collect()
}

/// A row as a document of the report. One with another reference is none of ours (the filter was not applied); one that
/// begins as ours and is not one is an error, because what it is could only be guessed.
fn sighting(
    row: &Row<'_>,
    layout: &Layout<'_>,
    report: ReportId,
    stem: &str,
) -> Result<Option<Sighting>, LedgerError> {
    let own = &layout.look_up.columns;
    let word = row.word(&own.reference)?;
    if !word.to_uppercase().starts_with(stem) {
        return Ok(None);
    }
    let unfit = |expected: &str| row.unfit(&own.reference, format!("`{word}`"), expected);
    let reference: Reference = word
        .parse()
        .map_err(|_| unfit("a reference of ours, though it begins like one: look at that document in QAD"))?;
    if reference.report != report {
        return Ok(None);
    }
    let is_journal = reference.kind == tieout_domain::ids::DocumentKind::Journal;
    if is_journal == layout.invoice.is_some() {
        return Err(unfit(
            "a reference of the kind of document this browse shows: look at that document in QAD",
        ));
    }
    let daybook = row.word(&own.daybook)?;
    let daybook = DaybookCode::new(&daybook)
        .map_err(|error| row.unfit(&own.daybook, format!("`{daybook}`"), &error.to_string()))?;
    let key = DocumentKey {
        year: row.integer(&own.year)?,
        daybook,
        voucher: Voucher(row.integer(&own.voucher)?),
    };
    let reversed = own
        .document_status
        .as_ref()
        .map_or(Ok(false), |column| Ok(layout.reversed.say(&row.word(column)?)))?;
    Ok(Some(Sighting {
        reference,
        key,
        reversed,
    }))
}
