//! A call as it arrives: a form, in its body or its query, with the job as JSON in it (contract §1.1, §1.2).

use std::collections::BTreeMap;

use serde_json::Value;

use super::reply::Refusal;

/// A call that could be read.
#[derive(Debug)]
pub struct Call {
    /// `requestJobDescription`.
    pub job: Value,
    /// The other form fields.
    pub fields: BTreeMap<String, String>,
}

impl Call {
    /// Reads a form from a query and a body.
    pub fn read(query: &str, body: &[u8]) -> Result<Self, Refusal> {
        let body = String::from_utf8_lossy(body);
        let mut fields = BTreeMap::new();
        for pair in query
            .split('&')
            .chain(body.trim_end_matches(['\r', '\n']).split('&'))
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.insert(decoded(name), decoded(value));
        }
        let Some(text) = fields.remove("requestJobDescription") else {
            return Err(Refusal::new(
                500,
                "Required parameter 'requestJobDescription' is missing",
            ));
        };
        match serde_json::from_str::<Value>(&text) {
            Ok(job) if job.is_object() => Ok(Self { job, fields }),
            Ok(_) => Err(Refusal::new(500, "requestJobDescription is no JSON object")),
            Err(error) => Err(Refusal::new(
                500,
                format!("requestJobDescription is no valid JSON: {error}"),
            )),
        }
    }

    /// A text within the job, by its path; blank if it is not there.
    pub fn text(&self, pointer: &str) -> &str {
        self.job
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A text that is there and not blank.
    pub fn given(&self, pointer: &str) -> Option<&str> {
        Some(self.text(pointer)).filter(|text| !text.is_empty())
    }

    /// The job's operation, in the words of fault rules.
    pub fn operation(&self) -> &'static str {
        match (self.text("/type"), self.text("/inputSettings/type")) {
            ("file", _) if self.marking_labels().next().is_some() => "mark",
            ("file", _) => "export",
            ("download", _) => "download",
            ("reconciliation", _) => "reconciliation",
            ("get", "policyList") => "policy_list",
            ("get", "policy") => "policy",
            ("get", "domainCardList") => "cards",
            ("update", "policy") => "policy_update",
            ("update", "reportStatus") => "report_status",
            ("update", "employees") => "employees",
            ("create", _) => "create",
            _ => "unknown",
        }
    }

    /// The labels that `onFinish` sets; none when `test` says so (contract §2.6, the string or the boolean).
    pub fn marking_labels(&self) -> impl Iterator<Item = &str> {
        let test = match self.job.get("test") {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let actions = self
            .job
            .get("onFinish")
            .and_then(Value::as_array)
            .filter(|_| !test);
        actions
            .into_iter()
            .flatten()
            .filter(|action| action.get("actionName").and_then(Value::as_str) == Some("markAsExported"))
            .filter_map(|action| action.get("label").and_then(Value::as_str))
            .filter(|label| !label.is_empty())
    }
}

/// A form field without its encoding: `+` is a space, `%XX` a byte. A `%` that encodes nothing stands for itself.
fn decoded(field: &str) -> String {
    let mut out = Vec::with_capacity(field.len());
    let mut bytes = field.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                let digits = (ahead.next().and_then(hex), ahead.next().and_then(hex));
                match digits {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        bytes = ahead;
                    }
                    _ => out.push(b'%'),
                }
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        assert_eq!(decoded("a+b%20c%26%C3%A9%2B100%"), "a b c&é+100%");
        let call = Call::read(
            "",
            b"requestJobDescription=%7B%22type%22%3A%22download%22%7D&template=a%3Db",
        )
        .unwrap();
        assert_eq!(
            (call.operation(), call.fields["template"].as_str()),
            ("download", "a=b")
        );
    }

    #[test]
    fn the_query_will_do_as_well_and_rubbish_is_refused() {
        assert_eq!(
            Call::read("requestJobDescription={}", b"").unwrap().operation(),
            "unknown"
        );
        assert_eq!(Call::read("", b"").unwrap_err().code, 500);
        assert_eq!(Call::read("requestJobDescription=[]", b"").unwrap_err().code, 500);
        assert_eq!(
            Call::read("requestJobDescription={'a':1}", b"").unwrap_err().code,
            500
        );
    }

    #[test]
    fn a_test_run_marks_nothing() {
        let job = |test: &str| {
            let job = format!(
                r#"requestJobDescription={{"type":"file","onFinish":[{{"actionName":"markAsExported","label":"l"}}]{test}}}"#
            );
            Call::read("", job.as_bytes()).unwrap().operation()
        };
        assert_eq!(
            (
                job(""),
                job(r#","test":"true""#),
                job(r#","test":true"#),
                job(r#","test":"false""#)
            ),
            ("mark", "export", "export", "mark")
        );
    }
}
