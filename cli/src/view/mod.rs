//! How things look to a person: numbers, tables, events as they happen, diffs.

pub mod diff;
pub mod events;
pub mod live;
pub mod number;
pub mod progress;
pub mod scale;
pub mod simulation;
pub mod table;
pub mod text;
pub mod why;
