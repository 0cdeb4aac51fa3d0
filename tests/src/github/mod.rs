//! GitHub's stand-in: an API that checks who asks for what and answers in the shapes that GitHub publishes, beside the same repositories
//! over git's protocol. It shares no code with the forge.

mod api;
mod auth;
mod diff;
mod git;
mod schema;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::Response;
use axum::{Router, body};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use auth::Key;

use crate::Repo;
use schema::Schemas;

/// The App's id, and the user that it is shown as.
pub const APP_ID: &str = "4242";
pub const LOGIN: &str = "codeteam-test[bot]";

/// What happens to a request instead of, or beside, what should.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This answer, and nothing is done. Headers come third.
    Answer(u16, Value, &'static [(&'static str, &'static str)]),
    /// It is done, and the answer is that of a proxy that lost the real one.
    Lose,
    /// Nothing is done, and no answer comes.
    Hang,
    /// It is done, and no answer comes.
    HangAfter,
}

type Faults = Box<dyn FnMut(&str, &str) -> Option<Fault> + Send>;

/// A token and what it is good for.
#[derive(Clone, Debug)]
pub struct Grant {
    pub repository: String,
    pub permissions: Value,
    /// It was given back, or taken away.
    pub revoked: bool,
}

#[derive(Default)]
struct State {
    tokens: HashMap<String, Grant>,
    /// (repository, pull request).
    pulls: Vec<(String, Value)>,
    /// (repository, number of the issue, comment).
    comments: Vec<(String, u64, Value)>,
    /// (repository, number of the pull request, review, its comments).
    reviews: Vec<(String, u64, Value, Vec<Value>)>,
    /// What the App was given where it is installed.
    permissions: Option<Value>,
    uninstalled: bool,
    suspended: bool,
    archived: bool,
    no_drafts: bool,
    last_id: u64,
    seen: Vec<String>,
    wrong: Vec<String>,
}

pub struct GitHub {
    pub url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

struct Inner {
    url: String,
    root: PathBuf,
    key: Mutex<&'static Key>,
    schemas: Schemas,
    state: Mutex<State>,
    faults: Mutex<Option<Faults>>,
    stuck: Notify,
}

impl GitHub {
    pub async fn start() -> GitHub {
        let dir = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            url: url.clone(),
            root: dir.path().to_owned(),
            key: Mutex::new(Key::of_all()),
            schemas: Schemas::read(),
            state: Mutex::default(),
            faults: Mutex::default(),
            stuck: Notify::new(),
        });
        let router = Router::new().fallback(serve).with_state(inner.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        GitHub { url, inner, task, _dir: dir }
    }

