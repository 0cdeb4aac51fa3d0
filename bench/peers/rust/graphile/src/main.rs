//! graphile_worker, as the bench's protocol asks for it: on its default driver (sqlx).

mod peer;

use std::process::ExitCode;

fn main() -> ExitCode {
    peer_shared::run::<peer::Graphile>(peer_shared::command())
}
