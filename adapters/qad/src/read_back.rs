//! A document as QAD holds it, with all its lines. What cannot be read is an error and never a blank: a profile under
//! which lines cannot be read back cannot be certified (contract qad §8.2).

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::ids::{
    AccountCode, BadId, CostCentreCode, DaybookCode, DocumentKind, ProjectCode, Reference, SubAccountCode,
    SupplierCode, Voucher,
};
use tieout_domain::ports::{Clock, LedgerError};
use tieout_domain::posting::{Coding, DocumentKey, LedgerDocument, LedgerLine, Side};

use crate::client::QadClient;
use crate::exact;
use crate::profile::{FieldPath, Layout};

type Read<T> = Result<T, LedgerError>;

impl<C: Clock> QadClient<C> {
    /// Reads the document that stands at a key.
    pub(crate) async fn document_at(&self, reference: Reference, key: &DocumentKey) -> Read<LedgerDocument> {
        let layout = self.profile().documents.layout(reference.kind);
        let what = format!("the reading of {reference} at {key}");
        let keys = layout.keys;
        let mut query = vec![("viewUri", layout.view_uri.to_owned())];
        query.extend(
            keys.entity
                .as_deref()
                .map(|name| (name, self.wire().entity().to_owned())),
        );
        query.push((keys.year.as_str(), key.year.to_string()));
        query.push((keys.daybook.as_str(), key.daybook.to_string()));
        query.push((keys.voucher.as_str(), key.voucher.to_string()));
        let answer = self.read(&what, layout.path, &query).await?;

        let wrong = |detail: String| LedgerError::Profile {
            what: what.clone(),
            detail,
        };
        let documents = list(&answer, layout.read_root)
            .ok_or_else(|| wrong(format!("there is no list at `{}`", layout.read_root)))?;
        let read = |document: &Value| {
            Reader {
                what: &what,
                from: document,
                place: String::new(),
            }
            .document(&layout)
        };
        match documents {
            [document] => {
                let held = read(document)?;
                if held.key == *key {
                    Ok(held)
                } else {
                    Err(wrong(format!(
                        "it shows the document {} instead; check the query keys",
                        held.key
                    )))
                }
            }
            [] => Err(LedgerError::Unanswered {
                what: what.clone(),
                detail: "QAD shows no document there".to_owned(),
            }),
            several => Err(wrong(format!(
                "it shows {} documents; check the query keys",
                several.len()
            ))),
        }
    }
}

/// The list at a path; at the top where it is not below `data` (contract qad §1.7: accept both).
fn list<'a>(answer: &'a Value, root: &FieldPath) -> Option<&'a [Value]> {
    let at = |path: &FieldPath| {
        exact::find(answer, path)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
    };
    at(root).or_else(|| {
        root.as_str()
            .strip_prefix("data.")
            .and_then(|top| FieldPath::new(top).ok())
            .and_then(|top| at(&top))
    })
}

/// Reads the members of a document or of a line; says of which where it cannot.
struct Reader<'a> {
    what: &'a str,
    from: &'a Value,
    place: String,
}

impl<'a> Reader<'a> {
    fn unfit(&self, path: &FieldPath, trouble: &str) -> LedgerError {
        LedgerError::Profile {
            what: self.what.to_owned(),
            detail: format!("{}`{path}` {trouble}", self.place),
        }
    }

