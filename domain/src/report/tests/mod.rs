//! Specifications of the aggregate: design §4 written down a second time, as examples and as properties.

mod asks;
mod decide_after_posting;
mod decide_doubt;
mod decide_posting;
mod decide_rules;
mod decide_source;
mod events;
mod given;
mod material;
pub(crate) mod samples;
mod sequences;
mod words;
