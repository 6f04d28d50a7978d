//! `tieout guide`: the operator's guide, in the program. The pages are those of `bin/guide`; the reasons are told from the
//! catalogue itself, so that the two cannot disagree.

mod plain;
mod reasons;

use std::borrow::Cow;

use serde_json::json;
use tieout_domain::report::ReasonCode;

use crate::out::{DONE, Failure, Out};

/// A page.
struct Page {
    name: &'static str,
    title: &'static str,
    /// Markdown; `None` for the page that is told from the catalogue.
    text: Option<&'static str>,
}

impl Page {
    fn text(&self) -> Cow<'static, str> {
        self.text
            .map_or_else(|| Cow::Owned(reasons::page()), Cow::Borrowed)
    }
}

macro_rules! pages {
    ($($name:literal: $title:literal,)*) => { [$(Page {
        name: $name, title: $title, text: Some(include_str!(concat!("../../guide/", $name, ".md"))),
    },)*] };
}

const WRITTEN: [Page; 17] = pages! {
    "first-steps": "from nothing to the first cycle, in order",
    "states": "every state of a report, and what to do",
    "in-doubt": "an unknown outcome, and how it is settled",
    "after-posting": "what changed since, reversals and corrections",
    "recovery": "a log that is older than QAD, and the way back",
    "rules": "how Expensify's words become QAD's coding",
    "backtests": "what a rule set would have made of history",
    "profile": "the QAD profile: filling it in, certifying it",
    "cluster": "the log on a cluster, and several instances",
    "errors": "what a command says when it ends early",
    "exit-codes": "0, 1, 2, 3, and where output goes",
    "secrets-and-keys": "what lies where, and rotating it",
    "operators": "who signs what they decide, and what forging would take",
    "guarantee": "exactly once: what is promised, on what it rests, what shows it",
    "breakages": "deliberate breakages of the workflow, and what caught each",
    "limits-and-assumptions": "what this build does not do, and what it assumes",
    "sandbox": "the stand-ins, and every fault they can show",
};
const REASONS: Page = Page {
    name: "reasons",
    title: "every reason why a report does not post, and its remedy",
    text: None,
};

/// The pages in the order in which they are listed: the reasons after the states.
fn pages() -> impl Iterator<Item = &'static Page> {
    let (before, after) = WRITTEN.split_at(2);
    before.iter().chain([&REASONS]).chain(after)
}

/// Lists the pages, or prints one; the code of a reason is a page too.
pub fn run(page: Option<&str>, out: Out) -> Result<u8, Failure> {
    let Some(wanted) = page else {
        return list(out);
    };
    let name = wanted.trim().to_lowercase();
    if let Some(page) = pages().find(|page| page.name == name) {
        let text = page.text();
        out.words(&plain::text(&text))?;
        out.document(&json!({"page": page.name, "text": text}))?;
        return Ok(DONE);
    }
    if let Some(code) = ReasonCode::ALL.iter().find(|code| code.as_str() == name) {
        let text = reasons::entry(*code);
        out.words(&plain::text(&text))?;
        out.document(&json!({"page": code, "text": text}))?;
        return Ok(DONE);
    }
    let names: Vec<&str> = pages().map(|page| page.name).collect();
    Err(Failure::Usage(format!(
        "the guide has no page `{wanted}`; it has {}, and a page for each reason's code",
        names.join(", ")
    )))
}

