//! The life of a rule set on the command line: proposed, approved, declined, brought into force; listed, told, compared.
//!
//! Whatever a person decides is signed by an operator (`tieout guide operators`): what would be refused is not signed, and
//! what is signed is made of the event that comes of it.

mod diff;
mod history;
mod list;
mod offered;

use std::path::Path;

use chrono::Utc;
use serde_json::{Value, json};
use tieout_domain::ids::{Email, SubjectId};
use tieout_domain::ports::Clock as _;
use tieout_domain::rules::{
    ApprovalMode, Approver, RuleSet, RuleSetHash, RuleSets, RulesCommand, StatementHash, statement_of,
};
use tieout_domain::workflow::person;

use super::place::{Place, meant};
use crate::cli::{Mode, RulesLifeCommand, SignedFor};
use crate::installation::Installation;
use crate::operator::SignedIn;
use crate::out::{DONE, Failure, Out, PERSON};

/// Does what was asked.
pub async fn run(installation: &Installation, command: RulesLifeCommand, out: Out) -> Result<u8, Failure> {
    use RulesLifeCommand as C;
    let at = |connection: Option<String>| Place::of(installation, connection);
    match command {
        C::List { connection } => list::run(&at(connection)?, out).await,
        C::History { connection } => history::run(&at(connection)?, out).await,
        C::Show { hash, connection } => show(&at(connection)?, hash.as_deref(), out).await,
        C::Diff {
            before,
            after,
            connection,
        } => diff::run(&at(connection)?, &before, &after, out).await,
        C::Propose { file, why, signed } => {
            propose(
                &at(signed.connection.clone())?,
                file.as_deref(),
                &why,
                &signed,
                out,
            )
            .await
        }
        C::Approve {
            hash,
            why,
            submits_as,
            submits_nothing: _,
            statement,
            signed,
        } => {
            let approval = Approval {
                hash: &hash,
                why: &why,
                submits_as: submits_as.as_deref(),
                statement,
            };
            approve(&at(signed.connection.clone())?, approval, &signed, out).await
        }
        C::Decline { hash, why, signed } => {
            decline(&at(signed.connection.clone())?, &hash, &why, &signed, out).await
        }
        C::Activate {
            hash,
            from,
            replay,
            signed,
        } => {
            let from = from.map_or_else(|| installation.clock.now(), |from| from.with_timezone(&Utc));
            activate(&at(signed.connection.clone())?, &hash, from, replay, &signed, out).await
        }
        C::Mode { mode, why, signed } => {
            choose_mode(&at(signed.connection.clone())?, mode, &why, &signed, out).await
        }
    }
}

/// Why, not blank.
fn said(why: &str) -> Result<String, Failure> {
    let why = why.trim();
    if why.is_empty() {
        return Err(Failure::Usage(
            "--why is blank: say why, it stands in the log for good".to_owned(),
        ));
    }
    Ok(why.to_owned())
}

/// Has an operator sign a command, and records what comes of it. `make` is given who signs.
async fn sign_and_record(
    place: &Place<'_>,
    signed: &SignedFor,
    name: &'static str,
    out: Out,
    make: impl Fn(&SignedIn) -> Result<RulesCommand, Failure>,
) -> Result<(RuleSets, bool), Failure> {
    let desk = place.desk(name);
    let operator = SignedIn::sign_in(place.installation, &signed.who, out).await?;
    let command = make(&operator)?;
    let (sets, _) = desk.rule_sets().await?;
    let statement = command
        .to_be_signed(&sets, place.connection.id)
        .map_err(tieout_domain::workflow::WorkflowError::from)?;
    let Some(statement) = statement else {
        return Ok((sets, false));
    };
    let command = command.signed(operator.sign(&statement));
    // Where somebody else wrote meanwhile and the event would say something else, the signature would not be over it.
    let same = |sets: &RuleSets| matches!(command.to_be_signed(sets, place.connection.id), Ok(Some(now)) if now == statement);
    let mut changed = false;
    let (sets, events) = desk
        .ask_rules(person(operator.name().clone()), |sets| {
            changed = !same(sets);
            (!changed).then(|| command.clone())
        })
        .await?;
    if changed {
        return Err(Failure::Person(
            "somebody else decided about these rule sets at the same moment: look at them again (`tieout rules list`)"
                .to_owned(),
        ));
    }
    Ok((sets, !events.is_empty()))
}

