//! GitHub, by way of an App: its word, a token for one repository, pull requests, reviews and comments.
//!
//! What may surprise: everything that is made is looked for first, by a mark in its text and by who wrote it, so that a second attempt
//! finds what the first one made and lost the answer of.

mod access;
mod address;
mod app;
mod comments;
mod error;
mod http;
mod jwt;
mod pulls;
mod reviews;
mod text;

pub use access::{Access, Rights};
pub use address::Slug;
pub use app::{AnotherKey, App, AppSettings, Identity};
pub use error::GitHubError;
pub use pulls::{NewPull, OpenedPull, Pull};
pub use reviews::{NewReview, Posted, Remark};
pub use text::{LONGEST_BODY, defused, fenced};
