//! A case as its `case.json` has it, and the job that it asks for.

use std::path::Path;

use domain::{Delivery, Mode, NewJob, Severity, Task};
use rehearsal::Script;
use serde::Deserialize;

use crate::CorpusError;

/// A case, ready to be set up and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name: that of its folder.
    pub name: String,
    /// What is wrong or asked for, in a sentence, for people.
    pub about: String,
    /// The language of its code, for people.
    pub language: String,
    /// Programs that its test command calls.
    pub needs: Vec<String>,
    /// What the job is.
    pub task: Task,
    /// Who does it.
    pub mode: Mode,
    /// What the job is asked.
    pub prompt: String,
    /// What decides over a repair. None for tasks that only read.
    pub test_command: Option<String>,
    /// What counts as solved.
    pub expected: Expected,
    /// The repository: paths and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// The change that is reviewed, as a unified diff against the files.
    pub patch: Option<String>,
    /// Written beforehand, so that the case can be played without a model.
    pub rehearsal: Option<Script>,
}

/// What counts as solved.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// The test command passes in a clean checkout.
    Tests,
    /// A review has findings at all of these places, and no more than `at_most` that are worse than a note.
    Findings {
        /// What must be found.
        wanted: Vec<Wanted>,
        /// None: any number.
        at_most: Option<usize>,
    },
    /// A report names all of these places as `path:line`.
    Places(Vec<Place>),
}

/// A line, or a few lines that are as good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line, from 1; the first one of several.
    pub line: u32,
    /// The last line of several. None: that one alone.
    #[serde(default)]
    pub to_line: Option<u32>,
}

impl Place {
    /// Whether it shares a line with `from..=to` of `path`.
    pub fn meets(&self, path: &str, from: u32, to: u32) -> bool {
        path == self.path && from <= self.to_line.unwrap_or(self.line) && to >= self.line
    }
}

/// A finding that a review must have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The file.
    pub path: String,
    /// The line in the reviewed state, from 1; the first one of several.
    pub line: u32,
    /// The last line of several.
    #[serde(default)]
    pub to_line: Option<u32>,
    /// The least severity.
    pub severity: Severity,
}

impl Wanted {
    /// Where it must be.
    pub fn place(&self) -> Place {
        Place { path: self.path.clone(), line: self.line, to_line: self.to_line }
    }
}

/// The file itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    about: String,
    language: String,
    #[serde(default)]
    needs: Vec<String>,
    task: Task,
    #[serde(default)]
    mode: Option<Mode>,
    prompt: String,
    #[serde(default)]
    test_command: Option<String>,
    #[serde(default)]
    findings: Option<Vec<Wanted>>,
    #[serde(default)]
    at_most: Option<usize>,
    #[serde(default)]
    places: Option<Vec<Place>>,
}

impl Case {
    /// The branch that a job starts from.
    pub const BASE: &'static str = "main";
    /// The branch with the change, where there is one.
    pub const HEAD: &'static str = "change";

    /// Reads a case from the text of its `case.json`, with no files yet. `folder`: its folder's name, which is its own.
    pub(crate) fn parse(folder: &str, text: &[u8]) -> Result<Case, CorpusError> {
        let form = |source| CorpusError::Form { case: folder.to_owned(), source };
        let written: Written = serde_json::from_slice(text).map_err(form)?;
        let wrong = |what| CorpusError::Unjudgeable { case: folder.to_owned(), what };
        if written.name != folder {
            return Err(wrong("its name is not that of its folder: write the same"));
        }
        if written.prompt.trim().is_empty() {
            return Err(wrong("it asks for nothing: write a prompt"));
        }
        let expected = match (written.task, written.findings, written.places) {
            (Task::Review, Some(wanted), None) => Expected::Findings { wanted, at_most: written.at_most },
            (Task::Review, ..) => {
                return Err(wrong("a review needs findings, an empty list at least, and no places"));
            }
            (Task::Analysis | Task::Architecture, None, Some(places)) if !places.is_empty() => {
                Expected::Places(places)
            }
            (Task::Analysis | Task::Architecture, ..) => {
                return Err(wrong("a report needs places that it must name, and no findings"));
            }
            (_, None, None) if written.test_command.is_some() => Expected::Tests,
            _ => {
                return Err(wrong(
                    "a task that changes code needs a test_command, and neither findings nor places",
                ));
            }
        };
        Ok(Case {
            name: written.name,
            about: written.about,
            language: written.language,
            needs: written.needs,
            task: written.task,
            mode: written.mode.unwrap_or(written.task.default_mode()),
            prompt: written.prompt,
            test_command: written.test_command,
            expected,
            files: Vec::new(),
            patch: None,
            rehearsal: None,
        })
    }

    /// The job for this case on its repository in `folder`. The result stays in the job's record.
    pub fn job(&self, folder: &Path, model: Option<&str>) -> NewJob {
        let mut job = NewJob::new(self.task, folder.display().to_string(), self.prompt.clone());
        job.mode = self.mode;
        job.base = Some(Case::BASE.to_owned());
        job.head = self.patch.is_some().then(|| Case::HEAD.to_owned());
        job.test_command.clone_from(&self.test_command);
        job.delivery = Some(Delivery::Patch);
        job.model = model.map(str::to_owned);
        job
    }
}
