//! What a review finds.

use serde::{Deserialize, Serialize};

use crate::Severity;

/// One defect, as the model reported it and the worker held it against the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The file, relative to the repository's root.
    pub path: String,
    /// The line in the reviewed state, from 1; the last one of the place that is meant.
    pub line: u32,
    /// The first line of the place, when it has several. At most `line`.
    #[serde(default)]
    pub start_line: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// The defect in a sentence.
    pub title: String,
    /// Why it is one and how to repair it, in Markdown.
    pub body: String,
    /// What the lines should be instead, word for word. None: none is offered.
    #[serde(default)]
    pub suggestion: Option<String>,
    /// Whether the place is part of the changes that were reviewed, so that a forge can show the finding there.
    #[serde(default)]
    pub anchored: bool,
}
