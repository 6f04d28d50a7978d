//! A newtype for every identifier, so that no two can be mistaken for each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An identifier that is not of the form its kind demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{given}` is not valid: {why}")]
pub struct BadId {
    /// Which kind of identifier was expected.
    pub what: &'static str,
    /// What was given, cut to 80 characters.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl BadId {
    fn new(what: &'static str, given: &str, why: &'static str) -> Self {
        Self {
            what,
            given: given.chars().take(80).collect(),
            why,
        }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the trimmed text; blank or containing control characters is refused.
            pub fn new(text: &str) -> Result<Self, BadId> {
                let text = text.trim();
                if text.is_empty() {
                    return Err(BadId::new($what, text, "it is blank"));
                }
                if text.chars().any(char::is_control) {
                    return Err(BadId::new($what, text, "it contains control characters"));
                }
                Ok(Self(text.to_owned()))
            }
            /// The text as it was given.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> { Self::new(&text) }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> { Self::new(text) }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String { id.0 }
        }
    };
}

/// Like `text_id`, but two that differ only in case are equal: QAD compares character fields without regard to case
/// (contract qad §3). The case QAD shows is kept for people.
macro_rules! qad_code {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the trimmed text; blank or containing control characters is refused.
            pub fn new(text: &str) -> Result<Self, BadId> {
                let text = text.trim();
                if text.is_empty() {
                    return Err(BadId::new($what, text, "it is blank"));
                }
                if text.chars().any(char::is_control) {
                    return Err(BadId::new($what, text, "it contains control characters"));
                }
                Ok(Self(text.to_owned()))
            }
            /// The code in the case it was given.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool { in_one_case(&self.0, &other.0).is_eq() }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> { Some(self.cmp(other)) }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering { in_one_case(&self.0, &other.0) }
        }
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) { in_upper_case(&self.0).for_each(|c| c.hash(state)); }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> { Self::new(&text) }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> { Self::new(text) }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String { id.0 }
        }
    };
}

/// How two codes of QAD stand to each other. Nearly all are ASCII, where a byte is a character and has one upper case.
fn in_one_case(a: &str, b: &str) -> std::cmp::Ordering {
    if a.is_ascii() && b.is_ascii() {
        let upper = |byte: u8| byte.to_ascii_uppercase();
        a.bytes().map(upper).cmp(b.bytes().map(upper))
    } else {
        in_upper_case(a).cmp(in_upper_case(b))
    }
}

fn in_upper_case(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_uppercase)
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> { Uuid::parse_str(text).map(Self) }
        }
    };
}

uuid_id!(
    /// One Expensify account and its policies, tied to one QAD workspace. Minted once by `init`; never changes.
    ConnectionId
);
uuid_id!(
    /// One event in the log.
    EventId
);
uuid_id!(
    /// One run of the program; the owner of an intent.
    InstanceId
);
uuid_id!(
    /// One run of the cycle of one connection.
    CycleId
);
uuid_id!(
    /// A person, as the log names one: random, without meaning once the person's key is forgotten.
    SubjectId
);

text_id!(
    /// The name of a connection: only a label.
    ConnectionName, "connection name");
text_id!(
    /// An Expensify policy (workspace): 16 hexadecimal digits, some samples 17 or 18 (contract expensify §4.8).
    PolicyId, "policy id");
text_id!(
    /// An Expensify transaction: a string of digits, longer than 2^53 (contract expensify §4.2).
    TransactionId, "transaction id");
text_id!(
    /// The label under which Expensify remembers that a report was exported (contract expensify §9).
    Label, "export label");
text_id!(
    /// A QAD workspace, `<domain>_<entity>` (contract qad §1.5).
    Workspace, "workspace");
text_id!(
    /// A person who acts, as the command line or the console names one.
    PersonName, "person");

qad_code!(
    /// A GL account of QAD (8 characters there).
    AccountCode, "account");
qad_code!(
    /// A sub-account of QAD (a *division* in its financial components).
    SubAccountCode, "sub-account");
qad_code!(
    /// A cost centre of QAD.
    CostCentreCode, "cost centre");
qad_code!(
    /// A project of QAD.
    ProjectCode, "project");
qad_code!(
    /// A supplier of QAD (a *creditor* in its financial components).
    SupplierCode, "supplier");
qad_code!(
    /// An employee of QAD.
    EmployeeCode, "employee");
qad_code!(
    /// A business relation of QAD: what joins an employee to a supplier.
    BusinessRelationCode, "business relation");
qad_code!(
    /// A daybook of QAD.
    DaybookCode, "daybook");
qad_code!(
    /// An invoice status code of QAD, e.g. `AP-INITIAL`.
    InvoiceStatusCode, "invoice status");

