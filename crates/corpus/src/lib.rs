//! A corpus of small cases as they occur in practice: repairs, reviews of a change, analyses. Each is a repository, what
//! is asked of it, what counts as solved, and a rehearsal of how it may be done.
//!
//! The cases are files, one folder for each in `corpus/` at the top of the source; the program has them all in it. One's own are
//! read from a folder of the same form. What counts as solved is decided by `judge`, which sees what was delivered and nothing else.

mod case;
mod error;
mod judge;
mod read;
mod repository;
mod tools;

pub use case::{Case, Expected, Place, Wanted};
pub use error::CorpusError;
pub use judge::{Delivered, Verdict, judge};
pub use read::{built_in, of_folder, select};
pub use repository::{commit_all, make};
pub use tools::{missing, path_for_commands, sysroot};

use rehearsal::Repertoire;

/// The rehearsals of `cases`, each for the job that asks for its case.
pub fn repertoire(cases: &[Case]) -> Repertoire {
    let rehearsed = cases.iter().filter_map(|case| Some((case, case.rehearsal.clone()?)));
    rehearsed.fold(Repertoire::new(), |all, (case, script)| all.with(case.prompt.clone(), script))
}
