//! Reads the arguments that a model wrote, and says in a sentence what is wrong with them.

use serde_json::Value;

use crate::text::{plain, start};

/// The arguments of a call, as wrong as models make them.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub tool: &'a str,
    pub value: &'a Value,
}

impl<'a> Input<'a> {
    fn field(&self, name: &str) -> Result<Option<&'a Value>, String> {
        let fields = self.value.as_object().ok_or_else(|| {
            format!("{}: the arguments must be a JSON object, not {}", self.tool, kind(self.value))
        })?;
        Ok(fields.get(name).filter(|value| !value.is_null()))
    }

    pub fn text(&self, name: &str) -> Result<&'a str, String> {
        self.optional_text(name)?
            .ok_or_else(|| format!("{}: the argument `{name}` is missing: give a string", self.tool))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, String> {
        let Some(value) = self.field(name)? else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| {
            format!("{}: the argument `{name}` must be a string, not {}", self.tool, kind(value))
        })
    }

    pub fn optional_count(&self, name: &str) -> Result<Option<usize>, String> {
        let Some(value) = self.field(name)? else { return Ok(None) };
        let count = value.as_u64().filter(|&count| count >= 1).and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| {
            format!(
                "{}: the argument `{name}` must be a whole number, 1 or more, not {}",
                self.tool,
                kind(value)
            )
        })
    }

    /// A path that at least looks as if it were in the workspace; whether it is, the workspace decides.
    pub fn path(&self, name: &str) -> Result<&'a str, String> {
        relative(self.tool, self.text(name)?)
    }
}

/// `path`, unless it leads out at first sight.
pub(super) fn relative<'a>(tool: &str, path: &'a str) -> Result<&'a str, String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let shown = plain(start(path, 200));
    if path.trim().is_empty() {
        Err(format!("{tool}: the path is empty: name a file, relative to the repository's root"))
    } else if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        Err(format!(
            "{tool}: {shown} leads out of the repository: give a path relative to its root, without `..`"
        ))
    } else {
        Ok(path)
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wrong_arguments_are_named() {
        let of = |value: &Value| Input { tool: "edit", value }.text("path").unwrap_err();
        assert_eq!(of(&json!("x")), "edit: the arguments must be a JSON object, not a string");
        assert_eq!(of(&json!({})), "edit: the argument `path` is missing: give a string");
        assert_eq!(of(&json!({ "path": 7 })), "edit: the argument `path` must be a string, not 7");
        let value = json!({ "lines": 0 });
        let error = Input { tool: "read", value: &value }.optional_count("lines").unwrap_err();
        assert_eq!(error, "read: the argument `lines` must be a whole number, 1 or more, not 0");
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(relative("edit", "./src/a..b.rs"), Ok("src/a..b.rs"));
        for path in ["/etc/passwd", "a/../../b", "..", " "] {
            assert!(relative("edit", path).is_err(), "{path}");
        }
    }
}
