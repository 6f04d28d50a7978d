//! Shared access to the world while the stand-in runs.

use std::sync::{Arc, PoisonError, RwLock};

use super::World;

/// A handle on the world of a stand-in. Clones share it.
#[derive(Clone, Debug)]
pub struct WorldHandle {
    world: Arc<RwLock<World>>,
}

impl WorldHandle {
    /// Shares `world`.
    pub fn new(world: World) -> Self {
        Self {
            world: Arc::new(RwLock::new(world)),
        }
    }

    /// Changes the world; no call sees it half changed.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the world.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }
}
