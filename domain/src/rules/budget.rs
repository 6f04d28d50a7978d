//! How much work a proof may take. What is left over after thousands of rules can fall into exponentially many pieces.

/// Comparisons of match sets that are left.
#[derive(Debug)]
pub(super) struct Budget(u64);

/// Nothing is left, and nothing was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent;

impl Budget {
    /// For the check of a set: some seconds at most, a hundred times what an orderly set of 5,000 rules takes.
    pub(super) const CHECK: u64 = 50_000_000;
    /// For one question about a set that was accepted: what does a name or a rule leave over?
    pub(super) const QUESTION: u64 = 1_000_000;

    pub(super) fn new(comparisons: u64) -> Self {
        Self(comparisons)
    }

    pub(super) fn spend(&mut self, comparisons: usize) -> Result<(), Spent> {
        self.0 = self.0.checked_sub(comparisons as u64).ok_or(Spent)?;
        Ok(())
    }
}
