//! A model's stand-in that speaks Anthropic's Messages protocol and counts what it serves. It shares no code with the
//! program's own rehearsal, so that the two cannot agree by accident.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::Usage;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// What it answers to one request.
#[derive(Clone, Debug)]
pub enum Say {
    /// Content blocks, with made-up token counts.
    Content(Vec<Value>),
    /// An HTTP error.
    Status(u16),
}

/// Words.
pub fn say(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// A tool call.
pub fn tool(name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": format!("toolu_{}", uuid::Uuid::new_v4().simple()), "name": name, "input": input})
}

#[derive(Default)]
struct Served {
    requests: Vec<Value>,
    usage: Usage,
    answered: u32,
    keys: Vec<String>,
}

pub struct ModelServer {
    pub url: String,
    served: Arc<Mutex<Served>>,
    task: JoinHandle<()>,
}

type Answers = Arc<dyn Fn(usize, &Value) -> Say + Send + Sync>;

impl ModelServer {
    /// Answers the n-th turn of a conversation (from 0) with what `answers` says to it.
    pub async fn start(answers: impl Fn(usize, &Value) -> Say + Send + Sync + 'static) -> ModelServer {
        let served = Arc::new(Mutex::new(Served::default()));
        let answers: Answers = Arc::new(answers);
        let router = Router::new().route("/v1/messages", post(answer)).with_state((served.clone(), answers));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        ModelServer { url, served, task }
    }

    /// The tokens of all answers, as this server counted them.
    pub fn usage(&self) -> Usage {
        self.served.lock().unwrap().usage
    }

    pub fn answered(&self) -> u32 {
        self.served.lock().unwrap().answered
    }

    pub fn requests(&self) -> Vec<Value> {
        self.served.lock().unwrap().requests.clone()
    }

    pub fn keys(&self) -> Vec<String> {
        self.served.lock().unwrap().keys.clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State((served, answers)): State<(Arc<Mutex<Served>>, Answers)>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let turn = request["messages"]
        .as_array()
        .map_or(0, |messages| messages.iter().filter(|message| message["role"] == "assistant").count());
    let said = answers(turn, &request);
    let mut served = served.lock().unwrap();
    served
        .keys
        .push(headers.get("x-api-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned());
    let size = request.to_string().len() as u64;
    let model = request["model"].clone();
    served.requests.push(request);
    match said {
        Say::Status(code) => {
            let error =
                json!({"type": "error", "error": {"type": "api_error", "message": "as the test wants it"}});
            (StatusCode::from_u16(code).unwrap(), Json(error)).into_response()
        }
        Say::Content(content) => {
            // Counts that no estimate would give: the ledger must take them from here.
            let (read, write) = (turn as u64 * 101, 13);
            let (uncached, output) = (size / 50 + 7, 31 + turn as u64);
            served.usage +=
                Usage { uncached, cache_read: read, cache_write_5m: write, output, ..Usage::default() };
            served.answered += 1;
            let tools = content.iter().any(|block| block["type"] == "tool_use");
            let reply = json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content,
                "stop_reason": if tools { "tool_use" } else { "end_turn" }, "stop_sequence": null,
                "usage": {
                    "input_tokens": uncached, "output_tokens": output, "cache_read_input_tokens": read,
                    "cache_creation_input_tokens": write,
                    "cache_creation": {"ephemeral_5m_input_tokens": write, "ephemeral_1h_input_tokens": 0},
                },
            });
            Json(reply).into_response()
        }
    }
}
