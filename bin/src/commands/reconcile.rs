//! `tieout reconcile --ledger`: holds QAD's documents against the log. What the log does not explain is adopted where it is
//! what its report posts as, and told to a person where it is not. Nothing is sent to QAD from here (law 8).

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tieout_domain::ids::Reference;
use tieout_domain::journal::Streams;
use tieout_domain::posting::DocumentKey;
use tieout_domain::workflow::{
    Adopted, Concluded, Connection, Desk, Healed, Left, Looking, ReconcileError, Roster, Word,
};

use super::decide::{Decided, key_of};
use super::sync::bar_for;
use super::terminal::safe;
use crate::cli::ReconcileArgs;
use crate::config::ConnectionConfig;
use crate::installation::{Installation, World};
use crate::out::{DONE, Failure, Out, PERSON};

const NAME: &str = "reconcile --ledger";

/// One connection at work.
struct Case<'a> {
    config: &'a ConnectionConfig,
    world: World,
    connection: Connection,
    roster: Roster,
    healed: Healed,
}

/// Reconciles each chosen connection. What one of them adopts explains it to the others, so that all are healed before any
/// is judged.
pub async fn run(installation: &Installation, args: ReconcileArgs, out: Out) -> Result<u8, Failure> {
    let chosen = installation.config.chosen(args.connection.as_deref())?;
    let words = words_of(&args)?;
    if !words.is_empty() && chosen.len() > 1 {
        return Err(Failure::Usage(
            "--accept speaks of one connection's documents: say which with --connection".to_owned(),
        ));
    }
    let mut cases = Vec::new();
    for config in chosen {
        let world = installation.world(config)?;
        let connection = installation.connection(config)?;
        let mut roster = Roster::new(Streams(config.id));
        let looking = Looking::at(&world);
        let desk = Desk::for_command(&looking, &connection, installation.instance, NAME);
        let bar = if out.shows_progress() {
            bar_for(config.name.as_str())
        } else {
            ProgressBar::hidden()
        };
        bar.set_message("looking at what the log does not explain");
        let healed = desk
            .heal(&mut roster, |done, of| {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
            })
            .await;
        bar.finish_and_clear();
        let healed = healed.map_err(failure)?;
        cases.push(Case {
            config,
            world,
            connection,
            roster,
            healed,
        });
    }
    let mut status = DONE;
    let mut documents = Vec::new();
    for mut case in cases {
        let looking = Looking::at(&case.world);
        let desk = Desk::for_command(&looking, &case.connection, installation.instance, NAME);
        let mut accepted = Vec::new();
        for (reference, key) in &words {
            let Decided { actor, why } = Decided::by(
                args.person.as_deref().unwrap_or_default(),
                args.why.as_deref().unwrap_or_default(),
            )?;
            let word = desk
                .accept(&mut case.roster, actor, *reference, key.clone(), why)
                .await
                .map_err(failure)?;
            out.words(&format!("{}: {}", case.config.name, told(*reference, key, &word)))?;
            accepted.push(word_json(*reference, key, &word));
        }
        let concluded = desk
            .conclude(&mut case.roster, &case.healed)
            .await
            .map_err(failure)?;
        let in_recovery = desk.recovery().await?.open().is_some();
        out.words(&in_words(case.config, &case.healed, &concluded, in_recovery))?;
        documents.push(in_json(
            case.config,
            &case.healed,
            &concluded,
            in_recovery,
            &accepted,
        ));
        if !concluded.left.is_empty() {
            status = PERSON;
        }
    }
    out.document(&documents)?;
    Ok(status)
}

fn failure(error: ReconcileError) -> Failure {
    match error {
        ReconcileError::Source(error) => error.into(),
        ReconcileError::Ledger(error) => error.into(),
        ReconcileError::Workflow(error) => error.into(),
        ReconcileError::Contradicted(text) => Failure::Person(text),
    }
}

/// The documents that a person speaks for.
fn words_of(args: &ReconcileArgs) -> Result<Vec<(Reference, DocumentKey)>, Failure> {
    let one = |text: &String| {
        let parsed = text.split_once('=').and_then(|(reference, key)| {
            let reference = reference.parse::<Reference>().ok()?;
            Some((reference, key_of(key)?))
        });
        parsed.ok_or_else(|| {
            Failure::Usage(format!(
                "--accept `{}`: write the document's reference and its voucher, e.g. `E00000MVZBSUC4I1=2026/EXPINV/4711`",
                safe(text)
            ))
        })
    };
    args.accept.iter().map(one).collect()
}

fn told(reference: Reference, key: &DocumentKey, word: &Word) -> String {
    match word {
        Word::Known => format!("document {reference} as {key} is explained already; nothing was recorded"),
        Word::Recorded { excluded, claimed } => {
            let report = reference.report;
            let left_out = if *excluded {
                format!("; report {report} is left out with that on record")
            } else {
                String::new()
            };
            let held = match claimed {
                Some(0) => String::new(),
                Some(count) => format!("; {count} expense(s) of it are held, and no other report posts them"),
                None => format!(
                    "; report {report} is not on record, and so are its expenses: one that travels in another report posts with that \
                     one, unless you leave that report out (`tieout exclude`)"
                ),
            };
            format!("document {reference} as {key} is explained by your word{left_out}{held}")
        }
    }
}

