//! What a rule set says beside its rules: posting policy, daybooks, clearing accounts, suppliers and tax (design §6).

use std::collections::{BTreeMap, BTreeSet};

use super::condition::MerchantPattern;
use crate::ids::{DaybookCode, DocumentKind, Email, InvoiceStatusCode, SupplierCode};
use crate::posting::Coding;

/// From what the posting date is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingDate {
    /// The latest date of an expense on the report.
    LastExpense,
    /// The day of submission.
    Submitted,
    /// The day of approval.
    Approved,
    /// The day of posting.
    Posted,
}

/// What a posting date in a closed period does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedPeriod {
    /// The report is held until the period opens.
    Hold,
    /// It posts into the next open period, with the reason on record.
    NextOpen,
}

/// What *posted* means at this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostedMeans {
    /// An invoice in initial status that AP approves later.
    Initial,
    /// A final one.
    Final,
}

/// When and how documents post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingPolicy {
    /// The date.
    pub date: PostingDate,
    /// A closed period.
    pub closed_period: ClosedPeriod,
    /// What counts as posted.
    pub posted_means: PostedMeans,
    /// The status that invoices and credit notes bear.
    pub invoice_status: InvoiceStatusCode,
}

/// The daybook of each kind of document; a kind without one is rejected when a report needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Daybooks {
    /// Supplier invoices.
    pub invoice: Option<DaybookCode>,
    /// Supplier credit notes.
    pub credit_note: Option<DaybookCode>,
    /// Journal entries.
    pub journal: Option<DaybookCode>,
}
impl Daybooks {
    /// The daybook for a kind of document.
    pub fn of(&self, kind: DocumentKind) -> Option<&DaybookCode> {
        match kind {
            DocumentKind::SupplierInvoice => self.invoice.as_ref(),
            DocumentKind::CreditNote => self.credit_note.as_ref(),
            DocumentKind::Journal => self.journal.as_ref(),
        }
    }
}

/// The credit side of what is already paid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clearing {
    /// Reports reimbursed at the source; without it they are rejected, never made payable.
    pub reimbursement: Option<Coding>,
    /// Cards that no program names: the last step of the chain.
    pub cards_default: Option<Coding>,
}

/// A card program and its clearing account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardProgram {
    /// Its name, which rules use too.
    pub name: String,
    /// Card names that belong to it.
    pub card_names: BTreeSet<MerchantPattern>,
    /// Feeds or banks that belong to it.
    pub banks: BTreeSet<MerchantPattern>,
    /// Where its lines are credited.
    pub clearing: Coding,
}

/// A clearing account, and which step of the chain named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearingChoice<'a> {
    /// The credit side.
    pub coding: &'a Coding,
    /// The step, in the words of the rule file.
    pub by: ClearingStep<'a>,
}
/// A step of the chain from card name over bank to the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearingStep<'a> {
    /// The card name belongs to this program.
    CardName(&'a str),
    /// The bank belongs to this program.
    Bank(&'a str),
    /// Neither belongs to a program.
    Default,
}
impl std::fmt::Display for ClearingStep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CardName(program) => write!(f, "card program \"{program}\", by card name"),
            Self::Bank(program) => write!(f, "card program \"{program}\", by bank"),
            Self::Default => f.write_str("clearing.cards_default"),
        }
    }
}

/// How an employee's supplier is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupplierMatch {
    /// Only in the table.
    Table,
    /// In the table; for those it does not name, over the business relation (contract qad §2.4).
    BusinessRelation,
}

/// Employees' suppliers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppliers {
    /// How they are found.
    pub by: SupplierMatch,
    /// The table.
    pub table: BTreeMap<Email, SupplierCode>,
}

/// What becomes of tax.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tax {
    /// Tax whose code is not mapped is part of the cost.
    pub treat_as_cost: bool,
    /// Tax codes that have their own account.
    pub codes: BTreeMap<String, Coding>,
}

