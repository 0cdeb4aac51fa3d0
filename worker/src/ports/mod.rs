//! What the agent loop stands on here: the store's journal, and a checkout in the sandbox.

mod books;
mod files;
mod place;

pub use books::{Books, Refusal};
pub use place::Place;