fn in_words(config: &ConnectionConfig, healed: &Healed, concluded: &Concluded, in_recovery: bool) -> String {
    let name = config.name.as_str();
    let mut text = format!(
        "{name}: QAD shows {} document(s) with our references\n",
        concluded.documents
    );
    let resolved = healed.resolved.adopted + healed.resolved.absent;
    if resolved > 0 {
        text.push_str(&format!("  {resolved} in doubt were settled by a look-up\n"));
    }
    if !healed.adopted.is_empty() {
        text.push_str(&format!(
            "  {} were not in the log, agree in every line with what their reports post as, and were adopted:\n",
            healed.adopted.len()
        ));
        for Adopted { reference, key } in &healed.adopted {
            text.push_str(&format!("    {reference}  {key}  report {}\n", reference.report));
        }
    }
    if !concluded.left.is_empty() {
        text.push_str(&format!("  {} need a person:\n", concluded.left.len()));
        for Left { sighting, obstacle } in &concluded.left {
            let reversed = if sighting.reversed { ", reversed" } else { "" };
            text.push_str(&format!(
                "    {}  {}{reversed}  report {}\n      {}\n      what to do: {}\n",
                sighting.reference,
                sighting.key,
                sighting.reference.report,
                safe(&obstacle.to_string()),
                obstacle.remedy(sighting, name),
            ));
        }
    }
    text.push_str(match (concluded.left.is_empty(), concluded.closed, in_recovery) {
        (true, true, _) => "  Every one of them is explained: recovery is over, and the next cycle posts again.",
        (true, false, _) => "  Every one of them is explained.",
        (false, _, true) => "  Recovery goes on: nothing posts until every one of them is explained (`tieout guide recovery`).",
        (false, _, false) => "  The log knows of each of them, and not yet of every end (`tieout guide in-doubt`).",
    });
    text
}

fn document_json(reference: Reference, key: &DocumentKey) -> serde_json::Map<String, Value> {
    [
        ("report_id".to_owned(), json!(reference.report)),
        ("reference".to_owned(), json!(reference)),
        ("key".to_owned(), json!(key.to_string())),
        ("voucher".to_owned(), json!(key.voucher)),
    ]
    .into_iter()
    .collect()
}

fn word_json(reference: Reference, key: &DocumentKey, word: &Word) -> Value {
    let mut document = document_json(reference, key);
    let (recorded, excluded, claimed) = match word {
        Word::Known => (false, false, None),
        Word::Recorded { excluded, claimed } => (true, *excluded, *claimed),
    };
    document.insert("recorded".to_owned(), json!(recorded));
    document.insert("report_left_out".to_owned(), json!(excluded));
    document.insert("expenses_held".to_owned(), json!(claimed));
    Value::Object(document)
}

fn in_json(
    config: &ConnectionConfig,
    healed: &Healed,
    concluded: &Concluded,
    in_recovery: bool,
    accepted: &[Value],
) -> Value {
    let left = |Left { sighting, obstacle }: &Left| {
        let mut document = document_json(sighting.reference, &sighting.key);
        document.insert("reversed".to_owned(), json!(sighting.reversed));
        document.insert("code".to_owned(), json!(obstacle.code()));
        document.insert("why".to_owned(), json!(obstacle.to_string()));
        let remedy = obstacle.remedy(sighting, config.name.as_str());
        document.insert("remedy".to_owned(), json!(remedy));
        Value::Object(document)
    };
    let adopted = |one: &Adopted| Value::Object(document_json(one.reference, &one.key));
    json!({
        "connection": config.name,
        "documents": concluded.documents,
        "in_recovery": in_recovery,
        "closed": concluded.closed,
        "adopted": healed.adopted.iter().map(adopted).collect::<Vec<_>>(),
        "accepted": accepted,
        "unexplained": concluded.left.iter().map(left).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(accept: &str) -> ReconcileArgs {
        ReconcileArgs {
            connection: None,
            ledger: true,
            accept: vec![accept.to_owned()],
            why: None,
            person: None,
        }
    }

    #[test]
    fn a_word_names_a_reference_and_a_voucher() {
        let words = words_of(&args(" e00000mvzbsuc4i1 = 2026/EXPINV/4711"))
            .ok()
            .unwrap();
        assert_eq!(words[0].0.to_string(), "E00000MVZBSUC4I1");
        assert_eq!(words[0].1.to_string(), "2026/EXPINV/4711");
        for wrong in [
            "",
            "E00000MVZBSUC4I1",
            "E00000MVZBSUC4I1=4711",
            "4711=2026/EXPINV/1",
            "=2026/EXPINV/1",
        ] {
            assert!(
                matches!(words_of(&args(wrong)), Err(Failure::Usage(_))),
                "{wrong}"
            );
        }
    }
}
