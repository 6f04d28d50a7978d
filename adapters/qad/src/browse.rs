//! Browses (contract qad §1.9): pages of flat rows. QAD answers a wrong column or filter with an empty page and no
//! error, so no emptiness is believed here; the callers prove it by a canary.

use serde_json::{Map, Value};
use tieout_domain::ports::{Clock, LedgerError};

use crate::client::QadClient;
use crate::exact;
use crate::profile::{Column, Transport};

const BROWSE_PATH: &str = "/api/qracore/browses";

/// What is asked of a browse.
#[derive(Debug, Clone)]
pub(crate) struct Browse<'a> {
    /// For messages: `the accounts`.
    pub(crate) what: String,
    pub(crate) browse_id: &'a str,
    pub(crate) page_size: u32,
    pub(crate) filters: Vec<String>,
}

/// All rows of a browse.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    what: String,
    rows: Vec<Map<String, Value>>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    what: &'a str,
    cells: &'a Map<String, Value>,
}

/// `<column>,<operator>,<value>,literal`.
pub(crate) fn filter(column: &Column, operator: &str, value: &str) -> String {
    format!("{column},{operator},{value},literal")
}

impl<C: Clock> QadClient<C> {
    /// Reads a browse to its last page.
    pub(crate) async fn browse(&self, asked: &Browse<'_>) -> Result<Rows, LedgerError> {
        let Transport { max_pages, .. } = self.profile().transport;
        let mut rows: Vec<Map<String, Value>> = Vec::new();
        let mut last_page: Vec<Map<String, Value>> = Vec::new();
        for page in 1..=max_pages {
            let mut query = vec![
                ("browseId", asked.browse_id.to_owned()),
                ("page", page.to_string()),
                ("pageSize", asked.page_size.to_string()),
                // Required, or some browses show nothing; `next` is of one source, unproven (§1.9).
                ("pageAction", if page == 1 { "first" } else { "next" }.to_owned()),
            ];
            query.extend(asked.filters.iter().map(|filter| ("filter", filter.clone())));
            let answer = self.read(&asked.what, BROWSE_PATH, &query).await?;
            let (found, more) = read_page(&asked.what, answer)?;
            if page > 1 && found == last_page {
                let detail = format!(
                    "page {page} is page {} again: raise page_size above the number of rows",
                    page - 1
                );
                return Err(LedgerError::Profile {
                    what: asked.what.clone(),
                    detail,
                });
            }
            if !more {
                rows.extend(found);
                return Ok(Rows {
                    what: asked.what.clone(),
                    rows,
                });
            }
            if found.is_empty() {
                let detail =
                    format!("page {page} is empty and says there are more: what was read is not whole");
                return Err(LedgerError::Unanswered {
                    what: asked.what.clone(),
                    detail,
                });
            }
            rows.extend(found.iter().cloned());
            last_page = found;
        }
        let detail = format!("there are more than {max_pages} pages: raise page_size or transport.max_pages");
        Err(LedgerError::Profile {
            what: asked.what.clone(),
            detail,
        })
    }
}

/// The rows of a page, and whether there are more. A page that does not say is not believed.
fn read_page(what: &str, answer: Value) -> Result<(Vec<Map<String, Value>>, bool), LedgerError> {
    let unanswered = |detail: &str| LedgerError::Unanswered {
        what: what.to_owned(),
        detail: detail.to_owned(),
    };
    let Value::Object(mut members) = answer else {
        return Err(unanswered("the answer is no JSON object"));
    };
    let more = match members
        .get("auxillaryData")
        .and_then(|auxiliary| auxiliary.get("HasMoreParams"))
    {
        Some(Value::Bool(more)) => *more,
        Some(Value::String(more)) if more.eq_ignore_ascii_case("true") => true,
        Some(Value::String(more)) if more.eq_ignore_ascii_case("false") => false,
        _ => {
            return Err(unanswered(
                "the answer does not say whether there are more pages (auxillaryData.HasMoreParams)",
            ));
        }
    };
    let Some(Value::Array(data)) = members.remove("data") else {
        return Err(unanswered("the answer has no list `data`"));
    };
    let rows = data.into_iter().map(|row| match row {
        Value::Object(cells) => Ok(cells),
        other => Err(unanswered(&format!(
            "a row is no object: {}",
            exact::shown(&other)
        ))),
    });
    Ok((rows.collect::<Result<_, _>>()?, more))
}

