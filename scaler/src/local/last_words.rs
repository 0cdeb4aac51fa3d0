//! What a worker says on its standard error: handed on as it comes, and listened to, so that a worker's end can be told
//! with its reason.

use std::io::Write;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Characters of them that are kept.
const KEPT: usize = 500;

/// Hands every line of `from` on to our own standard error until it ends; gives what was said last about an error.
pub async fn hand_on(from: impl AsyncRead + Unpin) -> Option<String> {
    let (mut from, mut line, mut words) = (BufReader::new(from), Vec::new(), Words::default());
    while from.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        // An error has nowhere to go.
        _ = std::io::stderr().lock().write_all(&line);
        words.hear(String::from_utf8_lossy(&line).trim());
        line.clear();
    }
    words.said.map(|said| said.chars().take(KEPT).collect())
}

#[derive(Default)]
struct Words {
    said: Option<String>,
    is_error: bool,
}

impl Words {
    fn hear(&mut self, line: &str) {
        if let Ok(Value::Object(event)) = serde_json::from_str(line) {
            // Who goes on with something else did not end of it.
            self.is_error = event.get("level").is_some_and(|level| level == "ERROR");
            let message = event.get("message").and_then(Value::as_str);
            self.said = message.filter(|_| self.is_error).map(str::to_owned);
        } else if let Some(error) = line.strip_prefix("error: ") {
            (self.said, self.is_error) = (Some(error.to_owned()), true);
        } else if !line.is_empty() && !self.is_error {
            // Before there is a log; what follows an error is advice.
            self.said = Some(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(said: &str) -> Option<String> {
        hand_on(said.as_bytes()).await
    }

    #[tokio::test]
    async fn an_error_is_told_without_what_surrounds_it() {
        let usage =
            "error: invalid value 'abc' for '--drain-ms <DRAIN_MS>'\n\nFor more information, try '--help'.\n";
        assert_eq!(of(usage).await.unwrap(), "invalid value 'abc' for '--drain-ms <DRAIN_MS>'");
        let log = "{\"level\":\"INFO\",\"message\":\"at the door\"}\n{\"level\":\"ERROR\",\"message\":\"no sandbox\"}\n";
        assert_eq!(of(log).await.unwrap(), "no sandbox");
        assert_eq!(of("worker: the log\n").await.unwrap(), "worker: the log");
    }

    #[tokio::test]
    async fn an_error_that_was_lived_through_is_not_what_it_ended_of() {
        let log =
            "{\"level\":\"ERROR\",\"message\":\"lost\"}\n{\"level\":\"INFO\",\"message\":\"claimed\"}\n";
        assert_eq!(of(log).await, None);
    }
}
