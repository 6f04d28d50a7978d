//! Specifications of the mapping: the table of design §6, and each sentence of the paragraph below it.

mod amounts;
mod dates;
mod lineage;
pub(crate) mod properties;
mod read_back;
mod refusals;
mod sides;
pub(crate) mod world;
