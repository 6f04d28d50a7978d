//! What a rule may look at: a line and its report, in one normal form.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;

use crate::ids::Email;
use crate::report::TagLevel;

/// Levels of a tag that a condition can name.
pub(super) const TAG_LEVELS: u8 = 5;

/// A field that a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The policy's id.
    Policy,
    /// The category, parts joined by `:`.
    Category,
    /// The full tag; levels joined by `:`.
    Tag,
    /// One level of the tag, from 1 to 5.
    TagLevel(u8),
    /// The submitter's address.
    Employee,
    /// A report field, under the name the export gives it (contract expensify §4.3 `customField`).
    Report(String),
    /// The expense's own currency.
    Currency,
    /// Whether the employee is owed it.
    Reimbursable,
    /// The card program.
    CardProgram,
    /// The merchant.
    Merchant,
    /// The kind of expense.
    Kind,
    /// The amount in the report's currency.
    Amount,
}
impl Field {
    /// Does it describe a person? Then its value never stands in a *why*, which lies in the open part of the log.
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::Employee | Self::Merchant)
    }

    /// In the words of the rule file.
    pub(super) fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Policy => "policy",
            Self::Category => "category",
            Self::Tag => "tag",
            Self::TagLevel(1) => "tag_level_1",
            Self::TagLevel(2) => "tag_level_2",
            Self::TagLevel(3) => "tag_level_3",
            Self::TagLevel(4) => "tag_level_4",
            Self::TagLevel(5) => "tag_level_5",
            Self::TagLevel(level) => return Cow::Owned(format!("tag_level_{level}")),
            Self::Employee => "employee",
            Self::Report(name) => return Cow::Owned(format!("field.{name}")),
            Self::Currency => "currency",
            Self::Reimbursable => "reimbursable",
            Self::CardProgram => "card_program",
            Self::Merchant => "merchant",
            Self::Kind => "kind",
            Self::Amount => "amount",
        })
    }
}
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

/// What a line and its report show to the rules. [`super::RuleSet::view`] makes one of a payload.
///
/// Text is compared trimmed. Level *n* of the tag is the *n*-th part of the full tag between colons, blank where there
/// is none, so that `tag` and `tag_level_n` can never disagree; where the full tag is blank, it is the levels joined.
#[derive(Debug, Clone, Copy)]
pub struct LineView<'a> {
    /// The policy's id.
    pub policy: &'a str,
    /// Category, its parts joined by `:`; blank for none.
    pub category: &'a str,
    /// GL code the category carries.
    pub category_gl: &'a str,
    /// Full tag, levels joined by `:`; blank for none.
    pub tag: &'a str,
    /// GL code the tag carries.
    pub tag_gl: &'a str,
    /// Levels of the tag, with their GL codes.
    pub tag_levels: &'a [TagLevel],
    /// The submitter; `None` where the person was forgotten or is not named, and then no rule on employees matches.
    pub employee: Option<&'a Email>,
    /// Report fields, by the name the export gives them.
    pub fields: &'a BTreeMap<String, String>,
    /// The expense's own currency, an ISO 4217 code in any case.
    pub currency: &'a str,
    /// Is the employee owed it? A line whose flag could not be read is rejected before it gets here.
    pub reimbursable: bool,
    /// The card program (see [`super::RuleSet::card_program`]); blank for a line without a card.
    pub card_program: &'a str,
    /// The merchant after edits.
    pub merchant: &'a str,
    /// Kind of expense, an open vocabulary.
    pub kind: &'a str,
    /// Amount in the report's currency, signed as at the source.
    pub amount: Decimal,
}
impl LineView<'_> {
    /// The value of a text field in the form in which it is compared. The amount is text here only to be shown.
    pub fn value(&self, field: &Field) -> Cow<'_, str> {
        match field {
            Field::Policy => Cow::Borrowed(self.policy.trim()),
            Field::Category => normal_category(self.category),
            Field::Tag => self.tag_text(),
            Field::TagLevel(level) => match self.tag_text() {
                Cow::Borrowed(tag) => Cow::Borrowed(level_of(tag, *level)),
                Cow::Owned(tag) => Cow::Owned(level_of(&tag, *level).to_owned()),
            },
            Field::Employee => Cow::Borrowed(self.employee.map_or("", Email::as_str)),
            Field::Report(name) => Cow::Borrowed(self.fields.get(name).map_or("", |value| value.trim())),
            Field::Currency => match self.currency.trim() {
                code if code.bytes().all(|b| b.is_ascii_uppercase()) => Cow::Borrowed(code),
                code => Cow::Owned(code.to_uppercase()),
            },
            Field::Reimbursable => Cow::Borrowed(if self.reimbursable { "true" } else { "false" }),
            Field::CardProgram => Cow::Borrowed(self.card_program.trim()),
            Field::Merchant => Cow::Owned(lower_case(self.merchant.trim())),
            Field::Kind => Cow::Borrowed(self.kind.trim()),
            Field::Amount => Cow::Owned(self.amount.to_string()),
        }
    }

    /// The field as a *why* may show it.
    pub fn seen(&self, field: &Field) -> Seen {
        let value = (!field.is_personal()).then(|| self.value(field).into_owned());
        Seen {
            field: field.word(),
            value,
        }
    }

    /// A credit account is looked for only where nobody is owed the line and no card paid it (design §6).
    pub(super) fn wants_credit_account(&self) -> bool {
        !self.reimbursable && self.card_program.trim().is_empty()
    }

    pub(super) fn tag_text(&self) -> Cow<'_, str> {
        if !self.tag.trim().is_empty() {
            return normal_tag_of(self.tag);
        }
        let names: Vec<&str> = self.tag_levels.iter().map(|level| level.name.as_str()).collect();
        Cow::Owned(normal_tag(&names.join(":")))
    }
}

