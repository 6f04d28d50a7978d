//! The export template on the real FreeMarker engine, read back by the client's own reader; and the stand-in's engine
//! held against the real one.
//!
//! Needs Java and Debian's `libfreemarker-java` (or its jar named by `FREEMARKER_JAR`). Without them the tests say that
//! they were skipped; where `CI` is `true` that is a failure.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "what fails here should fail where it stands"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tieout_domain::report::{Flag, Payload, PersonalFields, SourceStatus};
use tieout_expensify::{Entry, TEMPLATE, read_line};
use tieout_sandbox::expensify::freemarker::{self, Rendering, Template};

/// The rendered files by the names of their cases; nothing where there is no Java.
fn rendered(cases: &[(&str, Vec<Value>)]) -> Option<BTreeMap<String, Vec<u8>>> {
    let jar = std::env::var("FREEMARKER_JAR").unwrap_or_else(|_| "/usr/share/java/freemarker.jar".to_owned());
    let has_java = Command::new("java")
        .arg("-version")
        .output()
        .is_ok_and(|run| run.status.success());
    if !has_java || !PathBuf::from(&jar).exists() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "CI must have Java and {jar} (apt-get install libfreemarker-java)"
        );
        eprintln!(
            "SKIPPED: the template was not rendered, because Java or {jar} is missing (apt-get install libfreemarker-java)"
        );
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let list: Vec<Value> = cases
        .iter()
        .map(|(name, passes)| json!({"name": name, "passes": passes}))
        .collect();
    std::fs::write(
        folder.path().join("cases.json"),
        serde_json::to_string(&list).unwrap(),
    )
    .unwrap();
    std::fs::write(folder.path().join("template.ftl"), TEMPLATE).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/freemarker/Render.java");
    let run = Command::new("java")
        .args(["-cp", &jar, program])
        .arg(folder.path().join("template.ftl"))
        .arg(folder.path().join("cases.json"))
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(
        cases
            .iter()
            .map(|(name, _)| {
                (
                    (*name).to_owned(),
                    std::fs::read(folder.path().join(name)).unwrap(),
                )
            })
            .collect(),
    )
}

fn entries(file: &[u8]) -> Vec<Entry> {
    file.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            read_line(line, [0; 16])
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)))
        })
        .collect()
}

fn reports(file: &[u8]) -> Vec<Payload> {
    let report = |entry| match entry {
        Entry::Report(payload) => Some(*payload),
        Entry::Trailer(_) => None,
    };
    entries(file).into_iter().filter_map(report).collect()
}

fn personal(payload: &Payload) -> &PersonalFields {
    payload.personal.known().unwrap()
}

/// A data model with every name of contract §4.3 and §4.4 that the template asks for, in the types of its tables.
fn full_report() -> Value {
    json!({
        "reportID": "R00X9oNOn2MO", "oldReportID": 1_234_567_890_123_u64, "policyID": "0123456789ABCDEF", "policyName": "Plant East",
        "reportName": "October", "status": "Approved", "currency": "USD", "total": 1_234_567,
        "created": "2026-10-01 08:00:00", "submitted": "2026-10-30 09:00:00", "approved": "2026-11-01 02:10:11", "reimbursed": "",
        "isACHReimbursed": false, "entryID": "", "accountEmail": "ann@acme.example", "accountID": 17,
        "submitter": {"firstName": "Ann", "lastName": "Ray", "fullName": "Ann Ray"},
        "submitterUserID": "U-1", "submitterPayrollID": "P-1", "managerEmail": "max@acme.example",
        "approvers": [{"email": "max@acme.example", "date": "2026-10-31"}, {"email": "cfo@acme.example", "date": "2026-11-01"}],
        "customField": {"Cost_Centre": "CC100", "Trip__": "Lyon", "Unset": ""},
        "transactionList": [{
            "transactionID": "4056343049275634494", "reportID": "R00X9oNOn2MO", "type": "card", "amount": 1_234_567, "modifiedAmount": "",
            "convertedAmount": 1_234_567, "currency": "EUR", "currencyConversionRate": 1.0834, "created": "2026-10-12", "modifiedCreated": "",
            "merchant": "Hotel", "modifiedMerchant": "Hôtel", "comment": "two nights", "category": "Travel:Hotel", "categoryGlCode": "6200",
            "tag": "Eng:Core", "tagGlCode": "100", "ntag1": "Eng", "ntag1GlCode": "100", "ntag2": "Core", "ntag2GlCode": "110",
            "reimbursable": false, "billable": true, "bank": "visa", "cardID": 4711, "cardName": "Corporate", "cardNumber": "4XXX1111",
            "mcc": 7011, "hasTax": true, "taxAmount": 2_000, "modifiedTaxAmount": "", "taxCode": "V20", "taxName": "VAT", "taxRateName": "Standard",
            "taxRate": "20%", "externalID": "x-1", "receiptID": 987_654_321_012_i64, "receiptFilename": "r.pdf",
            "units": {"count": 12.5, "rate": 0.7, "unit": "mi"}, "nameValuePairs": {"source": "split"},
            "attendees": [{"email": "guest@b.example"}],
        }],
    })
}

