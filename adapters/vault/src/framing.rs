//! Several byte strings as one, so that no two different lists give the same bytes.
//!
//! Associated data and the fields of a set are lists. Joined without lengths, `("ab", "c")` and `("a", "bc")` would be
//! the same, and an entry could pass for another one. Here every part is preceded by its length (8 bytes, little-endian).

use zeroize::Zeroizing;

/// The parts, each behind its length. The buffer is allocated once at its full size, so that no copy of a secret part
/// is left behind by growing, and it is wiped on drop.
pub(crate) fn frame(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let size = parts.iter().map(|part| part.len().saturating_add(8)).sum();
    let mut framed = Zeroizing::new(Vec::with_capacity(size));
    for part in parts {
        // A usize is at most 64 bits on every platform Rust has.
        framed.extend_from_slice(&(part.len() as u64).to_le_bytes());
        framed.extend_from_slice(part);
    }
    framed
}

/// The parts again, borrowed; `None` if the bytes are not what [`frame`] makes.
pub(crate) fn unframe(mut framed: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !framed.is_empty() {
        let (length, rest) = framed.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        parts.push(part);
        framed = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_that_only_join_alike_are_framed_apart() {
        assert_ne!(*frame(&[b"ab", b"c"]), *frame(&[b"a", b"bc"]));
        assert_ne!(*frame(&[b""]), *frame(&[]));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        assert_eq!(unframe(&u64::MAX.to_le_bytes()), None);
        assert_eq!(unframe(&[1, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_parts_come_back(parts: Vec<Vec<u8>>) {
            let borrowed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let framed = frame(&borrowed);
            prop_assert_eq!(unframe(&framed), Some(borrowed));
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>) {
            if let Some(parts) = unframe(&bytes) {
                prop_assert_eq!(&*frame(&parts), &bytes);
            }
        }
    }
}
