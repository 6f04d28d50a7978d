//! One document, sent once. What comes back is an answer, not yet a fact: the workflow looks up and reads back.

use tieout_domain::ports::{Clock, LedgerMessage, PostAnswer};
use tieout_domain::posting::Document;

use crate::body;
use crate::client::{Failure, QadClient};
use crate::verdict::{Reading, verdict};
use crate::wire::{Silence, excerpt};

impl<C: Clock> QadClient<C> {
    /// Sends a document.
    pub(crate) async fn send_once(&self, document: &Document) -> PostAnswer {
        let layout = self.profile().documents.layout(document.kind());
        let bytes = match body::create(document, &layout, self.wire()) {
            Ok(bytes) => bytes,
            Err(error) => {
                return PostAnswer::NeverArrived {
                    detail: error.to_string(),
                };
            }
        };
        let query = [("viewUri", layout.view_uri.to_owned())];
        let what = format!("the posting of {} {}", document.kind(), document.reference);
        let answer = self
            .authorised(&what, |token| {
                self.wire().post(layout.path, &query, bytes.clone(), token)
            })
            .await;
        let reading = Reading {
            response_root: layout.response_root,
            year: layout.shared.posting_year,
            daybook: layout.shared.daybook,
            voucher: layout.shared.voucher,
            error_severities: &self.profile().answers.error_severities,
            duplicate_texts: &self.profile().answers.duplicate_texts,
            duplicate_codes: &self.profile().answers.duplicate_codes,
        };
        let answer = match answer {
            Ok(answer) => verdict(answer.status, &answer.body, reading),
            Err(Failure::Token(error)) => PostAnswer::NeverArrived {
                detail: error.to_string(),
            },
            Err(Failure::TurnedAway(detail)) => PostAnswer::NeverArrived {
                detail: format!("a fresh token was turned away with 401: {detail}"),
            },
            Err(Failure::Silence(Silence::NeverSent(detail))) => PostAnswer::NeverArrived {
                detail: format!("no connection was made: {detail}"),
            },
            Err(Failure::Silence(Silence::NoAnswer(detail))) => PostAnswer::Unknown {
                detail: format!("no answer: {detail}"),
            },
        };
        self.as_evidence(answer)
    }

    /// The answer as it may be kept: no secret in it, every text cut.
    fn as_evidence(&self, answer: PostAnswer) -> PostAnswer {
        // Redacted before it is cut, or half a secret could stand at the end.
        let kept = |text: String| excerpt(&self.session().redacted(&text));
        match answer {
            PostAnswer::Accepted { key, warnings } => PostAnswer::Accepted {
                key,
                warnings: warnings.into_iter().map(kept).collect(),
            },
            PostAnswer::Refused { messages } => {
                let messages = messages
                    .into_iter()
                    .map(|LedgerMessage { field, message, code }| LedgerMessage {
                        field: kept(field),
                        message: kept(message),
                        code: kept(code),
                    });
                PostAnswer::Refused {
                    messages: messages.collect(),
                }
            }
            PostAnswer::DuplicateWarned { key, warning } => PostAnswer::DuplicateWarned {
                key,
                warning: kept(warning),
            },
            PostAnswer::NeverArrived { detail } => PostAnswer::NeverArrived { detail: kept(detail) },
            PostAnswer::Unknown { detail } => PostAnswer::Unknown { detail: kept(detail) },
        }
    }
}
