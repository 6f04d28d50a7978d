//! The `tieout` program.

use std::process::ExitCode;

/// Backtests and folds are small allocations on several threads: what one thread made, another drops.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tieout::main()
}
