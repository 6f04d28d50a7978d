//! Which log is under the workflow: the one in memory; or the engine that speaks to an EventStoreDB server, through the
//! server's stand-in, with the one in memory beside it as the model of what it answers.
//!
//! A run over the engine must be, line for line, the run that the same plan gives over memory: whatever befalls the wire,
//! the workflow must not see it.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr;

use tieout_domain::ports::LogError;

use crate::beside::Beside;
use crate::cluster::Server;
use crate::dice::Dice;
use crate::plan::Plan;
use crate::real::Real;
use crate::run::{Outcome, carry_out, run, run_traced};
use crate::wire::Wire;

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// In memory, without threads or sockets.
    #[default]
    Memory,
    /// EventStoreDB, over real sockets.
    EventStore,
    /// SQLite, in a file.
    Sqlite,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::EventStore => "eventstore",
            Self::Sqlite => "sqlite",
        })
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Memory, Self::EventStore, Self::Sqlite]
            .into_iter()
            .find(|engine| engine.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no engine: write memory, eventstore or sqlite"))
    }
}

impl Engine {
    /// Runs a plan with this log under the workflow.
    pub fn run(self, plan: &Plan) -> Outcome {
        match self {
            Self::Memory => run(plan),
            Self::EventStore | Self::Sqlite => {
                let mut outcome = self.run_traced(plan);
                outcome.trace.clear();
                outcome
            }
        }
    }

    /// The same, and keeps every line of its trace.
    pub fn run_traced(self, plan: &Plan) -> Outcome {
        match self {
            Self::Memory => run_traced(plan),
            Self::EventStore | Self::Sqlite => self.kept(plan).0,
        }
    }

    /// The same, with the log that it leaves; `None` for the one in memory. Over the cluster's engine faults befall the
    /// wire, which follow from the plan. The run is held against the run over memory.
    pub fn kept(self, plan: &Plan) -> (Outcome, Option<Real>) {
        match self {
            Self::Memory => (run_traced(plan), None),
            Self::EventStore => Server::lent(|server| {
                let wire = Wire::of(server.switches(), Dice::new(seed(plan)));
                beside_its_model(plan, server.log().map(Real::EventStore), Some(wire))
            }),
            Self::Sqlite => beside_its_model(plan, Real::sqlite(), None),
        }
    }
}

/// Over an engine, held against the run over memory.
fn beside_its_model(plan: &Plan, log: Result<Real, LogError>, wire: Option<Wire>) -> (Outcome, Option<Real>) {
    let log = match log {
        Ok(log) => log,
        Err(error) => {
            let outcome = Outcome {
                violations: vec![format!("the engine opens no log: {error}")],
                ..run(plan)
            };
            return (outcome, None);
        }
    };
    let engine = Beside::begin(log, wire);
    let mut outcome = carry_out(plan, true, Some(engine.clone()));
    if outcome.violations.is_empty() && outcome.hash != run(plan).hash {
        outcome
            .violations
            .push(parting(&outcome.trace, &run_traced(plan).trace));
    }
    (outcome, Some(engine.log()))
}

/// Where the two runs part.
fn parting(engine: &[String], memory: &[String]) -> String {
    let longest = engine.len().max(memory.len());
    let at = (0..longest).find(|at| engine.get(*at) != memory.get(*at));
    let line = |lines: &[String]| at.and_then(|at| lines.get(at).cloned());
    format!(
        "over the engine the run goes another way: {:?} where memory has {:?}",
        line(engine),
        line(memory)
    )
}

/// A plan has no seed of its own, and shrinks; so the dice of the wire begin with what it is.
fn seed(plan: &Plan) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(plan).expect("a plan").hash(&mut hasher);
    hasher.finish()
}
