//! What an answer to a write says (contract qad §1.8), as a pure function of its status and content.
//!
//! HTTP 200 proves nothing. *Accepted* takes three signs that agree; *refused* takes a refusal without a single sign of
//! the contrary; everything else leaves the outcome unknown, because the duplicate-reference warning may come as a
//! failure with the document stored. Where an answer that is no refusal says that the reference exists already, that is
//! what it is taken for, whatever else it says.

use serde_json::Value;
use tieout_domain::ids::{DaybookCode, Voucher};
use tieout_domain::ports::{LedgerMessage, PostAnswer};
use tieout_domain::posting::DocumentKey;

use crate::exact;
use crate::profile::{FieldPath, Fragments, Words};

/// Where an answer tells of the document it created, and how it grades its messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) response_root: &'a FieldPath,
    pub(crate) year: &'a FieldPath,
    pub(crate) daybook: &'a FieldPath,
    pub(crate) voucher: &'a FieldPath,
    pub(crate) error_severities: &'a Words,
    pub(crate) duplicate_texts: &'a Fragments,
    pub(crate) duplicate_codes: &'a Words,
}

/// Judges an answer. What comes back holds its texts whole; the caller takes secrets out of them and cuts them, in this
/// order.
pub(crate) fn verdict(status: u16, content: &[u8], reading: Reading<'_>) -> PostAnswer {
    let unknown = |why: &str| PostAnswer::Unknown {
        detail: format!("HTTP {status}, {why}: {}", String::from_utf8_lossy(content)),
    };
    let Ok(answer) = serde_json::from_slice::<Value>(content) else {
        return unknown("not JSON");
    };
    let Some(result) = answer.get("submitResult") else {
        return match (status, answer.get("errors").and_then(Value::as_array)) {
            // The platform's own form of a denial: turned away before anything handled it.
            (403, Some(errors)) => PostAnswer::NeverArrived {
                detail: format!("QAD denied it: {}", texts(errors).join("; ")),
            },
            _ => unknown("no submitResult"),
        };
    };
    let beside = answer
        .get("supplementaryMessages")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    match judge(status, &answer, result, beside, reading) {
        Ok(refused @ PostAnswer::Refused { .. }) => refused,
        certain_or_not => match (duplicate_wording(result, beside, reading), certain_or_not) {
            (Some(warning), _) => PostAnswer::DuplicateWarned {
                key: echoed_key(&answer, reading),
                warning,
            },
            (None, Ok(certain)) => certain,
            (None, Err(why)) => unknown(why),
        },
    }
}

/// What the result of a write says; why it says nothing, where its signs do not agree.
fn judge(
    status: u16,
    answer: &Value,
    result: &Value,
    beside: &[Value],
    reading: Reading<'_>,
) -> Result<PostAnswer, &'static str> {
    let success = result.get("success").and_then(Value::as_bool);
    let severity = result.get("errorSeverity");
    let errors = result.get("errors").and_then(Value::as_array);
    let is_error = |entry: &Value| {
        entry
            .get("severity")
            .and_then(exact::word)
            .is_some_and(|word| reading.error_severities.say(&word))
    };

    match (status, success, errors) {
        (200..=299, Some(true), Some(errors)) if errors.is_empty() => {
            if severity.and_then(exact::integer) != Some(0) {
                return Err("success, but errorSeverity is not 0");
            }
            if beside.iter().any(is_error) {
                return Err("success, but an error among the supplementaryMessages");
            }
            Ok(PostAnswer::Accepted {
                key: echoed_key(answer, reading),
                warnings: texts(beside),
            })
        }
        (200..=299, Some(true), _) => Err("success, but with errors"),
        (200..=299 | 400..=499, Some(false), Some(errors)) if !errors.is_empty() => {
            let entries = || errors.iter().chain(beside);
            if !entries().all(is_error) {
                return Err("a failure with a warning or an ungraded message in it");
            }
            // Absent on some refusals (§7.9); present, it must agree that this is an error.
            if severity.is_some_and(|severity| {
                !exact::word(severity).is_some_and(|word| reading.error_severities.say(&word))
            }) {
                return Err("a failure, but errorSeverity is not that of an error");
            }
            if echoes_a_number(answer, reading.voucher) {
                return Err("a failure, but a document number is echoed");
            }
            Ok(PostAnswer::Refused {
                messages: entries().map(message).collect(),
            })
        }
        _ => Err("neither a clear success nor a clear refusal"),
    }
}

