//! A server that notes what it is asked and answers by a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// One answer.
pub enum Play {
    /// What the operation's success looks like.
    Ok,
    /// A status, AWS's code and its words.
    Refuse(u16, &'static str, &'static str),
    /// These words with this status, in no protocol.
    Words(u16, &'static str),
    /// This body, in the operation's protocol.
    Answer(Vec<u8>),
    /// No answer.
    Hang,
    /// `Ok`, when it is told to.
    Hold(Arc<Notify>),
}

/// What came in.
#[derive(Debug)]
pub struct Arrived {
    /// As in `RegisterScalableTarget`.
    pub operation: String,
    /// JSON as it is; CBOR as a string in its diagnostic notation.
    pub body: Value,
}

#[derive(Default)]
struct Stage {
    script: VecDeque<Play>,
    /// Calls that change something and have no answer yet, by resource.
    under_way: Vec<Value>,
    overlaps: usize,
}

/// The server. It ends with this.
pub struct StandIn {
    pub url: String,
    stage: Arc<Mutex<Stage>>,
    arrivals: mpsc::UnboundedReceiver<Arrived>,
    server: JoinHandle<()>,
}

type Shared = (Arc<Mutex<Stage>>, mpsc::UnboundedSender<Arrived>);

impl StandIn {
    /// Answers by `script`, and with success when that has ended.
    pub async fn start(script: impl IntoIterator<Item = Play>) -> Self {
        let stage = Arc::new(Mutex::new(Stage { script: script.into_iter().collect(), ..Stage::default() }));
        let (sender, arrivals) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state((stage.clone(), sender));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, stage, arrivals, server }
    }

    /// The next request.
    pub async fn arrived(&mut self) -> Arrived {
        self.arrivals.recv().await.unwrap()
    }

    /// The next request, which changes a capacity: to how many.
    pub async fn registered(&mut self) -> (String, u64) {
        let Arrived { operation, body } = self.arrived().await;
        assert_eq!(operation, "RegisterScalableTarget");
        assert_eq!(body["MinCapacity"], body["MaxCapacity"]);
        (body["ResourceId"].as_str().unwrap().to_owned(), body["MinCapacity"].as_u64().unwrap())
    }

    /// How many requests came that nobody asked about.
    pub fn others(&mut self) -> usize {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).count()
    }

    /// Answers the next requests so, too.
    pub fn then(&self, play: Play) {
        self.stage.lock().unwrap().script.push_back(play);
    }

    /// How often a change came while another of the same service was under way.
    pub fn overlaps(&self) -> usize {
        self.stage.lock().unwrap().overlaps
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The body of an answer to DescribeScalableTargets.
pub fn targets(bounds: &[(&str, i32, i32)]) -> Play {
    let targets: Vec<Value> = bounds
        .iter()
        .map(|(resource, min, max)| {
            json!({
                "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": "ecs:service:DesiredCount",
                "MinCapacity": min, "MaxCapacity": max, "RoleARN": "arn:aws:iam::1:role/x", "CreationTime": 1.0,
            })
        })
        .collect();
    Play::Answer(json!({ "ScalableTargets": targets }).to_string().into_bytes())
}

async fn answer(
    State((stage, arrivals)): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let cbor = headers.contains_key("smithy-protocol");
    let operation = match headers.get("x-amz-target") {
        Some(target) => target.to_str().unwrap().rsplit('.').next().unwrap().to_owned(),
        None => uri.path().rsplit('/').next().unwrap().to_owned(),
    };
    let body = match cbor {
        true => Value::String(minicbor::display(&body).to_string()),
        false => serde_json::from_slice(&body).unwrap(),
    };
    let resource = body["ResourceId"].clone();
    let play = {
        let mut stage = stage.lock().unwrap();
        if !resource.is_null() {
            stage.overlaps += usize::from(stage.under_way.contains(&resource));
            stage.under_way.push(resource.clone());
        }
        stage.script.pop_front().unwrap_or(Play::Ok)
    };
    _ = arrivals.send(Arrived { operation, body });
    let response = respond(play, cbor).await;
    let mut stage = stage.lock().unwrap();
    if let Some(place) = stage.under_way.iter().position(|other| *other == resource) {
        stage.under_way.remove(place);
    }
    response
}

async fn respond(play: Play, cbor: bool) -> Response<Body> {
    let empty = || if cbor { vec![0xa0] } else { b"{}".to_vec() };
    let (status, body) = match play {
        Play::Ok => (200, empty()),
        Play::Hold(release) => {
            release.notified().await;
            (200, empty())
        }
        Play::Hang => std::future::pending().await,
        Play::Answer(body) => (200, body),
        Play::Words(status, words) => {
            return Response::builder().status(status).body(words.into()).unwrap();
        }
        Play::Refuse(status, code, message) if cbor => {
            let mut body = Vec::new();
            let mut encoder = minicbor::Encoder::new(&mut body);
            encoder.map(2).unwrap().str("__type").unwrap().str(code).unwrap();
            encoder.str("message").unwrap().str(message).unwrap();
            (status, body)
        }
        Play::Refuse(status, code, message) => {
            (status, json!({ "__type": code, "Message": message }).to_string().into_bytes())
        }
    };
    let response = Response::builder().status(status);
    let response = match cbor {
        true => response.header("content-type", "application/cbor").header("smithy-protocol", "rpc-v2-cbor"),
        false => response.header("content-type", "application/x-amz-json-1.1"),
    };
    response.body(body.into()).unwrap()
}