/// A person's e-mail address, lower-cased: the same person in any case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// Takes the trimmed text in lower case; it must have a character before and after one `@`.
    pub fn new(text: &str) -> Result<Self, BadId> {
        let text = text.trim().to_lowercase();
        match text.split_once('@') {
            Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains('@') => {
                Ok(Self(text))
            }
            _ => Err(BadId::new(
                "e-mail address",
                &text,
                "it is not of the form name@host",
            )),
        }
    }
    /// The address, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.0)
    }
}
impl TryFrom<String> for Email {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::new(&text)
    }
}
impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// The number QAD gives a document within entity, year and daybook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Voucher(pub u64);
impl fmt::Display for Voucher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An Expensify report. The decimal and the base-62 form (`R` and eleven of `0-9A-Za-z`) of one id are equal
/// (contract expensify §4.8). Written in base 62, as Expensify shows it today; streams and references use the decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReportId(u64);

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn in_base(mut value: u64, alphabet: &[u8], width: usize) -> String {
    let base = alphabet.len() as u64;
    let mut digits = Vec::new();
    while value > 0 {
        digits.push(
            alphabet
                .get((value % base) as usize)
                .copied()
                .map_or('0', char::from),
        );
        value /= base;
    }
    while digits.len() < width {
        digits.push('0');
    }
    digits.iter().rev().collect()
}

fn from_base(text: &str, alphabet: &[u8]) -> Option<u64> {
    let base = alphabet.len() as u64;
    text.bytes().try_fold(0u64, |value, byte| {
        let digit = alphabet.iter().position(|a| *a == byte)? as u64;
        value.checked_mul(base)?.checked_add(digit)
    })
}

impl ReportId {
    /// From the decimal id; zero is no report.
    pub fn from_decimal(id: u64) -> Result<Self, BadId> {
        if id == 0 {
            Err(BadId::new("report id", "0", "zero names no report"))
        } else {
            Ok(Self(id))
        }
    }
    /// The decimal form.
    pub fn decimal(self) -> u64 {
        self.0
    }
}
impl FromStr for ReportId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let text = text.trim();
        let value = if let Some(digits) = text.strip_prefix('R').filter(|d| d.len() == 11) {
            from_base(digits, BASE62)
        } else {
            from_base(text, b"0123456789").filter(|_| !text.is_empty())
        };
        let value = value.ok_or_else(|| {
            BadId::new(
                "report id",
                text,
                "it is neither a decimal number nor R and eleven letters or digits",
            )
        })?;
        Self::from_decimal(value)
    }
}
impl TryFrom<String> for ReportId {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}
impl From<ReportId> for String {
    fn from(id: ReportId) -> String {
        id.to_string()
    }
}
impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R{}", in_base(self.0, BASE62, 11))
    }
}

/// What kind of document is posted in QAD. Its letter stands in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// What the employee is owed: an invoice on the employee's own supplier.
    SupplierInvoice,
    /// What the employee owes: a credit note on the employee's own supplier.
    CreditNote,
    /// A journal entry between accounts.
    Journal,
}

impl DocumentKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SupplierInvoice, Self::CreditNote, Self::Journal];

    fn letter(self) -> char {
        match self {
            Self::SupplierInvoice => 'I',
            Self::CreditNote => 'C',
            Self::Journal => 'J',
        }
    }
}
impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SupplierInvoice => "supplier invoice",
            Self::CreditNote => "credit note",
            Self::Journal => "journal entry",
        })
    }
}

/// Which posting of a document this is: 1 first, the next one after each reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u32);
impl Generation {
    /// The first posting.
    pub const FIRST: Self = Self(1);
    /// The posting after this one was reversed.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
    /// The number, from 1.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// The natural key a document bears in QAD: `E`, the report's decimal id in base 36 (13 digits), the kind's letter and
/// the generation in base 36. Upper case and digits only, because QAD folds case; 16 to 20 characters. It names no
/// connection, so that a second installation meets the first one's documents (design §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// The report.
    pub report: ReportId,
    /// The kind of document.
    pub kind: DocumentKind,
    /// Which posting of it.
    pub generation: Generation,
}

impl Reference {
    /// What every reference of ours begins with.
    pub const LETTER: &str = "E";

