//! From a coded report to balanced documents, and from a document to what QAD holds of it.

mod document;

pub use document::{
    Body, Coding, Difference, Document, DocumentKey, DocumentLine, DocumentTexts, LedgerDocument, LedgerLine, LineOrigin, PostingPeriod,
    Side, Sighting, differences,
};