/// A source field and what it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The field, in the words of the rule file.
    pub field: Cow<'static, str>,
    /// What it held, in the form in which it was compared; `None` where it describes a person.
    pub value: Option<String>,
}
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) if value.is_empty() => write!(f, "{} = (blank)", self.field),
            Some(value) => write!(f, "{} = {value}", self.field),
            None => write!(f, "{} (personal, not shown)", self.field),
        }
    }
}

/// A category in normal form: each part trimmed. Nothing is known of blanks around the colon (contract expensify), and no
/// person tells `Travel: Air` from `Travel:Air`.
pub(super) fn normal_category(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.split(':').all(|part| part.trim().len() == part.len()) {
        return Cow::Borrowed(text);
    }
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    Cow::Owned(parts.join(":"))
}

/// A full tag in normal form: each part trimmed, no blank parts at the end, an escaped colon taken for a colon.
pub(super) fn normal_tag(text: &str) -> String {
    let text = text.replace("\\:", ":");
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    parts.join(":").trim_end_matches(':').to_owned()
}

/// A tag in normal form, written so that it is read as the same: what would be taken for an escaped colon is escaped again.
pub(super) fn written_tag(normal: &str) -> String {
    normal.replace("\\:", "\\\\:")
}

/// The same, as it is where it is in normal form already: most are, and a line is asked for its tag again and again.
fn normal_tag_of(text: &str) -> Cow<'_, str> {
    let is_normal = |part: &str| part.trim().len() == part.len() && !part.ends_with('\\');
    if text.split(':').all(is_normal) && !text.ends_with(':') {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(normal_tag(text))
    }
}

/// In lower case, as `str::to_lowercase` has it; without its tables where the text is ASCII.
pub(super) fn lower_case(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.to_lowercase()
    }
}

/// The part of a tag in normal form that is level `level`, from 1; blank where there is none.
pub(super) fn level_of(tag: &str, level: u8) -> &str {
    tag.split(':')
        .nth(usize::from(level.saturating_sub(1)))
        .unwrap_or("")
}

/// A report field's name as the export gives it: whatever is no letter or digit became `_` (contract expensify §4.3).
pub(super) fn normal_field_name(name: &str) -> String {
    name.trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Witness;

    #[test]
    fn a_tag_has_one_normal_form() {
        assert_eq!(normal_tag(" Ohio : Line 2 "), "Ohio:Line 2");
        assert_eq!(normal_tag("Ohio::"), "Ohio");
        assert_eq!(normal_tag("Acme\\:East"), "Acme:East");
        assert_eq!(level_of("Ohio:Line 2", 2), "Line 2");
        assert_eq!(level_of("Ohio", 2), "");
        for text in [
            "Ohio",
            " Ohio",
            "Ohio:",
            "Acme\\:East",
            "Ohio:L1 ",
            "Ohio:L1\\",
            ":",
            "",
            "a::b",
        ] {
            assert_eq!(normal_tag_of(text), normal_tag(text));
            assert_eq!(normal_tag(&written_tag(&normal_tag(text))), normal_tag(text));
        }
    }

    #[test]
    fn a_blank_tag_with_levels_is_its_levels() {
        let levels = [
            TagLevel {
                name: "Ohio".into(),
                gl: String::new(),
            },
            TagLevel {
                name: "Line 2".into(),
                gl: String::new(),
            },
        ];
        let line = Witness::default();
        let view = LineView {
            tag_levels: &levels,
            ..line.view()
        };
        assert_eq!(view.value(&Field::Tag), "Ohio:Line 2");
        assert_eq!(view.value(&Field::TagLevel(2)), "Line 2");
    }

    #[test]
    fn what_describes_a_person_is_never_shown() {
        let line = Witness {
            merchant: "Clinic Dr Weiss".into(),
            ..Witness::default()
        };
        assert_eq!(
            line.view().seen(&Field::Merchant).to_string(),
            "merchant (personal, not shown)"
        );
    }

    #[test]
    fn a_field_name_is_that_of_the_export() {
        assert_eq!(normal_field_name("Cost Center #"), "Cost_Center__");
    }
}
