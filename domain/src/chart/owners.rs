//! Who is whose: employees by address, suppliers by business relation. Kept beside the rows, because the join for
//! reimbursements is asked for with every report, and a group has thousands of both.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Employee, Supplier};
use crate::ids::{BusinessRelationCode, Email, EmployeeCode, SupplierCode};

/// Codes only, of rows that are missing at present, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Owners {
    employees: BTreeMap<Email, BTreeSet<EmployeeCode>>,
    suppliers: BTreeMap<BusinessRelationCode, BTreeSet<SupplierCode>>,
}

impl Owners {
    /// An employee is `now`, and was `before`.
    pub(super) fn note_employee(&mut self, before: Option<&Employee>, now: &Employee) {
        let was = before.and_then(|before| before.email.as_ref());
        put(&mut self.employees, was, now.email.as_ref(), &now.code);
    }

    /// A supplier is `now`, and was `before`.
    pub(super) fn note_supplier(&mut self, before: Option<&Supplier>, now: &Supplier) {
        let was = before.and_then(|before| before.business_relation.as_ref());
        put(
            &mut self.suppliers,
            was,
            now.business_relation.as_ref(),
            &now.code,
        );
    }

    /// The employees with an address, by code.
    pub(super) fn employees_at(&self, email: &Email) -> impl Iterator<Item = &EmployeeCode> {
        self.employees.get(email).into_iter().flatten()
    }

    /// The suppliers on a business relation, by code.
    pub(super) fn suppliers_on(
        &self,
        relation: &BusinessRelationCode,
    ) -> impl Iterator<Item = &SupplierCode> {
        self.suppliers.get(relation).into_iter().flatten()
    }
}

fn put<K: Ord + Clone, C: Ord + Clone>(
    index: &mut BTreeMap<K, BTreeSet<C>>,
    was: Option<&K>,
    is: Option<&K>,
    code: &C,
) {
    if let Some(was) = was
        && let Some(codes) = index.get_mut(was)
    {
        codes.remove(code);
        if codes.is_empty() {
            index.remove(was);
        }
    }
    if let Some(is) = is {
        index.entry(is.clone()).or_default().insert(code.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::chart::{Chart, ChartDelta, ChartEvent, Employee, Master, Supplier};
    use crate::ids::{BusinessRelationCode, Email, EmployeeCode, SupplierCode};

    fn email(number: u8) -> Email {
        Email::new(&format!("p{number}@acme.example")).unwrap()
    }

    fn relation(number: u8) -> Option<BusinessRelationCode> {
        // In either case: QAD does not tell them apart.
        let letters = if number.is_multiple_of(2) { "br" } else { "BR" };
        (number < 6).then(|| BusinessRelationCode::new(&format!("{letters}{}", number / 2)).unwrap())
    }

    fn any_event() -> impl Strategy<Value = ChartEvent> {
        let employee = (0u8..5, 0u8..4, 0u8..8).prop_map(|(code, person, on)| Employee {
            code: EmployeeCode::new(&format!("E{code}")).unwrap(),
            business_relation: relation(on),
            email: (person < 3).then(|| email(person)),
        });
        let supplier = (0u8..5, 0u8..8).prop_map(|(code, on)| Supplier {
            code: SupplierCode::new(&format!("S{code}")).unwrap(),
            business_relation: relation(on),
            currency: None,
            active: true,
        });
        let changed = (
            prop::collection::vec(employee, 0..4),
            prop::collection::vec(supplier, 0..4),
        )
            .prop_map(|(employees, suppliers)| {
                ChartEvent::ChartChanged(Box::new(ChartDelta {
                    employees,
                    suppliers,
                    ..ChartDelta::default()
                }))
            });
        let held = (0u8..5, 0u8..5).prop_map(|(employee, supplier)| ChartEvent::ChartHeld {
            held: Vec::new(),
            missing: [
                (Master::Employees, vec![format!("E{employee}")]),
                (Master::Suppliers, vec![format!("S{supplier}")]),
            ]
            .into(),
        });
        prop_oneof![4 => changed, 1 => held, 1 => Just(ChartEvent::ChartReleased)]
    }

    /// As the join is defined, row by row.
    fn joined(chart: &Chart, email: &Email) -> Vec<String> {
        let present = |missing: bool| !missing;
        let relations: Vec<_> = chart
            .employees
            .values()
            .filter(|known| present(known.missing) && known.row.email.as_ref() == Some(email))
            .filter_map(|known| known.row.business_relation.clone())
            .collect();
        let on_one = |known: &&super::super::fold::Known<Supplier>| {
            let relation = known.row.business_relation.as_ref();
            present(known.missing) && relation.is_some_and(|relation| relations.contains(relation))
        };
        let suppliers = chart.suppliers.values().filter(on_one);
        suppliers.map(|known| known.row.code.to_string()).collect()
    }

    proptest! {
        #[test]
        fn the_suppliers_of_a_person_are_those_a_look_at_every_row_finds(
            events in prop::collection::vec(any_event(), 0..12),
        ) {
            let chart = events.iter().fold(Chart::default(), Chart::evolve);
            for person in 0..3 {
                let found = chart.suppliers_of(&email(person));
                let found: Vec<String> = found.iter().map(|supplier| supplier.code.to_string()).collect();
                prop_assert_eq!(found, joined(&chart, &email(person)));
            }
        }
    }
}
