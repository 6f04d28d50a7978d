//! `tieout reverse`: a person reversed a document in QAD, and says so here. QAD is asked before the word is taken down: what
//! it does not show as reversed is not recorded as reversed.

use serde_json::json;
use tieout_domain::ids::{Reference, ReportId};
use tieout_domain::ports::{Ledger as _, LookUp};
use tieout_domain::posting::{DocumentKey, Sighting};
use tieout_domain::report::{AfterReversal, CaseName, DocumentState, Report, StageName};
use tieout_domain::workflow::{Desk, Reversed};

use super::{Decided, WithoutEffects, tell};
use crate::cli::ReverseArgs;
use crate::commands::find;
use crate::commands::terminal::safe;
use crate::installation::{Installation, Qad};
use crate::out::{DONE, Failure, Out};

/// Records that a document was reversed.
pub async fn reverse(installation: &Installation, args: ReverseArgs, out: Out) -> Result<u8, Failure> {
    let Decided { actor, why } = Decided::of(&args.decision)?;
    let by = args.by.trim();
    if by.is_empty() {
        return Err(Failure::Usage(
            "--by is blank: say where the reversal stands in QAD".to_owned(),
        ));
    }
    let named = args
        .reference
        .as_deref()
        .map(|text| {
            text.parse::<Reference>()
                .map_err(|e| Failure::Usage(format!("--reference: {e}")))
        })
        .transpose()?;
    let then = if args.again {
        AfterReversal::PlannedAgain
    } else {
        AfterReversal::Excluded
    };
    let found = find::report(
        installation,
        &args.decision.report,
        args.decision.connection.as_deref(),
    )
    .await?;
    // QAD is asked here; the desk, which writes, reaches the log alone.
    let ledger = installation.qad(found.connection, None)?;
    let world = WithoutEffects::of(installation);
    let connection = installation.connection(found.connection)?;
    let desk = Desk::for_command(&world, &connection, installation.instance, "reverse");

    let report = desk.load(found.report).await?.report;
    let shown = match ledger.look_up(found.report).await? {
        LookUp::Found(sightings) => sightings,
        LookUp::Absent => Vec::new(),
    };
    let meant = meant(&report, found.report, named, &shown)?;
    if let Meant::Standing { reference, key } = &meant {
        reversed_in_qad(&ledger, *reference, key, &shown).await?;
    }
    if then == AfterReversal::PlannedAgain {
        nothing_else_stands(&report, &shown)?;
    }
    let reference = meant.reference();
    let Reversed {
        after,
        events,
        released,
    } = desk
        .reverse(found.report, actor, reference, by, then, &why)
        .await?;

    out.words(&words(found.report, reference, by, &after.report, then, events))?;
    if !released.is_empty() {
        out.words(&format!(
            "Its {} released: they may travel in any report again.",
            match released.len() {
                1 => "one expense is".to_owned(),
                many => format!("{many} expenses are"),
            }
        ))?;
    }
    tell(
        found,
        &after,
        events,
        json!({
            "decided": "reverse", "reference": reference, "ledger_reference": by, "then": then, "released": released,
        }),
        out,
    )?;
    Ok(DONE)
}

/// The document that is meant.
enum Meant {
    /// One that the log says stands.
    Standing { reference: Reference, key: DocumentKey },
    /// One whose reversal is on record: what it left undone is done.
    OnRecord(Reference),
}
impl Meant {
    fn reference(&self) -> Reference {
        match self {
            Self::Standing { reference, .. } | Self::OnRecord(reference) => *reference,
        }
    }
}

/// The document named; else the only one posted; else the only posted one that QAD shows as reversed.
fn meant(
    report: &Report,
    id: ReportId,
    named: Option<Reference>,
    shown: &[Sighting],
) -> Result<Meant, Failure> {
    let files = report
        .dossier()
        .map(|dossier| dossier.documents.as_slice())
        .unwrap_or_default();
    let standing: Vec<(Reference, &DocumentKey)> = files
        .iter()
        .filter_map(|file| match &file.state {
            DocumentState::Posted { key, .. } => Some((file.document.reference, key)),
            _ => None,
        })
        .collect();
    let pick = |(reference, key): (Reference, &DocumentKey)| {
        Ok(Meant::Standing {
            reference,
            key: key.clone(),
        })
    };
    if let Some(reference) = named {
        if let Some(one) = standing.iter().find(|(known, _)| *known == reference) {
            return pick(*one);
        }
        if reference.report == id && reference.generation < report.generation(reference.kind) {
            return Ok(Meant::OnRecord(reference));
        }
        let state = files
            .iter()
            .find(|file| file.document.reference == reference)
            .map(|file| file.state.name());
        return Err(Failure::Person(state.map_or_else(
            || {
                format!(
                    "report {id} has no document {reference}: `tieout show {id}` lists what it has; nothing was recorded"
                )
            },
            |state| {
                format!(
                    "document {reference} of report {id} is {state}, not posted: there is nothing to reverse, and nothing \
                     was recorded"
                )
            },
        )));
    }
    let reversed: Vec<(Reference, &DocumentKey)> = standing
        .iter()
        .filter(|(reference, key)| {
            shown
                .iter()
                .any(|s| s.reference == *reference && s.key == **key && s.reversed)
        })
        .copied()
        .collect();
    match (standing.as_slice(), reversed.as_slice()) {
        ([one], _) | (_, [one]) => pick(*one),
        ([], _) => Err(Failure::Person(format!(
            "report {id} is {} and has no posted document: there is nothing to reverse, and nothing was recorded",
            report.stage().name()
        ))),
        (several, _) => {
            let list: Vec<String> = several
                .iter()
                .map(|(reference, _)| reference.to_string())
                .collect();
            Err(Failure::Usage(format!(
                "report {id} has more than one posted document: name the one that was reversed with --reference ({})",
                list.join(", ")
            )))
        }
    }
}

