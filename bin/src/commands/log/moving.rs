//! `tieout log copy --to URL`: the log moves to another engine. Opens both places, moves it (see [`transfer`]), records the
//! move in the target, and says what to do next.

use std::path::Path;

use indicatif::ProgressBar;
use serde_json::json;
use tieout_domain::ids::PersonName;
use tieout_domain::journal::{Cause, Draft, Journal, Stamp};
use tieout_domain::ports::{Clock, Log};
use tieout_domain::workflow::{LogEvent, person};
use tieout_store::{Store, StorePlace, User};
use tieout_vault::Vault;

use super::super::sync::bar_for;
use super::super::terminal::safe;
use super::transfer::{self, Equal, Nobody, Progress, TransferError};
use crate::cli::CopyArgs;
use crate::config::Config;
use crate::installation::{BUILD, key_source, store_user};
use crate::out::{DONE, Failure, Out};
use crate::ports::{SystemClock, SystemEntropy};

/// What the event names as its cause.
const NAME: &str = "log copy";

/// Moves the log.
pub async fn run(config: &Path, args: CopyArgs, out: Out) -> Result<u8, Failure> {
    let config = Config::read(config)?;
    let name = PersonName::new(args.person.as_deref().unwrap_or_default())
        .map_err(|e| Failure::Usage(format!("--as: {e}")))?;
    let place = |flag: &str, url: &str| {
        StorePlace::parse(url, &config.folder).map_err(|e| {
            // It speaks of the configuration's entry, which is written alike.
            let what = e.trim_start_matches("[store] url").trim_start_matches(':').trim();
            Failure::Usage(format!("{flag}: {what}"))
        })
    };
    let from = match &args.from {
        Some(url) => place("--from", url)?,
        None => config.store_place().map_err(Failure::Usage)?,
    };
    let to = place("--to", args.to.as_deref().unwrap_or_default())?;
    if from.is_same_log(&to) {
        return Err(Failure::Usage(format!(
            "--from and --to are the same log, {to}: name another place for it to go to"
        )));
    }
    let user = user_for(&config, &[&from, &to])?;
    let views = config.at(&config.store.views);
    // The source first: where it cannot be read, no target is begun.
    let source = Store::open_existing(&from, &views, user.clone()).await?;
    let target = Store::open(&to, &views, user).await?;

    let bar = if out.shows_progress() {
        bar_for("log")
    } else {
        ProgressBar::hidden()
    };
    // A file knows how many events it has. A cluster would have to be read for that, and nothing is written into an old log.
    if let (Some(file), Some(head)) = (source.sqlite(), source.head().await?)
        && let Some(last) = file.leaf(head).await?
    {
        bar.set_length(last.0.saturating_add(1));
    }
    let moved = transfer::transfer(&source, &target, &mut |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let equal = moved.map_err(failure)?;

    if !equal.recorded {
        let (clock, entropy) = (SystemClock::from_environment(), SystemEntropy);
        let journal = Journal::new(&target, &clock, &entropy, &Nobody, BUILD);
        let stamp = Stamp {
            actor: person(name),
            cause: Cause::Command {
                name: NAME.to_owned(),
            },
        };
        let draft = Draft {
            event: LogEvent::LogMoved {
                from: evidence(&from),
                to: evidence(&to),
                events: equal.events,
                streams: equal.streams,
                sha256: equal.sha256.clone(),
            },
            effective_at: clock.now(),
            subject: None,
        };
        transfer::record(&source, &journal, &equal, &stamp, draft)
            .await
            .map_err(failure)?;
    }
    let url = args.to.as_deref().unwrap_or_default();
    out.words(&in_words(&from, &to, url, &equal, &views))?;
    out.document(&json!({
        "from": from.to_string(),
        "to": to.to_string(),
        "events": equal.events,
        "streams": equal.streams,
        "sha256": equal.sha256,
        "moved_now": !equal.recorded,
    }))?;
    Ok(DONE)
}

/// A place as it is recorded: a file's path as the machine knows it, not as the configuration abbreviates it.
fn evidence(place: &StorePlace) -> String {
    let whole = place.file().and_then(|file| file.canonicalize().ok());
    whole.map_or_else(|| place.to_string(), |path| path.display().to_string())
}

/// Who signs in at the cluster; the vault stays shut where both places are files.
fn user_for(config: &Config, places: &[&StorePlace]) -> Result<Option<User>, Failure> {
    if places.iter().all(|place| place.file().is_some()) {
        return Ok(None);
    }
    let key = key_source(config)?;
    let vault =
        Vault::open(&config.at(&config.vault.path), &key).map_err(|e| Failure::Usage(e.to_string()))?;
    store_user(&vault)
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Compared(done) => {
            bar.set_message("comparing what is there already");
            bar.set_position(done);
        }
        Progress::Copied(done) => {
            bar.set_message("copying");
            bar.set_position(done);
        }
        Progress::Verified { done, of } => {
            bar.set_message("verifying");
            bar.set_length(of);
            bar.set_position(done);
        }
    }
}

fn failure(error: TransferError) -> Failure {
    match error {
        TransferError::Log(error) => error.into(),
        TransferError::Journal(error) => error.into(),
        // Wrong places, writers that were not stopped: nothing but a person can put that right.
        other => Failure::Person(safe(&other.to_string())),
    }
}

fn in_words(from: &StorePlace, to: &StorePlace, url: &str, equal: &Equal, views: &Path) -> String {
    let Equal {
        events,
        streams,
        sha256,
        recorded,
        ..
    } = equal;
    let (from, shown) = (safe(&from.to_string()), safe(&to.to_string()));
    let done = if *recorded {
        format!("The log was moved already, and {shown} still holds all of {from}; nothing was appended.")
    } else {
        format!("{shown} holds all of {from}, and records that it was moved.")
    };
    // Positions in that file are those of the log it was folded from.
    let views = match to.file() {
        Some(_) => String::new(),
        None => format!(
            "  - Delete {} before that: what it holds may be of another log, and it is folded again.\n",
            safe(&views.display().to_string())
        ),
    };
    format!(
        "{done}\n\
         Verified event by event: {events} events in {streams} streams.\n\
         sha256 of all of them, on both sides: {sha256}\n\
         What to do next:\n\
         \x20 - Set `[store] url` to \"{}\" in every configuration of this installation, then start the program again.\n\
         {views}\
         \x20 - Keep the old log as it is, untouched: it is evidence.\n\
         \x20 - Never start a writer on the old log again: two logs of one installation would post twice.",
        safe(url)
    )
}