/// What becomes of the tax of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxTreatment<'a> {
    /// It posts here.
    Mapped(&'a Coding),
    /// It is part of the cost.
    Cost,
    /// The set does not say: the line is rejected.
    Unmapped,
}

/// Everything a rule set holds beside its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `[posting]`
    pub posting: PostingPolicy,
    /// `[daybooks]`
    pub daybooks: Daybooks,
    /// `[clearing]`
    pub clearing: Clearing,
    /// `[[card_program]]`
    pub card_programs: Vec<CardProgram>,
    /// `[suppliers]`
    pub suppliers: Suppliers,
    /// `[tax]`
    pub tax: Tax,
}
impl Settings {
    /// The program that a card belongs to: by its name, else by its bank. Compared trimmed and without regard to case;
    /// of several patterns that match, a whole name wins over a beginning, a longer beginning over a shorter one.
    pub(super) fn program_of(&self, card_name: &str, bank: &str) -> Option<(&CardProgram, ClearingStep<'_>)> {
        let by_name = strongest(&self.card_programs, card_name, |program| &program.card_names);
        let by_bank = || strongest(&self.card_programs, bank, |program| &program.banks);
        by_name
            .map(|program| (program, ClearingStep::CardName(&program.name)))
            .or_else(|| by_bank().map(|program| (program, ClearingStep::Bank(&program.name))))
    }

    /// The clearing account of a card: its program's, else the default. `None` for a line without card name and bank,
    /// and where the chain names nothing.
    pub fn clearing_for_card(&self, card_name: &str, bank: &str) -> Option<ClearingChoice<'_>> {
        if card_name.trim().is_empty() && bank.trim().is_empty() {
            return None;
        }
        match self.program_of(card_name, bank) {
            Some((program, by)) => Some(ClearingChoice {
                coding: &program.clearing,
                by,
            }),
            None => self.clearing.cards_default.as_ref().map(|coding| ClearingChoice {
                coding,
                by: ClearingStep::Default,
            }),
        }
    }

    /// What becomes of tax with this code; a mapped code wins over `treat_as_cost`.
    pub fn tax_treatment(&self, code: &str) -> TaxTreatment<'_> {
        match self.tax.codes.get(code.trim()) {
            Some(coding) => TaxTreatment::Mapped(coding),
            None if self.tax.treat_as_cost => TaxTreatment::Cost,
            None => TaxTreatment::Unmapped,
        }
    }
}

