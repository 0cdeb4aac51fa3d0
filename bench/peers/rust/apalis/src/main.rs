//! apalis-postgres, as the bench's protocol asks for it.

mod peer;

use std::process::ExitCode;

fn main() -> ExitCode {
    peer_shared::run::<peer::Apalis>(peer_shared::command())
}