async fn propose(
    place: &Place<'_>,
    file: Option<&Path>,
    why: &str,
    signed: &SignedFor,
    out: Out,
) -> Result<u8, Failure> {
    let why = said(why)?;
    let (rules, content) = match file {
        Some(file) => place.installation.rule_file(file)?,
        None => place.installation.rules(place.config)?,
    };
    let hash = rules.hash().clone();
    let make = |operator: &SignedIn| {
        Ok(RulesCommand::Propose {
            hash: hash.clone(),
            content: content.clone(),
            author: operator.name().clone(),
            why: why.clone(),
            proof: None,
        })
    };
    let (sets, _) = sign_and_record(place, signed, "rules propose", out, make).await?;
    out.words(&format!(
        "{}: rule set {:.12} is proposed, {} rules. It changes nothing yet. Next:\n  tieout rules backtest {:.12} --record",
        place.config.name,
        hash.as_str(),
        rules.rules().len(),
        hash.as_str()
    ))?;
    tell(place, &sets, &hash, out)
}

struct Approval<'a> {
    hash: &'a str,
    why: &'a str,
    submits_as: Option<&'a str>,
    statement: Option<String>,
}

async fn approve(
    place: &Place<'_>,
    approval: Approval<'_>,
    signed: &SignedFor,
    out: Out,
) -> Result<u8, Failure> {
    let why = said(approval.why)?;
    let subject = match approval.submits_as {
        Some(email) => Some(submitter(place, email, out).await?),
        None => None,
    };
    let (sets, _) = place.desk("rules approve").rule_sets().await?;
    let (hash, file) = meant(&sets, approval.hash)?;
    let hash = hash.clone();
    let statement = match (approval.statement, file.backtest()) {
        (Some(given), _) => StatementHash(given.trim().to_owned()),
        (None, Some(backtest)) => {
            out.aside(&format!(
                "What is approved: rule set {:.12}, {}\n{}",
                hash.as_str(),
                file.why,
                list::backtest_words(&hash, backtest)
            ))?;
            statement_of(&hash, backtest)
        }
        // The aggregate says what is missing.
        (None, None) => StatementHash(String::new()),
    };
    let make = |operator: &SignedIn| {
        Ok(RulesCommand::Approve {
            hash: hash.clone(),
            statement: statement.clone(),
            approver: Approver {
                name: operator.name().clone(),
                subject,
            },
            why: why.clone(),
            proof: None,
        })
    };
    let (sets, _) = sign_and_record(place, signed, "rules approve", out, make).await?;
    out.words(&format!(
        "{}: rule set {:.12} is approved. Next:\n  tieout rules activate {:.12}",
        place.config.name,
        hash.as_str(),
        hash.as_str()
    ))?;
    tell(place, &sets, &hash, out)
}

/// Who submits under an address, as the log knows them. A slip of the pen would keep the flag from ever being set.
async fn submitter(place: &Place<'_>, email: &str, out: Out) -> Result<SubjectId, Failure> {
    let email = Email::new(email).map_err(|e| Failure::Usage(format!("--submits-as: {e}")))?;
    let (chart, _) = place.desk("rules approve").chart().await?;
    if !chart.knows_employee(&email) {
        out.aside(
            "QAD shows no employee with the address of --submits-as: if it is not exactly the one in Expensify, your own reports will bear no flag",
        )?;
    }
    place
        .installation
        .people()
        .subject_for(&email)
        .map_err(|e| Failure::Outside(e.to_string()))
}

async fn decline(
    place: &Place<'_>,
    beginning: &str,
    why: &str,
    signed: &SignedFor,
    out: Out,
) -> Result<u8, Failure> {
    let why = said(why)?;
    let (sets, _) = place.desk("rules decline").rule_sets().await?;
    let hash = meant(&sets, beginning)?.0.clone();
    let make = |operator: &SignedIn| {
        Ok(RulesCommand::Decline {
            hash: hash.clone(),
            person: operator.name().clone(),
            why: why.clone(),
            proof: None,
        })
    };
    let (sets, _) = sign_and_record(place, signed, "rules decline", out, make).await?;
    out.words(&format!(
        "{}: rule set {:.12} is declined",
        place.config.name,
        hash.as_str()
    ))?;
    tell(place, &sets, &hash, out)
}

