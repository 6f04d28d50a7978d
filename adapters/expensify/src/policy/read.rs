//! From the server's answers to policies. Keys nobody documented are ignored, or kept where they may matter.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tieout_domain::ids::PolicyId;

use super::{Category, Employee, Policy, PolicySummary, ReportField, Tag, TagList, Tags, Tax, TaxRate};
use crate::lenient::{Text, scalar};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SummaryRow {
    id: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    owner: Text,
    #[serde(default)]
    role: Text,
    #[serde(default)]
    r#type: Text,
    #[serde(default)]
    output_currency: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CategoryRow {
    name: Text,
    #[serde(default)]
    enabled: Switch,
    #[serde(default)]
    gl_code: Text,
    #[serde(default)]
    payroll_code: Text,
    #[serde(default)]
    are_comments_required: Text,
    #[serde(default)]
    comment_hint: Text,
    #[serde(default)]
    max_expense_amount: Text,
}

/// A switch that is on unless it is said to be off.
struct Switch(bool);
impl Default for Switch {
    fn default() -> Self {
        Self(true)
    }
}
impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| Self(text.0.trim() != "false"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagRow {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    enabled: Switch,
    #[serde(default)]
    gl_code: Text,
    tags: Option<Vec<TagRow>>,
}

#[derive(Deserialize)]
struct ReportFieldRow {
    name: Text,
    #[serde(default)]
    r#type: Text,
    #[serde(default)]
    values: Vec<Value>,
}

#[derive(Deserialize)]
struct TaxRow {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    default: Text,
    #[serde(default)]
    rates: Vec<RateRow>,
}

#[derive(Deserialize)]
struct RateRow {
    #[serde(rename = "rateID", default)]
    id: Text,
    #[serde(default)]
    name: Text,
    rate: Text,
}

/// Reads the answer to a policy list.
pub(crate) fn read_list(mut answer: Map<String, Value>) -> Result<Vec<PolicySummary>, String> {
    let rows: Vec<SummaryRow> = typed("policyList", answer.remove("policyList"))?;
    rows.into_iter()
        .map(|row| {
            Ok(PolicySummary {
                id: PolicyId::new(&row.id.0).map_err(|error| error.to_string())?,
                name: row.name.0,
                owner: row.owner.0,
                role: row.role.0,
                kind: row.r#type.0,
                output_currency: row.output_currency.0,
            })
        })
        .collect()
}

/// Reads the answer to a policy read. A policy that was asked for and is not there is not in the map.
pub(crate) fn read_policies(mut answer: Map<String, Value>) -> Result<BTreeMap<PolicyId, Policy>, String> {
    let policies: BTreeMap<String, Map<String, Value>> = typed("policyInfo", answer.remove("policyInfo"))?;
    policies
        .into_iter()
        .map(|(id, sections)| {
            let policy = read_policy(sections).map_err(|why| format!("policy {id}: {why}"))?;
            Ok((PolicyId::new(&id).map_err(|error| error.to_string())?, policy))
        })
        .collect()
}

fn read_policy(mut sections: Map<String, Value>) -> Result<Policy, String> {
    let mut section = |name: &'static str| {
        sections
            .remove(name)
            .filter(|value| !value.is_null())
            .map(|value| (name, value))
    };
    Ok(Policy {
        categories: section("categories").map(read_categories).transpose()?,
        report_fields: section("reportFields").map(read_report_fields).transpose()?,
        tags: section("tags").map(read_tags).transpose()?,
        tax: section("tax").map(read_tax).transpose()?,
        employees: section("employees").map(read_employees).transpose()?,
    })
}

fn typed<T: DeserializeOwned>(name: &str, value: Option<Value>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("`{name}` is missing"))?;
    serde_json::from_value(value).map_err(|error| format!("`{name}` is not of the shape expected: {error}"))
}

