//! Scalars as the server happens to write them: `"404"`, `404`, `true`, `null`.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// A string, number or boolean taken as text; null is blank. An array or object is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(&mut Value::deserialize(deserializer)?)
            .map(Self)
            .ok_or_else(|| de::Error::custom("an array or object stands where text belongs"))
    }
}

/// The text of a scalar, taken out of the value; none of an array or object.
pub(crate) fn scalar(value: &mut Value) -> Option<String> {
    match value {
        Value::String(text) => Some(std::mem::take(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_text_digit_for_digit() {
        let read = |json: &str| serde_json::from_str::<Text>(json).map(|text| text.0);
        assert_eq!(read(r#""a""#).unwrap(), "a");
        assert_eq!(read("4056343049275634494123").unwrap(), "4056343049275634494123");
        assert_eq!(read("20.50").unwrap(), "20.50");
        assert_eq!(read("true").unwrap(), "true");
        assert_eq!(read("null").unwrap(), "");
        assert!(read("[1]").is_err());
        assert!(read("{}").is_err());
    }
}