/// Words that the reference exists already, wherever they stand and however they are graded: the document may have been
/// stored beside another one (contract qad §3, §7.9: any duplicate wording, stop). Not asked of a clear refusal.
fn duplicate_wording(result: &Value, beside: &[Value], reading: Reading<'_>) -> Option<String> {
    let errors = result
        .get("errors")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let of_a_duplicate = |entry: &&Value| {
        let code = member(entry, "code");
        let coded = !code.trim().is_empty() && reading.duplicate_codes.say(&code);
        coded || reading.duplicate_texts.are_in(&text(entry))
    };
    let said: Vec<String> = errors
        .iter()
        .chain(beside)
        .filter(of_a_duplicate)
        .map(text)
        .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Where the created document stands, if exactly one is echoed with its whole key.
fn echoed_key(answer: &Value, reading: Reading<'_>) -> Option<DocumentKey> {
    let [created] = exact::find(answer, reading.response_root)?.as_array()?.as_slice() else {
        return None;
    };
    let year = exact::find(created, reading.year).and_then(exact::integer)?;
    let daybook = exact::find(created, reading.daybook).and_then(Value::as_str)?;
    let voucher = exact::find(created, reading.voucher).and_then(exact::integer)?;
    Some(DocumentKey {
        year: i32::try_from(year).ok()?,
        daybook: DaybookCode::new(daybook).ok()?,
        voucher: Voucher(u64::try_from(voucher).ok().filter(|voucher| *voucher > 0)?),
    })
}

/// Is there a document number anywhere in the answer? Wherever it stands and however it is cased, because a refusal is
/// believed only without one.
fn echoes_a_number(answer: &Value, voucher: &FieldPath) -> bool {
    let name = voucher.steps().last().unwrap_or_default();
    fn within(value: &Value, name: &str) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(own, value)| {
                (own.eq_ignore_ascii_case(name) && exact::integer(value).is_some_and(|number| number != 0))
                    || within(value, name)
            }),
            Value::Array(items) => items.iter().any(|item| within(item, name)),
            _ => false,
        }
    }
    within(answer, name)
}

fn member(entry: &Value, name: &str) -> String {
    entry.get(name).and_then(exact::word).unwrap_or_default()
}

fn message(entry: &Value) -> LedgerMessage {
    LedgerMessage {
        field: member(entry, "fieldName"),
        message: member(entry, "message"),
        code: member(entry, "code"),
    }
}

/// The text of a message; the whole of one that has none, so that nothing is swallowed.
fn text(entry: &Value) -> String {
    match entry {
        Value::String(text) => text.clone(),
        other => Some(member(other, "message"))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| other.to_string()),
    }
}