fn read_categories((name, value): (&str, Value)) -> Result<Vec<Category>, String> {
    let rows: Vec<CategoryRow> = typed(name, Some(value))?;
    Ok(rows
        .into_iter()
        .map(|row| Category {
            name: row.name.0,
            enabled: row.enabled.0,
            gl_code: row.gl_code.0,
            payroll_code: row.payroll_code.0,
            comments_required: row.are_comments_required.0.trim() == "true",
            comment_hint: row.comment_hint.0,
            max_expense: row.max_expense_amount.0.trim().parse().ok(),
        })
        .collect())
}

fn read_report_fields((name, value): (&str, Value)) -> Result<Vec<ReportField>, String> {
    let rows: Vec<ReportFieldRow> = typed(name, Some(value))?;
    // A value is a string, or an object with a name (contract §8.1).
    let value_name = |mut value: Value| match &mut value {
        Value::Object(object) => object.get_mut("name").and_then(scalar),
        other => scalar(other),
    };
    Ok(rows
        .into_iter()
        .map(|row| ReportField {
            name: row.name.0,
            kind: row.r#type.0,
            values: row.values.into_iter().filter_map(value_name).collect(),
        })
        .collect())
}

fn read_tags((name, value): (&str, Value)) -> Result<Tags, String> {
    let rows: Vec<TagRow> = typed(name, Some(value))?;
    let tag = |row: TagRow| Tag {
        name: row.name.0,
        enabled: row.enabled.0,
        gl_code: row.gl_code.0,
    };
    if rows.iter().any(|row| row.tags.is_some()) {
        let list = |row: TagRow| TagList {
            name: row.name.0,
            tags: row.tags.unwrap_or_default().into_iter().map(tag).collect(),
        };
        Ok(Tags::Levels(rows.into_iter().map(list).collect()))
    } else {
        Ok(Tags::Flat(rows.into_iter().map(tag).collect()))
    }
}

fn read_tax((name, value): (&str, Value)) -> Result<Tax, String> {
    let row: TaxRow = typed(name, Some(value))?;
    let rates = row.rates.into_iter().map(|rate| {
        let percent = rate
            .rate
            .0
            .trim()
            .parse()
            .map_err(|_| format!("tax rate {}: `{}` is no percentage", rate.id.0, rate.rate.0))?;
        Ok(TaxRate {
            id: rate.id.0,
            name: rate.name.0,
            percent,
        })
    });
    Ok(Tax {
        name: row.name.0,
        default_rate: row.default.0,
        rates: rates.collect::<Result<_, String>>()?,
    })
}

