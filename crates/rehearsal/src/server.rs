//! The HTTP server: one address on this machine, one path, and the totals of what it served.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::conversation::{Answer, answer};
use crate::count::{Cache, Input, Served};
use crate::refusal::Refusal;
use crate::script::Script;

/// The provider's own bound on a request.
const LARGEST_REQUEST: usize = 32 * 1024 * 1024;

/// A script that is being served. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Rehearsal {
    address: SocketAddr,
    stage: Arc<Stage>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Stage {
    script: Script,
    pace: Duration,
    totals: Mutex<Totals>,
}

#[derive(Debug, Default)]
struct Totals {
    cache: Cache,
    served: Served,
}

impl Rehearsal {
    /// Serves `script` on a free port of 127.0.0.1, each answer at once.
    pub async fn start(script: Script) -> std::io::Result<Rehearsal> {
        Rehearsal::start_paced(script, Duration::ZERO).await
    }

    /// As [`Rehearsal::start`], but each answer takes `pace`, so that people can watch.
    pub async fn start_paced(script: Script, pace: Duration) -> std::io::Result<Rehearsal> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Stage { script, pace, totals: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new()
            .route("/v1/messages", post(messages))
            .fallback(async || refused(&Refusal::not_found(), 0))
            .method_not_allowed_fallback(async || refused(&Refusal::not_found(), 0))
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .with_state(stage.clone());
        let task = tokio::spawn(async move {
            // A dropped sender ends it as well.
            let end = async move { stopped.await.unwrap_or_default() };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(end).await {
                tracing::error!(%error, "the rehearsal's server ended");
            }
        });
        Ok(Rehearsal { address, stage, stop, task })
    }

    /// The address to put into `ANTHROPIC_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has served so far. An answer counts from the moment it is given, even if nobody waits for it any more.
    pub fn served(&self) -> Served {
        self.stage.totals.lock().unwrap_or_else(PoisonError::into_inner).served
    }

    /// Takes no more requests, and returns when those under way are answered.
    pub async fn stop(self) -> Served {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the rehearsal's server ended");
        }
        self.stage.totals.lock().unwrap_or_else(PoisonError::into_inner).served
    }
}

async fn messages(
    State(stage): State<Arc<Stage>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let response = stage.respond(&headers, body);
    if response.status() == StatusCode::OK {
        tokio::time::sleep(stage.pace).await;
    }
    response
}

impl Stage {
    fn respond(&self, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
        let answer =
            self.read(headers, body).and_then(|request| Ok((answer(&self.script, &request)?, request)));
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok((answer, request)) => {
                let input = totals.add(&request, &answer);
                answered(answer, input, totals.served.requests + totals.served.refused)
            }
            Err(refusal) => {
                totals.served.refused += 1;
                refused(&refusal, totals.served.requests + totals.served.refused)
            }
        }
    }

    fn read(&self, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, Refusal> {
        if headers.get("x-api-key").is_none_or(|key| key.is_empty()) {
            return Err(Refusal::no_key());
        }
        if !headers.contains_key("anthropic-version") {
            return Err(Refusal::invalid("anthropic-version: header is required"));
        }
        let body = body.map_err(|_| Refusal::too_large())?;
        serde_json::from_slice(&body)
            .map_err(|error| Refusal::invalid(format!("the body is not JSON: {error}")))
    }
}

impl Totals {
    fn add(&mut self, request: &Value, answer: &Answer) -> Input {
        let input = self.cache.count(request);
        self.served.requests += 1;
        self.served.uncached += input.uncached;
        self.served.cache_read += input.cache_read;
        self.served.cache_write_5m += input.cache_write_5m;
        self.served.output += answer.output_tokens;
        input
    }
}

fn answered(answer: Answer, input: Input, number: u64) -> Response {
    let body = json!({
        "id": format!("msg_rehearsal_{number}"),
        "type": "message",
        "role": "assistant",
        "model": "rehearsal",
        "content": answer.content,
        "stop_reason": answer.stop_reason,
        "stop_sequence": null,
        "usage": {
            "input_tokens": input.uncached,
            "cache_creation_input_tokens": input.cache_write_5m,
            "cache_read_input_tokens": input.cache_read,
            "cache_creation": {"ephemeral_5m_input_tokens": input.cache_write_5m, "ephemeral_1h_input_tokens": 0},
            "output_tokens": answer.output_tokens,
        },
    });
    ([("request-id", request_id(number))], Json(body)).into_response()
}

fn refused(refusal: &Refusal, number: u64) -> Response {
    let id = request_id(number);
    let body = refusal.body(&id);
    (refusal.status, [("request-id", id)], Json(body)).into_response()
}

fn request_id(number: u64) -> String {
    format!("req_rehearsal_{number}")
}