    /// Puts a copy of a repository there as `NAME`, such as `o/r`. What a job calls it.
    pub fn host(&self, name: &str, repo: &Repo) -> String {
        let path = self.repository(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let (from, to) = (repo.url(), path.to_str().unwrap().to_owned());
        diff::git(repo.path(), &["clone", "--quiet", "--bare", &from, &to]).expect("a clone");
        git::guard_workflows(&path);
        format!("{}/{name}", self.url)
    }

    /// The bare repository.
    pub fn repository(&self, name: &str) -> PathBuf {
        self.inner.root.join(format!("{name}.git"))
    }

    pub fn git(&self, name: &str, args: &[&str]) -> String {
        diff::git(&self.repository(name), args).unwrap_or_else(|| panic!("git {args:?}"))
    }

    /// A person opens a pull request for a branch that is there.
    pub fn open(&self, name: &str, head: &str, base: &str) -> u64 {
        self.inner.open(name, json!({"title": "A change", "head": head, "base": base}), "a-person")["number"]
            .as_u64()
            .unwrap()
    }

    /// Somebody else comments.
    pub fn comment(&self, name: &str, number: u64, body: &str) {
        self.state(|state| {
            state.last_id += 1;
            let comment = json!({"id": state.last_id, "body": body, "user": {"login": "a-person", "id": 5}});
            state.comments.push((name.to_owned(), number, comment));
        });
    }

    /// Lets `faults` look at each request (method, path) before it is answered.
    pub fn faults(&self, faults: impl FnMut(&str, &str) -> Option<Fault> + Send + 'static) {
        *self.inner.faults.lock().unwrap() = Some(Box::new(faults));
    }

    pub fn no_faults(&self) {
        *self.inner.faults.lock().unwrap() = None;
    }

    /// Waits until a request hangs.
    pub async fn hangs(&self) {
        tokio::time::timeout(crate::PATIENCE, self.inner.stuck.notified())
            .await
            .expect("a request that hangs");
    }

    pub fn uninstall(&self) {
        self.state(|state| state.uninstalled = true);
    }

    pub fn suspend(&self) {
        self.state(|state| state.suspended = true);
    }

    pub fn archive(&self) {
        self.state(|state| state.archived = true);
    }

    pub fn without_drafts(&self) {
        self.state(|state| state.no_drafts = true);
    }

    /// The App has no more than these.
    pub fn grant_only(&self, permissions: Value) {
        self.state(|state| state.permissions = Some(permissions));
    }

    /// The App's key is deleted: it is known by another one from now on, which this gives.
    pub fn replace_key(&self) -> String {
        let key: &'static Key = Box::leak(Box::new(Key::generate()));
        *self.inner.key.lock().unwrap() = key;
        key.pem.clone()
    }

    /// Takes every token away that was given so far.
    pub fn revoke_tokens(&self) {
        self.state(|state| state.tokens.values_mut().for_each(|grant| grant.revoked = true));
    }

    pub fn tokens(&self) -> Vec<(String, Grant)> {
        self.state(|state| state.tokens.iter().map(|(token, grant)| (token.clone(), grant.clone())).collect())
    }

    pub fn pulls(&self) -> Vec<Value> {
        self.state(|state| state.pulls.iter().map(|(_, pull)| pull.clone()).collect())
    }

    /// Each comment on issues and pull requests.
    pub fn comments(&self) -> Vec<Value> {
        self.state(|state| state.comments.iter().map(|(_, _, comment)| comment.clone()).collect())
    }

    /// Each review with its comments, those included that were begun and not sent.
    pub fn reviews(&self) -> Vec<(Value, Vec<Value>)> {
        self.state(|state| {
            state.reviews.iter().map(|(_, _, review, comments)| (review.clone(), comments.clone())).collect()
        })
    }

    /// `METHOD PATH` of each request to the API.
    pub fn seen(&self) -> Vec<String> {
        self.state(|state| state.seen.clone())
    }

    /// What of requests and answers was not as GitHub publishes it.
    pub fn wrong(&self) -> Vec<String> {
        self.state(|state| state.wrong.clone())
    }

    fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.inner.state.lock().unwrap())
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(Shared(inner): Shared<Arc<Inner>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body: body::Bytes = to_bytes(body, 64 << 20).await.unwrap();
    let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let token = parts.headers.get("authorization").and_then(|value| auth::token_of(value.to_str().ok()?));
    let fault = inner.faults.lock().unwrap().as_mut().and_then(|faults| faults(&method, &path));
    match &fault {
        Some(Fault::Answer(status, body, headers)) => {
            let mut response = Response::builder().status(*status).header("content-type", "application/json");
            for (name, value) in *headers {
                response = response.header(*name, *value);
            }
            return response.body(Body::from(body.to_string())).unwrap();
        }
        Some(Fault::Hang) => {
            inner.stuck.notify_one();
            std::future::pending::<()>().await;
        }
        Some(Fault::Lose | Fault::HangAfter) | None => {}
    }
    let response = if let Some((name, rest)) = git_request(&path) {
        let path = format!("/{name}.git/{rest}");
        match inner.may_git(&name, &path, &query, token.as_deref()) {
            Ok(workflows) => {
                git::serve(&inner.root, &method, (&path, &query), &parts.headers, workflows, body).await
            }
            Err((status, text)) => {
                let response =
                    Response::builder().status(status).header("www-authenticate", "Basic realm=\"GitHub\"");
                response.body(Body::from(text)).unwrap()
            }
        }
    } else {
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = inner.answer(&method, &path, &query, token.as_deref(), &body);
        let date =
            jiff::fmt::rfc2822::to_string(&jiff::Zoned::new(jiff::Timestamp::now(), jiff::tz::TimeZone::UTC));
        let response =
            Response::builder().status(status).header("date", date.unwrap().replace("+0000", "GMT"));
        let text = if answer.is_null() { String::new() } else { answer.to_string() };
        response.header("content-type", "application/json").body(Body::from(text)).unwrap()
    };
    match fault {
        Some(Fault::HangAfter) => {
            inner.stuck.notify_one();
            std::future::pending().await
        }
        Some(_) => Response::builder().status(502).body(Body::empty()).unwrap(),
        None => response,
    }
}

/// The repository and the rest of a path that git asks for: with `.git` or without.
fn git_request(path: &str) -> Option<(String, &'static str)> {
    let rest = ["info/refs", "git-upload-pack", "git-receive-pack"];
    let rest = rest.into_iter().find(|rest| path.ends_with(&format!("/{rest}")))?;
    let name = path.trim_start_matches('/').strip_suffix(rest)?.trim_end_matches('/');
    Some((name.strip_suffix(".git").unwrap_or(name).to_owned(), rest))
}

impl Inner {
    /// Whether git may do this, and whether what it brings may change workflows.
    fn may_git(
        &self,
        name: &str,
        path: &str,
        query: &str,
        token: Option<&str>,
    ) -> Result<bool, (u16, &'static str)> {
        let state = self.state.lock().unwrap();
        let writes = path.ends_with("git-receive-pack") || query.contains("git-receive-pack");
        let Some(token) = token else { return Err((401, "authentication required")) };
        let grant = state.tokens.get(token).filter(|grant| !grant.revoked);
        let Some(grant) = grant else { return Err((401, "bad credentials")) };
        let level = grant.permissions["contents"].as_str().unwrap_or_default();
        match () {
            () if grant.repository != name => Err((404, "Repository not found.")),
            () if writes && state.archived => Err((403, "This repository was archived so it is read-only.")),
            () if writes && level != "write" => Err((403, "Write access to repository not granted.")),
            () if level.is_empty() => Err((403, "Resource not accessible")),
            () => Ok(grant.permissions["workflows"] == "write"),
        }
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.git"))
    }

    fn exists(&self, name: &str) -> bool {
        Path::is_dir(&self.repository(name))
    }
}
