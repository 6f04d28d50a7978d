//! `tieout rules diff`: which rules and settings two sets do not share. Their order means nothing.

use std::collections::BTreeSet;

use serde_json::json;
use tieout_domain::rules::RuleSet;

use crate::commands::rules::place::{Place, named};
use crate::commands::terminal::safe;
use crate::out::{DONE, Failure, Out};

/// Compares them.
pub(super) async fn run(place: &Place<'_>, before: &str, after: &str, out: Out) -> Result<u8, Failure> {
    let (sets, _) = place.desk("rules diff").rule_sets().await?;
    let (one, other) = (named(place, &sets, before)?, named(place, &sets, after)?);
    let (one_blocks, other_blocks) = (blocks(&one), blocks(&other));
    let gone: Vec<&String> = one_blocks.difference(&other_blocks).collect();
    let new: Vec<&String> = other_blocks.difference(&one_blocks).collect();
    let side = |mark: char, blocks: &[&String]| -> String {
        blocks
            .iter()
            .flat_map(|block| block.lines().chain([""]))
            .map(|line| format!("{mark} {}\n", safe(line)))
            .collect()
    };
    let text = if gone.is_empty() && new.is_empty() {
        format!(
            "{before} and {after} mean the same: {:.12}\n",
            one.hash().as_str()
        )
    } else {
        format!(
            "--- {before} ({:.12})\n+++ {after} ({:.12})\n{}{}",
            one.hash().as_str(),
            other.hash().as_str(),
            side('-', &gone),
            side('+', &new)
        )
    };
    out.words(&text)?;
    out.document(&json!({
        "before": one.hash(), "after": other.hash(), "only_before": gone, "only_after": new,
    }))?;
    Ok(DONE)
}

/// Each rule and each section of the printed set, apart from one another.
fn blocks(set: &RuleSet) -> BTreeSet<String> {
    set.print()
        .split("\n\n")
        .map(|block| block.trim().to_owned())
        .filter(|block| !block.is_empty())
        .collect()
}