    fn value(&self, path: &FieldPath) -> Read<&'a Value> {
        exact::find(self.from, path).ok_or_else(|| self.unfit(path, "is not there"))
    }

    fn unreadable(&self, path: &FieldPath, value: &Value, expected: &str) -> LedgerError {
        self.unfit(path, &format!("is {}, not {expected}", exact::shown(value)))
    }

    fn word(&self, path: &FieldPath) -> Read<String> {
        let value = self.value(path)?;
        exact::word(value).ok_or_else(|| self.unreadable(path, value, "a text"))
    }

    fn integer<T: TryFrom<i64>>(&self, path: &FieldPath) -> Read<T> {
        let value = self.value(path)?;
        exact::integer(value)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.unreadable(path, value, "a whole number"))
    }

    /// An amount; `null` is none.
    fn amount(&self, path: &FieldPath) -> Read<Decimal> {
        match self.value(path)? {
            Value::Null => Ok(Decimal::ZERO),
            value => exact::decimal(value).ok_or_else(|| self.unreadable(path, value, "an amount")),
        }
    }

    fn code<T>(&self, path: &FieldPath, new: impl Fn(&str) -> Result<T, BadId>) -> Read<T> {
        new(&self.word(path)?).map_err(|error| self.unfit(path, &format!("is no code: {error}")))
    }

    /// A code that may be blank, which a field that is left out is too. Were its name wrong, the comparison with what was
    /// sent would show it.
    fn code_or_none<T>(&self, path: &FieldPath, new: impl Fn(&str) -> Result<T, BadId>) -> Read<Option<T>> {
        match exact::find(self.from, path) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(_) => self.code(path, new).map(Some),
        }
    }

    fn document(&self, layout: &Layout<'_>) -> Read<LedgerDocument> {
        let shared = &layout.shared;
        let lines = self.value(layout.lines)?;
        let lines = lines
            .as_array()
            .ok_or_else(|| self.unreadable(layout.lines, lines, "a list of lines"))?;
        let lines: Vec<(LedgerLine, Option<String>)> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| {
                Reader {
                    what: self.what,
                    from: line,
                    place: format!("line {}: ", index + 1),
                }
                .line(layout)
            })
            .collect::<Read<_>>()?;

        let (kind, supplier, total) = match layout.invoice {
            None => (DocumentKind::Journal, None, None),
            Some(part) => {
                let word = self.word(&part.fields.kind)?;
                let (kind, total) = if word.eq_ignore_ascii_case(&part.words.invoice) {
                    (
                        DocumentKind::SupplierInvoice,
                        self.amount(&part.fields.total_invoice)?,
                    )
                } else if word.eq_ignore_ascii_case(&part.words.credit_note) {
                    (
                        DocumentKind::CreditNote,
                        self.amount(&part.fields.total_credit_note)?,
                    )
                } else {
                    return Err(self.unfit(
                        &part.fields.kind,
                        &format!(
                            "is `{word}`, neither of the profile's words for an invoice and a credit note"
                        ),
                    ));
                };
                (
                    kind,
                    self.code_or_none(&part.fields.supplier, SupplierCode::new)?,
                    Some(total),
                )
            }
        };
        let currency = match shared.currency {
            Some(path) => self.word(path)?,
            None => common_currency(lines.iter().filter_map(|(_, currency)| currency.as_deref())),
        };
        let date = self.value(shared.posting_date)?;
        let date = exact::date(date).ok_or_else(|| self.unreadable(shared.posting_date, date, "a date"))?;
        Ok(LedgerDocument {
            reference: self.word(shared.reference)?,
            key: DocumentKey {
                year: self.integer(shared.posting_year)?,
                daybook: self.code(shared.daybook, DaybookCode::new)?,
                voucher: Voucher(self.integer(shared.voucher)?),
            },
            kind,
            supplier,
            currency,
            date,
            total,
            lines: lines.into_iter().map(|(line, _)| line).collect(),
            reversed: match shared.document_status {
                Some(path) => layout.reversed.say(&self.word(path)?),
                None => false,
            },
        })
    }

    /// A line, and its currency where it has one of its own.
    fn line(&self, layout: &Layout<'_>) -> Read<(LedgerLine, Option<String>)> {
        let fields = layout.line;
        let coding = Coding {
            account: self.code(&fields.account, AccountCode::new)?,
            sub_account: fields
                .sub_account
                .as_ref()
                .map_or(Ok(None), |path| self.code_or_none(path, SubAccountCode::new))?,
            cost_centre: self.code_or_none(&fields.cost_centre, CostCentreCode::new)?,
            project: fields
                .project
                .as_ref()
                .map_or(Ok(None), |path| self.code_or_none(path, ProjectCode::new))?,
        };
        let (debit, credit) = (
            self.side(&fields.debit, &fields.credit)?,
            self.side(&fields.credit, &fields.debit)?,
        );
        if debit < Decimal::ZERO || credit < Decimal::ZERO || !(debit.is_zero() || credit.is_zero()) {
            return Err(self.unfit(
                &fields.debit,
                &format!(
                    "is {debit} and `{}` is {credit}: a line has one side, not negative",
                    fields.credit
                ),
            ));
        }
        let (side, amount) = if credit.is_zero() {
            (Side::Debit, debit)
        } else {
            (Side::Credit, credit)
        };
        let currency = fields.currency.as_ref().map(|path| self.word(path)).transpose()?;
        Ok((LedgerLine { coding, side, amount }, currency))
    }

    /// One side's amount. It may be left out only where the other side is there, or nobody could tell a line without an
    /// amount from a profile with the wrong names.
    fn side(&self, own: &FieldPath, other: &FieldPath) -> Read<Decimal> {
        if exact::find(self.from, own).is_none() && exact::find(self.from, other).is_some() {
            return Ok(Decimal::ZERO);
        }
        self.amount(own)
    }
}

