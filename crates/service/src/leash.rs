//! A program on a leash: its standard input, held by the supervisor that started it on the same machine. It closes when the
//! supervisor lets go, and by itself when the supervisor dies, however that happens.

use std::io::{self, Read};

/// Calls `released` once standard input has closed; what is written to it is ignored.
///
/// The wait is on a thread of its own: a runtime would wait for a read of its pool when it ends.
pub fn on_release(released: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while io::stdin().read(&mut buffer).is_ok_and(|n| n > 0) {}
        released();
    });
}
