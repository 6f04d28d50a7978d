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

/// What rejects or holds every reimbursement of an employee, whatever its currency; `None` where some supplier serves in
/// some currency. The search is that of posting, so that what is foretold is what happens.
pub fn no_supplier(submitter: &Email, rules: &RuleSet, chart: &Chart) -> Option<Reason> {
    let in_table = rules
        .supplier_in_table(submitter)
        .and_then(|code| chart.supplier(code));
    let mut currencies: Vec<Currency> = in_table
        .into_iter()
        .chain(chart.suppliers_of(submitter))
        .filter_map(|supplier| supplier.currency)
        .collect();
    currencies.sort_by_key(|currency| currency.code());
    currencies.dedup();
    // Where none is fixed to a currency, any will do.
    currencies.extend(Currency::new("USD").ok().filter(|_| currencies.is_empty()));
    let mut why = None;
    for currency in currencies {
        match supplier_of(submitter, currency, rules, chart) {
            Owner::Found(..) => return None,
            Owner::Hold(reason) | Owner::Reject(reason) => why = why.or(Some(reason)),
        }
    }
    why
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Chart, ChartDelta, ChartEvent, Employee};
    use crate::ids::{BusinessRelationCode, EmployeeCode};

    const SETTINGS: &str = "[posting]\ndate = \"approved\"\nclosed_period = \"hold\"\nposted_means = \"initial\"\n\
        invoice_status = \"AP\"\n[suppliers]\n";

    fn relation(code: &str) -> Option<BusinessRelationCode> {
        BusinessRelationCode::new(code).ok()
    }

    /// Suppliers as `code relation currency`, an inactive one with `!` before it; employees as `address relation`.
    fn chart(suppliers: &[&str], employees: &[&str]) -> Chart {
        let supplier = |text: &&str| {
            let parts: Vec<&str> = text.trim_start_matches('!').split(' ').collect();
            Supplier {
                code: SupplierCode::new(parts[0]).unwrap(),
                business_relation: relation(parts[1]),
                currency: parts.get(2).map(|code| Currency::new(code).unwrap()),
                active: !text.starts_with('!'),
            }
        };
        let employee = |text: &&str| {
            let (address, its) = text.split_once(' ').unwrap();
            Employee {
                code: EmployeeCode::new(its).unwrap(),
                business_relation: relation(its),
                email: Email::new(address).ok(),
            }
        };
        let delta = ChartDelta {
            suppliers: suppliers.iter().map(supplier).collect(),
            employees: employees.iter().map(employee).collect(),
            ..ChartDelta::default()
        };
        Chart::default().evolve(&ChartEvent::ChartChanged(Box::new(delta)))
    }

    fn why(settings: &str, chart: &Chart) -> Option<String> {
        let rules = RuleSet::parse(&format!("{SETTINGS}{settings}")).unwrap();
        no_supplier(&Email::new("kim@example.com").unwrap(), &rules, chart).map(|reason| reason.message)
    }

    #[test]
    fn an_employee_is_without_a_supplier_where_none_serves_in_any_currency() {
        const BY_RELATION: &str = "match = \"business_relation\"\n";
        let kim = ["kim@example.com R1"];
        let none = Some("the submitter's business relation has no supplier in QAD".to_owned());
        assert_eq!(why(BY_RELATION, &chart(&["S1 R1"], &kim)), None);
        assert_eq!(why(BY_RELATION, &chart(&["S1 R1 EUR"], &kim)), None);
        assert_eq!(
            why(BY_RELATION, &chart(&["S1 R1 EUR", "S2 R1 USD"], &kim)),
            None,
            "one for each currency is no ambiguity"
        );
        assert_eq!(why(BY_RELATION, &chart(&["S1 R2"], &kim)), none);
        assert_eq!(why(BY_RELATION, &chart(&["S1 R1"], &[])), none);
        assert_eq!(
            why(BY_RELATION, &chart(&["!S1 R1 EUR"], &kim)),
            Some("supplier S1 is inactive".to_owned())
        );
        assert_eq!(
            why(BY_RELATION, &chart(&["S1 R1", "S2 R1"], &kim)),
            Some("the submitter's business relation has suppliers S1, S2".to_owned())
        );
    }

    #[test]
    fn the_table_is_asked_first_and_may_be_all_there_is() {
        let chart = chart(&["S1 R1"], &["kim@example.com R1"]);
        let table = |rest: &str| why(&format!("match = \"table\"\n[suppliers.table]\n{rest}"), &chart);
        assert_eq!(table("\"kim@example.com\" = \"S1\"\n"), None);
        assert_eq!(
            table(""),
            Some("the supplier table does not name the submitter".to_owned())
        );
        assert_eq!(
            table("\"kim@example.com\" = \"S7\"\n"),
            Some("the table names supplier S7, which QAD does not have".to_owned())
        );
    }
}
