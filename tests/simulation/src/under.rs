//! The log under the workflow at this moment: memory, or an engine beside it. What the engine answers otherwise than its
//! model breaks a law.

use tieout_domain::ports::{
    Appended, Expected, Leaf, Log, LogError, NewEvent, Position, Recorded, Revision, StreamName,
};
use tieout_memory::MemoryLog;

use crate::beside::{Beside, Held};
use crate::stage::Stage;

/// After so many broken laws the engine answers nothing any more: who reads to the end, page by page, would never come to
/// the end of one that gives the same page for ever.
const ENOUGH: usize = 200;

/// See the module.
pub(crate) struct Under {
    stage: Stage,
    memory: MemoryLog,
    engine: Option<Beside>,
}

impl Under {
    pub(crate) fn of(stage: &Stage) -> Self {
        let state = stage.lock();
        Self {
            memory: state.log.clone(),
            engine: state.engine.clone(),
            stage: stage.clone(),
        }
    }

    /// Passes the engine's answer on.
    fn held<T>(&self, (answer, wrong): Held<T>) -> Result<T, LogError> {
        if wrong.is_empty() {
            return answer;
        }
        let mut state = self.stage.lock();
        wrong.into_iter().for_each(|what| state.broken(what));
        match state.violations.first() {
            Some(first) if state.violations.len() > ENOUGH => Err(LogError::Failed {
                place: "simulation".to_owned(),
                detail: format!("it was wrong too often, at first so: {first}"),
            }),
            _ => answer,
        }
    }
}

impl Log for Under {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        match &self.engine {
            None => self.memory.append(stream, expected, events).await,
            Some(engine) => self.held(engine.append(&self.memory, stream, expected, events)),
        }
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        match &self.engine {
            None => self.memory.read_stream(stream, from, limit).await,
            Some(engine) => self.held(engine.read_stream(&self.memory, stream, from, limit)),
        }
    }

    async fn read_all(&self, after: Option<Position>, limit: usize) -> Result<Vec<Recorded>, LogError> {
        match &self.engine {
            None => self.memory.read_all(after, limit).await,
            Some(engine) => self.held(engine.read_all(&self.memory, after, limit)),
        }
    }

    async fn leaf(&self, position: Position) -> Result<Option<Leaf>, LogError> {
        match &self.engine {
            None => self.memory.leaf(position).await,
            Some(engine) => self.held(engine.leaf(&self.memory, position)),
        }
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        match &self.engine {
            None => self.memory.head().await,
            Some(engine) => self.held(engine.head(&self.memory)),
        }
    }

    /// The simulation's thread cannot wait for what only it would write: it waits at the model, and asks the engine then.
    async fn wait_beyond(&self, position: Option<Position>) -> Result<(), LogError> {
        let Some(engine) = &self.engine else {
            return self.memory.wait_beyond(position).await;
        };
        match engine.place(position) {
            Ok(place) => {
                self.memory.wait_beyond(place).await?;
                engine.is_beyond(position)
            }
            Err(wrong) => self.held((Ok(()), vec![wrong])),
        }
    }
}
