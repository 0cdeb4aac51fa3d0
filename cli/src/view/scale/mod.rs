//! Scaling as a person reads it: a sentence about who leads, and for each fleet what it does, may do and has done.

pub mod bounds;
pub mod fleet;
pub mod history;
pub mod lead;
pub mod wake;
