//! The small words a profile is made of: dotted paths, browse columns, value words, durations. Each refuses, with the
//! remedy, what could only fail later and silently (contract qad §1.9: a wrong column is answered with an empty page).

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// Where a value lies in a JSON object: member names joined by dots, which are the nesting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct FieldPath(String);

impl FieldPath {
    /// Takes a path of one or more member names.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.split('.').any(|step| step.is_empty() || step.trim() != step) {
            return Err(format!(
                "`{text}` is not a field path: write member names joined by dots, e.g. `header.reference`"
            ));
        }
        Ok(Self(text.to_owned()))
    }
    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Its member names, outermost first.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
    /// Does this path lie inside `other`, or is it the same?
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(other.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}
impl TryFrom<String> for FieldPath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The flat key of a browse column, e.g. `ac_mstr.ac_code` (contract qad §1.9). Unlike a [`FieldPath`] its dots nest
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Column(String);

impl Column {
    /// Takes a key without blanks and commas: a comma would break every filter on it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains([',', ' ', '\t', '\n', '\r']) {
            return Err(format!(
                "`{text}` is not a browse column: copy the key from a page of the browse, e.g. `ac_mstr.ac_code`"
            ));
        }
        Ok(Self(text.to_owned()))
    }
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl TryFrom<String> for Column {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The words by which an installation says one thing, e.g. `["true", "yes"]`. Compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Words(Vec<String>);

impl Words {
    /// These words.
    pub fn new<const N: usize>(words: [&str; N]) -> Self {
        Self(words.into_iter().map(str::to_owned).collect())
    }
    /// Is this one of them?
    pub fn say(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        self.0.iter().any(|word| word.trim().to_lowercase() == text)
    }
}
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" or "))
    }
}

/// Pieces of text by which a message is known, e.g. `["already exists"]`. Found anywhere in it, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Fragments(Vec<String>);

impl Fragments {
    /// These pieces.
    ///
    /// # Errors
    /// A list without any knows no message, and a blank piece knows every one.
    pub fn new(pieces: Vec<String>) -> Result<Self, String> {
        if pieces.is_empty() || pieces.iter().any(|piece| piece.trim().is_empty()) {
            return Err(
                "a list of text fragments is empty, or one of them is blank: name at least one".to_owned(),
            );
        }
        Ok(Self(
            pieces.iter().map(|piece| piece.trim().to_lowercase()).collect(),
        ))
    }
    /// Those of QAD's own duplicate-reference warning, in English (contract qad §3).
    pub(super) fn usual() -> Self {
        Self(vec!["already exists".to_owned()])
    }
    /// Is one of them in this text?
    pub fn are_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().any(|piece| text.contains(piece))
    }
}
impl TryFrom<Vec<String>> for Fragments {
    type Error = String;
    fn try_from(pieces: Vec<String>) -> Result<Self, String> {
        Self::new(pieces)
    }
}

/// A span of time as a profile writes it: `500ms`, `30s`, `15m`, `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at_checked(split).unwrap_or((text, ""));
        let millis = match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        digits
            .parse::<u64>()
            .ok()
            .zip(millis)
            .and_then(|(count, unit)| count.checked_mul(unit))
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| {
                format!("`{text}` is not a span of time: write a number and ms, s, m or h, e.g. `15m`")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_no_empty_step() {
        assert_eq!(
            FieldPath::new("header.reference")
                .unwrap()
                .steps()
                .collect::<Vec<_>>(),
            ["header", "reference"]
        );
        for bad in ["", ".", "a.", ".a", "a..b", "a. b"] {
            assert!(FieldPath::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_is_within_itself_and_what_it_is_nested_in() {
        let path = |text| FieldPath::new(text).unwrap();
        assert!(path("a.b").is_within(&path("a")));
        assert!(path("a").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
    }

    #[test]
    fn a_column_that_would_break_a_filter_is_refused() {
        assert!(Column::new("ac_mstr.ac_code").is_ok());
        assert!(Column::new("a,b").is_err());
        assert!(Column::new("").is_err());
    }

    #[test]
    fn words_are_compared_without_case() {
        let words = Words::new(["TRUE", "yes"]);
        assert!(words.say(" Yes ") && words.say("true") && !words.say("no"));
    }

    #[test]
    fn fragments_are_found_anywhere_and_none_of_them_is_blank() {
        let fragments = Fragments::new(vec!["Already Exists".into()]).unwrap();
        assert!(fragments.are_in("The reference ALREADY exists on another invoice"));
        assert!(!fragments.are_in("The reference is new"));
        assert!(Fragments::new(vec![]).is_err());
        assert!(Fragments::new(vec!["exists".into(), " ".into()]).is_err());
    }

    #[test]
    fn spans_of_time() {
        let span = |text: &str| Span::try_from(text.to_owned()).map(|span| span.0);
        assert_eq!(span("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        for bad in [
            "",
            "15",
            "m",
            "-1s",
            "1.5h",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
