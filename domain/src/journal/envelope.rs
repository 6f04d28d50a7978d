//! What stands beside every event: who, why, when recorded, when effective, and which build wrote it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{CycleId, EventId, PersonName};

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Actor {
    /// A person, as the command line knows one.
    Person {
        /// Name.
        name: PersonName,
    },
    /// A part of the program that acts by itself.
    System {
        /// Which.
        part: SystemActor,
    },
}

/// The parts of the program that act by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemActor {
    /// Refreshes the chart.
    ChartKeeper,
    /// Lists the source.
    Poller,
    /// Settles what is in doubt.
    Resolver,
    /// Applies the rules.
    Mapper,
    /// Posts.
    Poster,
    /// Sets the exported flag.
    Marker,
    /// Holds what is posted against the source and QAD again.
    Rechecker,
    /// Holds what QAD shows against the log.
    Reconciler,
}
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { name } => name.fmt(f),
            Self::System { part } => f.write_str(match part {
                SystemActor::ChartKeeper => "system: chart keeper",
                SystemActor::Poller => "system: poller",
                SystemActor::Resolver => "system: resolver",
                SystemActor::Mapper => "system: mapper",
                SystemActor::Poster => "system: poster",
                SystemActor::Marker => "system: marker",
                SystemActor::Rechecker => "system: rechecker",
                SystemActor::Reconciler => "system: reconciler",
            }),
        }
    }
}

/// What gave rise to an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Cause {
    /// A cycle of the connection.
    Cycle {
        /// Which.
        cycle: CycleId,
    },
    /// A command a person gave.
    Command {
        /// Its name, e.g. `exclude`.
        name: String,
    },
}
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle { cycle } => write!(f, "cycle {cycle}"),
            Self::Command { name } => write!(f, "command `{name}`"),
        }
    }
}

/// What the writer says of an event; the journal adds when it was recorded and by which build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
}

/// What is kept beside an event, in its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of the event type's schema.
    pub schema: u16,
    /// When it was recorded; within one writer it never decreases.
    pub recorded_at: DateTime<Utc>,
    /// When it took effect in the business (design §4).
    pub effective_at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// The build that wrote it.
    pub build: String,
    /// How many parts before it in the stream hold its data; 0 where it holds its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(parts: &u64) -> bool {
    *parts == 0
}

/// An event as read: the fact, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<E> {
    /// The fact.
    pub event: E,
    /// Its id.
    pub id: EventId,
    /// What stands beside it.
    pub envelope: Envelope,
    /// Its stream.
    pub stream: crate::ports::StreamName,
    /// Its number in the stream (parts count too).
    pub revision: crate::ports::Revision,
    /// Its place among all events.
    pub position: crate::ports::Position,
}
