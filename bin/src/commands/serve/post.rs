//! A connection's post: where several instances share a cluster's log, one holds it and the others stand by.

use std::sync::Arc;
use std::time::Duration;

use crate::out::Out;
use crate::tenure::{Candidate, Hold, Keeper, Turn};

/// How long until a log that could not be asked is asked again.
const RETRY: Duration = Duration::from_secs(5);

/// How the post came to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was ours before.
    Kept,
    /// It was not.
    Anew,
}

/// Does it stand by, and was that said?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    No,
    By,
}

/// One connection's post, as one instance sees it.
pub struct Post {
    candidate: Candidate,
    keeper: Option<Keeper>,
    standing: Standing,
    name: String,
    out: Out,
}

impl Post {
    /// Not asked for yet.
    pub fn new(candidate: Candidate, name: String, out: Out) -> Self {
        Self {
            candidate,
            keeper: None,
            standing: Standing::No,
            name,
            out,
        }
    }

    /// Until when it is held: for the world that works the connection.
    pub fn hold(&self) -> Arc<Hold> {
        self.candidate.hold()
    }

    /// Waits until it is ours. `ready` is told what readiness is meanwhile: one that stands by does what it is there for.
    pub async fn until_ours(&mut self, ready: &impl Fn(bool)) -> Taken {
        if self.keeper.is_some() && !self.candidate.is_over() {
            return Taken::Kept;
        }
        loop {
            self.keeper = None;
            let wait = match self.candidate.ask().await {
                Ok(Turn::Ours(keeper)) => {
                    self.keeper = Some(keeper);
                    if self.standing == Standing::By {
                        self.standing = Standing::No;
                        self.say("taken over");
                    }
                    return Taken::Anew;
                }
                Ok(Turn::Theirs(holder)) => {
                    if self.standing == Standing::No {
                        self.standing = Standing::By;
                        self.say(&format!(
                            "another instance works it ({}, instance {}): standing by",
                            holder.host, holder.instance
                        ));
                    }
                    ready(true);
                    self.candidate.next_look(&holder)
                }
                Err(failure) => {
                    ready(false);
                    self.say(&format!("{failure}; asked again in {RETRY:?}"));
                    RETRY
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Ends when it is lost.
    pub async fn lost(&self) {
        self.candidate.lost().await;
    }

    /// Gives it back, if it is ours.
    pub async fn give_back(mut self) {
        self.candidate.give_back(self.keeper.take()).await;
    }

    fn say(&self, words: &str) {
        let _ = self.out.aside(&format!("{}: {words}", self.name));
    }
}
