//! What a person may decide about a report: `tieout replay`, `exclude`, `resolve` and `reverse`. Each decision is an event,
//! with who and why; the aggregate refuses what the log shows cannot be.

mod resolve;
mod reverse;
mod without_effects;

use serde_json::{Value, json};
use tieout_domain::ids::PersonName;
use tieout_domain::journal::Actor;
use tieout_domain::report::{Command, Exclusion, Step};
use tieout_domain::workflow::{Desk, Loaded, person};

pub(super) use self::resolve::key_of;
pub use self::resolve::resolve;
pub use self::reverse::reverse;
pub(super) use self::without_effects::WithoutEffects;
use super::find::{self, Found};
use crate::cli::{Decision, ExcludeArgs, ReplayArgs};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out};

/// Who decides, and why: neither may be blank.
pub(super) struct Decided {
    pub(super) actor: Actor,
    pub(super) why: String,
}

impl Decided {
    fn of(decision: &Decision) -> Result<Self, Failure> {
        Self::by(&decision.person, &decision.why)
    }

    pub(super) fn by(person_name: &str, why: &str) -> Result<Self, Failure> {
        let name = PersonName::new(person_name).map_err(|e| Failure::Usage(format!("--as: {e}")))?;
        let why = why.trim();
        if why.is_empty() {
            return Err(Failure::Usage(
                "--why is blank: say why, it stands in the report's trail for good".to_owned(),
            ));
        }
        Ok(Self {
            actor: person(name),
            why: why.to_owned(),
        })
    }
}

/// Takes a report back to an earlier step. The next cycle goes on from there.
pub async fn replay(installation: &Installation, args: ReplayArgs, out: Out) -> Result<u8, Failure> {
    let Decided { actor, why } = Decided::of(&args.decision)?;
    let found = find::report(
        installation,
        &args.decision.report,
        args.decision.connection.as_deref(),
    )
    .await?;
    let connection = installation.connection(found.connection)?;
    let world = WithoutEffects::of(installation);
    let desk = Desk::for_command(&world, &connection, installation.instance, "replay");
    let mut to = None;
    let (after, events) = desk
        .act(found.report, actor, |report| {
            to = args.to.map(Step).or_else(|| report.captured_at());
            Some(Command::Rewind { to, why: why.clone() })
        })
        .await?;
    let step = to.map_or_else(String::new, |step| format!("to step {step}; "));
    out.words(&format!(
        "{}: taken back {step}it is {} again, and the next cycle goes on from there",
        found.report,
        after.report.stage().name()
    ))?;
    tell(found, &after, events, json!({"decided": "replay", "to": to}), out)?;
    Ok(DONE)
}

/// Leaves a report out.
pub async fn exclude(installation: &Installation, args: ExcludeArgs, out: Out) -> Result<u8, Failure> {
    let Decided { actor, why } = Decided::of(&args.decision)?;
    let ledger_reference = args.ledger_reference.map(|there| there.trim().to_owned());
    if ledger_reference.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::Usage(
            "--ledger-reference is blank: say where it stands in the ledger, or leave the switch out"
                .to_owned(),
        ));
    }
    let found = find::report(
        installation,
        &args.decision.report,
        args.decision.connection.as_deref(),
    )
    .await?;
    let connection = installation.connection(found.connection)?;
    let world = WithoutEffects::of(installation);
    let desk = Desk::for_command(&world, &connection, installation.instance, "exclude");
    let exclusion = Exclusion::Decided {
        reason: why,
        ledger_reference: ledger_reference.clone(),
    };
    let (after, events) = desk
        .act(found.report, actor, |_| Some(Command::Exclude(exclusion.clone())))
        .await?;
    let already = if events == 0 { "was already " } else { "is " };
    out.words(&format!(
        "{}: it {already}left out; `tieout replay` takes it in again",
        found.report
    ))?;
    tell(
        found,
        &after,
        events,
        json!({"decided": "exclude", "ledger_reference": ledger_reference}),
        out,
    )?;
    Ok(DONE)
}

/// The decision as JSON: what was decided, how many events that came to (none where it was so already), and where the
/// report is after it.
fn tell(
    found: Found<'_>,
    after: &Loaded,
    events: usize,
    mut decision: Value,
    out: Out,
) -> Result<(), Failure> {
    if let Value::Object(members) = &mut decision {
        members.insert("connection".to_owned(), json!(found.connection.name));
        members.insert("report_id".to_owned(), json!(found.report));
        members.insert("state".to_owned(), json!(after.report.stage().name()));
        members.insert("events".to_owned(), json!(events));
    }
    out.document(&decision)
}
