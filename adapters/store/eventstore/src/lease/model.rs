//! Every order of events, for two who ask: reads, writes, answers that come late or never, writes that arrive after their
//! writer gave up, and time, are steps of their own; all orders of them within bounds are walked.
//!
//! In none of them do both hold it at one instant, is anybody told that it is theirs whose it is, or does what was given
//! back stand as held.

use std::collections::HashSet;
use std::time::Duration;

use tieout_domain::ids::EventId;
use tieout_domain::ports::Revision;
use uuid::Uuid;

use super::rule::{Attempt, Last, Look, Memory, Note};

const TERM: u64 = 2;
const NAMES: [&str; 2] = ["one", "other"];

/// How far the walk goes.
#[derive(Clone, Copy)]
struct Bounds {
    /// Instants.
    time: u64,
    /// Notes that are ever made.
    notes: u128,
    /// How often each may begin something.
    calls: u32,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Call {
    Ask { asked: u64 },
    Release,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    Begun(Call),
    Read(Call, Option<Last>),
    Sent(Call, Attempt),
    /// It stands, and the answer is on its way.
    Landed(Call, Attempt),
    /// The place was taken, and the answer is on its way.
    Refused(Call, Attempt),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Asker {
    memory: Memory,
    phase: Phase,
    /// Until when it believes to hold it, in everybody's time.
    until: u64,
    /// What it sent and gave up on: may yet arrive.
    adrift: Vec<Attempt>,
    calls: u32,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    now: u64,
    last: Option<Last>,
    /// Everything that ever stood.
    stood: Vec<EventId>,
    made: u128,
    askers: [Asker; 2],
}

impl World {
    fn begin() -> Self {
        let asker = || Asker {
            memory: Memory::default(),
            phase: Phase::Idle,
            until: 0,
            adrift: Vec::new(),
            calls: 0,
        };
        Self {
            now: 0,
            last: None,
            stood: Vec::new(),
            made: 0,
            askers: [asker(), asker()],
        }
    }

    /// As the server does: at its place, or found there already.
    fn lands(&mut self, attempt: &Attempt) -> bool {
        if self.stood.contains(&attempt.id) {
            return true;
        }
        let head = self.last.as_ref().map(|last| last.revision);
        if head != attempt.after {
            return false;
        }
        self.stood.push(attempt.id);
        self.last = Some(Last {
            revision: Revision(head.map_or(0, |head| head.0 + 1)),
            id: attempt.id,
            note: attempt.note.clone(),
        });
        true
    }

    fn check(&self) {
        let holders = self.askers.iter().filter(|asker| self.now < asker.until).count();
        assert!(holders <= 1, "both hold it at {}", self.now);
    }

    /// Everything that may happen next.
    fn next(&self, bounds: Bounds, origins: [u64; 2]) -> Vec<Self> {
        let mut all = Vec::new();
        if self.now < bounds.time {
            let mut later = self.clone();
            later.now += 1;
            all.push(later);
        }
        for (who, origin) in origins.into_iter().enumerate() {
            self.of(who, origin, bounds, &mut all);
        }
        all
    }

    fn of(&self, who: usize, origin: u64, bounds: Bounds, all: &mut Vec<Self>) {
        let mut goes = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            all.push(world);
        };
        let asker = &self.askers[who];
        for index in 0..asker.adrift.len() {
            goes(&|world| {
                let attempt = world.askers[who].adrift.remove(index);
                world.lands(&attempt);
            });
        }
        match &asker.phase {
            Phase::Idle if asker.calls == bounds.calls => {}
            Phase::Idle => {
                goes(&|world| {
                    world.askers[who].calls += 1;
                    world.askers[who].phase = Phase::Begun(Call::Ask { asked: world.now });
                });
                if !asker.memory.is_blank() {
                    goes(&|world| {
                        world.askers[who].calls += 1;
                        world.askers[who].until = 0;
                        world.askers[who].phase = Phase::Begun(Call::Release);
                    });
                }
            }
            Phase::Begun(call) => goes(&|world| {
                world.askers[who].phase = Phase::Read(call.clone(), world.last.clone());
            }),
            Phase::Read(call, _) if self.made == bounds.notes => {
                // Out of notes: it gives up.
                let _ = call;
                goes(&|world| world.askers[who].phase = Phase::Idle);
            }
            Phase::Read(call, last) => goes(&|world| world.looks(who, origin, call, last.as_ref())),
            Phase::Sent(call, attempt) => {
                goes(&|world| {
                    let landed = world.lands(attempt);
                    let phase = if landed { Phase::Landed } else { Phase::Refused };
                    world.askers[who].phase = phase(call.clone(), attempt.clone());
                });
                // No answer: it gives up, and what it sent is adrift.
                goes(&|world| {
                    world.askers[who].phase = Phase::Idle;
                    world.askers[who].adrift.push(attempt.clone());
                });
            }
            Phase::Landed(call, attempt) => {
                goes(&|world| {
                    let asker = &mut world.askers[who];
                    asker.memory.wrote(attempt, true);
                    asker.phase = Phase::Idle;
                    match call {
                        Call::Ask { asked } => asker.until = asked + TERM,
                        Call::Release => world.is_given_back(who),
                    }
                });
                goes(&|world| world.askers[who].phase = Phase::Idle);
            }
            Phase::Refused(call, attempt) => {
                goes(&|world| {
                    let now = world.now;
                    let asker = &mut world.askers[who];
                    asker.memory.wrote(attempt, false);
                    asker.phase = match call {
                        Call::Ask { .. } => Phase::Begun(Call::Ask { asked: now }),
                        Call::Release => Phase::Begun(Call::Release),
                    };
                });
                goes(&|world| world.askers[who].phase = Phase::Idle);
            }
        }
    }

    fn looks(&mut self, who: usize, origin: u64, call: &Call, last: Option<&Last>) {
        let made = self.made;
        let fresh = || EventId(Uuid::from_u128(made + 1));
        let owner = NAMES[who].to_owned();
        let own = Duration::from_millis(origin + self.now);
        let asker = &mut self.askers[who];
        let attempt = match call {
            Call::Ask { .. } => {
                let wanted = Note::Held {
                    owner,
                    host: String::new(),
                    term_ms: TERM,
                };
                match asker.memory.look(last, wanted, own, fresh) {
                    Look::Write(attempt) => Some(attempt),
                    Look::Theirs { owner, .. } => {
                        assert_ne!(owner, NAMES[who], "locked out by a note of its own");
                        asker.until = 0;
                        None
                    }
                }
            }
            Call::Release => asker.memory.give_back(last, Note::Released { owner }, fresh),
        };
        match attempt {
            Some(attempt) => {
                self.made = self.made.max(attempt.id.0.as_u128());
                self.askers[who].phase = Phase::Sent(call.clone(), attempt);
            }
            None => {
                self.askers[who].phase = Phase::Idle;
                if *call == Call::Release {
                    self.is_given_back(who);
                }
            }
        }
    }

    /// What was given back is not held, and nothing that is adrift can make it so.
    fn is_given_back(&self, who: usize) {
        let held = |note: &Note| matches!(note, Note::Held { owner, .. } if owner == NAMES[who]);
        let head = self.last.as_ref().map(|last| last.revision);
        assert!(
            !self.last.as_ref().is_some_and(|last| held(&last.note)),
            "given back, and still held"
        );
        assert!(
            !self.askers[who].adrift.iter().any(|attempt| held(&attempt.note)
                && attempt.after == head
                && !self.stood.contains(&attempt.id)),
            "given back, and held later"
        );
    }
}

/// Walks all orders; how many worlds there are, and in how many somebody holds it who is not the first that did.
fn walk(bounds: Bounds, origins: [u64; 2]) -> (usize, usize) {
    let mut met = HashSet::new();
    let mut open = vec![World::begin()];
    let mut handed_on = 0;
    while let Some(world) = open.pop() {
        for next in world.next(bounds, origins) {
            next.check();
            if !met.contains(&next) {
                let other_before = next.askers[0].until > 0 && next.askers[0].until <= next.now;
                handed_on += usize::from(other_before && next.now < next.askers[1].until);
                met.insert(next.clone());
                open.push(next);
            }
        }
    }
    (met.len(), handed_on)
}

#[test]
fn in_no_order_of_events_do_both_hold_it() {
    let bounds = Bounds {
        time: 3,
        notes: 3,
        calls: 2,
    };
    let (worlds, handed_on) = walk(bounds, [0, 1_000]);
    assert!(worlds > 10_000, "{worlds}");
    assert!(handed_on > 100, "it went from hand to hand in {handed_on}");
}
