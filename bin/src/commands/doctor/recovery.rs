//! Is the connection in recovery, or will its next cycle be?

use tieout_domain::journal::Streams;
use tieout_domain::workflow::{Desk, Looking, Roster};

use super::Finding;
use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::Failure;

const NAME: &str = "recovery";

/// Looks at the log, then at QAD. Records nothing: that is for the next cycle.
pub async fn look(installation: &Installation, config: &ConnectionConfig) -> Finding {
    let fix = format!(
        "`tieout reconcile --ledger --connection {}` (`tieout guide recovery`); nothing posts before that",
        config.name
    );
    let looked = async {
        let world = installation.world(config)?;
        let connection = installation.connection(config)?;
        let looking = Looking::at(&world);
        let desk = Desk::for_command(&looking, &connection, installation.instance, "doctor");
        if let Some(opened) = desk.recovery().await?.open() {
            return Ok(Finding::bad(NAME, opened.describe(config.name.as_str()), &fix));
        }
        let mut roster = Roster::new(Streams(config.id));
        Ok(match desk.hold_against_the_log(&mut roster).await? {
            Ok(held) if held.unexplained.is_empty() => Finding::good(
                NAME,
                format!(
                    "the log explains each of the {} documents with our references that QAD shows",
                    held.shown.len()
                ),
            ),
            Ok(held) => Finding::bad(
                NAME,
                format!(
                    "QAD shows {} documents with our references that the log does not explain: the next cycle opens in recovery",
                    held.unexplained.len()
                ),
                &fix,
            ),
            Err(error) => Finding::bad(
                NAME,
                format!("QAD did not list the documents with our references: {error}"),
                "correct the look-up browse that is named in the profile, or try again; nothing posts before it answers",
            )
            .unless_reached(&error),
        })
    };
    looked.await.unwrap_or_else(|failure: Failure| {
        Finding::failed(
            NAME,
            &failure,
            "see to the log's file and its disk, and try again",
        )
    })
}
