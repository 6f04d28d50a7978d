//! The operators as people and programs read them: who, with which key since when, and everything that was changed.

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use tieout_domain::ids::{EventId, PersonName};
use tieout_domain::journal::Entry;
use tieout_domain::operators::{At, KeyPeriod, Operator, OperatorEvent, Operators, Proof};
use tieout_vault::OperatorKey;

use super::shown;
use crate::installation::Installation;
use crate::operator::{signed_text, verify_proof};
use crate::out::{DONE, Failure, Out, PERSON};

/// Lists them. Where something does not hold (a swapped key, an event that no command wrote, a signature that is none),
/// it is said, and a person is needed.
pub async fn run(installation: &Installation, out: Out) -> Result<u8, Failure> {
    let (entries, _) = installation
        .reader()
        .stream::<OperatorEvent>(&OperatorEvent::stream())
        .await?;
    let operators = Operators::of(&entries);
    let changes: Vec<Told> = entries
        .iter()
        .filter_map(|entry| Told::of(&operators, entry))
        .collect();
    let mut faults: Vec<String> = operators
        .irregular()
        .iter()
        .map(|event| {
            format!(
                "an event that no command writes, of {}, recorded on {} (event {}): {}; it changes nothing",
                event.name,
                day(event.mark.at),
                event.event,
                event.what
            )
        })
        .collect();
    faults.extend(changes.iter().filter_map(Told::fault));

    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "operator",
        "OS user at enrolment",
        "fingerprint",
        "since",
        "state",
        "key in this vault",
    ]);
    let mut listed = Vec::new();
    for operator in operators.iter() {
        let held = Held::of(installation, operator);
        faults.extend(held.fault(&operator.name));
        let key = operator.last_key();
        table.add_row([
            shown(&operator.name),
            shown(&operator.os_user),
            key.public_key.fingerprint().to_string(),
            day(key.since.at),
            state(operator),
            held.words().to_owned(),
        ]);
        listed.push(document(operator, &held, &changes));
    }
    out.words(&in_words(&table, listed.is_empty(), &changes, &faults))?;
    out.document(&json!({"operators": listed, "faults": faults}))?;
    Ok(if faults.is_empty() { DONE } else { PERSON })
}

fn in_words(table: &Table, nobody: bool, changes: &[Told], faults: &[String]) -> String {
    let mut text = if nobody {
        "No operator is enrolled: `tieout operators add NAME`\n".to_owned()
    } else {
        format!("{table}\n")
    };
    if !changes.is_empty() {
        text.push_str("\nChanged since they were enrolled:\n");
    }
    for change in changes {
        text.push_str(&format!("  {}\n", shown(&change.words)));
    }
    if !faults.is_empty() {
        text.push_str("\nTHIS DOES NOT HOLD:\n");
    }
    for fault in faults {
        text.push_str(&format!("  {}\n", shown(fault)));
    }
    text
}

fn state(operator: &Operator) -> String {
    match (&operator.retired, operator.keys().count()) {
        (Some(retired), _) => format!("retired on {}", day(retired.since.at)),
        (None, 1) => "active".to_owned(),
        (None, keys) => {
            format!("active; key replaced {} times", keys.saturating_sub(1)).replace(" 1 times", " once")
        }
    }
}

/// A replaced key or a retirement, told.
struct Told {
    event: EventId,
    words: String,
    vouching: Option<Vouching>,
}

/// A signature under a change: whose, over which text, and whether it holds.
struct Vouching {
    proof: Proof,
    text: String,
    verified: Result<(), String>,
}

impl Vouching {
    /// All that an auditor needs to verify it elsewhere.
    fn document(&self) -> Value {
        json!({
            "by": self.proof.operator,
            "os_user": self.proof.os_user,
            "enrolled_by": self.proof.enrolled_by,
            "public_key": self.proof.public_key,
            "text": self.text,
            "signature": self.proof.signature,
            "holds": self.verified.is_ok(),
        })
    }
}