    /// What every document of a report begins with, whatever its kind and generation: one look-up finds them all.
    pub fn stem(report: ReportId) -> String {
        format!("{}{}", Self::LETTER, in_base(report.decimal(), BASE36, 13))
    }
}
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = in_base(u64::from(self.generation.0), BASE36, 1);
        write!(f, "{}{}{generation}", Self::stem(self.report), self.kind.letter())
    }
}
impl FromStr for Reference {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let upper = text.trim().to_uppercase();
        let bad = || {
            BadId::new(
                "reference",
                text,
                "it is not one of ours: E, 13 letters or digits, I, C or J, a generation",
            )
        };
        let rest = upper.strip_prefix(Self::LETTER).ok_or_else(bad)?;
        let id = rest
            .get(..13)
            .and_then(|digits| from_base(digits, BASE36))
            .ok_or_else(bad)?;
        let kind = match rest.get(13..14) {
            Some("I") => DocumentKind::SupplierInvoice,
            Some("C") => DocumentKind::CreditNote,
            Some("J") => DocumentKind::Journal,
            _ => return Err(bad()),
        };
        let generation = rest
            .get(14..)
            .filter(|g| !g.is_empty() && g.len() <= 5)
            .and_then(|g| from_base(g, BASE36))
            .and_then(|g| u32::try_from(g).ok())
            .filter(|g| *g > 0)
            .ok_or_else(bad)?;
        Ok(Self {
            report: ReportId::from_decimal(id)?,
            kind,
            generation: Generation(generation),
        })
    }
}
impl TryFrom<String> for Reference {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}
impl From<Reference> for String {
    fn from(reference: Reference) -> String {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_of_a_report_id_are_one_id() {
        let recorded: ReportId = "R009WqAY45L1".parse().unwrap();
        assert_eq!(
            recorded.decimal(),
            2_080_715_894_610_667,
            "the pair recorded in contract expensify §4.8"
        );
        assert_eq!("2080715894610667".parse::<ReportId>().unwrap(), recorded);
        assert_eq!(recorded.to_string(), "R009WqAY45L1");
    }

    proptest! {
        #[test]
        fn codes_stand_to_each_other_as_they_do_in_upper_case(
            a in "[ -~ßéÉıſ\u{212a}]{1,6}",
            b in "[ -~ßéÉıſ\u{212a}]{1,6}",
        ) {
            let upper = |text: &str| -> String { text.trim().to_uppercase() };
            if let (Ok(one), Ok(other)) = (AccountCode::new(&a), AccountCode::new(&b)) {
                prop_assert_eq!(one.cmp(&other), upper(&a).cmp(&upper(&b)));
                prop_assert_eq!(one == other, upper(&a) == upper(&b));
            }
        }
    }

    #[test]
    fn what_is_no_report_id_is_refused() {
        for bad in [
            "",
            "0",
            "R",
            "R00000000000",
            "R009WqAY45L",
            "R009WqAY45L12",
            "-5",
            "12a",
            "Rzzzzzzzzzzz",
        ] {
            assert!(bad.parse::<ReportId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn codes_that_differ_in_case_are_one_code() {
        assert_eq!(
            CostCentreCode::new("cc-oh").unwrap(),
            CostCentreCode::new(" CC-OH ").unwrap()
        );
        assert!(AccountCode::new(" ").is_err());
    }

    proptest! {
        #[test]
        fn a_report_id_survives_both_forms(id in 1u64..) {
            let id = ReportId::from_decimal(id).unwrap();
            prop_assert_eq!(id.decimal().to_string().parse::<ReportId>().unwrap(), id);
            prop_assert_eq!(id.to_string().parse::<ReportId>().unwrap(), id);
        }

        #[test]
        fn a_reference_survives_qad_folding_its_case(id in 1u64.., generation in 1u32..60_000_000, kind in 0..3) {
            let kind = [DocumentKind::SupplierInvoice, DocumentKind::CreditNote, DocumentKind::Journal][kind as usize];
            let reference = Reference { report: ReportId::from_decimal(id).unwrap(), kind, generation: Generation(generation) };
            let text = reference.to_string();
            prop_assert!(text.len() <= 20);
            prop_assert!(text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
            prop_assert!(text.starts_with(&Reference::stem(reference.report)));
            prop_assert_eq!(text.to_lowercase().parse::<Reference>().unwrap(), reference);
        }
    }

    #[test]
    fn an_address_is_written_in_lower_case_and_named_when_it_is_shown_to_an_engineer() {
        let email = Email::new(" Ada@Example.COM ").unwrap();
        assert_eq!(email.to_string(), "ada@example.com");
        assert_eq!(format!("{email:?}"), "Email(ada@example.com)");
    }

    #[test]
    fn what_only_looks_like_a_reference_of_ours_is_none() {
        let good = "E00000MVZBSUC4I1";
        assert_eq!(good.parse::<Reference>().unwrap().to_string(), good);
        for bad in [
            "E00000MVZBSUC4I",
            "E00000MVZBSUC4I0",
            "E00000MVZBSUC4I000001",
            "E00000MVZBSUC4X1",
            "F00000MVZBSUC4I1",
            "E00000MVZBSUCI1",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }
}
