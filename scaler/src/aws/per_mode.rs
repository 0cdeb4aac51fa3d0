//! One of something for each mode.

use domain::Mode;

/// One `T` for each mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerMode<T> {
    /// For mechanics.
    pub mechanic: T,
    /// For geniuses.
    pub genius: T,
}

impl<T> PerMode<T> {
    /// One for each mode, made by `make`.
    pub fn from_fn(mut make: impl FnMut(Mode) -> T) -> Self {
        Self { mechanic: make(Mode::Mechanic), genius: make(Mode::Genius) }
    }

    /// The one for `mode`.
    pub fn of(&self, mode: Mode) -> &T {
        match mode {
            Mode::Mechanic => &self.mechanic,
            Mode::Genius => &self.genius,
        }
    }
}
