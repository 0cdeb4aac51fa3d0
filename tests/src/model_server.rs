//! A model's stand-in that speaks Anthropic's Messages protocol and counts what it serves. It shares no code with the
//! program's own rehearsal, so that the two cannot agree by accident.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::Usage;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The provider's own bound on a request.
const LARGEST_REQUEST: usize = 32 * 1024 * 1024;

/// What it answers to one request.
#[derive(Clone, Debug)]
pub enum Say {
    /// Content blocks, with made-up token counts.
    Content(Vec<Value>),
    /// Content blocks at the highest price that a provider could name: all of the input as the dearest kind, all of the output
    /// that was allowed.
    Spend(Vec<Value>),
    /// An HTTP error.
    Status(u16),
    /// Nothing, however long one waits.
    Never,
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
    /// Tokens of the conversation so far, where all is spent that can be.
    context: u64,
    /// The turn of each answer that somebody waited for.
    answered: Vec<usize>,
    /// When each of them was asked for and given.
    times: Vec<(Instant, Instant)>,
    keys: Vec<String>,
}

type Answers = Box<dyn Fn(usize, &Value) -> Say + Send + Sync>;

struct Stage {
    served: Mutex<Served>,
    answers: Answers,
    pace: Duration,
}

pub struct ModelServer {
    pub url: String,
    stage: Arc<Stage>,
    task: JoinHandle<()>,
}

impl ModelServer {
    /// Answers the n-th turn of a conversation (from 0) with what `answers` says to it.
    pub async fn start(answers: impl Fn(usize, &Value) -> Say + Send + Sync + 'static) -> ModelServer {
        ModelServer::start_paced(Duration::ZERO, answers).await
    }

    /// As `start`, but each answer takes `pace`; one that nobody waits for any more does not count.
    pub async fn start_paced(
        pace: Duration,
        answers: impl Fn(usize, &Value) -> Say + Send + Sync + 'static,
    ) -> ModelServer {
        let stage = Arc::new(Stage { served: Mutex::default(), answers: Box::new(answers), pace });
        let router = Router::new()
            .route("/v1/messages", post(answer))
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .with_state(stage.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        ModelServer { url, stage, task }
    }

    /// The tokens of all answers, as this server counted them.
    pub fn usage(&self) -> Usage {
        self.stage.served.lock().unwrap().usage
    }

    pub fn answered(&self) -> u32 {
        self.stage.served.lock().unwrap().answered.len() as u32
    }

    /// When each answer was asked for and given.
    pub fn times(&self) -> Vec<(Instant, Instant)> {
        self.stage.served.lock().unwrap().times.clone()
    }

    /// Which turn each answer was to.
    pub fn answered_turns(&self) -> Vec<usize> {
        self.stage.served.lock().unwrap().answered.clone()
    }

    pub fn requests(&self) -> Vec<Value> {
        self.stage.served.lock().unwrap().requests.clone()
    }

    pub fn keys(&self) -> Vec<String> {
        self.stage.served.lock().unwrap().keys.clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(stage): State<Arc<Stage>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = Instant::now();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let turn = request["messages"]
        .as_array()
        .map_or(0, |messages| messages.iter().filter(|message| message["role"] == "assistant").count());
    let said = (stage.answers)(turn, &request);
    let key = headers.get("x-api-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    let most = request["max_tokens"].as_u64().unwrap();
    let unseen = unseen(&request);
    let (size, model) = (request.to_string().len() as u64, request["model"].clone());
    {
        let mut served = stage.served.lock().unwrap();
        served.keys.push(key);
        served.requests.push(request);
    }
    if matches!(said, Say::Never) {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(stage.pace).await;
    let mut served = stage.served.lock().unwrap();
    let (content, usage) = match said {
        Say::Status(code) => {
            let error =
                json!({"type": "error", "error": {"type": "api_error", "message": "as the test wants it"}});
            return (StatusCode::from_u16(code).unwrap(), Json(error)).into_response();
        }
        Say::Spend(content) => {
            let input = served.context + unseen;
            served.context = input + most;
            (content, Usage { cache_write_1h: input, output: most, ..Usage::default() })
        }
        // Counts that no estimate would give: the ledger must take them from here.
        Say::Content(content) => {
            let turn = turn as u64;
            let (uncached, output) = (size / 50 + 7, 31 + turn);
            let (cache_read, cache_write_5m) = (turn * 101, 13);
            (content, Usage { uncached, cache_read, cache_write_5m, output, ..Usage::default() })
        }
        Say::Never => unreachable!("nobody waits so long"),
    };
    served.usage += usage;
    served.answered.push(turn);
    let tools = content.iter().any(|block| block["type"] == "tool_use");
    let (written_5m, written_1h) = (usage.cache_write_5m, usage.cache_write_1h);
    let reply = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": if tools { "tool_use" } else { "end_turn" }, "stop_sequence": null,
        "usage": {
            "input_tokens": usage.uncached, "output_tokens": usage.output,
            "cache_read_input_tokens": usage.cache_read, "cache_creation_input_tokens": written_5m + written_1h,
            "cache_creation": {"ephemeral_5m_input_tokens": written_5m, "ephemeral_1h_input_tokens": written_1h},
        },
    });
    let response = Json(reply).into_response();
    served.times.push((asked, Instant::now()));
    response
}

/// The bytes of a request that no earlier one had, but for the model's own answers.
fn unseen(request: &Value) -> u64 {
    let messages = request["messages"].as_array().unwrap();
    let stable = if messages.len() == 1 { vec![&request["system"], &request["tools"]] } else { vec![] };
    stable.into_iter().chain(messages.last()).map(|part| part.to_string().len() as u64).sum()
}
