//! The HTTP server: one address on this machine, one path for each protocol, and the totals of what it served.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::conversation::{Answer, answer};
use crate::count::{Cache, Count, Played, Served};
use crate::protocol::{Asked, Protocol, Wire};
use crate::refusal::Refusal;
use crate::repertoire::Repertoire;

/// What was sent, unless it was too much.
type Body = Result<Bytes, BytesRejection>;

/// The providers' own bound on a request, or near it.
const LARGEST_REQUEST: usize = 32 * 1024 * 1024;

/// Scripts that are being served. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Rehearsal {
    address: SocketAddr,
    stage: Arc<Stage>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Stage {
    repertoire: Repertoire,
    pace: Duration,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    cache: Cache,
    served: Served,
    played: Vec<Played>,
}

impl Rehearsal {
    /// Serves a script, or several, on a free port of 127.0.0.1, each answer at once.
    pub async fn start(repertoire: impl Into<Repertoire>) -> std::io::Result<Rehearsal> {
        Rehearsal::start_paced(repertoire, Duration::ZERO).await
    }

    /// As [`Rehearsal::start`], but each answer takes `pace`, so that people can watch.
    pub async fn start_paced(
        repertoire: impl Into<Repertoire>,
        pace: Duration,
    ) -> std::io::Result<Rehearsal> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Stage { repertoire: repertoire.into(), pace, books: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new()
            .route("/v1/messages", at(Protocol::Messages))
            .route("/v1/responses", at(Protocol::Responses))
            .route("/v1/chat/completions", at(Protocol::Chat))
            .route("/v1beta/models/{*call}", post(generate_content))
            .fallback(elsewhere)
            .method_not_allowed_fallback(elsewhere)
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

    /// The address to put into `ANTHROPIC_BASE_URL` and `GEMINI_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address to put into `OPENAI_BASE_URL`.
    pub fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it has served so far. An answer counts from the moment it is given, even if nobody waits for it any more.
    pub fn served(&self) -> Served {
        self.stage.books().served
    }

    /// The same one by one, in the order in which they were given.
    pub fn played(&self) -> Vec<Played> {
        self.stage.books().played.clone()
    }

    /// Takes no more requests, and returns when those under way are answered.
    pub async fn stop(self) -> Served {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the rehearsal's server ended");
        }
        self.stage.books().served
    }
}

fn at(protocol: Protocol) -> MethodRouter<Arc<Stage>> {
    let respond = move |State(stage): State<Arc<Stage>>, headers: HeaderMap, body: Body| async move {
        stage.respond(protocol, "", &headers, body).await
    };
    post(respond)
}

async fn generate_content(
    State(stage): State<Arc<Stage>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    stage.respond(Protocol::Gemini, &call, &headers, body).await
}

async fn elsewhere() -> Response {
    refused(Protocol::Messages.wire(), &Refusal::not_found(), 0)
}

impl Stage {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn respond(&self, protocol: Protocol, path: &str, headers: &HeaderMap, body: Body) -> Response {
        let wire = protocol.wire();
        let answered = read(wire, path, headers, body).and_then(|asked| {
            let script = self.repertoire.find(&asked.opening)?;
            Ok((answer(wire, script, &asked)?, script.name.clone(), asked))
        });
        let response = {
            let mut books = self.books();
            match answered {
                Ok((answer, script, asked)) => {
                    let count = books.add(protocol, script, &asked, &answer);
                    let number = books.number();
                    said(wire, StatusCode::OK, number, wire.answer(&answer, &count, number))
                }
                Err(refusal) => {
                    books.served.refused += 1;
                    refused(wire, &refusal, books.number())
                }
            }
        };
        if response.status() == StatusCode::OK {
            tokio::time::sleep(self.pace).await;
        }
        response
    }
}

fn read(wire: &dyn Wire, path: &str, headers: &HeaderMap, body: Body) -> Result<Asked, Refusal> {
    wire.admit(headers)?;
    let body = body.map_err(|_| Refusal::too_large())?;
    let request: Value = serde_json::from_slice(&body)
        .map_err(|error| Refusal::invalid(format!("the body is not JSON: {error}")))?;
    wire.read(path, &request)
}

impl Books {
    fn add(&mut self, protocol: Protocol, script: String, asked: &Asked, answer: &Answer) -> Count {
        let input = self.cache.count(&asked.parts);
        let count = Count { output: answer.output_tokens, reasoning: answer.thoughts, ..input };
        self.served.add(&count);
        self.played.push(Played { script, protocol, asked: asked.model.clone(), count });
        count
    }

    /// The number of the request at hand.
    fn number(&self) -> u64 {
        self.served.requests + self.served.refused
    }
}

fn refused(wire: &dyn Wire, refusal: &Refusal, number: u64) -> Response {
    let body = wire.refusal(refusal, &request_id(number));
    said(wire, refusal.status, number, body)
}

fn said(wire: &dyn Wire, status: StatusCode, number: u64, body: Value) -> Response {
    (status, [(wire.request_id_header(), request_id(number))], Json(body)).into_response()
}

fn request_id(number: u64) -> String {
    format!("req_rehearsal_{number}")
}
