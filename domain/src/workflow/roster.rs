//! Which reports there are, and the stage each has reached: folded from the log alone, small enough for years of them.
//!
//! It reads of each event only what moves a report between stages; payloads are passed over unread.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use serde::Deserialize;

use super::known::Known;
use super::look_again::Looks;
use super::recheck::Rechecks;
use crate::ids::{DocumentKind, Generation, Reference, ReportId};
use crate::journal::{JournalError, PART_KIND, Streams, data_in_parts};
use crate::ports::{Log, Position, Recorded, StreamName};
use crate::report::{StageName, Step};

/// A document's state, as far as stages depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Planned,
    InFlight,
    Posted,
    Refused,
    Reversed,
}

/// A stage that a rewind may return to: its step, its name, its documents.
type Waypoint = (Step, StageName, Vec<(Reference, Mark)>);

/// A report in the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Its stage.
    pub stage: StageName,
    /// An intent to set the exported flag is on record.
    pub marking: bool,
    /// It bears our label at the source, or may: the flag was asked for once, and nothing takes it off.
    pub labelled: bool,
    /// A document of it was reversed in QAD once.
    pub reversed: bool,
    generations: Vec<(DocumentKind, Generation)>,
    documents: Vec<(Reference, Mark)>,
    waypoints: Vec<Waypoint>,
    steps: u32,
}
impl Default for Brief {
    fn default() -> Self {
        Self {
            stage: StageName::Unseen,
            marking: false,
            labelled: false,
            reversed: false,
            generations: Vec::new(),
            documents: Vec::new(),
            waypoints: Vec::new(),
            steps: 0,
        }
    }
}
impl Brief {
    /// Is a document being sent or in doubt?
    pub fn in_flight(&self) -> bool {
        self.documents.iter().any(|(_, mark)| *mark == Mark::InFlight)
    }
    /// Is a document still to be sent, or refused while another one stands?
    pub fn lacks_a_document(&self) -> bool {
        self.documents
            .iter()
            .any(|(_, mark)| matches!(mark, Mark::Planned | Mark::Refused))
    }

    /// Is it open again although it bears our label, or may? No listing of the unlabelled shows it: it is asked for by name.
    pub fn asked_for_by_name(&self) -> bool {
        self.labelled && self.is_open()
    }
    /// May it bear our label though the log does not know? After the log was put back to a copy: something of it stands
    /// or stood in QAD. Where no listing of the unlabelled shows it, it is asked for by name.
    pub fn may_be_hidden(&self) -> bool {
        self.is_open() && (self.reversed || self.stands_in_part())
    }
    fn is_open(&self) -> bool {
        match self.stage {
            StageName::Discovered
            | StageName::Mapped
            | StageName::Rejected
            | StageName::Held
            | StageName::Withdrawn => true,
            StageName::Posting | StageName::PartlyPosted => self.lacks_a_document() || self.in_flight(),
            StageName::Unseen | StageName::Excluded | StageName::Posted | StageName::MarkedExported => false,
        }
    }
    /// Does a document of it stand in QAD, and is none being sent or in doubt?
    pub fn is_posted(&self) -> bool {
        match self.stage {
            StageName::Posted | StageName::MarkedExported => true,
            StageName::Posting | StageName::PartlyPosted => {
                self.documents.iter().any(|(_, mark)| *mark == Mark::Posted) && !self.in_flight()
            }
            _ => false,
        }
    }

    /// Does one document of it stand while another is still to be sent?
    fn stands_in_part(&self) -> bool {
        matches!(self.stage, StageName::Posting | StageName::PartlyPosted) && self.lacks_a_document()
    }

    /// The reference that a document of the kind bears now: one from before a reversal is spent.
    fn present(&self, reference: Reference) -> Reference {
        let generation = self
            .generations
            .iter()
            .find(|(kind, _)| *kind == reference.kind)
            .map_or(Generation::FIRST, |(_, generation)| *generation);
        Reference {
            generation,
            ..reference
        }
    }

    /// The documents that are being sent or in doubt.
    pub(super) fn flying(&self) -> impl Iterator<Item = Reference> {
        self.documents
            .iter()
            .filter(|(_, mark)| *mark == Mark::InFlight)
            .map(|(reference, _)| *reference)
    }

