//! `tieout rules check`: every fault of a rule set at once, and which of Expensify's categories and tags no rule covers.
//!
//! Ends with 1 where a set has a fault or a gap: the check itself went well, and its finding needs a person. A file that
//! cannot be read at all is wrong usage, 2.

mod coverage;
mod put_in_force;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tieout_domain::rules::{RuleFault, RuleSet};
use tieout_expensify::PolicyField;

use self::coverage::PolicyCoverage;
pub use self::put_in_force::put_in_force;
use crate::cli::RulesCommand;
use crate::config::{Config, ConnectionConfig};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out, PERSON};

/// Checks, and says what it found.
pub async fn run(config: &Path, command: RulesCommand, out: Out) -> Result<u8, Failure> {
    let RulesCommand::Check { file, coverage } = command;
    if let (Some(file), false) = (&file, coverage) {
        // A set can be checked where nothing is installed, in a review for instance.
        return say(&[Checked::read(file, Vec::new())?], out);
    }
    if !coverage {
        let config = Config::read(config)?;
        return say(&of_connections(&config)?, out);
    }
    let installation = Installation::open(config).await?;
    let mut checked = match file {
        None => of_connections(&installation.config)?,
        Some(file) => {
            let connections = meant_by(&installation.config, &file)?;
            vec![Checked::read(&file, connections)?]
        }
    };
    for set in checked.iter_mut().filter(|set| set.rules.is_ok()) {
        let connections: Vec<&ConnectionConfig> = installation
            .config
            .connection
            .iter()
            .filter(|c| set.connections.contains(&c.name.to_string()))
            .collect();
        let mut found = Vec::new();
        for connection in connections {
            found.extend(cover(&installation, connection, &set.text).await?);
        }
        set.coverage = Some(found);
    }
    say(&checked, out)
}

/// One rule file, looked at.
struct Checked {
    file: PathBuf,
    /// Names of the connections it is for.
    connections: Vec<String>,
    text: String,
    rules: Result<RuleSet, Vec<RuleFault>>,
    coverage: Option<Vec<PolicyCoverage>>,
}

impl Checked {
    fn read(file: &Path, connections: Vec<String>) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::Usage(format!("the rule set {} cannot be read: {e}", file.display())))?;
        let rules = RuleSet::parse(&text);
        Ok(Self {
            file: file.to_path_buf(),
            connections,
            text,
            rules,
            coverage: None,
        })
    }

    fn is_clean(&self) -> bool {
        self.rules.is_ok() && self.coverage.iter().flatten().all(PolicyCoverage::is_complete)
    }

    fn words(&self) -> String {
        let whose = if self.connections.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.connections.join(", "))
        };
        let place = format!("{}{whose}", self.file.display());
        let mut text = match &self.rules {
            Ok(rules) => format!(
                "{place}: {} rules, no fault\n  {}\n",
                rules.rules().len(),
                rules.hash().as_str()
            ),
            Err(faults) => {
                let list: String = faults.iter().map(|fault| format!("  - {fault}\n")).collect();
                format!("{place}: refused, {}\n{list}", counted(faults.len(), "fault"))
            }
        };
        for policy in self.coverage.iter().flatten() {
            text.push_str(&policy.words());
        }
        text
    }

    fn json(&self) -> Value {
        let faults: Vec<Value> = self
            .rules
            .as_ref()
            .err()
            .into_iter()
            .flatten()
            .map(fault_json)
            .collect();
        let policies =
            |policies: &Vec<PolicyCoverage>| policies.iter().map(PolicyCoverage::json).collect::<Vec<_>>();
        json!({
            "file": self.file,
            "connections": self.connections,
            "ok": self.is_clean(),
            "rules": self.rules.as_ref().ok().map(|rules| rules.rules().len()),
            "hash": self.rules.as_ref().ok().map(|rules| rules.hash().as_str().to_owned()),
            "faults": faults,
            "coverage": self.coverage.as_ref().map(policies),
        })
    }
}

/// "1 fault", "2 faults".
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn fault_json(fault: &RuleFault) -> Value {
    let message = fault.to_string();
    match fault {
        RuleFault::Syntax(_) => json!({"code": "syntax", "message": message}),
        RuleFault::Content { place, .. } => {
            json!({"code": "content", "message": message, "place": place.to_string()})
        }
        RuleFault::Ambiguous {
            first,
            second,
            dimension,
            witness,
        } => json!({
            "code": "ambiguous", "message": message, "rules": [first.number, second.number],
            "dimension": dimension.to_string(), "line": witness.to_string(),
        }),
        RuleFault::Contradiction {
            first,
            second,
            dimension,
            witness,
        } => json!({
            "code": "contradiction", "message": message, "rules": [first.number, second.number],
            "dimension": dimension.to_string(), "line": witness.to_string(),
        }),
    }
}

/// Each rule file that the configuration names, once, with the connections it is for.
fn of_connections(config: &Config) -> Result<Vec<Checked>, Failure> {
    let mut files: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for connection in config.chosen(None)? {
        files
            .entry(config.at(&connection.rules))
            .or_default()
            .push(connection.name.to_string());
    }
    files
        .into_iter()
        .map(|(file, connections)| Checked::read(&file, connections))
        .collect()
}

/// The connections whose policies a given file is held against: those that use it; for a draft, the only one there is.
fn meant_by(config: &Config, file: &Path) -> Result<Vec<String>, Failure> {
    let all = config.chosen(None)?;
    let real = file.canonicalize().ok();
    let using: Vec<String> = all
        .iter()
        .filter(|c| real.is_some() && config.at(&c.rules).canonicalize().ok() == real)
        .map(|c| c.name.to_string())
        .collect();
    match (using.is_empty(), all.as_slice()) {
        (false, _) => Ok(using),
        (true, [one]) => Ok(vec![one.name.to_string()]),
        (true, _) => Err(Failure::Usage(format!(
            "no connection uses {}, and there is more than one: its coverage could be of any. Check it without --coverage, \
             or name it as `rules` of a connection",
            file.display()
        ))),
    }
}

/// Holds a rule set against what Expensify offers people to choose from (contract expensify §7.2).
pub(super) async fn cover(
    installation: &Installation,
    connection: &ConnectionConfig,
    rules: &str,
) -> Result<Vec<PolicyCoverage>, Failure> {
    let expensify = installation.expensify(connection)?;
    let ids = &connection.expensify.policies;
    let seen = expensify
        .policies(ids, &[PolicyField::Categories, PolicyField::Tags])
        .await?;
    ids.iter()
        .map(|id| coverage::of(rules, id, seen.get(id)).map_err(Failure::Usage))
        .collect()
}

fn say(checked: &[Checked], out: Out) -> Result<u8, Failure> {
    for set in checked {
        out.words(&set.words())?;
    }
    let documents: Vec<Value> = checked.iter().map(Checked::json).collect();
    out.document(&documents)?;
    Ok(if checked.iter().all(Checked::is_clean) {
        DONE
    } else {
        PERSON
    })
}
