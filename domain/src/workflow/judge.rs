//! What an answer to a sent document comes to: only a look-up after it turns QAD's words into a fact.

use super::desk::{Desk, Loaded, WorkflowError};
use super::post::{POSTER, Posted};
use super::settle::Shown;
use crate::ids::ReportId;
use crate::ports::{Ports, PostAnswer};
use crate::posting::Document;
use crate::report::{Command, Doubt, Proof};
use crate::time::Moment;

impl<P: Ports> Desk<'_, P> {
    /// What the answer and a look-up after it amount to.
    pub(super) async fn judge(
        &self,
        id: ReportId,
        loaded: Loaded,
        document: &Document,
        answer: PostAnswer,
        given_up: Moment,
        posted: &mut Posted,
    ) -> Result<Loaded, WorkflowError> {
        let reference = document.reference;
        let in_doubt = |doubt: Doubt| Command::RecordDoubt {
            reference,
            doubt,
            since: given_up.clone(),
        };
        let doubt = |detail: String| in_doubt(Doubt::Unknown { detail });
        let command = match answer {
            PostAnswer::NeverArrived { detail } => {
                posted.failed += 1;
                Command::RecordFailed {
                    reference,
                    why: detail,
                }
            }
            PostAnswer::Unknown { detail } => {
                posted.in_doubt += 1;
                doubt(detail)
            }
            PostAnswer::DuplicateWarned { key, warning } => {
                posted.in_doubt += 1;
                in_doubt(self.look_warned(id, &loaded.report, document, key, warning).await)
            }
            PostAnswer::Refused { messages } => match self.look(id, &loaded.report, document).await {
                Shown::Absent => {
                    posted.refused += 1;
                    Command::RecordRefused { reference, messages }
                }
                Shown::Unproven(detail) => {
                    posted.in_doubt += 1;
                    let said: Vec<String> = messages.iter().map(|m| m.message.clone()).collect();
                    doubt(format!(
                        "QAD answered a refusal ({}), and the look-up after it proved nothing: {detail}",
                        said.join("; ")
                    ))
                }
                // It says no and shows the document: that is not adopted without a person.
                Shown::Agrees { key, .. } => {
                    posted.in_doubt += 1;
                    doubt(format!("QAD answered a refusal and shows the document as {key}"))
                }
                Shown::Incident(found) | Shown::Unread(found) => {
                    posted.in_doubt += 1;
                    in_doubt(found)
                }
            },
            PostAnswer::Accepted { key, warnings } => match self.look(id, &loaded.report, document).await {
                Shown::Agrees { key: shown, date } => {
                    if key.as_ref().is_some_and(|echoed| *echoed != shown) {
                        tracing::warn!(report = %id, %reference, ?key, %shown, "QAD echoed another number than the look-up shows");
                    }
                    posted.confirmed += 1;
                    Command::RecordPosted {
                        reference,
                        key: shown,
                        date,
                        proof: Proof::Confirmed,
                        warnings,
                    }
                }
                Shown::Incident(found) | Shown::Unread(found) => {
                    posted.in_doubt += 1;
                    in_doubt(found)
                }
                Shown::Absent => {
                    posted.in_doubt += 1;
                    let detail = "the look-up after it does not show the document".to_owned();
                    in_doubt(Doubt::Unread { key, detail })
                }
                Shown::Unproven(detail) => {
                    posted.in_doubt += 1;
                    in_doubt(Doubt::Unread { key, detail })
                }
            },
        };
        let (loaded, _) = self.record(id, loaded, POSTER, command).await?;
        self.ports.passing("recorded");
        Ok(loaded)
    }
}
