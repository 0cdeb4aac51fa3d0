//! The ECS agent's endpoint for task scale-in protection, over HTTP as in a task. It knows whether the task is protected.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::PATIENCE;

/// In the path of its address, so that a test finds it wherever it leaked to.
pub const CONTAINER: &str = "the-containers-own-address";

/// How it takes one kind of question.
#[derive(Clone, Debug, PartialEq)]
pub enum Agrees {
    /// It does what it is asked.
    Yes,
    /// An exception of ECS, with this code.
    No(&'static str),
    /// It takes the question and says nothing until this changes.
    Later,
}

#[derive(Clone, Debug)]
struct Knows {
    to_protect: Agrees,
    to_unprotect: Agrees,
    /// What it was asked so far: true for protection. And for how many minutes.
    asked: Vec<(bool, Option<u64>)>,
    protected: bool,
}

pub struct EcsAgent {
    /// As ECS_AGENT_URI.
    pub uri: String,
    knows: watch::Sender<Knows>,
    task: JoinHandle<()>,
}

impl EcsAgent {
    pub async fn start() -> EcsAgent {
        let start =
            Knows { to_protect: Agrees::Yes, to_unprotect: Agrees::Yes, asked: Vec::new(), protected: false };
        let knows = watch::Sender::new(start);
        let router = Router::new()
            .route("/api/{container}/task-protection/v1/state", put(answer))
            .with_state(knows.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/api/{CONTAINER}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        EcsAgent { uri, knows, task }
    }

    pub fn agrees_to_protect(&self, agrees: Agrees) {
        self.knows.send_modify(|knows| knows.to_protect = agrees);
    }

    pub fn agrees_to_unprotect(&self, agrees: Agrees) {
        self.knows.send_modify(|knows| knows.to_unprotect = agrees);
    }

    /// What it was asked so far: true for protection, false for its end.
    pub fn asked(&self) -> Vec<bool> {
        self.knows.borrow().asked.iter().map(|(protect, _)| *protect).collect()
    }

    /// For how many minutes protection was asked for last.
    pub fn minutes(&self) -> Option<u64> {
        self.knows.borrow().asked.iter().rev().find_map(|(_, minutes)| *minutes)
    }

    pub fn is_protected(&self) -> bool {
        self.knows.borrow().protected
    }

    /// Waits until what it was asked so far passes `enough`.
    pub async fn asked_until(&self, enough: impl Fn(&[bool]) -> bool) {
        let waiting = async {
            while !enough(&self.asked()) {
                self.knows.subscribe().changed().await.unwrap();
            }
        };
        let waited = timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "it was only asked {:?}", self.asked());
    }
}

impl Drop for EcsAgent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    Path(container): Path<String>,
    State(knows): State<watch::Sender<Knows>>,
    Json(question): Json<Value>,
) -> (StatusCode, Json<Value>) {
    assert_eq!(container, CONTAINER);
    let protect = question["ProtectionEnabled"].as_bool().unwrap();
    let minutes = question["ExpiresInMinutes"].as_u64();
    assert!(
        question
            .as_object()
            .unwrap()
            .keys()
            .all(|key| ["ProtectionEnabled", "ExpiresInMinutes"].contains(&key.as_str()))
    );
    knows.send_modify(|knows| knows.asked.push((protect, minutes)));
    let mut changes = knows.subscribe();
    let agrees = |knows: &Knows| if protect { knows.to_protect.clone() } else { knows.to_unprotect.clone() };
    let said = changes.wait_for(|knows| agrees(knows) != Agrees::Later).await.map(|knows| agrees(&knows));
    let arn = "arn:aws:ecs:us-east-1:111122223333:task/ai-coding-team/1";
    match said.unwrap() {
        Agrees::No(code) => {
            let error = json!({"Arn": arn, "Code": code, "Message": "as the test wants it"});
            (StatusCode::BAD_REQUEST, Json(json!({"requestID": "1", "error": error})))
        }
        Agrees::Yes | Agrees::Later => {
            knows.send_modify(|knows| knows.protected = protect);
            let date = protect.then_some("2026-11-01T00:15:00Z");
            let now = json!({"ExpirationDate": date, "ProtectionEnabled": protect, "TaskArn": arn});
            (StatusCode::OK, Json(json!({"protection": now})))
        }
    }
}
