//! The rule set: its rules, its settings, its hash.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::budget::Budget;
use super::condition::Condition;
use super::fault::RuleFault;
use super::hash::{RuleSetHash, canonical_rule};
use super::index::Index;
use super::places::SettingPlaces;
use super::position::Position;
use super::settings::{CardProgram, ClearingChoice, Settings, TaxTreatment};
use super::specificity::{Ranking, universe_of};
use super::version::RuleSetVersion;
use super::view::LineView;
use crate::ids::{Email, SupplierCode};
use crate::posting::Coding;
use crate::report::{LineFacts, ReportFacts};

/// How a rule is named to people: its place in the file and, if it has one, its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleName {
    /// Counts the rules of the file from 1.
    pub number: usize,
    /// The name it was given; shared, since every line that it codes bears it.
    pub name: Option<Arc<str>>,
}
impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "rule {} \"{name}\"", self.number),
            None => write!(f, "rule {}", self.number),
        }
    }
}

/// What a rule can set. Each is resolved on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// GL account.
    Account,
    /// Cost centre.
    CostCentre,
    /// Sub-account.
    SubAccount,
    /// Project.
    Project,
    /// The credit side of a line that is not reimbursable and on no card (design §6).
    CreditAccount,
}
impl Dimension {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Account,
        Self::CostCentre,
        Self::SubAccount,
        Self::Project,
        Self::CreditAccount,
    ];
    /// As it is written in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::CostCentre => "cost_centre",
            Self::SubAccount => "sub_account",
            Self::Project => "project",
            Self::CreditAccount => "credit_account",
        }
    }
}
impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A GL code that Expensify carries, because QAD's chart is pushed there (contract expensify §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GlSource {
    /// `categoryGlCode`
    Category,
    /// `tagGlCode`
    Tag,
    /// `ntagXGlCode`, from 1 to 5.
    TagLevel(u8),
}
impl GlSource {
    /// What a line carries there, trimmed.
    pub fn of<'a>(self, line: &LineView<'a>) -> &'a str {
        match self {
            Self::Category => line.category_gl.trim(),
            Self::Tag => line.tag_gl.trim(),
            Self::TagLevel(level) => line
                .tag_levels
                .get(usize::from(level.saturating_sub(1)))
                .map_or("", |level| level.gl.trim()),
        }
    }
}
impl GlSource {
    /// In the words of the rule file.
    pub(super) fn word(self) -> Cow<'static, str> {
        match self {
            Self::Category => Cow::Borrowed("category_gl_code"),
            Self::Tag => Cow::Borrowed("tag_gl_code"),
            Self::TagLevel(level) => Cow::Owned(format!("tag_level_{level}_gl_code")),
        }
    }
}
impl fmt::Display for GlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

/// What a rule gives a dimension. Two codes that differ only in case are the same (contract qad §3).
#[derive(Debug, Clone)]
pub enum Outcome {
    /// This code.
    Code(String),
    /// The code that the line carries there.
    From(GlSource),
}
impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Code(a), Self::Code(b)) => a.to_uppercase() == b.to_uppercase(),
            (Self::From(a), Self::From(b)) => a == b,
            _ => false,
        }
    }
}
impl Eq for Outcome {}
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => f.write_str(code),
            Self::From(source) => write!(f, "from {source}"),
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// How people call it.
    pub name: RuleName,
    /// Where it stands in the file.
    pub at: Position,
    /// When it matches.
    pub when: Condition,
    /// What it sets.
    pub set: BTreeMap<Dimension, Outcome>,
}

/// A rule set that was read, checked and found free of ambiguity. There is no other way to one than
/// [`RuleSet::parse`].
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// In canonical order, so that nothing depends on the order in the file.
    pub(super) rules: Vec<Rule>,
    pub(super) rankings: BTreeMap<Dimension, Ranking>,
    pub(super) index: Index,
    /// Where the settings stand in the file.
    pub(super) places: SettingPlaces,
    settings: Settings,
    hash: RuleSetHash,
}

impl RuleSet {
    /// Checks rules and settings that were read, and ranks the rules.
    pub(super) fn check(
        mut rules: Vec<Rule>,
        settings: Settings,
        budget: &mut Budget,
    ) -> Result<Self, Vec<RuleFault>> {
        rules.sort_by_cached_key(|rule| (canonical_rule(rule), rule.name.number));
        let universe = universe_of(&rules);
        let rankings = Ranking::of_all(&rules, &universe, budget)?;
        let hash = RuleSetHash::of(&rules, &settings);
        Ok(Self {
            index: Index::new(universe, &rules),
            rules,
            rankings,
            places: SettingPlaces::default(),
            settings,
            hash,
        })
    }

    /// Its rules, in no order that means anything.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// Everything beside the rules.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// Hash of its content.
    pub fn hash(&self) -> &RuleSetHash {
        &self.hash
    }
    /// How events name it, as the `number`-th set in force.
    pub fn version(&self, number: u64) -> RuleSetVersion {
        RuleSetVersion {
            number,
            hash: self.hash.as_str().to_owned(),
        }
    }
    /// The clearing account of a card, by the chain card name, bank, default.
    pub fn clearing_for_card(&self, card_name: &str, bank: &str) -> Option<ClearingChoice<'_>> {
        self.settings.clearing_for_card(card_name, bank)
    }
    /// The clearing account of reports reimbursed at the source.
    pub fn clearing_for_reimbursement(&self) -> Option<&Coding> {
        self.settings.clearing.reimbursement.as_ref()
    }
    /// What becomes of tax with this code.
    pub fn tax_treatment(&self, code: &str) -> TaxTreatment<'_> {
        self.settings.tax_treatment(code)
    }
    /// The supplier that the table names for an employee. It wins over the business relation.
    pub fn supplier_in_table(&self, employee: &Email) -> Option<&SupplierCode> {
        self.settings.suppliers.table.get(employee)
    }

    /// The name under which rules know a card's program: that of the program it belongs to, else the card name, else
    /// the bank; blank for a line that has neither.
    pub fn card_program<'a>(&'a self, card_name: &'a str, bank: &'a str) -> &'a str {
        let program: Option<&'a CardProgram> = self
            .settings
            .program_of(card_name, bank)
            .map(|(program, _)| program);
        match program {
            Some(program) => &program.name,
            None if card_name.trim().is_empty() => bank.trim(),
            None => card_name.trim(),
        }
    }

    /// A line of a report as the rules see it. `reimbursable` and `amount` are handed in because whoever posts has
    /// judged them first: a flag or an amount that could not be read rejects the line before it gets here.
    pub fn view<'a>(
        &'a self,
        report: &'a ReportFacts,
        line: &'a LineFacts,
        employee: Option<&'a Email>,
        merchant: &'a str,
        reimbursable: bool,
        amount: Decimal,
    ) -> LineView<'a> {
        LineView {
            policy: report.policy.as_str(),
            category: &line.category,
            category_gl: &line.category_gl,
            tag: &line.tag,
            tag_gl: &line.tag_gl,
            tag_levels: &line.tag_levels,
            employee,
            fields: &report.fields,
            currency: &line.currency,
            reimbursable,
            card_program: self.card_program(&line.card_name, &line.bank),
            merchant,
            kind: &line.kind,
            amount,
        }
    }
}
