//! The launcher alone, for programs that cannot execute themselves afresh, such as this crate's tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    sandbox::launch()
}
