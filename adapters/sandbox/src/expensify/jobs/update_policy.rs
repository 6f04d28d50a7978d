//! Categories, tags and report fields of a policy are changed (contract §8.1).

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::State;
use super::super::reply::{Refusal, Reply};
use super::super::request::Call;
use super::super::world::{Account, Category, Policy, ReportField, Tag, TagLevel};
use super::{id_list, must_be_admin};

/// Applies the sections that stand beside `inputSettings`; within it they are not seen and nothing changes.
pub fn run(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let mut ids = id_list(call.job.pointer("/inputSettings/policyIDList"));
    ids.extend(call.given("/inputSettings/policyID").map(str::to_owned));
    if ids.is_empty() {
        return Err(Refusal::new(410, "Required parameter 'policyID' is missing"));
    }
    state.world.edit(|world| {
        let mut changed = Vec::new();
        for id in &ids {
            let Some(policy) = world.policies.get(id) else {
                return Err(Refusal::new(404, format!("Policy {id} not found")));
            };
            must_be_admin(account, policy)?;
            let mut policy = policy.clone();
            if let Some(section) = call.job.get("categories") {
                categories(&mut policy, section)?;
            }
            if let Some(section) = call.job.get("reportFields") {
                report_fields(&mut policy, section)?;
            }
            if let Some(section) = call.job.get("tags") {
                tags(&mut policy, section, call.fields.get("file").map(String::as_str))?;
            }
            changed.push(policy);
        }
        // All or nothing: a malformed section changes no policy.
        changed.into_iter().for_each(|policy| world.add_policy(policy));
        Ok(Reply::Json(json!({"responseCode": 200})))
    })
}

fn malformed(section: &str) -> Refusal {
    Refusal::new(410, format!("'{section}' object malformed"))
}

/// The action and the data of a section.
fn parts<T: DeserializeOwned>(section: &Value, name: &str) -> Result<(bool, Vec<T>), Refusal> {
    let replaces = match section.get("action").and_then(Value::as_str) {
        Some("replace") => true,
        Some("merge") => false,
        _ => return Err(malformed(name)),
    };
    let data = section.get("data").cloned().unwrap_or(Value::Null);
    let data = serde_json::from_value(data).map_err(|_| malformed(name))?;
    Ok((replaces, data))
}

fn categories(policy: &mut Policy, section: &Value) -> Result<(), Refusal> {
    let (replaces, data) = parts::<Category>(section, "categories")?;
    if replaces {
        policy.categories.clear();
    }
    for category in data {
        match policy
            .categories
            .iter_mut()
            .find(|known| known.name == category.name)
        {
            // What is not sent stays as it was.
            Some(known) => {
                known.enabled = category.enabled;
                known.gl_code = category.gl_code.or(known.gl_code.take());
                known.payroll_code = category.payroll_code.or(known.payroll_code.take());
                known.are_comments_required = category.are_comments_required.or(known.are_comments_required);
                known.comment_hint = category.comment_hint.or(known.comment_hint.take());
                known.max_expense_amount = category.max_expense_amount.or(known.max_expense_amount);
            }
            None => policy.categories.push(category),
        }
    }
    Ok(())
}

fn report_fields(policy: &mut Policy, section: &Value) -> Result<(), Refusal> {
    let (replaces, data) = parts::<ReportField>(section, "reportFields")?;
    if replaces {
        policy.report_fields.clear();
    }
    for field in data {
        policy.report_fields.retain(|known| known.name != field.name);
        policy.report_fields.push(field);
    }
    Ok(())
}

/// Tags are always replaced: `merge` with one tag deletes the others of its list and says 200. All that it spares is
/// lists of other names.
fn tags(policy: &mut Policy, section: &Value, file: Option<&str>) -> Result<(), Refusal> {
    if section.get("source").and_then(Value::as_str) == Some("file") {
        policy.tags = tags_from_file(
            section.get("config").unwrap_or(&Value::Null),
            file.ok_or_else(|| malformed("tags"))?,
        )?;
        return Ok(());
    }
    let levels: Vec<TagLevel> = section
        .get("data")
        .and_then(|data| serde_json::from_value(data.clone()).ok())
        .ok_or_else(|| malformed("tags"))?;
    let merges = section.get("action").and_then(Value::as_str) == Some("merge");
    if !merges {
        policy.tags = levels;
        return Ok(());
    }
    for level in levels {
        match policy.tags.iter_mut().find(|known| known.name == level.name) {
            Some(known) => *known = level,
            None => policy.tags.push(level),
        }
    }
    Ok(())
}

/// Tags as CSV or TSV, a row for each leaf; with `glCodes` each column is followed by its codes. Dependent tags become a
/// flat list of joined names, as `get/policy` shows them; independent ones a list for each column.
fn tags_from_file(config: &Value, file: &str) -> Result<Vec<TagLevel>, Refusal> {
    let flag = |name: &str| config.get(name).and_then(Value::as_bool).unwrap_or(false);
    let separator = if config.get("fileType").and_then(Value::as_str) == Some("tsv") {
        '\t'
    } else {
        ','
    };
    let step = if flag("glCodes") { 2 } else { 1 };
    let mut rows = file
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| cells(line, separator));
    let header = if flag("header") {
        rows.next().ok_or_else(|| malformed("tags"))?
    } else {
        Vec::new()
    };
    let mut levels: Vec<TagLevel> = Vec::new();
    for row in rows {
        let columns: Vec<(String, Option<String>)> = row
            .chunks(step)
            .filter_map(|column| {
                let name = column.first().filter(|name| !name.is_empty())?;
                Some((
                    name.clone(),
                    column.get(1).filter(|code| !code.is_empty()).cloned(),
                ))
            })
            .collect();
        let tags: Vec<(usize, Tag)> = if flag("dependency") {
            let name = columns
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(":");
            let gl_code = columns.last().and_then(|(_, code)| code.clone());
            vec![(
                0,
                Tag {
                    name,
                    enabled: true,
                    gl_code,
                },
            )]
        } else {
            columns
                .into_iter()
                .map(|(name, gl_code)| Tag {
                    name,
                    enabled: true,
                    gl_code,
                })
                .enumerate()
                .collect()
        };
        for (place, tag) in tags {
            while levels.len() <= place {
                let name = if flag("dependency") {
                    None
                } else {
                    header.get(levels.len() * step).cloned()
                };
                levels.push(TagLevel {
                    name: name.unwrap_or_default(),
                    tags: Vec::new(),
                });
            }
            if let Some(level) = levels.get_mut(place)
                && !level.tags.iter().any(|known| known.name == tag.name)
            {
                level.tags.push(tag);
            }
        }
    }
    Ok(levels)
}

/// The cells of a row; quotes as in CSV.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => push(&mut cells, '"'),
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(String::new()),
            c => push(&mut cells, c),
        }
    }
    cells
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}