fn list(out: Out) -> Result<u8, Failure> {
    let width = pages().map(|page| page.name.len()).max().unwrap_or(0);
    let mut text = String::from("The operator's guide. `tieout guide PAGE` prints one:\n\n");
    for page in pages() {
        text.push_str(&format!("  {:<width$}  {}\n", page.name, page.title));
    }
    text.push_str("\nThe code of a reason is a page too, e.g. `tieout guide closed_period`.\n");
    out.words(&text)?;
    let list: Vec<_> = pages()
        .map(|page| json!({"page": page.name, "title": page.title}))
        .collect();
    out.document(&list)?;
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use tieout_domain::report::StageName;
    use tieout_sandbox::{expensify, qad};

    fn page(name: &str) -> Cow<'static, str> {
        pages().find(|page| page.name == name).unwrap().text()
    }

    #[test]
    fn every_page_has_a_heading_and_fits_a_terminal() {
        for page in pages() {
            let text = page.text();
            assert!(text.starts_with("# "), "{}", page.name);
            for line in text.lines() {
                assert!(line.chars().count() <= 84, "{}: {line}", page.name);
            }
        }
    }

    #[test]
    fn every_state_is_told() {
        let states = page("states");
        for stage in StageName::ALL
            .into_iter()
            .filter(|stage| *stage != StageName::Unseen)
        {
            let name = super::super::outcome::serde_name(stage);
            assert!(states.contains(&format!("\n## {name}\n")), "{name}");
        }
    }

    #[test]
    fn every_page_that_a_page_sends_to_exists() {
        for one in pages() {
            // A line may break anywhere between the words.
            let text = one.text().split_whitespace().collect::<Vec<_>>().join(" ");
            for rest in text.split("`tieout guide ").skip(1) {
                let name = rest.split(['`', ' ']).next().unwrap();
                assert!(pages().any(|page| page.name == name), "{}: {name}", one.name);
            }
        }
    }

    #[test]
    fn every_command_that_a_page_names_exists() {
        let cli = crate::cli::Cli::command();
        for one in pages() {
            let text = one.text().split_whitespace().collect::<Vec<_>>().join(" ");
            for rest in text.split("`tieout ").skip(1) {
                let name = rest.split(['`', ' ']).next().unwrap();
                let known = name == "…" || cli.find_subcommand(name).is_some();
                assert!(known, "{}: tieout {name}", one.name);
            }
        }
    }

    #[test]
    fn the_faults_that_are_told_are_those_there_are() {
        let text = page("sandbox");
        let expensify = [
            r#"{"slow":{"ms":1}}"#,
            r#"{"late":{"ms":1}}"#,
            r#""drop_before""#,
            r#""drop_after""#,
            r#""bad_gateway""#,
            r#""bad_gateway_after""#,
            r#""html_page""#,
            r#""too_many_requests""#,
            r#""too_many_requests_in_body""#,
            r#""server_error""#,
            r#""server_error_after""#,
            r#""authentication_failure""#,
            r#""empty_download""#,
            r#""file_not_found""#,
            r#"{"truncated_file":{"bytes":1}}"#,
            r#"{"broken_download":{"bytes":1}}"#,
            r#"{"line_dropped":{"line":1}}"#,
            r#"{"line_garbled":{"line":1}}"#,
        ];
        for json in expensify {
            let kind: expensify::FaultKind = serde_json::from_str(json).unwrap();
            assert!(text.contains(kind.name()), "{json}");
        }
        let qad = [
            r#""drop_before""#,
            r#""drop_after""#,
            r#"{"delay":{"ms":1}}"#,
            r#"{"zombie":{"ms":1}}"#,
            r#""html_page""#,
            r#""html_page_after""#,
            r#"{"error_before":{"status":500}}"#,
            r#"{"error_after":{"status":500}}"#,
            r#""truncated_body""#,
            r#"{"field_not_stored":{"field":"reference"}}"#,
            r#""line_not_stored""#,
            r#""posting_date_shifted""#,
            r#""warned_as_failure""#,
            r#""delivered_twice""#,
            r#""empty_browse""#,
            r#""browse_fails""#,
            r#""broken_canary""#,
            r#"{"rows_missing":{"rows":1}}"#,
            r#""token_expired""#,
            r#""forbidden""#,
        ];
        for json in qad {
            let kind: qad::FaultKind = serde_json::from_str(json).unwrap();
            assert!(text.contains(&kind.name()), "{json}");
        }
    }
}
