//! Who the operators are, and which key was whose when: folded from their stream.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{OperatorEvent, OsUser, Proof, PublicKey};
use crate::ids::{EventId, PersonName};
use crate::journal::Entry;
use crate::ports::Position;

/// Where an event of the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Among all events of the log.
    pub position: Position,
    /// When it was recorded, by the writer's clock.
    pub at: DateTime<Utc>,
}

/// The moment for which is asked whose key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At the end of the stream as it was read.
    Now,
    /// For an event that stands there. This is the one for events: a position cannot be dated back.
    Position(Position),
    /// At an instant, by the clocks of the writers: for people's questions.
    Instant(DateTime<Utc>),
}

impl At {
    fn is_after(self, mark: Mark) -> bool {
        match self {
            Self::Now => true,
            Self::Position(position) => mark.position < position,
            Self::Instant(at) => mark.at <= at,
        }
    }
}

/// A key, and since when it is the operator's: until the next one, or until the operator retires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPeriod {
    /// The key.
    pub public_key: PublicKey,
    /// Since when.
    pub since: Mark,
    /// The event that brought it.
    pub event: EventId,
    /// Whose process brought it.
    pub os_user: OsUser,
    /// Why it replaced the key before; `None` for the first one.
    pub why: Option<String>,
    /// Who vouched for it, if somebody did.
    pub proof: Option<Proof>,
}

/// The end of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Since when.
    pub since: Mark,
    /// The event that says so.
    pub event: EventId,
    /// Whose process did it.
    pub os_user: OsUser,
    /// Why.
    pub why: String,
    /// Who vouched for it, if somebody did.
    pub proof: Option<Proof>,
}

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The name.
    pub name: PersonName,
    /// Whose process enrolled.
    pub os_user: OsUser,
    first: KeyPeriod,
    later: Vec<KeyPeriod>,
    /// Whether, and since when, the operator signs no more.
    pub retired: Option<Retired>,
}

impl Operator {
    /// Every key there ever was, oldest first.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &KeyPeriod> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The last key, retired or not.
    pub fn last_key(&self) -> &KeyPeriod {
        self.later.last().unwrap_or(&self.first)
    }

    /// When the operator was enrolled.
    pub fn enrolled(&self) -> Mark {
        self.first.since
    }

    /// The key that counts then; `None` before the enrolment and after retiring.
    pub fn key_in_force(&self, at: At) -> Option<&KeyPeriod> {
        if self
            .retired
            .as_ref()
            .is_some_and(|retired| at.is_after(retired.since))
        {
            return None;
        }
        self.keys().rev().find(|key| at.is_after(key.since))
    }
}

/// An event of the stream that no command of ours writes: it says something else than the stream before it allows. It
/// changes nothing, and is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irregular {
    /// Where it stands.
    pub mark: Mark,
    /// Its id.
    pub event: EventId,
    /// Of whom it tells.
    pub name: PersonName,
    /// What is wrong with it.
    pub what: &'static str,
}

/// All operators of an installation, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operators {
    operators: BTreeMap<PersonName, Operator>,
    irregular: Vec<Irregular>,
}

impl Operators {
    /// Folds the stream, oldest first.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry<OperatorEvent>>) -> Self {
        let mut operators = Self::default();
        for entry in entries {
            operators.apply(entry);
        }
        operators
    }

    /// Takes one more event in.
    pub fn apply(&mut self, entry: &Entry<OperatorEvent>) {
        if let Err(what) = self.try_apply(entry) {
            self.irregular.push(Irregular {
                mark: mark_of(entry),
                event: entry.id,
                name: entry.event.name().clone(),
                what,
            });
        }
    }

    fn try_apply(&mut self, entry: &Entry<OperatorEvent>) -> Result<(), &'static str> {
        let since = mark_of(entry);
        match &entry.event {
            OperatorEvent::OperatorEnrolled {
                name,
                os_user,
                public_key,
                fingerprint,
            } => {
                if self.operators.contains_key(name) {
                    return Err("it enrols a name that was enrolled before");
                }
                if public_key.fingerprint() != *fingerprint {
                    return Err("its fingerprint is not that of its key");
                }
                if self.has_key(public_key) {
                    return Err("its key is, or was, a key on record already");
                }
                let first = KeyPeriod {
                    public_key: *public_key,
                    since,
                    event: entry.id,
                    os_user: os_user.clone(),
                    why: None,
                    proof: None,
                };
                let operator = Operator {
                    name: name.clone(),
                    os_user: os_user.clone(),
                    first,
                    later: Vec::new(),
                    retired: None,
                };
                self.operators.insert(name.clone(), operator);
            }
            OperatorEvent::OperatorKeyReplaced {
                name,
                os_user,
                public_key,
                fingerprint,
                replaced,
                why,
                proof,
            } => {
                let known = self.has_key(public_key);
                let operator = self.active(name)?;
                if public_key.fingerprint() != *fingerprint {
                    return Err("its fingerprint is not that of its key");
                }
                if operator.last_key().public_key.fingerprint() != *replaced {
                    return Err("it replaces a key that was not in force");
                }
                if known {
                    return Err("its key is, or was, a key on record already");
                }
                operator.later.push(KeyPeriod {
                    public_key: *public_key,
                    since,
                    event: entry.id,
                    os_user: os_user.clone(),
                    why: Some(why.clone()),
                    proof: proof.clone(),
                });
            }
            OperatorEvent::OperatorRetired {
                name,
                os_user,
                why,
                proof,
            } => {
                self.active(name)?.retired = Some(Retired {
                    since,
                    event: entry.id,
                    os_user: os_user.clone(),
                    why: why.clone(),
                    proof: proof.clone(),
                });
            }
        }
        Ok(())
    }

    fn active(&mut self, name: &PersonName) -> Result<&mut Operator, &'static str> {
        let operator = self
            .operators
            .get_mut(name)
            .ok_or("it tells of a name that was never enrolled")?;
        match operator.retired {
            None => Ok(operator),
            Some(_) => Err("it tells of an operator who had retired"),
        }
    }

    pub(super) fn has_key(&self, key: &PublicKey) -> bool {
        self.iter()
            .flat_map(Operator::keys)
            .any(|period| period.public_key == *key)
    }

    /// The operator of this name.
    pub fn get(&self, name: &PersonName) -> Option<&Operator> {
        self.operators.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Operator> {
        self.operators.values()
    }

    /// Events that no command of ours writes, oldest first.
    pub fn irregular(&self) -> &[Irregular] {
        &self.irregular
    }

    /// The operators who were enrolled by this user of the operating system and did not retire, by name.
    pub fn enrolled_by<'a>(&'a self, os_user: &'a OsUser) -> impl Iterator<Item = &'a Operator> {
        self.iter()
            .filter(|operator| operator.retired.is_none() && operator.os_user.is(os_user))
    }
}

fn mark_of(entry: &Entry<OperatorEvent>) -> Mark {
    Mark {
        position: entry.position,
        at: entry.envelope.recorded_at,
    }
}
