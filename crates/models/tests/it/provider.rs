//! A provider that answers each connection with the next of its parts and remembers what it was sent.
//!
//! Raw sockets, because it must also break the protocol. When the parts run out it closes connections at once.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{Request, ToolSpec, Turn};
use domain::{Mode, Price, Protocol};
use models::{Chain, Keys, Models, Outside, Settings, Unlisted, Wish};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub const KEY: &str = "sk-ant-test-0123456789";

/// What to do with one request.
pub enum Part {
    /// Answer with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// Read the request and never answer.
    Stall,
    /// Read the request and close the connection.
    Cut,
    /// Begin an answer and close the connection in the middle of it.
    CutBody,
    /// Answer with this many megabytes, without saying so before.
    Huge(usize),
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub struct Provider {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    pub async fn plays(parts: Vec<Part>) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = seen.clone();
        let task = tokio::spawn(async move {
            let mut parts = VecDeque::from(parts);
            let mut stalled = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let Some(part) = parts.pop_front() else { continue };
                let mut stream = BufReader::new(stream);
                let request = read(&mut stream).await;
                record.lock().unwrap().push(request);
                if let Some(open) = play(part, stream.into_inner()).await {
                    stalled.push(open);
                }
            }
        });
        Provider { url, seen, task }
    }

    /// What has been sent so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// claude-haiku-4-5 at this provider.
    pub fn adapter(&self) -> Chain {
        adapter(&self.url)
    }

    /// The model of this name at this provider.
    pub fn model(&self, name: &str) -> Chain {
        model(&self.url, name)
    }
}

/// The day on which the tests take place.
pub fn today() -> jiff::civil::Date {
    jiff::civil::date(2026, 11, 23)
}

/// All three providers at `url`, with a key for each.
pub fn settings(url: &str) -> Settings {
    // The first test to come installs it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = || Some(KEY.to_owned().into());
    Settings {
        anthropic_base_url: url.into(),
        openai_base_url: format!("{url}/v1"),
        gemini_base_url: url.into(),
        keys: Keys { anthropic: key(), openai: key(), google: key() },
        requests_per_minute: NonZeroU32::new(60_000).unwrap(),
        unlisted: Unlisted {
            context_tokens: 32_768,
            price: Price { input: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 0 },
        },
    }
}

/// Models that, when they may choose, wait no time at all.
pub fn models(settings: Settings) -> Models {
    Models::new(settings, outside()).unwrap()
}

/// No randomness, no time that passes, no other key than there is.
pub fn outside() -> Outside {
    Outside {
        random: Arc::new(|| 0.0),
        now: Arc::new(|| "2026-11-23T10:00:00Z".parse().unwrap()),
        another_key: Arc::new(|_, _| None),
    }
}

pub fn wish<'a>(names: &[&'a str]) -> Wish<'a> {
    Wish { names: names.to_vec(), mode: Mode::Mechanic, last: None, today: today() }
}

pub fn model(url: &str, name: &str) -> Chain {
    models(settings(url)).chain(&wish(&[name])).unwrap()
}

pub fn adapter(url: &str) -> Chain {
    model(url, "claude-haiku-4-5")
}

/// What claude-haiku-4-5 said.
pub fn said(content: Value) -> Turn {
    Turn::Assistant {
        protocol: Protocol::AnthropicMessages,
        model: "claude-haiku-4-5".into(),
        content,
        tool_calls: vec![],
        text: String::new(),
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Seen {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let path = lines.remove(0);
    let split =
        |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<_> = lines.iter().filter_map(split).collect();
    let mut seen = Seen { path, headers, body: String::new() };
    let mut body = vec![0; seen.header("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    seen.body = String::from_utf8(body).unwrap();
    seen
}

/// Gives the connection back if it must stay open.
async fn play(part: Part, mut stream: TcpStream) -> Option<TcpStream> {
    let head = |status: u16, rest: &str| format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n{rest}\r\n");
    match part {
        Part::Answer(status, headers, body) => {
            let mut rest = format!("content-length: {}\r\n", body.len());
            headers.iter().for_each(|(name, value)| rest.push_str(&format!("{name}: {value}\r\n")));
            stream.write_all((head(status, &rest) + &body).as_bytes()).await.unwrap();
        }
        Part::Stall => return Some(stream),
        Part::Cut => {}
        Part::CutBody => {
            let begun = head(200, "content-length: 1000\r\n") + "{\"content\":";
            stream.write_all(begun.as_bytes()).await.unwrap();
        }
        Part::Huge(megabytes) => {
            let chunk = vec![b' '; 1024 * 1024];
            stream.write_all(head(200, "").as_bytes()).await.unwrap();
            for _ in 0..megabytes {
                // The reader may have had enough.
                if stream.write_all(&chunk).await.is_err() {
                    break;
                }
            }
        }
    }
    None
}

/// A plain answer: "done", 10 tokens in, 5 out.
pub fn done() -> Part {
    let usage = json!({"input_tokens": 10, "output_tokens": 5});
    Part::Answer(200, vec![], reply(json!([{"type": "text", "text": "done"}]), "end_turn", usage))
}

pub fn reply(content: Value, stop: &str, usage: Value) -> String {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001",
           "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage})
    .to_string()
}

/// An error object in the provider's form.
pub fn error(status: u16, kind: &str, message: &str, headers: Vec<(&'static str, &'static str)>) -> Part {
    let body = json!({"type": "error", "error": {"type": kind, "message": message}});
    Part::Answer(status, headers, body.to_string())
}

pub fn bash() -> Vec<ToolSpec> {
    let schema =
        json!({"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]});
    vec![ToolSpec { name: "bash", description: "Runs a shell command.", schema }]
}

pub fn request<'a>(tools: &'a [ToolSpec], turns: &'a [Turn]) -> Request<'a> {
    Request { system: "Fix it.", tools, turns, max_output: 1_000, timeout: Duration::from_secs(30) }
}

pub fn hello() -> Vec<Turn> {
    vec![Turn::User("hello".into())]
}
