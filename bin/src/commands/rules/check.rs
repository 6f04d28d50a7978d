//! `tieout rules check`: every fault of a rule set at once, and which of Expensify's categories and tags no rule covers.
//!
//! Each fault and each remark says where it stands, as `file:line:column`.
//!
//! Ends with 1 where a set has a fault or a gap: the check itself went well, and its finding needs a person. A file that
//! cannot be read at all is wrong usage, 2.

mod coverage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tieout_domain::rules::{Dimension, Position, Remark, RuleFault, RuleName, RuleSet, Witness};
use tieout_expensify::PolicyField;

use self::coverage::PolicyCoverage;
use crate::config::{Config, ConnectionConfig};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out, PERSON};

/// Checks, and says what it found.
pub async fn run(config: &Path, file: Option<PathBuf>, coverage: bool, out: Out) -> Result<u8, Failure> {
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
    /// What is odd, and no fault.
    remarks: Vec<Remark>,
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
            remarks: rules.as_ref().map(RuleSet::remarks).unwrap_or_default(),
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
            Ok(rules) => {
                let list: String = self
                    .remarks
                    .iter()
                    .map(|remark| self.remark_words(remark))
                    .collect();
                let number = rules.rules().len();
                format!(
                    "{place}: {number} rules, no fault\n  {}\n{list}",
                    rules.hash().as_str()
                )
            }
            Err(faults) => {
                let list: String = faults.iter().map(|fault| self.fault_words(fault)).collect();
                format!("{place}: refused, {}\n{list}", counted(faults.len(), "fault"))
            }
        };
        for policy in self.coverage.iter().flatten() {
            text.push_str(&policy.words());
        }
        text
    }

    /// `file:line:column`, which editors open.
    fn at(&self, position: Position) -> String {
        format!("{}:{position}", self.file.display())
    }

    fn fault_words(&self, fault: &RuleFault) -> String {
        let other = fault
            .other_at()
            .map(|other| format!(" (the other: {})", self.at(other)));
        format!(
            "  - {}: {fault}{}\n",
            self.at(fault.at()),
            other.unwrap_or_default()
        )
    }

    fn remark_words(&self, remark: &Remark) -> String {
        format!("  note: {}: {remark}\n", self.at(remark.at()))
    }

    fn json(&self) -> Value {
        let faults = self.rules.as_ref().err().into_iter().flatten();
        let faults: Vec<Value> = faults.map(|fault| self.fault_json(fault)).collect();
        let remarks: Vec<Value> = self
            .remarks
            .iter()
            .map(|remark| self.remark_json(remark))
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
            "remarks": remarks,
            "coverage": self.coverage.as_ref().map(policies),
        })
    }
}

impl Checked {
    fn fault_json(&self, fault: &RuleFault) -> Value {
        self.finding(details(fault), fault.to_string(), fault.at(), fault.other_at())
    }

    fn remark_json(&self, remark: &Remark) -> Value {
        let details = match remark {
            Remark::NeverWins { rule, instead, .. } => {
                let instead: Vec<usize> = instead.iter().map(|rule| rule.number).collect();
                json!({"code": "never_wins", "rule": rule.number, "instead": instead})
            }
            Remark::Unclear { rule, .. } => json!({"code": "unclear", "rule": rule.number}),
        };
        self.finding(details, remark.to_string(), remark.at(), None)
    }

    /// The details of a finding with its words and its place; of a pair of rules, both places.
    fn finding(&self, details: Value, message: String, at: Position, other_at: Option<Position>) -> Value {
        let place = |position: Position| {
            let (line, column) = (position.line, position.column);
            json!({"text": self.at(position), "line": line, "column": column})
        };
        let Value::Object(mut document) = details else {
            return details;
        };
        document.insert("message".to_owned(), message.into());
        document.insert("at".to_owned(), place(at));
        if let Some(other) = other_at {
            document.insert("other_at".to_owned(), place(other));
        }
        document.into()
    }
}

/// What a fault is about, beside its words and its place.
fn details(fault: &RuleFault) -> Value {
    match fault {
        RuleFault::Syntax { .. } => json!({"code": "syntax"}),
        RuleFault::TooLarge { .. } => json!({"code": "too_large"}),
        RuleFault::Content { place, .. } => json!({"code": "content", "place": place.to_string()}),
        RuleFault::Ambiguous {
            first,
            second,
            dimension,
            witness,
            ..
        } => pair("ambiguous", [first, second], *dimension, witness),
        RuleFault::Contradiction {
            first,
            second,
            dimension,
            witness,
            ..
        } => pair("contradiction", [first, second], *dimension, witness),
        RuleFault::TooEntangled { rules, dimension, .. } => {
            let numbers: Vec<usize> = rules.iter().map(|rule| rule.number).collect();
            json!({"code": "too_entangled", "rules": numbers, "dimension": dimension.to_string()})
        }
    }
}

fn pair(code: &str, rules: [&RuleName; 2], dimension: Dimension, witness: &Witness) -> Value {
    json!({
        "code": code, "rules": rules.map(|rule| rule.number),
        "dimension": dimension.to_string(), "line": witness.to_string(),
    })
}

/// "1 fault", "2 faults".
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
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
pub(in crate::commands) async fn cover(
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