#[test]
fn an_ordinary_report_comes_through_with_every_field_in_its_place() {
    let Some(files) = rendered(&[(
        "full",
        vec![json!({"addHeader": true, "reports": [full_report()]})],
    )]) else {
        return;
    };
    let all = reports(&files["full"]);
    let (facts, who) = (&all[0].facts, personal(&all[0]));
    assert_eq!(
        (
            facts.report.to_string().as_str(),
            facts.policy.as_str(),
            facts.policy_name.as_str()
        ),
        ("R00X9oNOn2MO", "0123456789ABCDEF", "Plant East")
    );
    assert_eq!(
        (facts.status.clone(), facts.currency.as_str(), facts.total.get()),
        (SourceStatus::Approved, "USD", Some(1_234_567))
    );
    assert_eq!(
        (facts.created.as_str(), facts.submitted.as_str()),
        ("2026-10-01 08:00:00", "2026-10-30 09:00:00")
    );
    assert_eq!(
        (facts.approved.as_str(), facts.reimbursed.as_str()),
        ("2026-11-01 02:10:11", "")
    );
    assert_eq!(
        (
            facts.ach_reimbursed.clone(),
            facts.entry_id.as_str(),
            facts.declared_lines
        ),
        (Flag::No, "", Some(1))
    );
    assert_eq!(
        facts.fields,
        BTreeMap::from([
            ("Cost_Centre".to_owned(), "CC100".to_owned()),
            ("Trip__".to_owned(), "Lyon".to_owned())
        ])
    );
    assert_eq!(
        (who.submitter.as_str(), who.submitter_name.as_str()),
        ("ann@acme.example", "Ann Ray")
    );
    assert_eq!(
        (
            who.submitter_user_id.as_str(),
            who.submitter_payroll_id.as_str(),
            who.manager.as_str()
        ),
        ("U-1", "P-1", "max@acme.example")
    );
    assert_eq!(
        (
            who.approvers.len(),
            who.approvers[1].email.as_str(),
            who.approvers[1].date.as_str()
        ),
        (2, "cfo@acme.example", "2026-11-01")
    );
    assert_eq!(who.report_name, "October");

    let (line, about) = (&facts.lines[0], &who.lines[0]);
    assert_eq!(
        (line.transaction.as_str(), line.kind.as_str()),
        ("4056343049275634494", "card")
    );
    assert_eq!(
        (
            line.amount.get(),
            line.modified_amount.get(),
            line.converted_amount.get()
        ),
        (Some(1_234_567), None, Some(1_234_567))
    );
    assert_eq!((line.currency.as_str(), line.rate.as_str()), ("EUR", "1.0834"));
    assert_eq!(
        (line.created.as_str(), line.modified_created.as_str()),
        ("2026-10-12", "")
    );
    assert_eq!(
        (
            line.category.as_str(),
            line.category_gl.as_str(),
            line.tag.as_str(),
            line.tag_gl.as_str()
        ),
        ("Travel:Hotel", "6200", "Eng:Core", "100")
    );
    let levels: Vec<(&str, &str)> = line
        .tag_levels
        .iter()
        .map(|level| (level.name.as_str(), level.gl.as_str()))
        .collect();
    assert_eq!(levels, [("Eng", "100"), ("Core", "110")]);
    assert_eq!(
        (
            line.reimbursable.clone(),
            line.billable.clone(),
            line.has_tax.clone()
        ),
        (Flag::No, Flag::Yes, Flag::Yes)
    );
    assert_eq!(
        (
            line.bank.as_str(),
            line.card_id.as_str(),
            line.card_name.as_str(),
            line.mcc.as_str()
        ),
        ("visa", "4711", "Corporate", "7011")
    );
    assert_eq!(
        (line.tax_amount.get(), line.modified_tax_amount.get()),
        (Some(2_000), None)
    );
    assert_eq!(
        (
            line.tax_code.as_str(),
            line.tax_name.as_str(),
            line.tax_rate.as_str()
        ),
        ("V20", "Standard", "20%")
    );
    assert_eq!(
        (
            line.external_id.as_str(),
            line.receipt_id.as_str(),
            line.distance.as_str(),
            line.source.as_str()
        ),
        ("x-1", "987654321012", "12.5 mi", "split")
    );
    assert_eq!(
        (
            about.merchant.as_str(),
            about.modified_merchant.as_str(),
            about.comment.as_str()
        ),
        ("Hotel", "Hôtel", "two nights")
    );
    assert_eq!(
        (about.card_number.as_str(), about.receipt_filename.as_str()),
        ("4XXX1111", "r.pdf")
    );
    assert_eq!(about.attendees, ["guest@b.example"]);
}

