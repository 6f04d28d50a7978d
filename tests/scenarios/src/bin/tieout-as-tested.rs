//! The program as the scenarios run it: the same library behind the same `main`, built along with them.

use std::process::ExitCode;

fn main() -> ExitCode {
    tieout::main()
}
