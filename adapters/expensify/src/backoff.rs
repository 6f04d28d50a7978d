//! How long to wait before asking again: exponential with full jitter, which spreads clients that were turned away
//! together.

use std::time::Duration;

use tieout_domain::ports::Entropy;

/// A wait between nothing and `base · 2^(failures - 1)`, at most `cap`, drawn evenly.
pub(crate) fn full_jitter(entropy: &impl Entropy, base: Duration, cap: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let ceiling = base.saturating_mul(1 << doublings).min(cap);
    let ceiling = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    let [a, b, c, d, e, f, g, h, ..] = entropy.salt();
    let drawn = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    // The remainder's bias is below one in 10^14 for waits of a minute.
    Duration::from_millis(drawn % ceiling.saturating_add(1))
}

/// How long to wait for a file that is not there yet: 2, 4, 8, 16, 30 s (contract expensify §2.8).
pub(crate) fn not_ready_yet(looks: u32) -> Duration {
    Duration::from_secs((1u64 << looks.clamp(1, 5)).min(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);
    impl Entropy for Fixed {
        fn uuid(&self) -> uuid::Uuid {
            uuid::Uuid::nil()
        }
        fn salt(&self) -> [u8; 16] {
            let mut salt = [0; 16];
            salt[..8].copy_from_slice(&self.0.to_be_bytes());
            salt
        }
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap_and_any_wait_below_it_can_be_drawn() {
        let second = Duration::from_secs(1);
        for (failures, ceiling) in [
            (1, 5_000u64),
            (2, 10_000),
            (3, 20_000),
            (4, 40_000),
            (5, 60_000),
            (60, 60_000),
        ] {
            let wait = |drawn| full_jitter(&Fixed(drawn), 5 * second, 60 * second, failures).as_millis();
            assert_eq!(
                wait(ceiling),
                u128::from(ceiling),
                "the ceiling itself, after {failures}"
            );
            assert_eq!(wait(ceiling + 1), 0, "and nothing above it, after {failures}");
        }
    }

    #[test]
    fn a_file_not_ready_is_looked_for_after_two_to_thirty_seconds() {
        let waits: Vec<u64> = (1..=5).map(|looks| not_ready_yet(looks).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 30]);
    }
}
