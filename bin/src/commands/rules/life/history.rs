//! `tieout rules history`: everything that ever happened to the rule sets of a connection, with every signature checked.

use serde_json::{Value, json};
use tieout_domain::journal::{Entry, Streams};
use tieout_domain::operators::{At, Operators};
use tieout_domain::rules::RulesEvent;

use super::list;
use crate::commands::rules::place::Place;
use crate::commands::terminal::safe;
use crate::operator::{Book, verify_proof};
use crate::out::{DONE, Failure, Out, PERSON};

/// How far an event is vouched for.
enum Vouched {
    /// The program did it; nobody signs that.
    Nobody,
    /// A signature that holds.
    Signed(String),
    /// A person's word from before anybody could sign.
    Unsigned,
    /// A signature that does not hold.
    Broken(String),
}

impl Vouched {
    fn of(entry: &Entry<RulesEvent>, place: &Place<'_>, operators: &Operators) -> Self {
        let Some(statement) = entry.event.statement(place.connection.id) else {
            return Self::Nobody;
        };
        let Some(proof) = entry.event.proof() else {
            // Whoever could have signed and did not, or is said to have spoken and did not.
            let enrolled = operators
                .iter()
                .any(|operator| operator.enrolled().position < entry.position);
            return if enrolled {
                Self::Broken("it is not signed, though operators were enrolled then".to_owned())
            } else {
                Self::Unsigned
            };
        };
        if let Some(person) = entry.event.speaker()
            && *person != proof.operator
        {
            return Self::Broken(format!(
                "it is given as the word of {person}, and signed by {}",
                proof.operator
            ));
        }
        match verify_proof(operators, &statement, proof, At::Position(entry.position)) {
            Ok(()) => Self::Signed(proof.to_string()),
            Err(fault) => Self::Broken(fault.to_string()),
        }
    }
    fn words(&self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::Signed(by) => format!("    signed by {}\n", safe(by)),
            Self::Unsigned => "    NOT SIGNED\n".to_owned(),
            Self::Broken(why) => format!("    THE SIGNATURE DOES NOT HOLD: {}\n", safe(why)),
        }
    }
    fn json(&self) -> Value {
        match self {
            Self::Nobody => Value::Null,
            Self::Signed(by) => json!({"holds": true, "by": by}),
            Self::Unsigned => json!({"holds": false, "why": "not signed"}),
            Self::Broken(why) => json!({"holds": false, "why": why}),
        }
    }
}

/// Tells it; ends with 1 where a signature does not hold, or is missing although operators were enrolled. What was not
/// signed before that is told, and is no fault: so it is in a made-up installation.
pub(super) async fn run(place: &Place<'_>, out: Out) -> Result<u8, Failure> {
    let operators = Book::read(place.installation).await?.operators;
    let (entries, _) = place
        .installation
        .reader()
        .stream::<RulesEvent>(&Streams(place.connection.id).rules())
        .await?;
    let mut broken = false;
    let mut rows = Vec::new();
    let mut text = format!("{}: {} events\n", place.config.name, entries.len());
    for entry in &entries {
        let vouched = Vouched::of(entry, place, &operators);
        broken |= matches!(vouched, Vouched::Broken(_));
        let more = match &entry.event {
            RulesEvent::RuleSetBacktested { hash, backtest } => list::backtest_words(hash, backtest),
            _ => String::new(),
        };
        text.push_str(&format!(
            "{}  {}\n{more}    by {}\n{}",
            entry.envelope.recorded_at.format("%Y-%m-%d %H:%M:%S UTC"),
            safe(&words(&entry.event)),
            safe(&entry.envelope.actor.to_string()),
            vouched.words()
        ));
        rows.push(json!({
            "recorded_at": entry.envelope.recorded_at,
            "actor": entry.envelope.actor,
            "event": without_content(&entry.event)?,
            "signature": vouched.json(),
        }));
    }
    out.words(&text)?;
    out.document(&json!({"connection": place.config.name, "events": rows}))?;
    Ok(if broken { PERSON } else { DONE })
}

/// The event without the file: `rules show` prints that.
fn without_content(event: &RulesEvent) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(event)
        .map_err(|e| Failure::Outside(format!("the result cannot be written as JSON: {e}")))?;
    if let Value::Object(members) = &mut value {
        members.remove("content");
        members.remove("proof");
    }
    Ok(value)
}

fn words(event: &RulesEvent) -> String {
    match event {
        RulesEvent::RuleSetProposed {
            hash, author, why, ..
        } => {
            format!("{:.12} proposed by {author}: {why}", hash.as_str())
        }
        RulesEvent::RuleSetBacktested { hash, .. } => format!("{:.12} backtested", hash.as_str()),
        RulesEvent::RuleSetApproved {
            hash,
            statement,
            approver,
            why,
            alone,
            ..
        } => format!(
            "{:.12} approved by {}{} (backtest {:.12}): {why}",
            hash.as_str(),
            approver.name,
            if *alone {
                ", who proposed it, in an installation of one person"
            } else {
                ""
            },
            statement.0
        ),
        RulesEvent::RuleSetDeclined {
            hash, person, why, ..
        } => {
            format!("{:.12} declined by {person}: {why}", hash.as_str())
        }
        RulesEvent::ActivationOrdered {
            hash,
            from,
            replay,
            person,
            ..
        } => format!(
            "{:.12} ordered into force from {} by {person}{}",
            hash.as_str(),
            from.format("%Y-%m-%d %H:%M:%S UTC"),
            if *replay {
                ", with a replay of what was rejected"
            } else {
                ""
            }
        ),
        RulesEvent::ActivationRefused { hash, why } => {
            format!("{:.12} did not come into force: {why}", hash.as_str())
        }
        RulesEvent::RuleSetActivated { version, .. } => format!("{version} came into force"),
        RulesEvent::RuleSetRetired {
            version,
            superseded_by,
        } => format!("{version} retired; number {superseded_by} is in force"),
        RulesEvent::ApprovalModeChosen {
            mode, person, why, ..
        } => {
            format!("{mode} from now on, says {person}: {why}")
        }
    }
}