fn texts(entries: &[Value]) -> Vec<String> {
    entries.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn judge(status: u16, content: &str) -> PostAnswer {
        let path = |text| FieldPath::new(text).unwrap();
        verdict(
            status,
            content.as_bytes(),
            Reading {
                response_root: &path("supplierInvoices"),
                year: &path("postingYear"),
                daybook: &path("daybookCode"),
                voucher: &path("voucher"),
                error_severities: &Words::new(["1", "error"]),
                duplicate_texts: &Fragments::new(vec!["already exists".into()]).unwrap(),
                duplicate_codes: &Words::new(["4711"]),
            },
        )
    }

    fn refusal(content: &str) -> LedgerMessage {
        match judge(200, content) {
            PostAnswer::Refused { messages } if messages.len() == 1 => messages[0].clone(),
            other => panic!("not a refusal with one message: {other:?}"),
        }
    }

    // ── the contract's own examples ──────────────────────────────────────────────────────────────────────────────

    #[test]
    fn a_success_tells_where_the_document_stands() {
        let answer = judge(
            200,
            r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]},
                "supplierInvoices":[{"uri":"urn:x:2024.SINV.000000441","voucher":441,"postingYear":2024,"daybookCode":"SINV"}]}"#,
        );
        let key = DocumentKey {
            year: 2024,
            daybook: DaybookCode::new("SINV").unwrap(),
            voucher: Voucher(441),
        };
        assert_eq!(
            answer,
            PostAnswer::Accepted {
                key: Some(key),
                warnings: vec![]
            }
        );
    }

    #[test]
    fn a_duplicate_reference_is_an_answer_of_its_own_with_its_warning() {
        let answer = judge(
            200,
            r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]},
                "supplementaryMessages":[{"severity":"warning","message":"The reference already exists on another invoice for this supplier"}],
                "supplierInvoices":[{"voucher":442}]}"#,
        );
        let warning = "The reference already exists on another invoice for this supplier".to_owned();
        assert_eq!(answer, PostAnswer::DuplicateWarned { key: None, warning });
    }

    #[test]
    fn a_duplicate_is_told_however_the_installation_carries_it() {
        let words = r#"{"message":"Reference ALREADY EXISTS","severity":2}"#;
        let coded = r#"{"message":"Referenz vergeben","severity":2,"code":"4711"}"#;
        for (content, warning) in [
            // as a failure with nothing but a warning
            (
                format!(r#"{{"submitResult":{{"success":false,"errorSeverity":2,"errors":[{words}]}}}}"#),
                "Reference ALREADY EXISTS",
            ),
            // by its code alone
            (
                format!(r#"{{"submitResult":{{"success":false,"errorSeverity":2,"errors":[{coded}]}}}}"#),
                "Referenz vergeben",
            ),
            // as an error, with the number of what was stored all the same
            (
                r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"message":"It already exists","severity":1}]},"supplierInvoices":[{"voucher":443}]}"#
                    .to_owned(),
                "It already exists",
            ),
            // among others, and only it is told
            (
                format!(
                    r#"{{"submitResult":{{"success":true,"errorSeverity":0,"errors":[]}},"supplementaryMessages":[{{"severity":"warning","message":"No terms"}},{words}]}}"#
                ),
                "Reference ALREADY EXISTS",
            ),
        ] {
            let PostAnswer::DuplicateWarned { warning: told, .. } = judge(200, &content) else {
                panic!("{content}")
            };
            assert_eq!(told, warning);
        }
        let echoed = judge(
            200,
            r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]},"supplementaryMessages":["It already exists"],
                "supplierInvoices":[{"voucher":442,"postingYear":2024,"daybookCode":"SINV"}]}"#,
        );
        assert!(
            matches!(&echoed, PostAnswer::DuplicateWarned { key: Some(key), .. } if key.voucher == Voucher(442)),
            "{echoed:?}"
        );
    }

    #[test]
    fn another_warning_goes_on_record_with_the_document() {
        let answer = judge(
            200,
            r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]},"supplementaryMessages":[{"severity":"warning","message":"No terms"}]}"#,
        );
        let warnings = vec!["No terms".to_owned()];
        assert_eq!(answer, PostAnswer::Accepted { key: None, warnings });
    }

    #[test]
    fn every_refusal_of_the_contract_is_one_with_its_words() {
        for (content, field, code) in [
            (
                r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"fieldName":"SupplierCode","message":"Field is mandatory.","fieldValue":"","code":"47","severity":1}]}}"#,
                "SupplierCode",
                "47",
            ),
            (
                r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"fieldName":"GlAccountCode","message":"GL account 9999 does not exist.","fieldValue":"9999","code":"SIM-ACCT","severity":1}]}}"#,
                "GlAccountCode",
                "SIM-ACCT",
            ),
            (
                r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"fieldName":"PostingDate","message":"Period 2024/05 is closed for postings.","fieldValue":"2024-05-31","code":"SIM-PERIOD","severity":1}]}}"#,
                "PostingDate",
                "SIM-PERIOD",
            ),
            (
                r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"fieldName":"JournalEntryLines","message":"Debit and credit totals differ.","fieldValue":"","code":"SIM-BALANCE","severity":1}]}}"#,
                "JournalEntryLines",
                "SIM-BALANCE",
            ),
            (
                r#"{"submitResult":{"success":false,"errors":[{"fieldName":"SupplierCode","message":"Supplier already exists.","severity":1}]}}"#,
                "SupplierCode",
                "",
            ),
        ] {
            let message = refusal(content);
            assert_eq!((message.field.as_str(), message.code.as_str()), (field, code));
        }
    }

    #[test]
    fn a_refusal_may_have_any_status_of_the_four_hundreds() {
        let content = r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"message":"Field is mandatory.","severity":1}]}}"#;
        assert!(matches!(judge(422, content), PostAnswer::Refused { .. }));
    }

    #[test]
    fn a_denial_never_arrived() {
        let content =
            r#"{"errors":[{"severity":1,"code":"403","message":"Access is denied","fieldName":""}]}"#;
        assert_eq!(
            judge(403, content),
            PostAnswer::NeverArrived {
                detail: "QAD denied it: Access is denied".into()
            }
        );
    }

    // ── mixes: the outcome is unknown ────────────────────────────────────────────────────────────────────────────

    #[test]
    fn whatever_is_not_clear_is_unknown() {
        let error = r#"{"message":"m","severity":1}"#;
        let warning = r#"{"message":"m","severity":2}"#;
        for (status, content) in [
            // the three signs do not agree
            (200, r#"{"submitResult":{"success":true,"errors":[]}}"#.to_owned()),
            (200, r#"{"submitResult":{"success":true,"errorSeverity":1,"errors":[]}}"#.to_owned()),
            (200, r#"{"submitResult":{"success":true,"errorSeverity":0}}"#.to_owned()),
            (200, format!(r#"{{"submitResult":{{"success":true,"errorSeverity":0,"errors":[{error}]}}}}"#)),
            (200, format!(r#"{{"submitResult":{{"success":true,"errorSeverity":0,"errors":[]}},"supplementaryMessages":[{error}]}}"#)),
            (200, r#"{"submitResult":{"success":"true","errorSeverity":0,"errors":[]}}"#.to_owned()),
            // a failure with a sign of the contrary
            (200, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":2,"errors":[{warning}]}}}}"#)),
            (200, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":1,"errors":[{error},{warning}]}}}}"#)),
            (200, r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"message":"m","severity":"warning"}]}}"#.to_owned()),
            (200, r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"message":"no severity"}]}}"#.to_owned()),
            (200, r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":["some text"]}}"#.to_owned()),
            (200, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":0,"errors":[{error}]}}}}"#)),
            (200, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":1,"errors":[{error}]}},"supplementaryMessages":[{warning}]}}"#)),
            (200, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":1,"errors":[{error}]}},"supplierInvoices":[{{"voucher":443}}]}}"#)),
            (200, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":1,"errors":[{error}]}},"data":{{"other":[{{"Voucher":"443"}}]}}}}"#)),
            (200, r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[]}}"#.to_owned()),
            // the status contradicts the content
            (500, r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]}}"#.to_owned()),
            (503, format!(r#"{{"submitResult":{{"success":false,"errorSeverity":1,"errors":[{error}]}}}}"#)),
            (400, r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]}}"#.to_owned()),
            // no result at all
            (200, "{}".to_owned()),
            (200, "null".to_owned()),
            (200, String::new()),
            (200, "<html><title>Login</title></html>".to_owned()),
            (302, String::new()),
            (403, "<html>blocked</html>".to_owned()),
            (403, r#"{"submitResult":{"success":true,"errorSeverity":0,"errors":[]},"errors":[]}"#.to_owned()),
            (429, r#"{"errors":["Too many requests"]}"#.to_owned()),
            (400, r#"{"errors":["Invalid URI"]}"#.to_owned()),
            (200, r#"{"errors":[{"severity":1,"code":"403","message":"Access is denied"}]}"#.to_owned()),
            (200, r#"{"submitResult":{"success":true,"errorSev"#.to_owned()),
        ] {
            match judge(status, &content) {
                PostAnswer::Unknown { detail } => {
                    assert!(detail.starts_with(&format!("HTTP {status}, ")) && detail.ends_with(&content), "{detail}");
                }
                other => panic!("{status} {content} was taken for {other:?}"),
            }
        }
    }

    #[test]
    fn a_voucher_of_zero_is_no_number() {
        let content = r#"{"submitResult":{"success":false,"errorSeverity":1,"errors":[{"message":"m","severity":1}]},"supplierInvoices":[{"voucher":0}]}"#;
        assert!(matches!(judge(200, content), PostAnswer::Refused { .. }));
    }

    fn severity() -> impl Strategy<Value = Value> {
        prop::sample::select(vec![
            json!(0),
            json!(1),
            json!(2),
            json!("warning"),
            json!("error"),
            json!("1"),
            Value::Null,
        ])
    }

    proptest! {
        #[test]
        fn only_clear_answers_are_certain(
            status in prop::sample::select(vec![200u16, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503]),
            success in prop::sample::select(vec![json!(true), json!(false), json!("true"), Value::Null]),
            overall in severity(),
            entries in prop::collection::vec(severity(), 0..3),
            beside in prop::collection::vec(severity(), 0..2),
            voucher in prop::option::of(0u64..3),
        ) {
            let entry = |severity: &Value| json!({"message": "m", "severity": severity});
            let answer = json!({
                "submitResult": {
                    "success": success, "errorSeverity": overall, "errors": entries.iter().map(entry).collect::<Vec<_>>(),
                },
                "supplementaryMessages": beside.iter().map(entry).collect::<Vec<_>>(),
                "supplierInvoices": voucher.map(|voucher| json!([{"voucher": voucher}])),
            });
            let is_error = |severity: &Value| [json!(1), json!("1"), json!("error")].contains(severity);
            match judge(status, &answer.to_string()) {
                PostAnswer::Accepted { .. } => {
                    prop_assert!(status < 300 && success == json!(true) && overall == json!(0) && entries.is_empty());
                    prop_assert!(!beside.iter().any(is_error));
                }
                PostAnswer::Refused { messages } => {
                    prop_assert!((status < 300 || (400..500).contains(&status)) && success == json!(false));
                    prop_assert!(!entries.is_empty() && entries.iter().chain(&beside).all(is_error));
                    prop_assert!(voucher.is_none_or(|voucher| voucher == 0));
                    prop_assert_eq!(messages.len(), entries.len() + beside.len());
                }
                PostAnswer::NeverArrived { detail } => prop_assert!(false, "with a submitResult it arrived: {detail}"),
                PostAnswer::DuplicateWarned { warning, .. } => prop_assert!(false, "nobody said so: {warning}"),
                PostAnswer::Unknown { .. } => {}
            }
        }

        #[test]
        fn any_bytes_have_a_verdict(status in 100u16..600, content in prop::collection::vec(any::<u8>(), 0..200)) {
            let certain = !matches!(judge(status, &String::from_utf8_lossy(&content)), PostAnswer::Unknown { .. });
            prop_assert!(!certain, "noise proves nothing");
        }
    }
}
