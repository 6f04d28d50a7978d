//! The look-ups of documents in doubt that fall due between two cycles: QAD is asked, and nobody else.

use std::time::Duration;

use tieout_domain::workflow::{Desk, Resolved, Roster};

use crate::config::ConnectionConfig;
use crate::installation::{Installation, World};
use crate::out::{Failure, Out};

/// The least wait before a look-up: what fails at once is not asked again at once.
const LEAST: Duration = Duration::from_secs(1);

/// How long until a document in doubt is due to be looked up; `None` while none is in doubt.
pub fn due(
    installation: &Installation,
    config: &ConnectionConfig,
    world: &World,
    roster: &Roster,
) -> Option<Duration> {
    // What is wrong with the connection is said by its next cycle.
    let connection = installation.connection(config).ok()?;
    let desk = Desk::for_cycle(world, &connection, installation.instance);
    desk.next_look(roster).map(|wait| wait.max(LEAST))
}

/// Looks up what is due, and says what came of it where something did.
pub async fn look(
    installation: &Installation,
    config: &ConnectionConfig,
    world: &World,
    roster: &mut Roster,
    out: Out,
) {
    let said = match looked(installation, config, world, roster).await {
        Ok(resolved) if resolved.adopted + resolved.absent == 0 => return,
        Ok(resolved) => format!(
            "{}: looked up what is in doubt: {} adopted, {} proven absent, {} still in doubt, {} for a person",
            config.name, resolved.adopted, resolved.absent, resolved.waiting, resolved.incidents
        ),
        Err(failure) => format!("{}: {failure}", config.name),
    };
    let _ = out.aside(&said);
}

async fn looked(
    installation: &Installation,
    config: &ConnectionConfig,
    world: &World,
    roster: &mut Roster,
) -> Result<Resolved, Failure> {
    let connection = installation.connection(config)?;
    let desk = Desk::for_cycle(world, &connection, installation.instance);
    Ok(desk.resolve_between(roster).await?)
}
