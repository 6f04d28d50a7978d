//! What a policy offers people to choose from, held against a rule set.

use serde_json::{Value, json};
use tieout_domain::ids::PolicyId;
use tieout_domain::rules::{Coverage, RuleSet};
use tieout_expensify::{Policy, Tags};
use toml::Table;

use super::found::{Found as Finding, Level};
use super::gap::{gaps, gaps_json};
use super::members::Members;

/// Independent levels of tags multiply; beyond this many combinations they are not gone through, and that is said.
const MOST_COMBINATIONS: usize = 20_000;

/// How far a rule set covers one policy.
pub(in crate::commands) struct PolicyCoverage {
    pub(super) policy: PolicyId,
    found: Found,
    pub(super) members: Members,
}

enum Found {
    /// The credentials do not show the policy.
    NotVisible,
    Gaps {
        coverage: Coverage,
        categories: usize,
        tags: usize,
        /// So many combinations of independent levels were not gone through.
        not_checked: Option<usize>,
    },
}

/// Holds the rule file against a policy, as far as its credentials show it.
pub(super) fn of(rules: &str, id: &PolicyId, policy: Option<&Policy>) -> Result<PolicyCoverage, String> {
    let Some(policy) = policy else {
        return Ok(PolicyCoverage {
            policy: id.clone(),
            found: Found::NotVisible,
            members: Members::NotAsked,
        });
    };
    // Nobody can choose what is disabled.
    let categories: Vec<&str> = policy
        .categories
        .iter()
        .flatten()
        .filter(|c| c.enabled)
        .map(|c| c.name.as_str())
        .collect();
    let (tags, not_checked) = match choices(policy.tags.as_ref()) {
        Ok(tags) => (tags, None),
        Err(combinations) => (Vec::new(), Some(combinations)),
    };
    let coverage = within(rules, id)?.coverage(categories.iter().copied(), tags.iter().map(String::as_str));
    let found = Found::Gaps {
        coverage,
        categories: categories.len(),
        tags: tags.len(),
        not_checked,
    };
    Ok(PolicyCoverage {
        policy: id.clone(),
        found,
        members: Members::NotAsked,
    })
}

/// Every full tag that a line can bear; independent levels are joined as a line joins them (contract expensify §4.2).
/// The number of combinations where there are too many.
fn choices(tags: Option<&Tags>) -> Result<Vec<String>, usize> {
    let enabled = |tags: &[tieout_expensify::Tag]| -> Vec<String> {
        tags.iter()
            .filter(|tag| tag.enabled)
            .map(|tag| tag.name.clone())
            .collect()
    };
    match tags {
        None => Ok(Vec::new()),
        Some(Tags::Flat(tags)) => Ok(enabled(tags)),
        Some(Tags::Levels(levels)) => {
            let levels: Vec<Vec<String>> = levels
                .iter()
                .map(|level| enabled(&level.tags))
                .filter(|tags| !tags.is_empty())
                .collect();
            let combinations = levels
                .iter()
                .fold(1_usize, |product, tags| product.saturating_mul(tags.len()));
            if combinations > MOST_COMBINATIONS {
                return Err(combinations);
            }
            let mut whole: Vec<String> = Vec::new();
            for level in levels {
                whole = match whole.is_empty() {
                    true => level,
                    false => whole
                        .iter()
                        .flat_map(|tag| level.iter().map(move |next| format!("{tag}:{next}")))
                        .collect(),
                };
            }
            Ok(whole)
        }
    }
}

/// The set as it is within one policy: rules of other policies left out, the condition on this one taken as met.
/// Otherwise every rule that names a policy would leave a gap: the lines of no policy at all, which do not exist.
///
/// Only whether a rule gives an account or a cost centre matters here, so each outcome becomes one that cannot contradict
/// another.
fn within(rules: &str, policy: &PolicyId) -> Result<RuleSet, String> {
    let wrong =
        |e: &dyn std::fmt::Display| format!("the rule set cannot be held against policy {policy}: {e}");
    let mut file: Table = rules.parse().map_err(|e: toml::de::Error| wrong(&e))?;
    let all = match file.remove("rule") {
        Some(toml::Value::Array(rules)) => rules,
        _ => Vec::new(),
    };
    let kept: Vec<toml::Value> = all
        .into_iter()
        .filter_map(|rule| match rule {
            toml::Value::Table(rule) => rule_within(rule, policy),
            _ => None,
        })
        .map(toml::Value::Table)
        .collect();
    if !kept.is_empty() {
        file.insert("rule".into(), toml::Value::Array(kept));
    }
    let text = toml::to_string(&file).map_err(|e| wrong(&e))?;
    RuleSet::parse(&text).map_err(|faults| {
        let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
        wrong(&list.join("; "))
    })
}

