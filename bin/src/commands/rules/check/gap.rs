//! One category or tag that is not covered, told.

use serde_json::{Value, json};
use tieout_domain::rules::{Coverage, Gap, GapKind};

use super::super::super::terminal::safe;
use super::found::Level;

/// A gap, and of what it is one.
pub(super) struct Told<'a> {
    is_tag: bool,
    pub(super) gap: &'a Gap,
}

pub(super) fn gaps(coverage: &Coverage) -> impl Iterator<Item = Told<'_>> {
    let told = |is_tag| move |gap| Told { is_tag, gap };
    coverage
        .categories
        .iter()
        .map(told(false))
        .chain(coverage.tags.iter().map(told(true)))
}

impl Told<'_> {
    pub(super) fn words(&self) -> String {
        let (what, gets) = match self.is_tag {
            false => ("category", "an account"),
            true => ("tag", "a cost centre"),
        };
        let name = safe(&self.gap.name);
        match &self.gap.kind {
            GapKind::NoRule => format!("{what} \"{name}\": no rule gives it {gets}"),
            GapKind::Partly(line) => format!("{what} \"{name}\": not every line gets {gets}, e.g. {line}"),
            GapKind::Unclear => {
                format!("{what} \"{name}\": whether every line gets {gets} is too entangled to be found out")
            }
        }
    }

    pub(super) fn remedy(&self) -> &'static str {
        match &self.gap.kind {
            GapKind::NoRule => {
                "Add a rule for it, or disable it in Expensify; until then such lines are rejected"
            }
            GapKind::Partly(_) => "Add a rule for such lines, which are rejected until then",
            GapKind::Unclear => {
                "Fewer fields in one rule, a rule for each of its values, or a set for each policy"
            }
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match (self.is_tag, &self.gap.kind) {
            (false, GapKind::NoRule) => "category_without_rule",
            (false, GapKind::Partly(_)) => "category_partly_covered",
            (false, GapKind::Unclear) => "category_unclear",
            (true, GapKind::NoRule) => "tag_without_rule",
            (true, GapKind::Partly(_)) => "tag_partly_covered",
            (true, GapKind::Unclear) => "tag_unclear",
        }
    }

    /// What no rule gives an account or a cost centre is rejected, whenever somebody chooses it.
    pub(super) fn level(&self) -> Level {
        match &self.gap.kind {
            GapKind::NoRule => Level::Error,
            GapKind::Partly(_) | GapKind::Unclear => Level::Warning,
        }
    }
}

pub(super) fn gaps_json(gaps: &[Gap]) -> Vec<Value> {
    gaps.iter()
        .map(|gap| match &gap.kind {
            GapKind::NoRule => json!({"name": gap.name, "kind": "no_rule", "line": null}),
            GapKind::Unclear => json!({"name": gap.name, "kind": "unclear", "line": null}),
            GapKind::Partly(line) => json!({"name": gap.name, "kind": "partly", "line": line.to_string()}),
        })
        .collect()
}
