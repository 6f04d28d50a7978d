//! The rule set in force. Until rule sets have a life of their own, the file's content is activated when it changes.

use super::desk::{Desk, WorkflowError};
use super::events::RulesEvent;
use crate::journal::{Draft, SystemActor};
use crate::ports::{Clock, Expected, Ports, Revision};
use crate::rules::RuleSetVersion;

impl<P: Ports> Desk<'_, P> {
    /// Makes sure that the file's content is in force, and returns its version. Content that was in force before and
    /// comes back is a new activation. With it, the last event of the rules' stream.
    pub async fn rules_in_force(&self) -> Result<(RuleSetVersion, Option<Revision>), WorkflowError> {
        loop {
            let (entries, head) = self.journal.read::<RulesEvent>(&self.streams.rules()).await?;
            let last = entries.last().map(|entry| {
                let RulesEvent::RuleSetActivated { version, .. } = &entry.event;
                version.clone()
            });
            let hash = self.connection.rules.hash().as_str();
            if let Some(version) = &last
                && version.hash == hash
            {
                return Ok((version.clone(), head));
            }
            let version = self
                .connection
                .rules
                .version(last.map_or(1, |v| v.number.saturating_add(1)));
            let event = RulesEvent::RuleSetActivated {
                version: version.clone(),
                content: self.connection.rules_text.clone(),
            };
            let draft = Draft {
                event,
                effective_at: self.ports.clock().now(),
                subject: None,
            };
            let expected = head.map_or(Expected::NoStream, Expected::At);
            match self
                .journal
                .append(
                    &self.streams.rules(),
                    expected,
                    &self.stamp(SystemActor::Mapper),
                    vec![draft],
                )
                .await
            {
                Ok((_, appended)) => return Ok((version, Some(appended.revision))),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
