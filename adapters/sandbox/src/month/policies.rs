//! The three policies in Expensify: categories, tags by plant and department, report fields, taxes, people.

use rust_decimal::Decimal;
use serde_json::json;

use super::people::Staff;
use super::scenes::NEW_HALL;
use super::site::{PAINT_SHOP, Site};
use super::spend;
use crate::expensify::world::{Category, Employee, Policy, ReportField, Role, Tag, TagLevel, TaxRate, Taxes};

pub(super) fn all(staff: &Staff) -> Vec<Policy> {
    Site::ALL.into_iter().map(|site| policy(site, staff)).collect()
}

fn policy(site: Site, staff: &Staff) -> Policy {
    let mut policy = Policy::new(site.policy(), site.policy_name(), site.currency());
    policy.categories = spend::ALL
        .iter()
        .map(|spend| Category {
            name: spend.category.to_owned(),
            enabled: true,
            gl_code: Some(spend.account.to_owned()).filter(|code| !code.is_empty()),
            are_comments_required: (spend.category == spend::ENTERTAINMENT.category).then_some(true),
            ..Category::default()
        })
        .collect();
    policy.tags = vec![
        TagLevel {
            name: "Plant".to_owned(),
            tags: vec![tag(site.name(), site.sub_account())],
        },
        TagLevel {
            name: "Department".to_owned(),
            tags: departments(site),
        },
    ];
    policy.report_fields = vec![
        field("Trip Purpose", "dropdown", &["Internal", "Plant", "Customer"]),
        field(
            "Project",
            "dropdown",
            &[
                "New press line",
                "Line 4 relocation",
                "Coating pilot",
                "Plant audit 2025",
            ],
        ),
    ];
    policy.tax = taxes(site);
    let manager = &staff.manager(site).person.email;
    policy.employees = staff
        .iter()
        .filter(|one| one.site == site)
        .map(|one| Employee {
            email: one.person.email.clone(),
            role: if one.person.email == *manager {
                Role::Admin
            } else {
                Role::User
            },
            submits_to: manager.clone(),
            employee_id: Some(one.code.clone()),
            custom_field1: Some(one.code.clone()),
            custom_field2: Some(one.department.name.to_owned()),
        })
        .collect();
    policy
}

fn departments(site: Site) -> Vec<Tag> {
    let mut tags: Vec<Tag> = site
        .departments()
        .iter()
        .map(|department| tag(department.name, department.cost_centre))
        .collect();
    match site {
        Site::Ohio => tags.push(tag(PAINT_SHOP.name, PAINT_SHOP.cost_centre)),
        Site::Bavaria => tags.push(tag(NEW_HALL.0, NEW_HALL.1)),
        Site::Tokyo => {}
    }
    tags
}

fn tag(name: &str, code: &str) -> Tag {
    Tag {
        name: name.to_owned(),
        enabled: true,
        gl_code: Some(code.to_owned()),
    }
}

fn field(name: &str, kind: &str, values: &[&str]) -> ReportField {
    ReportField {
        name: name.to_owned(),
        kind: kind.to_owned(),
        values: values.iter().map(|value| json!(value)).collect(),
    }
}

fn taxes(site: Site) -> Option<Taxes> {
    let rate = |percent: i64, name: &str, id: &str| TaxRate {
        rate: Decimal::from(percent),
        name: name.to_owned(),
        rate_id: id.to_owned(),
    };
    match site {
        Site::Ohio => None,
        Site::Bavaria => Some(Taxes {
            default: "DE19".to_owned(),
            name: "Umsatzsteuer".to_owned(),
            rates: vec![
                rate(19, "Voller Satz", "DE19"),
                rate(7, "Ermäßigt", "DE07"),
                rate(19, "Reverse Charge", "DE19RC"),
                rate(20, "Österreich", "AT20"),
            ],
        }),
        Site::Tokyo => Some(Taxes {
            default: "JP10".to_owned(),
            name: "Shohizei".to_owned(),
            rates: vec![rate(10, "10%", "JP10")],
        }),
    }
}
