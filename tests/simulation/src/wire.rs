//! What goes wrong on the wire between the engine and its server. The engine must hide all of it: the workflow is told
//! nothing, and the model agrees.

use std::collections::BTreeMap;
use std::time::Duration;

use tieout_eventstore_stand_in::{Fault, Handle};

use crate::cluster::soon;
use crate::dice::Dice;

/// Before one append of so many something is to go wrong.
const ONE_OF: u64 = 40;
/// How long the server takes over an append in whose midst something is to end.
const SLOW: Duration = Duration::from_millis(4);
/// When it ends then.
const MIDST: Duration = Duration::from_millis(2);

/// What can go wrong on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WireFault {
    /// Appended, and the connection ends before the answer.
    AckLost,
    /// Appended, and never answered.
    AckLostSilently,
    /// Refused by one who leads no more.
    NotLeader,
    /// Answered that it took too long.
    Deadline,
    /// Answered that nobody is there.
    Unavailable,
    /// Every stream ends as if all was said.
    StreamsEnded,
    /// Every connection is reset.
    ConnectionsBroken,
}

/// All of them.
pub const WIRE_FAULTS: [WireFault; 7] = [
    WireFault::AckLost,
    WireFault::AckLostSilently,
    WireFault::NotLeader,
    WireFault::Deadline,
    WireFault::Unavailable,
    WireFault::StreamsEnded,
    WireFault::ConnectionsBroken,
];

/// How often each struck.
pub type Struck = BTreeMap<WireFault, u64>;

/// Adds what struck in one run to what struck in others.
pub(crate) fn add(sum: &mut Struck, of_a_run: &Struck) {
    for (fault, count) in of_a_run {
        *sum.entry(*fault).or_default() += count;
    }
}

/// The wire of one run.
pub(crate) struct Wire {
    switches: Handle,
    dice: Dice,
    struck: Struck,
}

/// What is to go wrong with the append under way, and how often it had before.
pub(crate) struct Aimed {
    fault: WireFault,
    before: u64,
}

impl Wire {
    pub(crate) fn of(switches: Handle, dice: Dice) -> Self {
        Self {
            switches,
            dice,
            struck: Struck::new(),
        }
    }

    /// Before an append: perhaps something is to go wrong with it.
    pub(crate) fn aim(&mut self) -> Option<Aimed> {
        if self.dice.below(ONE_OF) > 0 {
            return None;
        }
        let fault = self.dice.pick(&WIRE_FAULTS)?;
        let before = self.count(fault);
        let midst = self.dice.per_mille(500);
        let switches = self.switches.clone();
        match fault {
            WireFault::AckLost => switches.lose_acks(1),
            WireFault::AckLostSilently => switches.lose_acks_silently(1),
            WireFault::NotLeader => switches.refuse_as_not_leader(1),
            WireFault::Deadline => switches.deadline(1),
            WireFault::Unavailable => switches.unavailable(1),
            WireFault::StreamsEnded => self.end(midst, Handle::end_streams_cleanly),
            WireFault::ConnectionsBroken => self.end(midst, Handle::break_streams),
        }
        Some(Aimed { fault, before })
    }

    /// Ends something before the append, or in its midst.
    fn end(&self, midst: bool, end: impl FnOnce(&Handle) + Send + 'static) {
        if midst {
            self.switches.slow(SLOW);
            let switches = self.switches.clone();
            soon(MIDST, move || end(&switches));
        } else {
            end(&self.switches);
        }
    }

    /// After it: what struck is counted, and what did not strikes nobody else.
    pub(crate) fn settle(&mut self, aimed: Option<Aimed>) {
        let Some(Aimed { fault, before }) = aimed else {
            return;
        };
        let switches = &self.switches;
        switches.lose_acks(0);
        switches.lose_acks_silently(0);
        switches.refuse_as_not_leader(0);
        switches.deadline(0);
        switches.unavailable(0);
        switches.slow(Duration::ZERO);
        if self.count(fault) > before {
            *self.struck.entry(fault).or_default() += 1;
        }
    }

    fn count(&self, fault: WireFault) -> u64 {
        let switches = &self.switches;
        match fault {
            WireFault::AckLost => switches.struck(Fault::LoseAck),
            WireFault::AckLostSilently => switches.struck(Fault::LoseAckSilently),
            WireFault::NotLeader => switches.struck(Fault::NotLeader),
            WireFault::Deadline => switches.struck(Fault::Deadline),
            WireFault::Unavailable => switches.struck(Fault::Unavailable),
            WireFault::StreamsEnded => switches.streams_ended(),
            WireFault::ConnectionsBroken => switches.connections_cut(),
        }
    }

    pub(crate) fn struck(&self) -> Struck {
        self.struck.clone()
    }
}