async fn activate(
    place: &Place<'_>,
    beginning: &str,
    from: chrono::DateTime<Utc>,
    replay: bool,
    signed: &SignedFor,
    out: Out,
) -> Result<u8, Failure> {
    let (sets, _) = place.desk("rules activate").rule_sets().await?;
    let (hash, file) = meant(&sets, beginning)?;
    let (hash, content) = (hash.clone(), file.content.clone());
    let make = |operator: &SignedIn| {
        Ok(RulesCommand::OrderActivation {
            hash: hash.clone(),
            from,
            replay,
            person: operator.name().clone(),
            proof: None,
        })
    };
    let (sets, _) = sign_and_record(place, signed, "rules activate", out, make).await?;
    out.words(&format!(
        "{}: rule set {:.12} comes into force with the first cycle from {} on, if it would still do to history what was \
         approved",
        place.config.name,
        hash.as_str(),
        from.format("%Y-%m-%d %H:%M:%S UTC")
    ))?;
    let rules = RuleSet::parse(&content)
        .map_err(|faults| crate::installation::refused(&format!("{:.12}", hash.as_str()), &faults))?;
    let offered = offered::of(place, &sets, &rules).await?;
    out.words(&offered::words(&offered, replay))?;
    let mut document = document(place, &sets, &hash);
    if let Value::Object(members) = &mut document {
        members.insert("would_be_mapped".to_owned(), json!(offered));
        members.insert("replay".to_owned(), json!(replay));
        members.insert("from".to_owned(), json!(from));
    }
    out.document(&document)?;
    Ok(if offered.is_empty() || replay {
        DONE
    } else {
        PERSON
    })
}

async fn choose_mode(
    place: &Place<'_>,
    mode: Mode,
    why: &str,
    signed: &SignedFor,
    out: Out,
) -> Result<u8, Failure> {
    let why = said(why)?;
    let mode = match mode {
        Mode::TwoPeople => ApprovalMode::TwoPeople,
        Mode::OnePerson => ApprovalMode::OnePerson,
    };
    let make = |operator: &SignedIn| {
        Ok(RulesCommand::ChooseMode {
            mode,
            person: operator.name().clone(),
            why: why.clone(),
            proof: None,
        })
    };
    let (_, changed) = sign_and_record(place, signed, "rules mode", out, make).await?;
    out.words(&format!(
        "{}: it {} {mode} to bring a rule set into force",
        place.config.name,
        if changed {
            "takes from now on"
        } else {
            "took already"
        }
    ))?;
    out.document(&json!({"connection": place.config.name, "mode": mode, "changed": changed}))?;
    Ok(DONE)
}

async fn show(place: &Place<'_>, beginning: Option<&str>, out: Out) -> Result<u8, Failure> {
    let (sets, _) = place.desk("rules show").rule_sets().await?;
    let (hash, content) = match beginning {
        Some(beginning) => {
            let (hash, file) = meant(&sets, beginning)?;
            (hash.clone(), file.content.clone())
        }
        None => {
            let active = sets
                .active()
                .ok_or(tieout_domain::workflow::WorkflowError::NoRules)?;
            (RuleSetHash::of_version(&active.version), active.content.clone())
        }
    };
    out.words(&content)?;
    let mut document = document(place, &sets, &hash);
    if let Value::Object(members) = &mut document {
        members.insert("content".to_owned(), json!(content));
    }
    out.document(&document)?;
    Ok(DONE)
}

fn document(place: &Place<'_>, sets: &RuleSets, hash: &RuleSetHash) -> Value {
    let mut document = list::set_json(sets, hash);
    if let Value::Object(members) = &mut document {
        members.insert("connection".to_owned(), json!(place.config.name));
    }
    document
}

fn tell(place: &Place<'_>, sets: &RuleSets, hash: &RuleSetHash, out: Out) -> Result<u8, Failure> {
    out.document(&document(place, sets, hash))?;
    Ok(DONE)
}
