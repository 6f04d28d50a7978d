//! What can go wrong, and for which operation.
//!
//! Operations are `token`, `login`, `metadata`, `browse:<read>` (`browse:accounts`, `browse:invoice_lookup`; a browse
//! that the shape does not know is `browse:<its id>`), `get:<entity>` and `post:<entity>` with `supplier_invoice`,
//! `journal_entry` or `supplier`, and `unknown`. A browse's rule may name the browse id instead of the read. A fault
//! that means nothing for the call it strikes leaves the call unharmed and is spent.

use serde::{Deserialize, Serialize};

/// One way in which a call goes wrong (contract qad §7.12 item 8, and more).
///
/// As JSON: `"drop_after"`, `{"zombie": {"ms": 200}}`, `{"field_not_stored": {"field": "cost_centre"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is dropped and nothing happens.
    DropBefore,
    /// What was asked happens, then the connection is dropped without an answer.
    DropAfter,
    /// What was asked happens at once; the answer comes `ms` milliseconds late.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// What was asked happens `ms` milliseconds late, even if the caller has gone by then; so does the answer.
    Zombie {
        /// Milliseconds.
        ms: u64,
    },
    /// HTTP 200 with an HTML page; nothing happens.
    HtmlPage,
    /// What was asked happens, the answer is HTTP 200 with an HTML page.
    HtmlPageAfter,
    /// An HTTP error of the platform; nothing happens. 429 and 503 tell `Retry-After: 1`.
    ErrorBefore {
        /// The status.
        status: u16,
    },
    /// What was asked happens, the answer is an HTTP error of the platform.
    ErrorAfter {
        /// The status.
        status: u16,
    },
    /// What was asked happens, the answer is cut in the middle of its JSON.
    TruncatedBody,
    /// A write reports success, but one field of it is not stored: a header field (`reference`, `due_date`), a line
    /// field on every line (`cost_centre`, `line.description`), or its path on the wire.
    FieldNotStored {
        /// The field.
        field: String,
    },
    /// A write reports success, but one line of it is not stored: the last.
    LineNotStored,
    /// A write reports success, but posts on the first day of the next period that is open.
    PostingDateShifted,
    /// A write is stored, and answered as `success: false` with nothing but a warning.
    WarnedAsFailure,
    /// The request arrives twice; the answer is that to the first.
    DeliveredTwice,
    /// A browse answers 200 with no rows.
    EmptyBrowse,
    /// A browse answers 500.
    BrowseFails,
    /// A browse finds nothing for any filter, and everything without one.
    BrokenCanary,
    /// A browse leaves out its last rows: a chart that shrinks.
    RowsMissing {
        /// How many.
        rows: usize,
    },
    /// The caller's access tokens end here: 401, and a refresh helps. On `token`: the token issued is dead at once.
    TokenExpired,
    /// 403 for this call.
    Forbidden,
}

impl FaultKind {
    /// Its name, as in JSON.
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            Ok(serde_json::Value::Object(members)) => members.keys().next().cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_named_as_in_json() {
        assert_eq!(FaultKind::DropAfter.name(), "drop_after");
        assert_eq!(FaultKind::Zombie { ms: 1 }.name(), "zombie");
        let read: FaultKind = serde_json::from_str(r#"{"rows_missing": {"rows": 3}}"#).unwrap();
        assert_eq!(read, FaultKind::RowsMissing { rows: 3 });
    }
}
