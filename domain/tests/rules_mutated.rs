//! The fuzz target's property on a stable toolchain: files of the corpus, mutated from a fixed seed, are read or refused, and
//! what is read prints itself as the same set. `TIEOUT_MUTANTS` asks for another number of them.

// A test throughout, its helpers included.
#![allow(clippy::indexing_slicing)]

use std::path::Path;

use tieout_domain::rules::RuleSet;

/// A small generator (SplitMix64).
struct Random(u64);
impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
}

/// What rule files are made of.
const WORDS: [&str; 16] = [
    "[[rule]]\n",
    "when.",
    "category",
    "tag_level_1",
    "merchant",
    ":*",
    "*",
    " = ",
    "\"",
    "\\",
    "{ ",
    " }",
    "\u{202e}",
    "ß",
    "5",
    ", ",
];

fn mutate(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(24)).min(bytes.len());
    match random.below(5) {
        0 => {
            bytes.drain(at..end);
        }
        1 => {
            let copied = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copied);
        }
        2 => {
            let word = WORDS[random.below(WORDS.len())];
            bytes.splice(at..at, word.bytes());
        }
        3 => {
            let other = &others[random.below(others.len())];
            let from = random.below(other.len());
            let to = (from + random.below(120)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = b' ' + random.below(95) as u8;
            }
        }
    }
}

#[test]
fn a_mutated_file_is_read_or_refused_and_what_is_read_prints_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus/rules_parse");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(corpus.len() >= 5);
    let asked = std::env::var("TIEOUT_MUTANTS")
        .ok()
        .and_then(|asked| asked.parse().ok());
    let mut random = Random(5);
    let (mut read, mut refused) = (0, 0);
    for number in 0..asked.unwrap_or(4_000usize) {
        let mut bytes = corpus[number % corpus.len()].clone();
        for _ in 0..random.below(5) {
            mutate(&mut bytes, &corpus, &mut random);
        }
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        match RuleSet::parse(&text) {
            Ok(set) => {
                let printed = set.print();
                let again =
                    RuleSet::parse(&printed).unwrap_or_else(|faults| panic!("{faults:?}\n{text}\n{printed}"));
                assert_eq!(again.hash(), set.hash(), "{text}\n{printed}");
                assert_eq!(again.print(), printed);
                set.remarks();
                read += 1;
            }
            Err(faults) => {
                let lines = text.lines().count().max(1) + 1;
                assert!(
                    faults
                        .iter()
                        .all(|fault| !fault.to_string().is_empty() && fault.at().line <= lines)
                );
                refused += 1;
            }
        }
    }
    assert!(
        read > 0 && refused > 0,
        "{read} read, {refused} refused: the mutation is too weak or too strong"
    );
}
