//! What a SARIF log must have, by the standard (OASIS SARIF 2.1.0, §3.13 and on), as far as this program writes any of it.

use serde_json::Value;

/// Panics where something required is missing or not of its form.
#[track_caller]
pub fn is_a_sarif_log(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(text(&log["$schema"]).ends_with("sarif-schema-2.1.0.json"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(!text(&driver["name"]).is_empty() && !text(&driver["version"]).is_empty());
    assert!(driver.get("informationUri").is_none());
    let rules = list(&driver["rules"]);
    for rule in rules {
        for words in [
            &rule["id"],
            &rule["shortDescription"]["text"],
            &rule["help"]["text"],
        ] {
            assert!(!text(words).is_empty(), "{rule}");
        }
    }
    let mut fingerprints = Vec::new();
    for result in list(&run["results"]) {
        let at = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[at]["id"], result["ruleId"], "{result}");
        assert!(
            ["error", "warning", "note"].contains(&text(&result["level"])),
            "{result}"
        );
        assert!(!text(&result["message"]["text"]).is_empty(), "{result}");
        assert!(!list(&result["locations"]).is_empty(), "{result}");
        let related = result.get("relatedLocations").map(list).unwrap_or_default();
        for location in list(&result["locations"]).iter().chain(related) {
            let place = &location["physicalLocation"];
            let uri = text(&place["artifactLocation"]["uri"]);
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
            assert!(
                !uri.is_empty() && !uri.starts_with('/') && uri.chars().all(plain),
                "{uri}"
            );
            for number in [&place["region"]["startLine"], &place["region"]["startColumn"]] {
                assert!(number.as_u64() >= Some(1), "{place}");
            }
        }
        let prints = result["partialFingerprints"].as_object().unwrap();
        fingerprints.extend(prints.values().map(text));
    }
    let number = fingerprints.len();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), number, "each finding has its own");
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[track_caller]
fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}