fn strongest<'a>(
    programs: &'a [CardProgram],
    text: &str,
    patterns: impl Fn(&CardProgram) -> &BTreeSet<MerchantPattern>,
) -> Option<&'a CardProgram> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return None;
    }
    let strength = |program: &CardProgram| {
        patterns(program)
            .iter()
            .filter(|p| p.accepts(&text))
            .map(MerchantPattern::strength)
            .max()
    };
    programs
        .iter()
        .filter_map(|program| strength(program).map(|s| (s, program)))
        .max_by_key(|(s, _)| *s)
        .map(|(_, p)| p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::rules::testing::SETTINGS;

    fn set(text: &str) -> RuleSet {
        RuleSet::parse(&(text.to_owned() + SETTINGS)).unwrap()
    }

    const CARDS: &str = r#"
[[card_program]]
name = "Visa"
card_name = ["Corp Visa*", "Travel card"]
bank = "Chase"
clearing = { account = "2161", cost_centre = "CC1" }
[[card_program]]
name = "Ohio Visa"
card_name = "Corp Visa Ohio*"
clearing = "2162"
[[card_program]]
name = "Amex"
clearing = "2163"
"#;

    #[test]
    fn a_card_is_cleared_by_its_name_then_by_its_bank_then_by_the_default() {
        let with_default = CARDS.to_owned() + "[clearing]\ncards_default = \"2160\"\n";
        let set = set(&with_default);
        let chosen = |card: &str, bank: &str| {
            set.clearing_for_card(card, bank)
                .map(|c| format!("{} by {}", c.coding.account, c.by))
        };
        assert_eq!(
            chosen("CORP VISA 17", "").as_deref(),
            Some("2161 by card program \"Visa\", by card name")
        );
        assert_eq!(
            chosen("Corp Visa Ohio 3", "Chase").as_deref(),
            Some("2162 by card program \"Ohio Visa\", by card name")
        );
        assert_eq!(
            chosen("Blue card", "chase").as_deref(),
            Some("2161 by card program \"Visa\", by bank")
        );
        assert_eq!(
            chosen("amex", "").as_deref(),
            Some("2163 by card program \"Amex\", by card name")
        );
        assert_eq!(
            chosen("Blue card", "Other bank").as_deref(),
            Some("2160 by clearing.cards_default")
        );
        assert_eq!(chosen(" ", ""), None, "no card, no clearing");
        assert_eq!(set.card_program("corp visa 17", ""), "Visa");
        assert_eq!(set.card_program(" Blue card", "Other bank"), "Blue card");
    }

    #[test]
    fn without_a_default_a_card_of_no_program_has_no_clearing() {
        assert_eq!(set(CARDS).clearing_for_card("Blue card", "Other bank"), None);
    }

    #[test]
    fn a_mapped_tax_code_wins_over_tax_as_cost() {
        let both = set("[tax]\ntreat_as_cost = true\n[tax.codes]\nVAT20 = \"1410\"\n");
        assert!(
            matches!(both.tax_treatment(" VAT20 "), TaxTreatment::Mapped(coding) if coding.account.as_str() == "1410")
        );
        assert_eq!(both.tax_treatment("VAT5"), TaxTreatment::Cost);
        assert_eq!(set("").tax_treatment("VAT5"), TaxTreatment::Unmapped);
    }

    #[test]
    fn a_supplier_is_found_in_any_case() {
        let text = SETTINGS.to_owned() + "[suppliers.table]\n\"Kim@Example.com\" = \"EMP-E1001\"\n";
        let set = RuleSet::parse(&text).unwrap();
        let kim = Email::new("kim@example.COM").unwrap();
        assert_eq!(
            set.supplier_in_table(&kim).map(SupplierCode::as_str),
            Some("EMP-E1001")
        );
    }

    #[test]
    fn the_stronger_pattern_decides_whichever_program_stands_first() {
        let program = |name: &str, card: &str| {
            format!("[[card_program]]\nname = \"{name}\"\ncard_name = \"{card}\"\nclearing = \"2161\"\n")
        };
        let (wide, long, whole) = (
            program("wide", "Corp*"),
            program("long", "Corp Visa*"),
            program("whole", "Corp Visa 7"),
        );
        for text in [
            [&wide, &long, &whole].map(String::as_str).concat(),
            [&whole, &long, &wide].map(String::as_str).concat(),
            [&long, &whole, &wide].map(String::as_str).concat(),
        ] {
            let set = set(&text);
            for (card, name) in [
                ("corp amex", "wide"),
                ("Corp Visa 8", "long"),
                ("CORP VISA 7", "whole"),
            ] {
                assert_eq!(set.card_program(card, ""), name);
            }
            assert_eq!(
                set.card_program(" Diners ", "Chase"),
                "Diners",
                "a card of no program is its own"
            );
            assert_eq!(set.card_program(" ", " Chase "), "Chase");
        }
    }

    #[test]
    fn a_program_that_names_a_bank_and_no_card_is_found_by_the_bank_alone() {
        let set = set("[[card_program]]\nname = \"Visa\"\nbank = \"Chase\"\nclearing = \"2161\"\n");
        assert_eq!(
            set.card_program("Visa", "Other"),
            "Visa",
            "its own name, and of no program"
        );
        assert_eq!(set.clearing_for_card("Visa", "Other"), None);
        assert!(set.clearing_for_card("whatever", "Chase").is_some());
    }
}
