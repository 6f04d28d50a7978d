//! `tieout resolve`: a person settles a document in doubt (law 4). QAD is asked before the word is taken down: what it
//! shows can refuse the word, and what it shows differently from what was to be sent is shown to the person.

use serde_json::json;
use tieout_domain::ids::{DaybookCode, Reference, ReportId, Voucher};
use tieout_domain::ports::{Clock as _, Ledger as _, LookUp};
use tieout_domain::posting::{Difference, Document, DocumentKey, Sighting, differences};
use tieout_domain::report::{Command, Decision, DocumentFile, DocumentState, Dossier, Report};
use tieout_domain::workflow::Desk;

use super::{Decided, WithoutEffects, tell};
use crate::cli::ResolveArgs;
use crate::commands::find;
use crate::commands::terminal::safe;
use crate::installation::{Installation, Qad};
use crate::out::{DONE, Failure, Out};

/// Settles a document in doubt.
pub async fn resolve(installation: &Installation, args: ResolveArgs, out: Out) -> Result<u8, Failure> {
    let Decided { actor, why } = Decided::of(&args.decision)?;
    let adopted = args.adopt.as_deref().map(document_key).transpose()?;
    let named = args
        .reference
        .as_deref()
        .map(|text| {
            text.parse::<Reference>()
                .map_err(|e| Failure::Usage(format!("--reference: {e}")))
        })
        .transpose()?;
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
    let desk = Desk::for_command(&world, &connection, installation.instance, "resolve");

    let report = desk.load(found.report).await?.report;
    let file = in_doubt(&report, found.report, named)?;
    let reference = file.document.reference;
    let shown = match ledger.look_up(found.report).await? {
        LookUp::Found(sightings) => sightings,
        LookUp::Absent => Vec::new(),
    };
    let (decision, differing) = match adopted {
        Some(key) => adopt(&ledger, &report, &file.document, key, &shown).await?,
        None => {
            none_there(&report, &file.document, &shown)?;
            let now = installation.clock.moment();
            let quarantine = connection.quarantine;
            (Decision::Absent { now, quarantine }, Vec::new())
        }
    };
    let (after, events) = desk
        .act(found.report, actor, |_| {
            Some(Command::Settle {
                reference,
                decision: decision.clone(),
                why: why.clone(),
            })
        })
        .await?;

    let state = after.report.stage().name();
    let (decided, key) = match &decision {
        Decision::Adopt { key, .. } => {
            out.words(&format!(
                "{}: document {reference} stands in QAD as {key}, by your word; the report is {state}",
                found.report
            ))?;
            ("adopt", Some(key))
        }
        Decision::Absent { .. } => {
            out.words(&format!(
                "{}: document {reference} is not in QAD, by your word and by a look-up just now; the report is {state}, and the \
                 document may be sent again",
                found.report
            ))?;
            ("absent", None)
        }
    };
    if !differing.is_empty() {
        let list: Vec<String> = differing
            .iter()
            .map(|d| format!("  {}", safe(&d.to_string())))
            .collect();
        out.words(&format!(
            "It differs from what was to be sent, and your --why stands for that:\n{}",
            list.join("\n")
        ))?;
    }
    tell(
        found,
        &after,
        events,
        json!({
            "decided": decided, "reference": reference, "voucher": key.map(|key| key.voucher),
            "key": key.map(ToString::to_string), "differences": differing,
        }),
        out,
    )?;
    Ok(DONE)
}

/// Reads `YEAR/DAYBOOK/VOUCHER`.
pub(in crate::commands) fn key_of(text: &str) -> Option<DocumentKey> {
    let (year, rest) = text.trim().split_once('/')?;
    let (daybook, voucher) = rest.rsplit_once('/')?;
    Some(DocumentKey {
        year: year.trim().parse().ok()?,
        daybook: DaybookCode::new(daybook).ok()?,
        voucher: Voucher(voucher.trim().parse().ok()?),
    })
}

fn document_key(text: &str) -> Result<DocumentKey, Failure> {
    key_of(text).ok_or_else(|| {
        Failure::Usage(format!(
            "--adopt `{}`: write the document's year, daybook and voucher, e.g. `2026/EXPINV/4711`",
            safe(text)
        ))
    })
}

