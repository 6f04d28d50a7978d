//! As a SARIF log (OASIS, version 2.1.0), which code review tools show beside the lines of a change.

mod catalogue;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tieout_domain::rules::Position;

use self::place::relative_uri;
use super::checked::Checked;
use super::found::{Found, Level};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name under which the fingerprint of a finding stands; another way to make it would be another name.
const FINGERPRINT: &str = "tieoutFinding/v1";

/// One run over all files, its places relative to `folder`.
pub(super) fn of(checked: &[Checked], folder: &Path) -> Value {
    let found: Vec<(&Checked, Vec<Found>)> = checked.iter().map(|set| (set, set.found())).collect();
    let codes = found
        .iter()
        .flat_map(|(_, found)| found.iter().map(|found| found.code));
    let codes: BTreeSet<&str> = codes.collect();
    let index: BTreeMap<&str, usize> = codes.iter().copied().zip(0..).collect();
    let mut results = Vec::new();
    for (set, found) in &found {
        let uri = relative_uri(&set.file, folder);
        let rules = Rules::of(&set.text);
        let mut seen = BTreeMap::new();
        for found in found {
            let fingerprint = fingerprint(found, &rules, &mut seen);
            results.push(result(found, index.get(found.code), &uri, fingerprint));
        }
    }
    let rules: Vec<Value> = codes.into_iter().map(catalogue::entry).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tieout rules check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            // Columns are characters, as this program counts them.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(found: &Found, index: Option<&usize>, uri: &str, fingerprint: String) -> Value {
    let related: Vec<Value> = found
        .other_at
        .into_iter()
        .map(|other| {
            json!({
                "id": 1,
                "message": {"text": "the other rule"},
                "physicalLocation": physical(uri, other),
            })
        })
        .collect();
    json!({
        "ruleId": found.code,
        "ruleIndex": index,
        "level": match found.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Remark => "note",
        },
        "message": {"text": found.message},
        "locations": [{"physicalLocation": physical(uri, found.at)}],
        "relatedLocations": related,
        "partialFingerprints": {FINGERPRINT: fingerprint},
    })
}

fn physical(uri: &str, at: Position) -> Value {
    json!({
        "artifactLocation": {"uri": uri},
        "region": {"startLine": at.line, "startColumn": at.column},
    })
}

/// What each rule of a file says, as it stands there but for its name: the same wherever it stands.
struct Rules(Vec<String>);
impl Rules {
    fn of(text: &str) -> Self {
        let file: Option<toml::Table> = text.parse().ok();
        let rules = file.and_then(|mut file| file.remove("rule"));
        let Some(toml::Value::Array(rules)) = rules else {
            return Self(Vec::new());
        };
        let content = |mut rule: toml::Value| {
            if let Some(table) = rule.as_table_mut() {
                table.remove("name");
            }
            serde_json::to_string(&rule).unwrap_or_default()
        };
        Self(rules.into_iter().map(content).collect())
    }

    /// Of the rule with this number.
    fn content(&self, number: usize) -> &str {
        number
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .map_or("", String::as_str)
    }
}

/// The same for the same finding, wherever in the file its rules stand, whatever they are called, and whatever other rules
/// there are. Of several that would be the same, each has a number of its own.
fn fingerprint(found: &Found, rules: &Rules, seen: &mut BTreeMap<String, usize>) -> String {
    let mut contents: Vec<&str> = found.rules.iter().map(|rule| rules.content(*rule)).collect();
    // Of a pair, either may come to stand first.
    contents.sort_unstable();
    let mut hash = Sha256::new();
    for part in [found.code, &found.about].into_iter().chain(contents) {
        hash.update(part.len().to_string());
        hash.update(":");
        hash.update(part);
    }
    let text: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let number = seen
        .entry(text.clone())
        .and_modify(|number| *number += 1)
        .or_insert(1);
    format!("{text}:{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.toml");
        std::fs::write(&file, text).unwrap();
        let log = of(&[Checked::read(&file, Vec::new()).unwrap()], folder.path());
        let results = log["runs"][0]["results"].as_array().unwrap();
        let mut list: Vec<String> = results
            .iter()
            .map(|result| {
                result["partialFingerprints"][FINGERPRINT]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        list.sort();
        list
    }

    const SETTINGS: &str = "[posting]\ndate = \"approved\"\nclosed_period = \"hold\"\nposted_means = \"initial\"\n\
        invoice_status = \"AP\"\n[suppliers]\nmatch = \"table\"\n";
    const A: &str = "[[rule]]\nname = \"a\"\nwhen.category = \"Air\"\nset.account = \"1\"\n";
    const B: &str = "[[rule]]\nname = \"b\"\nwhen.tag = \"Ohio\"\nset.account = \"2\"\n";
    const C: &str = "[[rule]]\nwhen.category = \"Meals\"\nset.account = \"1\"\n";

    #[test]
    fn a_finding_has_the_same_fingerprint_wherever_its_rules_stand_and_whatever_they_are_called() {
        let first = fingerprints(&format!("{A}{B}{SETTINGS}"));
        assert_eq!(first.len(), 1);
        for moved in [
            format!("# a comment\n\n{B}{A}{SETTINGS}"),
            format!("{}{B}{SETTINGS}", A.replace("\"a\"", "\"another\"")),
        ] {
            assert_eq!(fingerprints(&moved), first);
        }
        let more = fingerprints(&format!("{C}{A}{B}{SETTINGS}"));
        assert!(
            more.len() == 2 && more.contains(&first[0]),
            "the other is that of the new pair"
        );
        let other = fingerprints(&format!("{A}{}{SETTINGS}", B.replace("\"2\"", "\"3\"")));
        assert_ne!(other, first, "another content is another finding");
    }

    #[test]
    fn two_findings_alike_are_told_apart() {
        let twice = "[[rule]]\nwhen.category = \"A\"\nset.accont = \"1\"\n".repeat(2);
        let list = fingerprints(&format!("{twice}{SETTINGS}"));
        let all: BTreeSet<&String> = list.iter().collect();
        assert_eq!((list.len(), all.len()), (2, 2), "{list:?}");
    }
}
