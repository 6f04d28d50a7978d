//! Every code that stands in the file, one by one.

use super::finding::{ChartFault, ChartFinding, Subject};
use crate::chart::{Chart, Master};
use crate::ids::DocumentKind;
use crate::posting::Coding;
use crate::rules::check::{CodingFault, Dimensions, check_coding};
use crate::rules::condition::Test;
use crate::rules::places::Setting;
use crate::rules::set::{Dimension, Outcome, Rule, RuleSet};
use crate::rules::view::Field;

impl RuleSet {
    pub(super) fn codes_against(&self, chart: &Chart) -> Vec<ChartFinding> {
        let mut findings: Vec<ChartFinding> =
            self.rules.iter().flat_map(|rule| of_rule(rule, chart)).collect();
        let settings = self.settings();
        for kind in DocumentKind::ALL {
            let fault = settings
                .daybooks
                .of(kind)
                .and_then(|code| of_daybook(code, kind, chart));
            findings.extend(fault.map(|fault| self.of_setting(Setting::Daybook(kind), fault)));
        }
        for (setting, coding) in self.codings() {
            let faults = check_coding(chart, coding, None).into_iter();
            findings.extend(faults.map(|fault| self.of_setting(setting.clone(), ChartFault::Coding(fault))));
        }
        for (employee, code) in &settings.suppliers.table {
            let fault = match chart.supplier(code) {
                Some(supplier) if supplier.active => continue,
                Some(_) => ChartFault::InactiveSupplier(code.clone()),
                None if chart.is_missing(Master::Suppliers, code.as_str()) => {
                    ChartFault::SupplierHeld(code.clone())
                }
                None => ChartFault::UnknownSupplier(code.clone()),
            };
            findings.push(self.of_setting(Setting::Supplier(employee.clone()), fault));
        }
        findings
    }

    /// The codings that settings name, each credited or debited as it stands.
    fn codings(&self) -> impl Iterator<Item = (Setting, &Coding)> {
        let settings = self.settings();
        let clearing = [
            (
                Setting::ReimbursementClearing,
                settings.clearing.reimbursement.as_ref(),
            ),
            (Setting::CardsDefault, settings.clearing.cards_default.as_ref()),
        ];
        let programs = settings.card_programs.iter().map(|program| {
            let setting = Setting::CardProgram(program.name.clone());
            (setting, Some(&program.clearing))
        });
        let tax = settings.tax.codes.iter();
        let tax = tax.map(|(code, coding)| (Setting::TaxCode(code.clone()), Some(coding)));
        clearing
            .into_iter()
            .chain(programs)
            .chain(tax)
            .filter_map(|(setting, coding)| Some((setting, coding?)))
    }

    fn of_setting(&self, setting: Setting, fault: ChartFault) -> ChartFinding {
        ChartFinding {
            at: self.places.of(&setting),
            other_at: None,
            subject: Subject::Setting(setting),
            fault,
        }
    }
}

fn of_rule(rule: &Rule, chart: &Chart) -> Vec<ChartFinding> {
    let mut findings = Vec::new();
    for (dimension, outcome) in &rule.set {
        let Outcome::Code(code) = outcome else { continue };
        let mut add = |fault| {
            findings.push(ChartFinding {
                subject: Subject::Rule(rule.name.clone(), *dimension),
                at: rule.at,
                other_at: None,
                fault,
            });
        };
        for fault in of_code(*dimension, code, chart) {
            // What a debited account wants beside it comes from other rules; the credit side has nothing.
            let is_elsewhere = matches!(
                fault,
                CodingFault::CostCentreRequired(_)
                    | CodingFault::ProjectRequired(_)
                    | CodingFault::SubAccountRequired(_)
                    | CodingFault::CentreOrProjectRequired(_)
            );
            if !is_elsewhere || *dimension == Dimension::CreditAccount {
                add(ChartFault::Coding(fault));
            }
        }
        if matches!(dimension, Dimension::Account | Dimension::CreditAccount)
            && let Some(fault) = of_currency(rule, code, chart)
        {
            add(fault);
        }
    }
    findings
}

/// What the chart has against one code by itself.
fn of_code(dimension: Dimension, code: &str, chart: &Chart) -> Vec<CodingFault> {
    // A code in the file was read as one when the set was.
    macro_rules! alone {
        ($field:ident) => {{
            let Ok(code) = code.parse() else { return Vec::new() };
            let dimensions = Dimensions {
                $field: Some(&code),
                ..Dimensions::default()
            };
            check_coding(chart, dimensions, None)
        }};
    }
    match dimension {
        Dimension::Account | Dimension::CreditAccount => alone!(account),
        Dimension::CostCentre => alone!(cost_centre),
        Dimension::SubAccount => alone!(sub_account),
        Dimension::Project => alone!(project),
    }
}

/// An account that is fixed to a currency takes reports in it. A rule that is for expenses in others only may still meet
/// such reports, so that this is no more than odd.
fn of_currency(rule: &Rule, code: &str, chart: &Chart) -> Option<ChartFault> {
    let account = chart.account(&code.parse().ok()?)?;
    let only = account.only_currency?;
    match rule.when.tests.get(&Field::Currency) {
        Some(Test::OneOf(currencies)) if !currencies.contains(only.code()) => {
            Some(ChartFault::OtherCurrency {
                account: account.code.clone(),
                only,
                currencies: currencies.iter().cloned().collect(),
            })
        }
        _ => None,
    }
}

fn of_daybook(code: &crate::ids::DaybookCode, kind: DocumentKind, chart: &Chart) -> Option<ChartFault> {
    match chart.daybook(code) {
        Some(book) if !book.active => Some(ChartFault::InactiveDaybook(code.clone())),
        Some(book) if book.accepts.takes(kind) => None,
        Some(_) => Some(ChartFault::WrongDaybook {
            daybook: code.clone(),
            kind,
        }),
        None if chart.is_missing(Master::Daybooks, code.as_str()) => {
            Some(ChartFault::DaybookHeld(code.clone()))
        }
        None => Some(ChartFault::UnknownDaybook(code.clone())),
    }
}