fn rule_within(mut rule: Table, policy: &PolicyId) -> Option<Table> {
    if let Some(toml::Value::Table(when)) = rule.get_mut("when") {
        let is_ours = |value: &toml::Value| value.as_str().is_some_and(|text| text.trim() == policy.as_str());
        match when.remove("policy") {
            Some(toml::Value::Array(several)) if !several.iter().any(is_ours) => return None,
            Some(one @ toml::Value::String(_)) if !is_ours(&one) => return None,
            _ => {}
        }
    }
    let set = rule.get_mut("set")?.as_table_mut()?;
    let gives: Vec<(&str, &str)> = [("account", "category_gl_code"), ("cost_centre", "tag_gl_code")]
        .into_iter()
        .filter(|(dimension, _)| set.contains_key(*dimension))
        .collect();
    if gives.is_empty() {
        return None;
    }
    *set = gives
        .into_iter()
        .map(|(dimension, source)| {
            let from = Table::from_iter([("from".to_owned(), toml::Value::from(source))]);
            (dimension.to_owned(), toml::Value::Table(from))
        })
        .collect();
    Some(rule)
}

impl PolicyCoverage {
    /// Was everything gone through, and is all of it covered?
    pub(in crate::commands) fn is_complete(&self) -> bool {
        matches!(&self.found, Found::Gaps { coverage, not_checked: None, .. } if coverage.is_complete())
    }

    /// For people.
    pub(in crate::commands) fn words(&self) -> String {
        let Found::Gaps {
            coverage,
            categories,
            tags,
            not_checked,
        } = &self.found
        else {
            return format!(
                "  policy {}: not visible to these credentials; make their account an admin of it, or correct its id\n",
                self.policy
            );
        };
        let mut text = format!(
            "  policy {}: {} of {categories} categories and {} of {tags} tags are not covered\n",
            self.policy,
            coverage.categories.len(),
            coverage.tags.len()
        );
        for gap in gaps(coverage) {
            text.push_str(&format!("    {}\n", gap.words()));
        }
        if let Some(combinations) = not_checked {
            text.push_str(&format!("    {}\n", too_many(*combinations)));
        }
        text.push_str(&self.members.words());
        text
    }

    /// Each gap for itself.
    pub(super) fn found(&self) -> Vec<Finding> {
        let policy = &self.policy;
        let finding = |code, level, about: &str, message: String| {
            Finding::of_policy(code, level, format!("{policy} {about}"), message)
        };
        let Found::Gaps {
            coverage,
            not_checked,
            ..
        } = &self.found
        else {
            let message = format!(
                "policy {policy} is not visible to these credentials. Make their account an admin of it, or correct its id"
            );
            return vec![finding("policy_not_visible", Level::Error, "", message)];
        };
        let mut found: Vec<Finding> = gaps(coverage)
            .map(|gap| {
                let message = format!("policy {policy}: {}. {}", gap.words(), gap.remedy());
                finding(gap.code(), gap.level(), &gap.gap.name, message)
            })
            .collect();
        found.extend(not_checked.map(|combinations| {
            let message = format!(
                "policy {policy}: {}. Make the levels depend on each other, or look at `tieout sync --dry-run`",
                too_many(combinations)
            );
            finding("tags_not_checked", Level::Warning, "", message)
        }));
        found.extend(self.members.found(policy.as_str()));
        found
    }

    /// What of it nobody could look at.
    pub(super) fn not_looked_at(&self) -> Option<String> {
        let why = self.members.not_looked_at()?;
        Some(format!(
            "the members of policy {} were not looked at: {why}",
            self.policy
        ))
    }

    /// As `--json` shows it.
    pub(super) fn json(&self) -> Value {
        match &self.found {
            Found::NotVisible => {
                json!({"policy": self.policy, "visible": false, "members": self.members.json()})
            }
            Found::Gaps {
                coverage,
                categories,
                tags,
                not_checked,
            } => json!({
                "policy": self.policy,
                "visible": true,
                "categories": {"seen": categories, "gaps": gaps_json(&coverage.categories)},
                "tags": {"seen": tags, "not_checked": not_checked, "gaps": gaps_json(&coverage.tags)},
                "members": self.members.json(),
            }),
        }
    }
}

