//! The laws of a rule set, on generated sets and lines. Few values, so that rules overlap often.
//!
//! A property is a function of what it is about (a resolver, a relation, a printer), so that it can be held against a
//! wrong one too: a property that a wrong engine also has proves nothing (`wrong`).

mod against;
mod coverage;
mod generated;
mod laws;
mod naive;
mod order;
mod printing;
mod wrong;

use proptest::prelude::*;

/// So many cases; `PROPTEST_CASES` asks for others.
fn cases(number: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|asked| asked.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(number))
}
