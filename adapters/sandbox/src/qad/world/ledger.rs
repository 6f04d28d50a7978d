//! The documents of an entity: numbered per year and daybook, found by key and by reference without reading all.

use std::collections::{BTreeMap, HashMap};

use super::{Document, DocumentKey, DocumentKind, folded};

/// All documents of an entity, in the order in which they were stored. Numbering leaves no gaps, and a number that
/// was given is not given again, even if the document is taken out.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    documents: BTreeMap<u64, Document>,
    stored: u64,
    by_key: HashMap<(i32, String, u64), u64>,
    by_reference: HashMap<(DocumentKind, String), Vec<u64>>,
    last_voucher: HashMap<(i32, String), u64>,
}

impl Ledger {
    /// Stores a document under the next voucher of its year and daybook, and returns its key.
    pub fn store(&mut self, mut document: Document) -> DocumentKey {
        let last = self
            .last_voucher
            .entry((document.year, folded(&document.daybook)))
            .or_insert(0);
        *last += 1;
        document.voucher = *last;
        self.place(document)
    }

    /// Continues the numbering of a year and daybook after `voucher`, as an installation that was in use before.
    pub fn number_after(&mut self, year: i32, daybook: &str, voucher: u64) {
        let last = self.last_voucher.entry((year, folded(daybook))).or_insert(0);
        *last = voucher.max(*last);
    }

    /// The document with this key.
    pub fn get(&self, key: &DocumentKey) -> Option<&Document> {
        self.documents.get(self.by_key.get(&index(key))?)
    }

    /// Documents of a kind that bear this reference (without regard to case), oldest first.
    pub fn with_reference(&self, kind: DocumentKind, reference: &str) -> impl Iterator<Item = &Document> {
        let found = self.by_reference.get(&(kind, folded(reference)));
        found
            .into_iter()
            .flatten()
            .filter_map(|place| self.documents.get(place))
    }

    /// All documents, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Changes a document in place, whatever it changes; its place in the order stays. `None` if there is no such
    /// document.
    pub fn edit<R>(&mut self, key: &DocumentKey, change: impl FnOnce(&mut Document) -> R) -> Option<R> {
        let place = *self.by_key.get(&index(key))?;
        let mut document = self.forget(place)?;
        let result = change(&mut document);
        document.changes += 1;
        self.index_at(place, document);
        Some(result)
    }

    /// Takes a document out, as no QAD ever would: for tests that must see the loss noticed.
    pub fn remove(&mut self, key: &DocumentKey) -> Option<Document> {
        let place = *self.by_key.get(&index(key))?;
        self.forget(place)
    }

    fn place(&mut self, document: Document) -> DocumentKey {
        let key = document.key();
        let place = self.stored;
        self.stored += 1;
        self.index_at(place, document);
        key
    }

    fn index_at(&mut self, place: u64, document: Document) {
        self.by_key.insert(index(&document.key()), place);
        let bearers = self
            .by_reference
            .entry((document.kind, folded(&document.reference)))
            .or_default();
        bearers.push(place);
        bearers.sort_unstable();
        self.documents.insert(place, document);
    }

    fn forget(&mut self, place: u64) -> Option<Document> {
        let document = self.documents.remove(&place)?;
        self.by_key.remove(&index(&document.key()));
        if let Some(bearers) = self
            .by_reference
            .get_mut(&(document.kind, folded(&document.reference)))
        {
            bearers.retain(|bearer| *bearer != place);
        }
        Some(document)
    }
}

fn index(key: &DocumentKey) -> (i32, String, u64) {
    (key.year, folded(&key.daybook), key.voucher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qad::sample;

    fn references(ledger: &Ledger, reference: &str) -> Vec<u64> {
        ledger
            .with_reference(DocumentKind::SupplierInvoice, reference)
            .map(|document| document.voucher)
            .collect()
    }

    #[test]
    fn vouchers_count_per_year_and_daybook() {
        let mut ledger = Ledger::default();
        let invoice = sample::invoice("R1");
        assert_eq!(ledger.store(invoice.clone()).voucher, 1);
        assert_eq!(ledger.store(invoice.clone()).voucher, 2);
        assert_eq!(
            ledger
                .store(Document {
                    daybook: "OTHER".into(),
                    ..invoice.clone()
                })
                .voucher,
            1
        );
        assert_eq!(
            ledger
                .store(Document {
                    year: 2025,
                    ..invoice.clone()
                })
                .voucher,
            1
        );
        ledger.number_after(2024, "sinv", 440);
        assert_eq!(ledger.store(invoice).voucher, 441);
    }

    #[test]
    fn a_reference_is_found_without_regard_to_case_and_only_in_its_kind() {
        let mut ledger = Ledger::default();
        ledger.store(sample::invoice("E00Ab"));
        ledger.store(sample::invoice("e00aB"));
        assert_eq!(references(&ledger, "E00AB"), [1, 2]);
        assert_eq!(
            ledger.with_reference(DocumentKind::JournalEntry, "E00AB").count(),
            0
        );
    }

    #[test]
    fn an_edit_moves_the_indexes_and_a_number_is_never_given_twice() {
        let mut ledger = Ledger::default();
        let key = ledger.store(sample::invoice("R1"));
        ledger.edit(&key, |document| document.reference = "R2".into());
        assert!(references(&ledger, "R1").is_empty());
        assert_eq!(references(&ledger, "R2"), [1]);
        assert_eq!(ledger.remove(&key).map(|document| document.changes), Some(1));
        assert_eq!(ledger.store(sample::invoice("R3")).voucher, 2);
        assert!(ledger.get(&key).is_none());
    }
}
