//! What is in force in a cycle, and whether it still is when a document is about to be sent (law 5).
//!
//! Two instances may be at work: one activates other rules, or sees other masters, while the other one posts. Each
//! intent is therefore followed by a look at both streams: what has not moved after the intent had not moved at it.

use super::desk::{Desk, WorkflowError};
use super::rules::{CHANGE_WHAT_IS_IN_FORCE, RulesInForce};
use crate::chart::Chart;
use crate::ports::{Log, Ports, Revision, StreamName};

/// What is in force in a cycle.
#[derive(Debug, Clone, Copy)]
pub struct InForce<'a> {
    /// The rule set.
    pub rules: &'a RulesInForce,
    /// Chart.
    pub chart: &'a Chart,
    /// Where both were read.
    pub heads: Heads,
}

/// The last events that a rule set version and a chart were folded from; `None` where the stream had none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heads {
    /// Of the rules' stream.
    pub rules: Option<Revision>,
    /// Of the chart's stream.
    pub chart: Option<Revision>,
}

impl<P: Ports> Desk<'_, P> {
    /// Has nobody activated other rules or recorded another chart since these heads were read?
    pub(super) async fn still_in_force(&self, heads: Heads) -> Result<bool, WorkflowError> {
        Ok(self.no_other_rules_since(heads.rules).await?
            && self.ends_at(&self.streams.chart(), heads.chart).await?)
    }

    /// People may propose and approve sets meanwhile: only what changes the one in force counts.
    async fn no_other_rules_since(&self, head: Option<Revision>) -> Result<bool, WorkflowError> {
        const PAGE: usize = 64;
        let mut beyond = head.map_or(Revision(0), Revision::next);
        loop {
            let page = self
                .ports
                .log()
                .read_stream(&self.streams.rules(), beyond, PAGE)
                .await?;
            let Some(last) = page.last() else { return Ok(true) };
            beyond = last.revision.next();
            let changes = |kind: &str| CHANGE_WHAT_IS_IN_FORCE.contains(&kind);
            if page.iter().any(|recorded| changes(&recorded.event.kind)) {
                return Ok(false);
            }
        }
    }

    async fn ends_at(&self, stream: &StreamName, head: Option<Revision>) -> Result<bool, WorkflowError> {
        let beyond = head.map_or(Revision(0), Revision::next);
        Ok(self.ports.log().read_stream(stream, beyond, 1).await?.is_empty())
    }
}
