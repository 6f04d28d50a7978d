//! Whatever bytes a rule file holds: it is read or refused, and what is read prints itself as the same set.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_domain::rules::RuleSet;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match RuleSet::parse(text) {
        Ok(set) => {
            let printed = set.print();
            let again = RuleSet::parse(&printed).unwrap_or_else(|faults| panic!("{faults:?}\n{printed}"));
            assert_eq!(again.hash(), set.hash(), "{printed}");
            assert_eq!(again.print(), printed);
            let _ = set.remarks();
        }
        // Words and places are made of what stands in the file.
        Err(faults) => faults.iter().for_each(|fault| {
            let _ = (fault.to_string(), fault.at(), fault.other_at());
        }),
    }
});
