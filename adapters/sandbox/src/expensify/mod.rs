//! The stand-in Expensify server (contract expensify, all sections).

pub mod freemarker;
pub mod world;
