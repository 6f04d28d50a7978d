//! Rule sets: from Expensify's words to QAD's coding (design §6).

mod version;

pub use version::RuleSetVersion;
