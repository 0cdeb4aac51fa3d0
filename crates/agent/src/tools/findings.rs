//! The findings of a review, as a model writes them: read with all that is wrong with them told at once.

use std::collections::BTreeMap;

use domain::{Finding, Severity};
use serde_json::{Value, json};

use super::Input;
use super::input::relative;
use crate::ports::Workspace;
use crate::references::lines_of;
use crate::text::{counted, plain};

pub(super) const FINDINGS: &str = "findings";
/// The most findings of one review: nobody reads more.
const MOST: usize = 50;
/// The most bytes of a title, and of a body or a suggestion.
const TITLE_BYTES: usize = 200;
const BODY_BYTES: usize = 4_000;
/// The most mistakes that the model is told of at once.
const TOLD: usize = 8;

/// The schema of one.
pub(super) fn schema() -> Value {
    let severities: Vec<&str> = Severity::ALL.iter().map(|severity| severity.as_str()).collect();
    json!({
        "type": "object",
        "properties": {
            "path": { "type": "string" },
            "line": { "type": "integer" },
            "start_line": { "type": "integer" },
            "severity": { "type": "string", "enum": severities },
            "title": { "type": "string" },
            "body": { "type": "string" },
            "suggestion": { "type": "string" },
        },
        "required": ["path", "line", "severity", "title", "body"],
    })
}

/// Reads the list; the error names each mistake with the finding that has it.
pub(super) fn read(list: Option<&Value>) -> Result<Vec<Finding>, String> {
    let list = list.and_then(Value::as_array).ok_or_else(|| {
        "finish: the argument `findings` must be a list; an empty one when there is nothing to find fault with".to_owned()
    })?;
    if list.len() > MOST {
        return Err(format!(
            "finish: {} findings; at most {MOST} are taken: keep those that matter most",
            list.len()
        ));
    }
    let (mut findings, mut mistakes) = (Vec::new(), Vec::new());
    for (number, value) in (1..).zip(list) {
        match one(value) {
            Ok(finding) => findings.push(finding),
            Err(mistake) => mistakes.push(format!("finding {number}: {mistake}")),
        }
    }
    if mistakes.is_empty() {
        return Ok(findings);
    }
    let more = mistakes.len().saturating_sub(TOLD);
    mistakes.truncate(TOLD);
    if more > 0 {
        mistakes.push(format!("and {more} more"));
    }
    Err(format!("finish: {}", mistakes.join("\n")))
}

fn one(value: &Value) -> Result<Finding, String> {
    let input = Input { tool: "finding", value };
    let bare = |error: String| error.strip_prefix("finding: ").map(str::to_owned).unwrap_or(error);
    let text = |name: &str, most: usize| -> Result<String, String> {
        let text = plain(input.text(name).map_err(bare)?.trim());
        if text.is_empty() {
            return Err(format!("its {name} is empty"));
        }
        if text.len() > most {
            return Err(format!("its {name} has {} bytes; at most {most} are taken", text.len()));
        }
        Ok(text)
    };
    let count = |name: &str| -> Result<Option<u32>, String> {
        let count = input.optional_count(name).map_err(bare)?;
        count.map(u32::try_from).transpose().map_err(|_| format!("its {name} is no line number"))
    };
    let severity = text("severity", 40)?.to_lowercase();
    let suggestion = input.optional_text("suggestion").map_err(bare)?.map(plain);
    if suggestion.as_ref().is_some_and(|suggestion| suggestion.len() > BODY_BYTES) {
        return Err(format!("its suggestion is too long: at most {BODY_BYTES} bytes are taken"));
    }
    let line = count("line")?.ok_or("the argument `line` is missing: give a whole number, 1 or more")?;
    let start_line = count("start_line")?.filter(|&start| start != line);
    if start_line.is_some_and(|start| start > line) {
        return Err("its start_line stands behind its line: `line` is the last one".to_owned());
    }
    Ok(Finding {
        path: relative("finding", &text("path", 1_000)?).map_err(bare)?.to_owned(),
        line,
        start_line,
        severity: severity.parse().map_err(|error: domain::UnknownName| error.to_string())?,
        title: text("title", TITLE_BYTES)?.replace('\n', " "),
        body: text("body", BODY_BYTES)?,
        suggestion,
        anchored: false,
    })
}

/// The places among `findings` that do not exist, with what is wrong. The error is the sentence of a broken workspace.
pub(super) async fn missing(findings: &[Finding], workspace: &dyn Workspace) -> Result<Vec<String>, String> {
    let mut files: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    let mut missing = Vec::new();
    for finding in findings {
        let path = finding.path.as_str();
        if !files.contains_key(path) {
            files.insert(path, lines_of(path, workspace).await?);
        }
        match files.get(path).copied().flatten() {
            None => missing.push(format!("{path}: there is no such file")),
            Some(lines) if finding.line as usize > lines => {
                missing.push(format!("{path}:{}: the file has {}", finding.line, counted(lines, "line")));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Value {
        json!({ "path": "./src/a.rs", "line": 3, "severity": "Major", "title": "It\nleaks", "body": "Close it." })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut finding = finding();
        finding[name] = value;
        finding
    }

    #[test]
    fn a_finding_is_read_as_it_is_meant() {
        let found = read(Some(&json!([finding(), with("start_line", json!(3))]))).unwrap();
        let (one, two) = (&found[0], &found[1]);
        assert_eq!((one.path.as_str(), one.line, one.severity), ("src/a.rs", 3, Severity::Major));
        assert_eq!((one.title.as_str(), one.anchored), ("It leaks", false));
        assert_eq!(two, one, "a range of one line is a line");
        assert_eq!(read(Some(&json!([]))), Ok(vec![]));
    }

    #[test]
    fn every_mistake_is_told_with_its_finding() {
        let wrong = json!([
            finding(),
            with("severity", json!("high")),
            with("line", json!(0)),
            with("path", json!("../x")),
            with("title", json!(" ")),
            with("start_line", json!(9)),
            "text",
        ]);
        let told = read(Some(&wrong)).unwrap_err();
        for expected in [
            "finding 2: unknown severity \"high\": use one of critical, major, minor, note",
            "finding 3: the argument `line` must be a whole number, 1 or more, not 0",
            "finding 4: ../x leads out of the repository",
            "finding 5: its title is empty",
            "finding 6: its start_line stands behind its line",
            "finding 7: the arguments must be a JSON object, not a string",
        ] {
            assert!(told.contains(expected), "{told}");
        }
        assert!(!told.contains("finding 1"));
    }

    #[test]
    fn too_many_too_long_and_no_list_are_refused() {
        assert!(read(None).unwrap_err().contains("must be a list"));
        assert!(read(Some(&json!({}))).unwrap_err().contains("must be a list"));
        assert!(read(Some(&json!(vec![finding(); 51]))).unwrap_err().contains("at most 50"));
        assert!(
            read(Some(&json!([with("body", json!("x".repeat(5_000)))])))
                .unwrap_err()
                .contains("at most 4000")
        );
        let told = read(Some(&json!(vec![json!(1); 20]))).unwrap_err();
        assert!(told.ends_with("and 12 more"), "{told}");
    }
}
