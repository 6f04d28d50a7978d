//! SQLite's integers are signed; ours are not.

/// Beyond SQLite's range is beyond every event: the largest integer stands for it.
pub(crate) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The tables refuse negative numbers.
pub(crate) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
