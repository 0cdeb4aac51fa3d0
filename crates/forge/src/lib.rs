//! Where code comes from and goes to: git, and [`github`].
//!
//! [`probe`] asks a repository for a commit, [`Mirror::fetch`] brings that commit into a folder that only the worker sees,
//! [`Mirror::checkout`] makes a working copy of it for whoever works on it, and [`Workspace::diff`] says what became of it;
//! [`Mirror::changes`] says what there is to review, and [`Mirror::publish`] puts a patch onto a branch.
//!
//! What may surprise: git never runs inside a workspace after it was handed over, and never reads one. A diff is made
//! from the bytes that this crate itself reads there, without following a link, against the private mirror; so
//! nothing that the work left behind (hooks, filters, attributes, configuration, nested repositories) has a say in it.
//! The repository that a job names is only read: no lock, no ref, no file of it changes, unless a job asks for its result there.

mod changes;
mod checkout;
mod commit;
mod error;
mod fetch;
mod git;
pub mod github;
mod ignored;
mod import;
mod memory;
mod mirror;
mod object;
mod private;
mod publish;
mod read;
mod refs;
mod render;
mod resolve;
mod source;
mod stderr;
mod tip;
mod walk;
mod workspace;

pub use changes::{ChangedFile, Changes, FileStatus};
pub use commit::Author;
pub use error::{DIFF_BYTES, ForgeError};
pub use fetch::Wanted;
pub use mirror::{Files, Mirror};
pub use publish::{BaseNow, Publication};
pub use resolve::{Commit, probe};
pub use source::Source;
pub use workspace::Workspace;
