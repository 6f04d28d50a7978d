//! The limiter's last sends, shared by all processes on the file. Not part of the log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::params;
use tieout_domain::ports::{PaceRule, SENDS_KEPT};

use crate::bench::Desk;
use crate::trouble::{Place, Trouble};
use crate::writer::Work;

/// A turn to be reserved.
pub(crate) struct Reserve {
    pub(crate) place: Place,
    pub(crate) account: String,
    pub(crate) rule: PaceRule,
}

/// Lets the rule name the next instant. A rule that panics takes nobody else with it.
fn decide(rule: &PaceRule, sends: &[i64]) -> Result<i64, &'static str> {
    catch_unwind(AssertUnwindSafe(|| rule(sends)))
        .map_err(|_| "the limiter's rule panicked; no turn was reserved")
}

impl Work for Reserve {
    type Answer = i64;

    fn apply(&mut self, desk: &mut Desk<'_>) -> Result<i64, Trouble> {
        let connection = desk.connection;
        let (turns, sends): (Vec<i64>, Vec<i64>) = connection
            .prepare_cached("SELECT turn, at_ms FROM pace WHERE account = ?1 ORDER BY turn")?
            .query_map([&self.account], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?
            .into_iter()
            .unzip();
        let at = decide(&self.rule, &sends).map_err(|detail| self.place.failed(detail))?;
        let turn = turns.last().map_or(0, |last| last.saturating_add(1));
        connection
            .prepare_cached("INSERT INTO pace (account, turn, at_ms) VALUES (?1, ?2, ?3)")?
            .execute(params![self.account, turn, at])?;
        let kept = i64::try_from(SENDS_KEPT).unwrap_or(i64::MAX);
        connection
            .prepare_cached("DELETE FROM pace WHERE account = ?1 AND turn <= ?2")?
            .execute(params![self.account, turn.saturating_sub(kept)])?;
        Ok(at)
    }

    /// After a power cut the machine is away for longer than the limiter looks back, or nearly so; a sync for every
    /// call to the source is not worth that.
    fn must_survive_power_cut(&self) -> bool {
        false
    }

    fn weight(&self) -> usize {
        0
    }
}