#[test]
fn nothing_missing_or_of_another_kind_stops_the_rendering() {
    let ids = |line: Value| json!({"reportID": "1", "policyID": "P", "transactionList": [line]});
    let with = |key: &str, value: Value| {
        let mut report = ids(json!({"transactionID": "1"}));
        report[key] = value;
        report
    };
    let models = [
        // Only what names things.
        ids(json!({"transactionID": "1"})),
        // Nested objects blank, as a wrapper that prints nothing for them may give them; then empty, null, of another kind.
        with("submitter", json!("")),
        with("submitter", json!({})),
        with("submitter", Value::Null),
        with("submitter", json!([])),
        with("customField", json!("")),
        with("customField", json!([1])),
        with("approvers", json!("")),
        with("approvers", json!({"email": "x"})),
        with("approvers", json!([null, {}, ""])),
        ids(
            json!({"transactionID": "1", "units": "", "nameValuePairs": "", "attendees": "", "receiptObject": ""}),
        ),
        ids(json!({"transactionID": "1", "units": {}, "nameValuePairs": {}, "attendees": [{}]})),
        // Numbers, booleans and lists where text should be.
        ids(
            json!({"transactionID": 4_056_343_049_275_634_494_i64, "merchant": 7, "comment": true, "amount": "12", "reimbursable": "true", "category": ["x"]}),
        ),
    ];
    let Some(files) = rendered(&[("odd", vec![json!({"reports": models})])]) else {
        return;
    };
    let all = reports(&files["odd"]);
    assert_eq!(all.len(), models.len());
    for report in &all {
        assert_eq!(
            (report.facts.declared_lines, report.facts.lines.len()),
            (Some(1), 1)
        );
    }
    let last = all.last().unwrap();
    assert_eq!(last.facts.lines[0].transaction.as_str(), "4056343049275634494");
    assert_eq!(last.facts.lines[0].amount.get(), Some(12));
    assert_eq!(last.facts.lines[0].reimbursable, Flag::Yes);
    assert_eq!(
        (
            personal(last).lines[0].merchant.as_str(),
            personal(last).lines[0].comment.as_str()
        ),
        ("7", "true")
    );
}

