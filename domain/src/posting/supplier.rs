//! The employee's own supplier: by the rule set's table, else over the business relation; never by name (contract qad §4).

use crate::chart::{Chart, Master, Supplier};
use crate::ids::{Email, SupplierCode};
use crate::money::Currency;
use crate::report::{FieldWhy, Reason, ReasonCode};
use crate::rules::{RuleSet, SupplierMatch};

/// What became of the search.
pub(super) enum Owner {
    /// This one.
    Found(SupplierCode, FieldWhy),
    /// Not yet known: QAD did not show what is needed.
    Hold(Reason),
    /// None that serves.
    Reject(Reason),
}

/// Finds the supplier of a submitter in the report's currency.
pub(super) fn supplier_of(submitter: &Email, currency: Currency, rules: &RuleSet, chart: &Chart) -> Owner {
    let found = |supplier: &Supplier, rule: &str| {
        Owner::Found(
            supplier.code.clone(),
            FieldWhy {
                field: "supplier".into(),
                value: supplier.code.to_string(),
                source: "submitter (personal, not shown)".into(),
                rule: rule.into(),
            },
        )
    };
    if let Some(code) = rules.supplier_in_table(submitter) {
        return match chart.supplier(code) {
            Some(supplier) => match fault(supplier, currency) {
                None => found(supplier, "suppliers.table"),
                Some(reason) => Owner::Reject(reason),
            },
            None if chart.is_missing(Master::Suppliers, code.as_str()) => Owner::Hold(Reason::of_report(
                ReasonCode::ChartHeld,
                format!("supplier {code} was not shown when QAD was last asked"),
            )),
            None => Owner::Reject(Reason::of_report(
                ReasonCode::NoSupplier,
                format!("the table names supplier {code}, which QAD does not have"),
            )),
        };
    }
    if rules.settings().suppliers.by == SupplierMatch::Table {
        return Owner::Reject(Reason::of_report(
            ReasonCode::NoSupplier,
            "the supplier table does not name the submitter",
        ));
    }
    let candidates = chart.suppliers_of(submitter);
    let serving: Vec<&&Supplier> = candidates
        .iter()
        .filter(|supplier| fault(supplier, currency).is_none())
        .collect();
    match (serving.as_slice(), candidates.as_slice()) {
        ([one], _) => found(one, "suppliers.match = business_relation"),
        ([], []) => {
            let held = chart
                .held()
                .iter()
                .any(|held| matches!(held.master, Master::Suppliers | Master::Employees));
            if held {
                Owner::Hold(Reason::of_report(
                    ReasonCode::ChartHeld,
                    "QAD's suppliers or employees were not confirmed today, and the submitter's is not among those that were",
                ))
            } else {
                Owner::Reject(Reason::of_report(
                    ReasonCode::NoSupplier,
                    "the submitter's business relation has no supplier in QAD",
                ))
            }
        }
        ([], [first, ..]) => Owner::Reject(fault(first, currency).unwrap_or_else(|| {
            Reason::of_report(ReasonCode::NoSupplier, "no supplier of the submitter serves")
        })),
        (many, _) => {
            let codes: Vec<String> = many.iter().map(|supplier| supplier.code.to_string()).collect();
            Owner::Reject(Reason::of_report(
                ReasonCode::AmbiguousSupplier,
                format!(
                    "the submitter's business relation has suppliers {}",
                    codes.join(", ")
                ),
            ))
        }
    }
}

fn fault(supplier: &Supplier, currency: Currency) -> Option<Reason> {
    if !supplier.active {
        return Some(Reason::of_report(
            ReasonCode::InactiveSupplier,
            format!("supplier {} is inactive", supplier.code),
        ));
    }
    match supplier.currency {
        Some(own) if own != currency => Some(Reason::of_report(
            ReasonCode::SupplierCurrency,
            format!(
                "supplier {} is kept in {own}, the report in {currency}",
                supplier.code
            ),
        )),
        _ => None,
    }
}
