//! `tieout rules check`: everything that can be found out about a rule set before a report meets it, at once: its faults,
//! what is odd about it, what QAD's chart would refuse, and which of Expensify's categories, tags and members it leaves out.
//!
//! Ends with 1 where there is an error: the check itself went well, and its finding needs a person. Warnings and remarks
//! alone are 0. A file that cannot be read at all is wrong usage, 2.

mod chart;
mod checked;
mod coverage;
mod found;
mod gap;
mod json;
mod members;
mod plain;
mod sarif;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tieout_expensify::PolicyField;

pub(in crate::commands) use self::chart::Charted;
use self::checked::Checked;
pub(in crate::commands) use self::coverage::PolicyCoverage;
use self::found::Level;
use crate::cli::{CheckArgs, Format};
use crate::config::{Config, ConnectionConfig};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out, PERSON};

/// Checks, and says what it found.
pub async fn run(config: &Path, args: CheckArgs, out: Out) -> Result<u8, Failure> {
    let format = format(args.format, out)?;
    let checked = look(config, &args).await?;
    say(&checked, format)?;
    let errors = checked
        .iter()
        .flat_map(Checked::found)
        .any(|found| found.level == Level::Error);
    Ok(if errors { PERSON } else { DONE })
}

fn format(asked: Option<Format>, out: Out) -> Result<Format, Failure> {
    match (asked, out.json) {
        (None, false) => Ok(Format::Plain),
        (None | Some(Format::Json), _) => Ok(Format::Json),
        (Some(other), false) => Ok(other),
        (Some(_), true) => Err(Failure::Usage(
            "--json is --format json: leave one of the two out".to_owned(),
        )),
    }
}

async fn look(config: &Path, args: &CheckArgs) -> Result<Vec<Checked>, Failure> {
    let named = args.connection.as_deref();
    if !args.chart && !args.coverage {
        return match &args.file {
            // A set can be checked where nothing is installed, in a review for instance.
            Some(file) if named.is_none() => Ok(vec![Checked::read(file, Vec::new())?]),
            file => chosen(&Config::read(config)?, file.as_deref(), named),
        };
    }
    let installation = Installation::open(config).await?;
    let mut checked = chosen(&installation.config, args.file.as_deref(), named)?;
    for set in &mut checked {
        let connections: Vec<&ConnectionConfig> = installation
            .config
            .connection
            .iter()
            .filter(|c| set.connections.contains(&c.name.to_string()))
            .collect();
        let Ok(rules) = &set.rules else { continue };
        let (mut charts, mut covered) = (Vec::new(), Vec::new());
        for connection in connections {
            let chart = chart::of(&installation, connection).await?;
            if args.chart {
                charts.push(Charted::of(rules, &chart, connection));
            }
            if args.coverage {
                let mut policies = cover(&installation, connection, &set.text).await?;
                members::add(&installation, connection, rules, &chart, &mut policies).await?;
                covered.extend(policies);
            }
        }
        set.charts = args.chart.then_some(charts);
        set.coverage = args.coverage.then_some(covered);
    }
    Ok(checked)
}

/// The file that was given; else each file that the chosen connections name, once, with the connections it is for.
fn chosen(config: &Config, file: Option<&Path>, named: Option<&str>) -> Result<Vec<Checked>, Failure> {
    if let Some(file) = file {
        return Ok(vec![Checked::read(file, meant_by(config, file, named)?)?]);
    }
    let mut files: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for connection in config.chosen(named)? {
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

/// The connections that a given file is held against: the one that is named; else those that use it; for a draft, the only
/// one there is.
fn meant_by(config: &Config, file: &Path, named: Option<&str>) -> Result<Vec<String>, Failure> {
    let all = config.chosen(named)?;
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
            "no connection uses {}, and there is more than one: name the one it is for with --connection",
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

/// The chart of a connection as the log has it.
pub(in crate::commands) use self::chart::of as chart_of;

fn say(checked: &[Checked], format: Format) -> Result<(), Failure> {
    let document = Out { json: true };
    match format {
        Format::Plain => checked
            .iter()
            .try_for_each(|set| Out { json: false }.words(&plain::words(set))),
        Format::Json => document.document(&checked.iter().map(json::of).collect::<Vec<_>>()),
        Format::Sarif => document.document(&sarif::of(checked, &current_folder()?)),
    }
}

/// What places in a SARIF log are relative to.
fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .map_err(|e| Failure::Usage(format!("the current folder cannot be found: {e}")))
}