    fn set(&mut self, reference: Option<Reference>, mark: Mark) {
        if let Some(entry) = self.documents.iter_mut().find(|(r, _)| Some(*r) == reference) {
            entry.1 = mark;
        }
        let any = |wanted: Mark| self.documents.iter().any(|(_, mark)| *mark == wanted);
        self.stage = if any(Mark::InFlight) {
            StageName::Posting
        } else if any(Mark::Posted) {
            if any(Mark::Refused) {
                StageName::PartlyPosted
            } else {
                StageName::Posting
            }
        } else if any(Mark::Reversed) {
            StageName::Excluded
        } else if any(Mark::Refused) {
            StageName::Rejected
        } else {
            StageName::Mapped
        };
    }
}

/// What moves a report, out of the facts of an event; everything else in them is passed over.
#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    documents: Vec<Named>,
    document: Option<Named>,
    reference: Option<Reference>,
    to: Option<Step>,
    then: Option<crate::report::AfterReversal>,
}
#[derive(Deserialize)]
struct Named {
    reference: Reference,
}
#[derive(Deserialize)]
struct Data {
    facts: Facts,
}

/// The reports of a connection, by id; and what a process remembers from cycle to cycle.
pub struct Roster {
    streams: Streams,
    polls: StreamName,
    after: Option<Position>,
    rechecks: Rechecks,
    briefs: BTreeMap<ReportId, Brief>,
    known: Known,
    looks: Looks,
    listed_on: Option<NaiveDate>,
}

impl Roster {
    const PAGE: usize = 1024;

    /// An empty roster of a connection.
    pub fn new(streams: Streams) -> Self {
        Self {
            polls: streams.polls(),
            streams,
            after: None,
            rechecks: Rechecks::default(),
            briefs: BTreeMap::new(),
            known: Known::default(),
            looks: Looks::default(),
            listed_on: None,
        }
    }

    /// The same, with an installation's own delays between look-ups of what is in doubt.
    #[must_use]
    pub fn looking_again_after(mut self, delays: Vec<Duration>) -> Self {
        self.looks.delayed_by(delays);
        self
    }