#[test]
fn a_report_without_any_field_still_renders_as_json_and_is_then_refused_by_name() {
    let passes = vec![json!({"reports": [{}, {"reportID": "R00X9oNOn2MO", "policyID": "P"}]})];
    let Some(files) = rendered(&[("bare", passes)]) else {
        return;
    };
    let text = String::from_utf8(files["bare"].clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(
        read_line(lines[0].as_bytes(), [0; 16]).unwrap_err().to_string(),
        "it names no report"
    );
    // A list that is not there is not a list of none: the count is blank, and code rejects it.
    let Ok(Entry::Report(report)) = read_line(lines[1].as_bytes(), [0; 16]) else {
        panic!("{}", lines[1])
    };
    assert_eq!((report.facts.declared_lines, report.facts.lines.len()), (None, 0));
    assert!(matches!(
        read_line(lines[2].as_bytes(), [0; 16]),
        Ok(Entry::Trailer(2))
    ));
}

#[test]
fn each_pass_ends_with_its_own_trailer_and_no_line_is_blank_within() {
    let one = full_report();
    let passes = vec![
        json!({"addHeader": true, "reports": [one, one]}),
        json!({"addHeader": false, "reports": [one]}),
        json!({"reports": []}),
    ];
    let Some(files) = rendered(&[("passes", passes)]) else {
        return;
    };
    let shape: Vec<Option<u64>> = entries(&files["passes"])
        .into_iter()
        .map(|entry| match entry {
            Entry::Report(_) => None,
            Entry::Trailer(count) => Some(count),
        })
        .collect();
    assert_eq!(shape, [None, None, Some(2), None, Some(1), Some(0)]);
}

fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "\"quotes\" and 'apostrophes'",
        "back\\slash \\\\ \\n \\u0041",
        "line\nbreak\r\nand\ttab",
        "\u{0}\u{1}\u{8}\u{b}\u{c}\u{1f}\u{7f}\u{85}\u{2028}\u{2029}",
        "😀 👩‍👩‍👧‍👦 𝒳 \u{10ffff}",
        "\u{202e}desrever\u{202c} שלום مرحبا",
        "</script><script>alert(1)</script>",
        "${7*7} #{7*7} <#list 1..3 as x>${x}</#list> <@macro/> <#-- comment -->",
        "[#if true]x[/#if] [=7*7]",
        "R&D <b>5 > 3</b> &nbsp; &#39; &copy;",
        "  leading, double  spaces and trailing  ",
        "{\"trailer\":{\"reports\":0}}\n",
        "é\u{301} ﬀ İ ß",
        "a,b;c|d",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    texts.push("long \"comment\"\n".repeat(700));
    texts.push("😀".repeat(2_500));
    let mut runner = TestRunner::deterministic();
    let any = proptest::string::string_regex("(?s).{0,60}").unwrap();
    // An entity would be decoded once; that is tested apart.
    texts.extend(
        (0..150)
            .map(|_| any.new_tree(&mut runner).unwrap().current())
            .filter(|text| !text.contains('&')),
    );
    texts
}

