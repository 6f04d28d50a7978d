//! What an operator signs: plain text, one fact a line, the same bytes for the same facts.

use std::fmt;

/// A text to be signed: what is done, then one fact a line, as `label: value`.
///
/// Whoever verifies makes it again of the facts on record; so it holds no instant, no chance and no order but its maker's.
/// No two lists of facts make the same text: a value stays on its line, since what would leave it is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement(String);

impl Statement {
    /// A statement that does `what`, e.g. `approve a rule set`. Each kind of statement says something else here, or a
    /// signature under one might be shown as one under the other.
    pub fn new(what: &'static str) -> Self {
        Self(String::new()).fact("statement", what)
    }

    /// The statement, and one more fact. In the value, control characters, characters that turn the direction of what
    /// follows, and the backslash are written out (`\n`, `\u{202e}`, `\\`), so that it stays one line and reads as it is.
    #[must_use]
    pub fn fact(mut self, label: &'static str, value: &str) -> Self {
        push_fact(&mut self.0, label, value);
        self
    }

    /// The text; every line of it ends with a line feed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line of a text that is signed.
pub(super) fn push_fact(text: &mut String, label: &'static str, value: &str) {
    text.push_str(label);
    text.push_str(": ");
    for c in value.chars() {
        if misleads(c) {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
    }
    text.push('\n');
}

fn misleads(c: char) -> bool {
    let unseen = matches!(
        c,
        '\u{AD}'
            | '\u{61C}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
    );
    c == '\\' || c.is_control() || unseen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_fact_is_a_line() {
        let statement = Statement::new("approve a rule set")
            .fact("rule set", "12")
            .fact("why", "Zoë checked 漢字");
        assert_eq!(
            statement.as_str(),
            "statement: approve a rule set\nrule set: 12\nwhy: Zoë checked 漢字\n"
        );
    }

    #[test]
    fn a_value_cannot_pass_for_another_fact_or_hide_one() {
        let forged = Statement::new("x").fact("why", "fine\nrule set: 13\u{202e}\u{200b}");
        assert_eq!(
            forged.as_str(),
            "statement: x\nwhy: fine\\nrule set: 13\\u{202e}\\u{200b}\n"
        );
        // Written out by hand, it is another text.
        assert_ne!(
            Statement::new("x").fact("why", "a\\nb"),
            Statement::new("x").fact("why", "a\nb")
        );
    }

    proptest! {
        #[test]
        fn two_values_never_make_the_same_statement(one: String, other: String) {
            let make = |value: &str| Statement::new("x").fact("a", value).fact("b", "");
            prop_assert_eq!(make(&one) == make(&other), one == other);
            prop_assert_eq!(make(&one).as_str().lines().count(), 3);
        }
    }
}