/// The one currency of all lines; all of them, where they differ.
fn common_currency<'a>(currencies: impl Iterator<Item = &'a str>) -> String {
    let distinct: std::collections::BTreeSet<String> = currencies.map(str::to_uppercase).collect();
    distinct.into_iter().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Canaries, Profile, TEMPLATE};
    use serde_json::json;

    fn journal(lines: Value) -> Value {
        json!({
            "originReference": "E0000000000001J1", "postingYear": 2024, "daybookCode": "EXPJE", "voucher": 7,
            "postingDate": "2024-05-31T00:00:00.000Z", "documentStatus": "POSTED", "journalEntryLines": lines,
        })
    }

    fn read(document: &Value) -> Read<LedgerDocument> {
        let profile = Profile::parse(&Canaries::sample().fill(TEMPLATE)).unwrap();
        let layout = profile.documents.layout(DocumentKind::Journal);
        Reader {
            what: "the reading",
            from: document,
            place: String::new(),
        }
        .document(&layout)
    }

    fn said(document: &Value) -> String {
        read(document).unwrap_err().to_string()
    }

    #[test]
    fn amounts_are_read_exactly_and_blank_codes_are_none() {
        let document = journal(json!([
            {"glAccountCode": "6410", "costCenterCode": "1200", "currencyCode": "USD", "debitTC": 0.1, "creditTC": 0},
            {"glAccountCode": "2150", "costCenterCode": "", "currencyCode": "usd", "creditTC": "0.10"},
        ]));
        let held = read(&document).unwrap();
        assert_eq!(held.currency, "USD");
        assert_eq!(held.lines[0].amount.to_string(), "0.1");
        assert_eq!(
            (held.lines[1].side, &held.lines[1].coding.cost_centre),
            (Side::Credit, &None)
        );
    }

    #[test]
    fn lines_in_several_currencies_show_all_of_them() {
        let line = |currency| json!({"glAccountCode": "6410", "currencyCode": currency, "debitTC": 1});
        assert_eq!(
            read(&journal(json!([line("USD"), line("EUR")])))
                .unwrap()
                .currency,
            "EUR/USD"
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_says_where() {
        for (document, expected) in [
            (journal(json!({})), "`journalEntryLines` is {}"),
            (
                journal(json!([{"currencyCode": "USD", "debitTC": 1}])),
                "line 1: `glAccountCode` is not there",
            ),
            (
                journal(json!([{"glAccountCode": " ", "currencyCode": "USD", "debitTC": 1}])),
                "line 1: `glAccountCode` is no code",
            ),
            (
                journal(json!([{"glAccountCode": "1", "currencyCode": "USD"}])),
                "line 1: `debitTC` is not there",
            ),
            (
                journal(json!([{"glAccountCode": "1", "currencyCode": "USD", "debitTC": 1, "creditTC": 1}])),
                "one side",
            ),
            (
                journal(json!([{"glAccountCode": "1", "currencyCode": "USD", "debitTC": -1, "creditTC": 0}])),
                "one side",
            ),
            (
                journal(json!([{"glAccountCode": "1", "currencyCode": "USD", "debitTC": "1,50"}])),
                "not an amount",
            ),
            (json!({}), "`journalEntryLines` is not there"),
        ] {
            let said = said(&document);
            assert!(said.contains(expected), "{expected}: {said}");
        }
        let mut undated = journal(json!([]));
        undated["postingDate"] = json!("2024-05-30T22:00:00.000Z");
        assert!(said(&undated).contains("not a date"));
    }

    #[test]
    fn a_list_is_found_below_data_or_at_the_top() {
        let root = FieldPath::new("data.journalEntries").unwrap();
        assert_eq!(
            list(&json!({"data": {"journalEntries": [1]}}), &root).map(<[Value]>::len),
            Some(1)
        );
        assert_eq!(
            list(&json!({"journalEntries": [1, 2]}), &root).map(<[Value]>::len),
            Some(2)
        );
        assert_eq!(list(&json!({"data": {}}), &root), None);
    }
}