/// Refused unless QAD itself shows the document as reversed, in its list or when it is read.
async fn reversed_in_qad(
    ledger: &Qad,
    reference: Reference,
    key: &DocumentKey,
    shown: &[Sighting],
) -> Result<(), Failure> {
    let here: Vec<&Sighting> = shown.iter().filter(|s| s.reference == reference).collect();
    match here.iter().find(|sighting| sighting.key == *key) {
        Some(sighting) if sighting.reversed => Ok(()),
        Some(_) => {
            if ledger.read_back(reference, key).await?.reversed {
                return Ok(());
            }
            Err(Failure::Person(format!(
                "QAD shows document {reference} standing as {key}: reverse it there first, then say so here; nothing was \
                 recorded"
            )))
        }
        None => {
            let there = if here.is_empty() {
                "it shows no document with that reference".to_owned()
            } else {
                let list: Vec<String> = here.iter().map(|s| s.key.to_string()).collect();
                format!("it shows {}", list.join(" and "))
            };
            Err(Failure::Person(format!(
                "QAD does not show document {reference} at {key}, where it was posted ({there}): that is no reversal; have \
                 it looked at in QAD; nothing was recorded"
            )))
        }
    }
}

/// Refused where QAD shows a document for this report that the log does not explain and that stands: to post again beside
/// it would post twice.
fn nothing_else_stands(report: &Report, shown: &[Sighting]) -> Result<(), Failure> {
    let explained = |sighting: &Sighting| {
        report
            .dossier()
            .and_then(|dossier| dossier.file(sighting.reference))
            .is_some_and(|file| match &file.state {
                DocumentState::Posted { key, .. } => *key == sighting.key,
                DocumentState::Sending { .. } | DocumentState::InDoubt { .. } => true,
                _ => false,
            })
    };
    let others: Vec<String> = shown
        .iter()
        .filter(|sighting| !sighting.reversed && !explained(sighting))
        .map(|sighting| format!("{} (reference {})", sighting.key, sighting.reference))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::Person(format!(
        "QAD also shows {} for this report, which stands: to post again would post twice; reverse it there too, or say \
         --leave-out; nothing was recorded",
        others.join(" and ")
    )))
}

/// What was recorded, and what comes next.
fn words(
    id: ReportId,
    reference: Reference,
    by: &str,
    report: &Report,
    then: AfterReversal,
    events: usize,
) -> String {
    let by = safe(by);
    let said = if events == 0 {
        format!("{id}: the reversal of document {reference} was on record already")
    } else {
        format!("{id}: document {reference} is reversed by {by}")
    };
    let stage = report.stage().name();
    let elsewhere = report.has_case(CaseName::SourceDrifted, None);
    let next = match (then, stage) {
        (AfterReversal::PlannedAgain, StageName::Excluded) => format!(
            "the report is left out as a whole, because its other document was reversed for good: `tieout replay {id}` \
             takes it in again"
        ),
        (AfterReversal::PlannedAgain, StageName::Posting | StageName::PartlyPosted) if elsewhere => {
            "the correction waits: Expensify shows the report otherwise than its other document was posted; reverse that \
             one too, or set the report back there"
                .to_owned()
        }
        (AfterReversal::PlannedAgain, _) => format!(
            "the report is {stage}, and the next cycle posts it as Expensify then shows it, under the next reference"
        ),
        (AfterReversal::Excluded, StageName::Excluded) => {
            format!("the report is left out; `tieout replay {id}` takes it in again")
        }
        (AfterReversal::Excluded, _) => format!("what it carried is left out; the report is {stage}"),
    };
    format!("{said}; {next}")
}