impl Rows {
    /// What was asked, for messages.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// The rows, once each of these columns was seen in at least one of them. A column that no row has is the
    /// profile's mistake; one that some rows leave out is blank there.
    pub(crate) fn with_columns(
        &self,
        columns: &[&Column],
    ) -> Result<impl Iterator<Item = Row<'_>>, LedgerError> {
        let missing = columns.iter().find(|column| {
            !self.rows.is_empty() && !self.rows.iter().any(|row| row.contains_key(column.as_str()))
        });
        if let Some(column) = missing {
            let shown: Vec<&str> = self
                .rows
                .first()
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .collect();
            let detail = format!(
                "no row has the column `{column}`; there are: {}",
                shown.join(", ")
            );
            return Err(LedgerError::Profile {
                what: self.what.clone(),
                detail,
            });
        }
        Ok(self.rows.iter().map(|cells| Row {
            what: &self.what,
            cells,
        }))
    }
}

impl Row<'_> {
    /// What a column says, trimmed; blank where the row has none.
    pub(crate) fn word(&self, column: &Column) -> Result<String, LedgerError> {
        let Some(value) = self.cells.get(column.as_str()) else {
            return Ok(String::new());
        };
        exact::word(value).ok_or_else(|| self.unfit(column, value, "a plain value"))
    }

    /// What an optional column says; blank where none is named.
    pub(crate) fn word_of(&self, column: Option<&Column>) -> Result<String, LedgerError> {
        column.map_or_else(|| Ok(String::new()), |column| self.word(column))
    }

    /// A whole number.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, column: &Column) -> Result<T, LedgerError> {
        let value = self.cells.get(column.as_str()).unwrap_or(&Value::Null);
        exact::integer(value)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.unfit(column, value, "a whole number"))
    }

    /// A date.
    pub(crate) fn date(&self, column: &Column) -> Result<chrono::NaiveDate, LedgerError> {
        let value = self.cells.get(column.as_str()).unwrap_or(&Value::Null);
        exact::date(value).ok_or_else(|| self.unfit(column, value, "a date"))
    }

    /// The error of a column that holds something else than was expected.
    pub(crate) fn unfit(
        &self,
        column: &Column,
        value: impl std::fmt::Display,
        expected: &str,
    ) -> LedgerError {
        let value: String = value.to_string().chars().take(60).collect();
        LedgerError::Profile {
            what: self.what.to_owned(),
            detail: format!("the column `{column}` holds {value}, not {expected}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_that_does_not_say_whether_there_is_more_is_not_believed() {
        let page = |answer: Value| read_page("the accounts", answer);
        assert!(
            !page(json!({"data": [], "auxillaryData": {"HasMoreParams": "false"}}))
                .unwrap()
                .1
        );
        assert!(
            page(json!({"data": [{}], "auxillaryData": {"HasMoreParams": "true"}}))
                .unwrap()
                .1
        );
        for bad in [
            json!({"data": []}),
            json!({"data": [], "auxiliaryData": {"HasMoreParams": "false"}}),
            json!({"data": [], "auxillaryData": {"HasMoreParams": "perhaps"}}),
            json!({"auxillaryData": {"HasMoreParams": "false"}}),
            json!({"data": [1], "auxillaryData": {"HasMoreParams": "false"}}),
            json!([]),
        ] {
            assert!(page(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_column_that_no_row_has_is_named_beside_those_there_are() {
        let cells = json!({"ac_mstr.ac_code": "6410"}).as_object().unwrap().clone();
        let rows = Rows {
            what: "the accounts".into(),
            rows: vec![cells],
        };
        let column = Column::new("ac_mstr.ac_kode").unwrap();
        let error = rows.with_columns(&[&column]).err().unwrap().to_string();
        assert!(
            error.contains("`ac_mstr.ac_kode`") && error.contains("ac_mstr.ac_code"),
            "{error}"
        );
    }
}
