//! From a coded report to balanced documents, and from a document to what QAD holds of it.

mod amounts;
mod build;
mod coding;
mod dates;
mod document;
mod header;
mod map;
mod supplier;
#[cfg(test)]
pub(crate) mod tests;

pub use document::{
    Body, Coding, Difference, Document, DocumentKey, DocumentLine, DocumentTexts, LedgerDocument, LedgerLine,
    LineOrigin, PostingPeriod, Side, Sighting, differences,
};
pub use map::{MapInputs, basis_in_force, map_report};
pub use supplier::no_supplier;