    /// Reads what the log has beyond what was read before.
    pub async fn catch_up<L: Log>(&mut self, log: &L) -> Result<(), JournalError> {
        loop {
            let page = log.read_all(self.after, Self::PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for mut recorded in page {
                // What is too large for one event lies in parts before it: its references too, unless it is a capture.
                let ours = self.streams.report_of(&recorded.stream).is_some();
                let capture = matches!(recorded.event.kind.as_str(), "Discovered" | "Revised");
                let intent = recorded.event.kind == "PostingStarted";
                if recorded.event.data.is_empty() && (intent || ours && !capture) {
                    recorded.event.data = data_in_parts(log, &recorded).await?;
                }
                self.apply(&recorded)?;
                self.known.apply(&recorded)?;
                self.after = Some(recorded.position);
            }
        }
    }

    /// When what is posted was last held against both systems.
    pub(super) fn rechecks(&self) -> &Rechecks {
        &self.rechecks
    }

    /// Which documents in QAD the log explains, whichever of its connections posted them.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The last look-ups of what is in doubt.
    pub(super) fn looks(&mut self) -> &mut Looks {
        &mut self.looks
    }

    /// See [`Self::looks`].
    pub(super) fn looked(&self) -> &Looks {
        &self.looks
    }

    /// The day on which this process listed our documents in QAD last.
    pub(super) fn listed_on(&self) -> Option<NaiveDate> {
        self.listed_on
    }

    pub(super) fn set_listed_on(&mut self, day: NaiveDate) {
        self.listed_on = Some(day);
    }

    /// Every report.
    pub fn iter(&self) -> impl Iterator<Item = (ReportId, &Brief)> {
        self.briefs.iter().map(|(id, brief)| (*id, brief))
    }

    /// One report.
    pub fn get(&self, report: ReportId) -> Option<&Brief> {
        self.briefs.get(&report)
    }

    /// The reports for which `wanted` holds.
    pub fn select(&self, wanted: impl Fn(&Brief) -> bool) -> Vec<ReportId> {
        self.briefs
            .iter()
            .filter(|(_, brief)| wanted(brief))
            .map(|(id, _)| *id)
            .collect()
    }

    fn apply(&mut self, recorded: &Recorded) -> Result<(), JournalError> {
        if recorded.stream == self.polls {
            return self.rechecks.note(recorded);
        }
        let Some(report) = self.streams.report_of(&recorded.stream) else {
            return Ok(());
        };
        let kind = recorded.event.kind.as_str();
        if kind == PART_KIND {
            return Ok(());
        }
        let brief = self.briefs.entry(report).or_default();
        let step = Step(brief.steps);
        brief.steps = brief.steps.saturating_add(1);
        let facts = || -> Result<Facts, JournalError> {
            serde_json::from_slice::<Data>(&recorded.event.data)
                .map(|data| data.facts)
                .map_err(|source| JournalError::Codec {
                    stream: recorded.stream.clone(),
                    revision: recorded.revision.0,
                    source: crate::journal::CodecError::Json {
                        kind: kind.to_owned(),
                        doing: "read",
                        source,
                    },
                })
        };
        match kind {
            "Discovered" | "Revised" => {
                brief.stage = StageName::Discovered;
                brief.documents.clear();
            }
            "Withdrawn" => brief.stage = StageName::Withdrawn,
            "Excluded" => brief.stage = StageName::Excluded,
            "Rejected" => brief.stage = StageName::Rejected,
            "Held" => brief.stage = StageName::Held,
            "Mapped" => {
                brief.stage = StageName::Mapped;
                brief.documents = facts()?
                    .documents
                    .into_iter()
                    .map(|named| (named.reference, Mark::Planned))
                    .collect();
            }
            "PostingStarted" => {
                let reference = facts()?.document.map(|named| named.reference);
                if let Some(reference) = reference
                    && !brief.documents.iter().any(|(known, _)| *known == reference)
                {
                    brief.documents.push((reference, Mark::Planned));
                }
                brief.set(reference, Mark::InFlight);
            }
            "PostingInDoubt" => brief.set(facts()?.reference, Mark::InFlight),
            "DocumentPosted" => brief.set(facts()?.reference, Mark::Posted),
            "DocumentRefused" => brief.set(facts()?.reference, Mark::Refused),
            "PostingFailed" => brief.set(facts()?.reference, Mark::Planned),
            "Posted" => {
                brief.stage = StageName::Posted;
                brief.marking = false;
            }
            "MarkingStarted" => {
                brief.marking = true;
                brief.labelled = true;
            }
            "MarkedExported" => {
                brief.stage = StageName::MarkedExported;
                // Kept: once reversed, it may be taken back to any of them.
                brief.waypoints.shrink_to_fit();
            }
            "Rewound" => {
                let to = facts()?.to;
                if let Some((_, stage, documents)) =
                    brief.waypoints.iter().find(|(at, _, _)| Some(*at) == to).cloned()
                {
                    brief.stage = stage;
                    brief.documents = documents
                        .into_iter()
                        .map(|(reference, mark)| (brief.present(reference), mark))
                        .collect();
                }
            }
            "DocumentReversed" => {
                let facts = facts()?;
                brief.reversed = true;
                if let Some(reference) = facts.reference {
                    brief.generations.retain(|(kind, _)| *kind != reference.kind);
                    brief
                        .generations
                        .push((reference.kind, reference.generation.next()));
                }
                match (facts.reference, facts.then) {
                    (Some(reference), Some(crate::report::AfterReversal::PlannedAgain)) => {
                        let next = Reference {
                            generation: reference.generation.next(),
                            ..reference
                        };
                        brief.documents.retain(|(known, _)| *known != reference);
                        brief.documents.push((next, Mark::Planned));
                        brief.set(Some(next), Mark::Planned);
                    }
                    (reference, _) => brief.set(reference, Mark::Reversed),
                }
            }
            _ => {}
        }
        if matches!(kind, "Discovered" | "Revised" | "Mapped" | "Rejected" | "Held") {
            brief.waypoints.push((step, brief.stage, brief.documents.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