fn too_many(combinations: usize) -> String {
    format!(
        "its tags have {combinations} combinations of independent levels, more than {MOST_COMBINATIONS}: not gone through"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tieout_expensify::{Category, Tag, TagList};

    const SETTINGS: &str = r#"
[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"
[suppliers]
match = "business_relation"
"#;

    fn rules(rules: &[&str]) -> String {
        let list: String = rules.iter().map(|rule| format!("[[rule]]\n{rule}\n")).collect();
        let text = format!("{SETTINGS}{list}");
        RuleSet::parse(&text).unwrap();
        text
    }

    fn category(name: &str, enabled: bool) -> Category {
        Category {
            name: name.into(),
            enabled,
            gl_code: String::new(),
            payroll_code: String::new(),
            comments_required: false,
            comment_hint: String::new(),
            max_expense: None,
        }
    }

    fn tags(names: &[&str]) -> Vec<Tag> {
        names
            .iter()
            .map(|name| Tag {
                name: (*name).into(),
                enabled: true,
                gl_code: String::new(),
            })
            .collect()
    }

    fn id(text: &str) -> PolicyId {
        PolicyId::new(text).unwrap()
    }

    #[test]
    fn a_rule_of_this_policy_covers_it_and_a_rule_of_another_does_not() {
        let text = rules(&[
            "when = { policy = \"AA\", category = \"Air\" }\nset = { account = \"6410\" }",
            "when = { category = \"Air\", reimbursable = true }\nset = { account = \"6410\" }",
            "when = { policy = [\"BB\", \"CC\"], category = \"Hotel\" }\nset = { account = \"6420\" }",
        ]);
        let policy = Policy {
            categories: Some(vec![
                category("Air", true),
                category("Hotel", true),
                category("Old", false),
            ]),
            ..Policy::default()
        };
        let gaps = |policy_id: &str| of(&text, &id(policy_id), Some(&policy)).unwrap().words();
        assert!(
            gaps("AA").contains("category \"Hotel\": no rule gives it an account"),
            "{}",
            gaps("AA")
        );
        assert!(!gaps("AA").contains("\"Air\""), "{}", gaps("AA"));
        assert!(
            gaps("BB").contains("category \"Air\": not every line gets an account"),
            "{}",
            gaps("BB")
        );
        assert!(!gaps("BB").contains("\"Hotel\""), "{}", gaps("BB"));
        assert!(
            !gaps("BB").contains("\"Old\""),
            "nobody can choose what is disabled"
        );
    }

    #[test]
    fn rules_that_differ_only_in_their_policy_do_not_contradict_each_other_within_one() {
        let text = rules(&[
            "when = { category = \"Air\" }\nset = { account = \"6410\" }",
            "when = { policy = \"AA\", category = \"Air\" }\nset = { account = \"6411\" }",
        ]);
        let policy = Policy {
            categories: Some(vec![category("Air", true)]),
            ..Policy::default()
        };
        assert!(of(&text, &id("AA"), Some(&policy)).unwrap().is_complete());
    }

    #[test]
    fn independent_levels_are_joined_as_a_line_joins_them() {
        let levels = Tags::Levels(vec![
            TagList {
                name: "Site".into(),
                tags: tags(&["Ohio", "Texas"]),
            },
            TagList {
                name: "Line".into(),
                tags: tags(&["L1", "L2"]),
            },
        ]);
        assert_eq!(
            choices(Some(&levels)).unwrap(),
            ["Ohio:L1", "Ohio:L2", "Texas:L1", "Texas:L2"]
        );
        let text = rules(&["when = { tag_level_1 = \"Ohio\" }\nset = { cost_centre = \"1100\" }"]);
        let policy = Policy {
            tags: Some(levels),
            ..Policy::default()
        };
        let words = of(&text, &id("AA"), Some(&policy)).unwrap().words();
        assert!(words.contains("2 of 4 tags are not covered"), "{words}");
        assert!(
            words.contains("tag \"Texas:L1\": no rule gives it a cost centre"),
            "{words}"
        );
    }

    #[test]
    fn too_many_combinations_are_said_and_not_passed_over() {
        let many: Vec<String> = (0..200).map(|n| format!("T{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let list = || TagList {
            name: "Level".into(),
            tags: tags(&many),
        };
        let policy = Policy {
            tags: Some(Tags::Levels(vec![list(), list()])),
            ..Policy::default()
        };
        let found = of(&rules(&[]), &id("AA"), Some(&policy)).unwrap();
        assert!(!found.is_complete());
        assert!(found.words().contains("40000 combinations"), "{}", found.words());
    }

    #[test]
    fn a_policy_that_is_not_shown_is_not_covered() {
        let found = of(&rules(&[]), &id("AA"), None).unwrap();
        assert!(!found.is_complete() && found.words().contains("not visible"));
    }
}
