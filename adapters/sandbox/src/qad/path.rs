//! Dotted paths into JSON: `"header.reference"` names the member `reference` of the member `header`.
//!
//! Real installations nest differently, so the stand-in never spells a member name in code: it walks a path of the
//! [shape](super::shape). An empty path names nothing: reading it finds nothing, writing it writes nothing.

use serde_json::{Map, Value};

/// The value at `path` below `root`, if every step is an object member.
pub fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return None;
    }
    path.split('.')
        .try_fold(root, |value, step| value.as_object()?.get(step))
}

/// Puts `value` at `path` below `root`, making the objects on the way; a step that is no object is replaced.
pub fn put(root: &mut Value, path: &str, value: Value) {
    if path.is_empty() {
        return;
    }
    let mut place = root;
    for step in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(members) = place else { return };
        place = members.entry(step).or_insert(Value::Null);
    }
    *place = value;
}

/// An object that holds `value` at `path` and nothing else.
pub fn nest(path: &str, value: Value) -> Value {
    let mut root = Value::Object(Map::new());
    put(&mut root, path, value);
    root
}

/// The name by which an error speaks of the member at `path`: its last step, first letter in upper case, as live
/// answers do (contract qad §1.8: the casing of `fieldName` differs from the payload's).
pub fn error_name(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    let mut letters = last.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_walks_through_objects_only() {
        let root = json!({"header": {"reference": "R1", "list": [1]}});
        assert_eq!(find(&root, "header.reference"), Some(&json!("R1")));
        assert_eq!(find(&root, "header.list.0"), None);
        assert_eq!(find(&root, "reference"), None);
        assert_eq!(find(&root, ""), None);
    }

    #[test]
    fn putting_makes_the_way() {
        let mut root = json!({"header": {"a": 1}});
        put(&mut root, "header.b.c", json!(2));
        put(&mut root, "", json!("nothing"));
        assert_eq!(root, json!({"header": {"a": 1, "b": {"c": 2}}}));
        assert_eq!(nest("data.rows", json!([])), json!({"data": {"rows": []}}));
    }

    #[test]
    fn an_error_names_the_last_step_in_pascal_case() {
        assert_eq!(error_name("header.supplierCode"), "SupplierCode");
        assert_eq!(error_name(""), "");
    }
}
