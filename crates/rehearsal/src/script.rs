//! A script: the answers in their order, as a JSON file, checked when it is loaded.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A prepared conversation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its name, for messages.
    pub name: String,
    /// What it shows, in a sentence.
    pub description: String,
    /// The answers. The first answers a request without an assistant's message, the second one with one, and so on.
    pub turns: Vec<Turn>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// What it says and calls.
    pub content: Vec<Block>,
}

/// A part of an answer. Tool calls get their ids when they are served.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Block {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A tool call.
    ToolUse {
        /// The tool's name.
        name: String,
        /// Its input.
        input: Map<String, Value>,
    },
}

/// Why a script cannot be played. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ScriptError {
    #[error("the script {path:?} cannot be read: give the path of a JSON file")]
    Unreadable { path: String, source: std::io::Error },
    #[error(
        "the script is not one ({0}): write an object of name, description and turns, each turn with its content"
    )]
    Form(#[from] serde_json::Error),
    #[error("the script has no {0}: give it one")]
    Nameless(&'static str),
    #[error("the script {0} has no turns: write at least one")]
    NoTurns(String),
    #[error("turn {turn} of the script {name} {what}")]
    Turn { name: String, turn: usize, what: &'static str },
}

impl Script {
    /// Reads a script from its JSON text.
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let script: Script = serde_json::from_str(text)?;
        script.check().map(|()| script)
    }

    /// Reads a script from a file.
    pub fn load(path: &Path) -> Result<Script, ScriptError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScriptError::Unreadable { path: path.display().to_string(), source })?;
        Script::parse(&text)
    }

    fn check(&self) -> Result<(), ScriptError> {
        for (what, text) in [("name", &self.name), ("description", &self.description)] {
            if text.trim().is_empty() {
                return Err(ScriptError::Nameless(what));
            }
        }
        if self.turns.is_empty() {
            return Err(ScriptError::NoTurns(self.name.clone()));
        }
        for (index, turn) in self.turns.iter().enumerate() {
            if let Some(what) = turn.fault() {
                return Err(ScriptError::Turn { name: self.name.clone(), turn: index + 1, what });
            }
        }
        Ok(())
    }
}

impl Turn {
    fn fault(&self) -> Option<&'static str> {
        if self.content.is_empty() {
            return Some("says nothing and calls no tool: give it content, or remove it");
        }
        self.content.iter().find_map(|block| match block {
            Block::Text { text } if text.trim().is_empty() => {
                Some("has an empty text: write something, or remove it")
            }
            Block::ToolUse { name, .. } if !is_tool_name(name) => {
                Some("calls a tool by no name: use 1 to 64 letters, digits, underscores and hyphens")
            }
            _ => None,
        })
    }
}

/// What stands for the thoughts behind turn number `number`, as a provider seals them: base64 that nobody reads.
pub(crate) fn seal(number: usize) -> String {
    format!("rehearsalThought{number:04}")
}

fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
