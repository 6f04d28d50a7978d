//! Whose rule sets are meant, and which of them.

use std::path::Path;

use tieout_domain::rules::{RuleSet, RuleSetFile, RuleSetHash, RuleSets};
use tieout_domain::workflow::{Connection, Desk, WorkflowError};

use crate::commands::decide::WithoutEffects;
use crate::config::ConnectionConfig;
use crate::installation::{Installation, refused};
use crate::out::Failure;

/// Whose rule sets: of one connection of the installation.
pub(super) struct Place<'a> {
    pub(super) installation: &'a Installation,
    pub(super) config: &'a ConnectionConfig,
    pub(super) connection: Connection,
    pub(super) world: WithoutEffects<'a>,
}

impl<'a> Place<'a> {
    /// The connection named, or the only one.
    pub(super) fn of(installation: &'a Installation, name: Option<String>) -> Result<Self, Failure> {
        let chosen = installation.config.chosen(name.as_deref())?;
        let [config] = chosen.as_slice() else {
            let names: Vec<&str> = chosen.iter().map(|c| c.name.as_str()).collect();
            return Err(Failure::Usage(format!(
                "rule sets are of one connection: name it with --connection ({})",
                names.join(", ")
            )));
        };
        Ok(Self {
            installation,
            config,
            connection: installation.connection(config)?,
            world: WithoutEffects::of(installation),
        })
    }

    /// A desk that writes to the log alone.
    pub(super) fn desk(&self, command: &str) -> Desk<'_, WithoutEffects<'a>> {
        Desk::for_command(&self.world, &self.connection, self.installation.instance, command)
    }
}

/// The one set that is meant by the beginning of its hash.
pub(super) fn meant<'a>(
    sets: &'a RuleSets,
    beginning: &'a str,
) -> Result<(&'a RuleSetHash, &'a RuleSetFile), Failure> {
    let beginning = beginning.trim();
    let mut found = sets.named(beginning);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::Usage(format!(
            "no rule set of this connection begins with `{beginning}`: `tieout rules list` names them"
        ))),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "more than one rule set begins with `{beginning}`: write more of its hash"
        ))),
    }
}

/// A file, `active`, or the beginning of a hash.
pub(super) fn named(place: &Place<'_>, sets: &RuleSets, text: &str) -> Result<RuleSet, Failure> {
    let parse = |content: &str| RuleSet::parse(content).map_err(|faults| refused(text, &faults));
    if text == "active" {
        let active = sets.active().ok_or(WorkflowError::NoRules)?;
        return parse(&active.content);
    }
    if Path::new(text).is_file() {
        return Ok(place.installation.rule_file(Path::new(text))?.0);
    }
    parse(&meant(sets, text)?.1.content)
}