impl Told {
    fn of(operators: &Operators, entry: &Entry<OperatorEvent>) -> Option<Self> {
        let (what, os_user, why) = match &entry.event {
            OperatorEvent::OperatorEnrolled { .. } => return None,
            OperatorEvent::OperatorKeyReplaced {
                os_user,
                why,
                replaced,
                fingerprint,
                ..
            } => (format!("key {replaced} replaced by {fingerprint}"), os_user, why),
            OperatorEvent::OperatorRetired { os_user, why, .. } => ("retired".to_owned(), os_user, why),
        };
        let statement = entry.event.statement()?;
        let vouching = entry.event.proof().map(|proof| {
            let verified = verify_proof(operators, &statement, proof, At::Position(entry.position));
            Vouching {
                proof: proof.clone(),
                text: signed_text(&statement, proof),
                verified: verified.map_err(|fault| fault.to_string()),
            }
        });
        let by = match &vouching {
            None => "NO operator vouches for it".to_owned(),
            Some(Vouching {
                proof,
                verified: Ok(()),
                ..
            }) => format!("signed by {proof}"),
            Some(vouching) => format!(
                "with a signature of {} that DOES NOT HOLD",
                vouching.proof.operator
            ),
        };
        Some(Self {
            event: entry.id,
            words: format!(
                "{}  {}: {what}, by OS user {os_user}, {by}. Why: {why}",
                day(entry.envelope.recorded_at),
                entry.event.name(),
            ),
            vouching,
        })
    }

    fn fault(&self) -> Option<String> {
        let fault = self.vouching.as_ref()?.verified.as_ref().err()?;
        Some(format!("{}: {fault}", self.words))
    }
}

/// What this vault holds as an operator's key.
enum Held {
    InForce,
    Absent,
    Another(String),
}

impl Held {
    fn of(installation: &Installation, operator: &Operator) -> Self {
        let found = match installation.operator_key(&operator.name) {
            Ok(None) => return Self::Absent,
            Ok(Some(fields)) => OperatorKey::public_key(&operator.name, &fields).map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match found {
            Ok(key) if key == operator.last_key().public_key => Self::InForce,
            Ok(key) => Self::Another(format!("it holds the key {}", key.fingerprint())),
            Err(what) => Self::Another(what),
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::InForce => "yes",
            Self::Absent => "no",
            Self::Another(_) => "ANOTHER ONE",
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Absent => "absent",
            Self::Another(_) => "another",
        }
    }

    fn fault(&self, name: &PersonName) -> Option<String> {
        match self {
            Self::Another(what) => Some(format!(
                "the vault does not hold the key of {name} that the log says is in force: {what}"
            )),
            Self::InForce | Self::Absent => None,
        }
    }
}

fn document(operator: &Operator, held: &Held, changes: &[Told]) -> Value {
    let keys: Vec<Value> = operator.keys().map(|key| key_document(key, changes)).collect();
    let last = operator.last_key();
    json!({
        "operator": operator.name,
        "os_user": operator.os_user,
        "enrolled_at": instant(operator.enrolled().at),
        "state": if operator.retired.is_some() { "retired" } else { "active" },
        "public_key": last.public_key,
        "fingerprint": last.public_key.fingerprint(),
        "since": instant(last.since.at),
        "key_in_vault": held.code(),
        "keys": keys,
        "retired": operator.retired.as_ref().map(|retired| json!({
            "at": instant(retired.since.at),
            "os_user": retired.os_user,
            "why": retired.why,
            "signed": signed(changes, retired.event),
        })),
    })
}

fn key_document(key: &KeyPeriod, changes: &[Told]) -> Value {
    json!({
        "public_key": key.public_key,
        "fingerprint": key.public_key.fingerprint(),
        "since": instant(key.since.at),
        "os_user": key.os_user,
        "why": key.why,
        "signed": signed(changes, key.event),
    })
}

/// The signature under the change that this event brought, if there is one.
fn signed(changes: &[Told], event: EventId) -> Option<Value> {
    let change = changes.iter().find(|change| change.event == event)?;
    change.vouching.as_ref().map(Vouching::document)
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
