//! The sum of an event: what tells a reader that the disk gives back what was written. SQLite has no sums of its own in
//! the file (only in the write-ahead log), so that a rotten byte within an event would be read as if it had been written.
//!
//! Against damage, not against people: whoever can write the file can write a sum. Proofs are another matter.

use tieout_domain::ports::NewEvent;

/// An odd number with bits all over; multiplying by it loses nothing.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Over everything of an event and where it stands. Each word enters by a step that can be undone, so that damage within
/// eight bytes side by side never goes unseen, and any other with a chance of one in 2^64.
pub(crate) fn sum(leaf: u64, stream: &str, revision: u64, event: Parts<'_>) -> i64 {
    let mut sum = Sum(SPREAD);
    sum.word(leaf);
    sum.word(revision);
    for part in [
        stream.as_bytes(),
        event.id,
        event.kind.as_bytes(),
        event.data,
        event.metadata,
    ] {
        sum.bytes(part);
    }
    sum.0.cast_signed()
}

/// An event, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) kind: &'a str,
    pub(crate) data: &'a [u8],
    pub(crate) metadata: &'a [u8],
}

impl<'a> From<&'a NewEvent> for Parts<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            id: event.id.0.as_bytes(),
            kind: &event.kind,
            data: &event.data,
            metadata: &event.metadata,
        }
    }
}

struct Sum(u64);

impl Sum {
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(SPREAD).rotate_left(29);
    }

    /// The length goes first, so that no byte can move from one part to the next.
    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.word(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(data: &[u8]) -> i64 {
        let event = Parts {
            id: &[7; 16],
            kind: "Noted",
            data,
            metadata: b"{}",
        };
        sum(3, "report-1", 2, event)
    }

    #[test]
    fn it_is_the_same_for_ever() {
        // Sums stand in files: another value here would make every log look damaged.
        assert_eq!(of(b"0123456789"), 2_012_523_453_085_977_337);
        assert_eq!(of(b""), -1_776_986_231_181_909_898);
    }

    #[test]
    fn any_one_byte_changes_it() {
        let data: Vec<u8> = (0..100).collect();
        let whole = of(&data);
        for at in 0..data.len() {
            for flip in 1..=255 {
                let mut rotten = data.clone();
                rotten[at] ^= flip;
                assert_ne!(of(&rotten), whole, "byte {at} by {flip}");
            }
        }
        assert_ne!(of(&data[..99]), whole);
    }

    #[test]
    fn what_moves_from_one_part_to_the_next_changes_it() {
        let parts = |kind, data| {
            sum(
                0,
                "s",
                0,
                Parts {
                    id: &[],
                    kind,
                    data,
                    metadata: &[],
                },
            )
        };
        assert_ne!(parts("ab", b"c"), parts("a", b"bc"));
    }
}
