//! Specifications of the aggregate: design §4 written down a second time, as examples and as properties.

mod decide_documents;
mod decide_life;
mod given;
mod material;
pub(crate) mod samples;
mod sequences;
