//! What is in force in a cycle, and whether it still is when a document is about to be sent (law 5).
//!
//! Two instances may be at work: one activates other rules, or sees other masters, while the other one posts. Each
//! intent is therefore followed by a look at both streams: what has not moved after the intent had not moved at it.

use super::desk::{Desk, WorkflowError};
use crate::chart::Chart;
use crate::ports::{Log, Ports, Revision, StreamName};
use crate::rules::RuleSetVersion;

/// What is in force in a cycle.
#[derive(Debug, Clone, Copy)]
pub struct InForce<'a> {
    /// Rule set version.
    pub rules: &'a RuleSetVersion,
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
        Ok(self.ends_at(&self.streams.rules(), heads.rules).await?
            && self.ends_at(&self.streams.chart(), heads.chart).await?)
    }

    async fn ends_at(&self, stream: &StreamName, head: Option<Revision>) -> Result<bool, WorkflowError> {
        let beyond = head.map_or(Revision(0), Revision::next);
        Ok(self.ports.log().read_stream(stream, beyond, 1).await?.is_empty())
    }
}
