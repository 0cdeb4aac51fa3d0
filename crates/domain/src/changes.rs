//! What a person changes of a job when it is tried again.

use serde_json::{Map, Value};

use crate::job::{limits, range, text};
use crate::{Delivery, InvalidJob};

/// What becomes of one thing that a job may say of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// The job says nothing of it any more: the worker's default holds.
    Reset,
    /// It becomes this.
    To(T),
}

impl<T> Change<T> {
    fn map<U>(self, to: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Change::Keep => Change::Keep,
            Change::Reset => Change::Reset,
            Change::To(value) => Change::To(to(value)),
        }
    }

    fn new_value(&self) -> Option<&T> {
        match self {
            Change::To(value) => Some(value),
            Change::Keep | Change::Reset => None,
        }
    }
}

/// The changes that come with a retry. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobChanges {
    /// What to do. None: as before.
    pub prompt: Option<String>,
    /// The model that is asked.
    pub model: Change<String>,
    /// What fetches what a build needs; reset, nothing does.
    pub setup_command: Change<String>,
    /// What the result is held against; reset, nothing verifies it.
    pub test_command: Change<String>,
    /// Where the result goes.
    pub delivery: Change<Delivery>,
    /// Model calls, 1 to 10,000.
    pub step_cap: Change<u32>,
    /// Tokens at full rate, 1 to 100,000,000.
    pub token_cap: Change<u64>,
    /// Milliseconds from claim to delivery, 1,000 to 86,400,000.
    pub time_limit_ms: Change<u64>,
    /// Micro-dollars, 1 or more; reset, the token cap alone bounds it.
    pub cost_cap_micros: Change<i64>,
    /// 0 to 9, higher ones go first; reset, it is 0.
    pub priority: Change<i16>,
}

impl JobChanges {
    /// Checks the new values by the rules that a new job must keep.
    pub fn check(&self) -> Result<(), InvalidJob> {
        const PROMPT: &str = "say in a sentence what to do";
        const COMMAND: &str = "give a shell command, or leave it as it is";
        if let Some(prompt) = &self.prompt {
            text("prompt", prompt, limits::PROMPT_BYTES, PROMPT)?;
        }
        if let Some(model) = self.model.new_value() {
            text("model", model, limits::MODEL_BYTES, "name a model, or leave it as it is")?;
        }
        for (field, command) in
            [("set-up command", &self.setup_command), ("test command", &self.test_command)]
        {
            if let Some(command) = command.new_value() {
                text(field, command, limits::COMMAND_BYTES, COMMAND)?;
            }
        }
        let wide = |change: &Change<u64>| change.new_value().map(|&value| i128::from(value));
        range("step_cap", self.step_cap.new_value().map(|&value| i128::from(value)), 1, 10_000)?;
        range("token_cap", wide(&self.token_cap), 1, 100_000_000)?;
        range("time_limit_ms", wide(&self.time_limit_ms), 1_000, 86_400_000)?;
        let micros = self.cost_cap_micros.new_value().map(|&value| i128::from(value));
        range("cost_cap_micros", micros, 1, i128::from(i64::MAX))?;
        range("priority", self.priority.new_value().map(|&value| i128::from(value)), 0, 9)
    }

    /// As the database takes them and the `retried` event carries them: what is kept is not named, what is reset is null.
    pub fn to_json(&self) -> Map<String, Value> {
        fn put<T: Clone + Into<Value>>(map: &mut Map<String, Value>, key: &str, change: &Change<T>) {
            match change {
                Change::Keep => return,
                Change::Reset => map.insert(key.to_owned(), Value::Null),
                Change::To(value) => map.insert(key.to_owned(), value.clone().into()),
            };
        }
        let mut map = Map::new();
        let prompt = self.prompt.clone().map_or(Change::Keep, Change::To);
        put(&mut map, "prompt", &prompt);
        put(&mut map, "model", &self.model);
        put(&mut map, "setup_command", &self.setup_command);
        put(&mut map, "test_command", &self.test_command);
        put(&mut map, "delivery", &self.delivery.clone().map(|delivery| delivery.as_str()));
        put(&mut map, "step_cap", &self.step_cap);
        put(&mut map, "token_cap", &self.token_cap);
        put(&mut map, "time_limit_ms", &self.time_limit_ms);
        put(&mut map, "cost_cap_micros", &self.cost_cap_micros);
        put(&mut map, "priority", &self.priority);
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_not_named_and_what_is_reset_is_null() {
        let changes = JobChanges {
            prompt: Some("try the other way".into()),
            model: Change::Reset,
            step_cap: Change::To(40),
            ..JobChanges::default()
        };
        let json = serde_json::json!({"prompt": "try the other way", "model": null, "step_cap": 40});
        assert_eq!(Value::Object(changes.to_json()), json);
        assert!(JobChanges::default().to_json().is_empty());
    }

    #[test]
    fn new_values_keep_the_rules_of_new_jobs() {
        let wrong = [
            (JobChanges { prompt: Some(" ".into()), ..JobChanges::default() }, "the prompt is empty"),
            (JobChanges { model: Change::To("x".repeat(201)), ..JobChanges::default() }, "at most 200"),
            (JobChanges { step_cap: Change::To(0), ..JobChanges::default() }, "from 1 to 10000"),
            (JobChanges { time_limit_ms: Change::To(999), ..JobChanges::default() }, "from 1000 to 86400000"),
        ];
        for (changes, expected) in wrong {
            let message = changes.check().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(JobChanges { model: Change::Reset, ..JobChanges::default() }.check(), Ok(()));
    }
}