#[test]
fn hostile_text_comes_through_unharmed_in_every_place() {
    let texts = hostile();
    let model = |text: &String| {
        json!({
            "reportID": "1", "policyID": "P", "policyName": text, "reportName": text, "accountEmail": text, "status": text,
            "submitter": {"fullName": text}, "approvers": [{"email": text, "date": text}], "customField": {"Field": text},
            "transactionList": [{
                "transactionID": "1", "type": text, "merchant": text, "modifiedMerchant": text, "comment": text, "category": text, "tag": text,
                "ntag1": text, "bank": text, "cardName": text, "attendees": [{"email": text}], "receiptFilename": text,
                "nameValuePairs": {"source": text},
            }],
        })
    };
    let models: Vec<Value> = texts.iter().map(model).collect();
    let Some(files) = rendered(&[("hostile", vec![json!({"reports": models})])]) else {
        return;
    };
    let all = reports(&files["hostile"]);
    assert_eq!(all.len(), texts.len());
    for (report, text) in all.iter().zip(&texts) {
        let (facts, who) = (&report.facts, personal(report));
        let (line, about) = (&facts.lines[0], &who.lines[0]);
        assert_eq!(String::from(facts.status.clone()), *text);
        for place in [
            &facts.policy_name,
            &who.report_name,
            &who.submitter,
            &line.kind,
            &line.category,
            &line.tag,
            &line.bank,
            &line.card_name,
            &line.source,
            &about.merchant,
            &about.modified_merchant,
            &about.comment,
            &about.receipt_filename,
        ] {
            assert_eq!(place, text);
        }
        // A text of white space only is no name.
        if !text.trim().is_empty() {
            assert_eq!(&who.submitter_name, text);
            assert_eq!(&who.approvers[0].date, text);
            assert_eq!(facts.fields["Field"], *text);
            assert_eq!(&line.tag_levels[0].name, text);
            assert_eq!(&about.attendees[0], text);
        }
    }
}

#[test]
fn text_that_arrives_escaped_is_decoded_once() {
    let mut report = full_report();
    report["transactionList"][0]["merchant"] = json!("Bed, Bath &amp; Beyond &lt;&quot;&apos;&gt; &amp;amp;");
    let Some(files) = rendered(&[("escaped", vec![json!({"reports": [report]})])]) else {
        return;
    };
    assert_eq!(
        personal(&reports(&files["escaped"])[0]).lines[0].merchant,
        "Bed, Bath & Beyond <\"'> &amp;"
    );
}

// ── the stand-in's engine against the real one ───────────────────────────────────────────────────────────────────

fn value<'a>(json: &Value) -> freemarker::Value<'a> {
    match json {
        Value::Null => freemarker::Value::Missing,
        Value::Bool(flag) => freemarker::Value::Bool(*flag),
        Value::Number(number) => freemarker::Value::Number(number.to_string().parse().unwrap()),
        Value::String(text) => freemarker::Value::owned(text.clone()),
        Value::Array(items) => freemarker::Value::list(items.iter().map(value).collect()),
        Value::Object(_) => freemarker::Value::hash(record(json)),
    }
}

fn record<'a>(json: &Value) -> freemarker::Record<'a> {
    json.as_object()
        .unwrap()
        .iter()
        .fold(freemarker::Record::default(), |record, (key, part)| {
            record.with(key, value(part))
        })
}

fn by_the_stand_in(pass: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let template = Template::parse(TEMPLATE).unwrap();
    let now = "2026-11-23T00:00:00".parse().unwrap();
    let strict = Rendering {
        strict_numbers: true,
        abort_on_error: true,
    };
    template.render(record(pass), now, strict, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_stand_in_renders_the_same_bytes_as_the_real_engine() {
    let mut models: Vec<Value> = hostile().iter().map(|text| json!({"reportID": "1", "policyID": "P", "reportName": text, "customField": {"Field": text}})).collect();
    models.extend([
        full_report(),
        json!({}),
        json!({"transactionList": "", "submitter": "", "approvers": [null, {}], "customField": ""}),
    ]);
    let passes = vec![
        json!({"addHeader": true, "reports": models}),
        json!({"addHeader": false, "reports": []}),
    ];
    let bytes: Vec<u8> = passes.iter().flat_map(by_the_stand_in).collect();
    let Some(files) = rendered(&[("same", passes)]) else {
        return;
    };
    let (real, stand_in) = (
        String::from_utf8(files["same"].clone()).unwrap(),
        String::from_utf8(bytes).unwrap(),
    );
    for (number, (ours, theirs)) in real.lines().zip(stand_in.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", number + 1);
    }
    assert_eq!(real.len(), stand_in.len());
}