/// The document that is meant: the one named, or the only one in doubt.
fn in_doubt(report: &Report, id: ReportId, named: Option<Reference>) -> Result<DocumentFile, Failure> {
    let files = report
        .dossier()
        .map(|dossier| dossier.documents.as_slice())
        .unwrap_or_default();
    let doubtful: Vec<&DocumentFile> = files
        .iter()
        .filter(|file| matches!(file.state, DocumentState::InDoubt { .. }))
        .collect();
    if let Some(reference) = named {
        let file = files.iter().find(|file| file.document.reference == reference);
        return match file {
            None => Err(Failure::Person(format!(
                "report {id} has no document {reference}: `tieout show {id}` lists what it has"
            ))),
            Some(file) if matches!(file.state, DocumentState::InDoubt { .. }) => Ok(file.clone()),
            Some(file) => Err(Failure::Person(format!(
                "document {reference} of report {id} is {}, not in doubt: there is nothing to settle",
                file.state.name()
            ))),
        };
    }
    match doubtful.as_slice() {
        [file] => Ok((*file).clone()),
        [] => {
            let sending = files
                .iter()
                .any(|file| matches!(file.state, DocumentState::Sending { .. }));
            let hint = if sending {
                "a document of it is being sent: if its process is gone, the next cycle looks for it in QAD first"
            } else {
                "there is nothing to settle"
            };
            Err(Failure::Person(format!(
                "report {id} has no document in doubt: {hint}"
            )))
        }
        several => {
            let list: Vec<String> = several
                .iter()
                .map(|file| file.document.reference.to_string())
                .collect();
            Err(Failure::Usage(format!(
                "report {id} has more than one document in doubt: name one with --reference ({})",
                list.join(", ")
            )))
        }
    }
}

/// The person says that a document in QAD is ours. Refused where QAD shows none there under our reference, or still shows
/// another one for the same money; what differs from what was to be sent is the person's to decide.
async fn adopt(
    ledger: &Qad,
    report: &Report,
    document: &Document,
    key: DocumentKey,
    shown: &[Sighting],
) -> Result<(Decision, Vec<Difference>), Failure> {
    let reference = document.reference;
    let Some(sighting) = shown.iter().find(|s| s.reference == reference && s.key == key) else {
        let elsewhere: Vec<&Sighting> = shown.iter().filter(|s| s.reference == reference).collect();
        let there = if elsewhere.is_empty() {
            match ledger.read_back(reference, &key).await {
                Ok(held) => format!("{key} bears `{}`", safe(held.reference.trim())),
                Err(_) => format!("no document bears {reference}"),
            }
        } else {
            format!("it shows {}", listed(&elsewhere))
        };
        return Err(Failure::Person(format!(
            "QAD shows no document {key} with the reference {reference} ({there}): nothing was recorded"
        )));
    };
    if sighting.reversed {
        return Err(reversed(reference, &key));
    }
    let others: Vec<&Sighting> = shown
        .iter()
        .filter(|s| s.key != key && !s.reversed && for_the_same_money(report, reference, s))
        .collect();
    if !others.is_empty() {
        return Err(Failure::Person(format!(
            "QAD also shows {} for this report: reverse what is too much there first, then adopt the one that is left; nothing was \
             recorded",
            listed(&others)
        )));
    }
    let held = ledger.read_back(reference, &key).await?;
    if held.reversed {
        return Err(reversed(reference, &key));
    }
    let differing = differences(document, &held);
    Ok((Decision::Adopt { key, date: held.date }, differing))
}

/// What was reversed does not stand. To adopt it would flag as exported what the ledger no longer holds.
fn reversed(reference: Reference, key: &DocumentKey) -> Failure {
    Failure::Person(format!(
        "QAD shows {key} as reversed: it does not stand, and nothing was recorded; enter the document in QAD again with the \
         reference {reference}, then adopt that voucher"
    ))
}

/// The person says that QAD has nothing. Refused where the look-up shows otherwise.
fn none_there(report: &Report, document: &Document, shown: &[Sighting]) -> Result<(), Failure> {
    let reference = document.reference;
    let there: Vec<&Sighting> = shown
        .iter()
        .filter(|s| s.reference == reference || (!s.reversed && for_the_same_money(report, reference, s)))
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(Failure::Person(format!(
        "document {reference} is not absent, QAD shows {}: adopt it, or have it looked at there; nothing was recorded",
        listed(&there)
    )))
}

/// Is a sighting another document for the money of this one: it bears the same reference, or one that the report as it
/// stands does not know? The report's other document is a matter of its own, whatever its state.
fn for_the_same_money(report: &Report, reference: Reference, sighting: &Sighting) -> bool {
    let known = |dossier: &Dossier| dossier.file(sighting.reference).is_some();
    sighting.reference == reference || !report.dossier().is_some_and(known)
}

fn listed(sightings: &[&Sighting]) -> String {
    let one = |sighting: &&Sighting| {
        let reversed = if sighting.reversed { ", reversed" } else { "" };
        format!("{} (reference {}{reversed})", sighting.key, sighting.reference)
    };
    sightings.iter().map(one).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_year_daybook_and_voucher() {
        assert_eq!(
            document_key(" 2026/EXPINV/4711 ").ok().unwrap().to_string(),
            "2026/EXPINV/4711"
        );
        for wrong in [
            "",
            "4711",
            "2026/4711",
            "2026//4711",
            "EXPINV/2026/x",
            "2026/EXPINV/-1",
        ] {
            assert!(matches!(document_key(wrong), Err(Failure::Usage(_))), "{wrong}");
        }
    }
}