fn read_employees((name, value): (&str, Value)) -> Result<Vec<Employee>, String> {
    let rows: Vec<BTreeMap<String, Value>> = typed(name, Some(value))?;
    Ok(rows
        .into_iter()
        .map(|mut other| {
            let mut text = |key: &str| other.remove(key).as_mut().and_then(scalar).unwrap_or_default();
            Employee {
                email: text("email"),
                role: text("role"),
                submits_to: text("submitsTo"),
                employee_id: text("employeeID"),
                custom_field_1: text("customField1"),
                custom_field_2: text("customField2"),
                other,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    fn object(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }
    fn only(json: &str) -> Policy {
        read_policies(object(json)).unwrap().into_values().next().unwrap()
    }

    #[test]
    fn the_contracts_policy_list_is_read() {
        let list = read_list(object(
            r#"{"policyList":[{"outputCurrency":"USD","owner":"a@b.c","role":"admin","name":"Ops","id":"DEADBEEF12345678","type":"corporate"}],"responseCode":200}"#,
        ))
        .unwrap();
        let expected = PolicySummary {
            id: PolicyId::new("DEADBEEF12345678").unwrap(),
            name: "Ops".into(),
            owner: "a@b.c".into(),
            role: "admin".into(),
            kind: "corporate".into(),
            output_currency: "USD".into(),
        };
        assert_eq!(list, [expected]);
    }

    #[test]
    fn the_contracts_policy_is_read() {
        // Contract §11 E6.
        let policy = only(
            r#"{"responseCode":200,"policyInfo":{"4C6722D4BD2BD941":{"categories":[{"name":"Meals","enabled":true,"glCode":"6100","areCommentsRequired":false}],"tax":{"default":"4","name":"Tax","rates":[{"rate":20,"name":"Standard","rateID":"2"},{"rate":0,"name":"Zero","rateID":"4"}]}}}}"#,
        );
        let meals = policy.categories.unwrap().into_iter().next().unwrap();
        assert_eq!(
            (
                meals.name.as_str(),
                meals.gl_code.as_str(),
                meals.enabled,
                meals.max_expense
            ),
            ("Meals", "6100", true, None)
        );
        let tax = policy.tax.unwrap();
        assert_eq!(
            (tax.default_rate.as_str(), tax.rates.first().unwrap().percent),
            ("4", Decimal::from(20))
        );
        assert_eq!((policy.tags, policy.employees), (None, None));
    }

    #[test]
    fn tags_come_in_two_shapes() {
        let flat = only(
            r#"{"policyInfo":{"A":{"tags":[{"name":"Enterprise:William Riker","enabled":false,"glCode":"1"}]}}}"#,
        );
        let tag = Tag {
            name: "Enterprise:William Riker".into(),
            enabled: false,
            gl_code: "1".into(),
        };
        assert_eq!(flat.tags, Some(Tags::Flat(vec![tag])));
        let levels = only(
            r#"{"policyInfo":{"A":{"tags":[{"name":"Dept","tags":[{"name":"Eng","enabled":true,"glCode":"100"}]},{"name":"Team","tags":[]}]}}}"#,
        );
        let Some(Tags::Levels(lists)) = levels.tags else {
            panic!()
        };
        assert_eq!(lists.first().unwrap().tags.first().unwrap().gl_code, "100");
        assert_eq!(lists.len(), 2);
    }

    #[test]
    fn no_tax_is_an_empty_object_and_a_fraction_of_a_percent_is_exact() {
        assert_eq!(
            only(r#"{"policyInfo":{"A":{"tax":{}}}}"#).tax,
            Some(Tax::default())
        );
        let tax = only(r#"{"policyInfo":{"A":{"tax":{"rates":[{"rate":8.875,"rateID":"n"}]}}}}"#)
            .tax
            .unwrap();
        assert_eq!(tax.rates.first().unwrap().percent.to_string(), "8.875");
    }

    #[test]
    fn employees_keep_what_nobody_documented() {
        let policy = only(
            r#"{"policyInfo":{"A":{"employees":[{"email":"a@b.c","role":"user","submitsTo":"m@b.c","employeeID":7,"forwardsTo":"x@b.c"}]}}}"#,
        );
        let employee = policy.employees.unwrap().into_iter().next().unwrap();
        assert_eq!(
            (
                employee.employee_id.as_str(),
                employee.submits_to.as_str(),
                employee.custom_field_1.as_str()
            ),
            ("7", "m@b.c", "")
        );
        assert_eq!(
            employee.other,
            BTreeMap::from([("forwardsTo".to_owned(), Value::from("x@b.c"))])
        );
        assert!(!format!("{employee:?}").contains("a@b.c"));
    }

    #[test]
    fn report_fields_have_values_of_text_or_objects() {
        let policy = only(
            r#"{"policyInfo":{"A":{"reportFields":[{"name":"Plant","type":"dropdown","values":["East",{"name":"West","externalID":"w"}]}]}}}"#,
        );
        assert_eq!(
            policy.report_fields.unwrap().first().unwrap().values,
            ["East", "West"]
        );
    }

    #[test]
    fn another_shape_is_named_with_its_place() {
        let error = read_policies(object(r#"{"policyInfo":{"A":{"categories":{"name":"x"}}}}"#)).unwrap_err();
        assert!(
            error.starts_with("policy A: `categories` is not of the shape expected"),
            "{error}"
        );
        assert_eq!(read_list(object("{}")).unwrap_err(), "`policyList` is missing");
    }
}
