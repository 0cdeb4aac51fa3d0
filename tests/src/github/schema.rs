//! The shapes that GitHub publishes of its API, held against every request and every answer.
//!
//! schemas.json is a part of GitHub's OpenAPI description (version 23.0.2 of `@octokit/openapi`, MIT): of a few operations, the requests in
//! full, and of the answers what must be in them.

use serde_json::{Map, Value, json};

pub struct Schemas {
    all: Value,
}

impl Schemas {
    pub fn read() -> Schemas {
        Schemas { all: serde_json::from_str(include_str!("schemas.json")).unwrap() }
    }

    /// What is wrong with a request's body.
    pub fn check_request(&self, operation: &str, body: &Value) -> Vec<String> {
        let schema = &self.operation(operation)["request"];
        let mut wrong = Vec::new();
        if schema.is_null() {
            if !body.is_null() {
                wrong.push(format!("{operation} takes no body"));
            }
        } else {
            self.check(schema, body, operation, true, &mut wrong);
        }
        wrong
    }

    /// What is wrong with an answer.
    pub fn check_answer(&self, operation: &str, status: u16, body: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.operation(operation)["responses"].get(status.to_string()) {
            None => wrong.push(format!("{operation} never answers {status}")),
            Some(Value::Null) => {}
            Some(schema) => self.check(schema, body, operation, false, &mut wrong),
        }
        wrong
    }

    /// An answer with everything that must be in it: what `known` does not say is made up.
    pub fn answer(&self, operation: &str, status: u16, known: &Value) -> Value {
        self.fill(&self.operation(operation)["responses"][status.to_string()], Some(known))
    }

    fn operation(&self, name: &str) -> &Value {
        let found = &self.all["operations"][name];
        assert!(!found.is_null(), "schemas.json does not know {name}");
        found
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.resolve(&self.all["$defs"][name.trim_start_matches("#/$defs/")]),
            None => schema,
        }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, strict: bool, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(choices) = schema[key].as_array() {
                let fits = |choice: &Value| {
                    let mut wrong = Vec::new();
                    self.check(choice, value, at, strict, &mut wrong);
                    wrong.is_empty()
                };
                if !choices.iter().any(fits) {
                    wrong.push(format!("{at}: {value} is none of what it may be"));
                }
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, strict, wrong);
        }
        let is_right = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        if !is_right {
            return wrong.push(format!("{at}: {value} is no {}", schema["type"]));
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            wrong.push(format!("{at}: {value} is none of {}", schema["enum"]));
        }
        for item in value.as_array().into_iter().flatten() {
            self.check(&schema["items"], item, &format!("{at}[]"), strict, wrong);
        }
        let Some(object) = value.as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                wrong.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in object {
            match schema["properties"].get(name) {
                Some(schema) => self.check(schema, value, &format!("{at}.{name}"), strict, wrong),
                None if strict && schema["properties"].is_object() => {
                    wrong.push(format!("{at}: GitHub knows no {name}"));
                }
                None => {}
            }
        }
    }

    fn fill(&self, schema: &Value, known: Option<&Value>) -> Value {
        let schema = self.resolve(schema);
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema[key].as_array().and_then(|choices| choices.first())
                && schema["properties"].is_null()
            {
                return self.fill(first, known);
            }
        }
        match (schema["type"].as_str(), known) {
            (Some("array"), Some(Value::Array(items))) => {
                items.iter().map(|item| self.fill(&schema["items"], Some(item))).collect()
            }
            (Some("object"), known) if known.is_none_or(Value::is_object) => {
                if known.is_none() && schema["nullable"] == true {
                    return Value::Null;
                }
                let mut object = known.and_then(Value::as_object).cloned().unwrap_or_default();
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let mut whole: Map<String, Value> = required
                    .map(|name| (name.to_owned(), self.fill(&schema["properties"][name], object.get(name))))
                    .collect();
                object.retain(|name, _| !whole.contains_key(name));
                whole.append(&mut object);
                Value::Object(whole)
            }
            (_, Some(known)) => known.clone(),
            (_, None) if schema["nullable"] == true => Value::Null,
            (Some("array"), None) => json!([]),
            (Some("integer" | "number"), None) => json!(1),
            (Some("boolean"), None) => json!(false),
            (Some("string"), None) => match (schema["enum"].get(0), schema["format"].as_str()) {
                (Some(word), _) => word.clone(),
                (None, Some("date-time")) => json!("2026-01-02T03:04:05Z"),
                (None, Some("uri")) => json!("https://github.test/x"),
                _ => json!("x"),
            },
            _ => Value::Null,
        }
    }
}
