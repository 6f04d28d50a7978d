//! A JSON object whose members stay in the order they were put, so that a body is the same bytes on every build and a
//! person can read it beside the contract.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use crate::profile::FieldPath;

/// A node of a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    /// A value as it is.
    Leaf(Value),
    /// A list.
    List(Vec<Tree>),
    /// An object, in order.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn object() -> Self {
        Self::Object(Vec::new())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Leaf(Value::String(text.into()))
    }

    /// Puts a node at a path, making the objects on the way. What lies there already is replaced; a profile in which
    /// two fields meet was refused when it was read.
    pub(crate) fn put(&mut self, path: &FieldPath, node: Tree) {
        self.put_below(&path.steps().collect::<Vec<_>>(), node);
    }

    fn put_below(&mut self, steps: &[&str], node: Tree) {
        let Some((first, rest)) = steps.split_first() else {
            *self = node;
            return;
        };
        let mut members = match std::mem::replace(self, Self::object()) {
            Self::Object(members) => members,
            Self::Leaf(_) | Self::List(_) => Vec::new(),
        };
        if let Some((_, member)) = members.iter_mut().find(|(name, _)| name == first) {
            member.put_below(rest, node);
        } else {
            let mut member = Self::object();
            member.put_below(rest, node);
            members.push(((*first).to_owned(), member));
        }
        *self = Self::Object(members);
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(nodes) => {
                let mut list = serializer.serialize_seq(Some(nodes.len()))?;
                nodes.iter().try_for_each(|node| list.serialize_element(node))?;
                list.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members
                    .iter()
                    .try_for_each(|(name, node)| map.serialize_entry(name, node))?;
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stay_in_the_order_they_were_put() {
        let mut tree = Tree::object();
        for path in ["z", "header.b", "a", "header.a"] {
            tree.put(&FieldPath::new(path).unwrap(), Tree::text(path));
        }
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(
            text,
            r#"{"z":"z","header":{"b":"header.b","a":"header.a"},"a":"a"}"#
        );
    }
}
