//! The same repositories over git's own protocol, by git's own program.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Answers one request of git's. `user`: whether whoever asks has shown a token.
pub async fn serve(
    root: &Path,
    method: &str,
    (path, query): (&str, &str),
    headers: &HeaderMap,
    user: bool,
    body: Bytes,
) -> Response<Body> {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", root)
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if user {
        command.env("REMOTE_USER", "x-access-token");
    }
    for (name, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = async move {
        let _ = stdin.write_all(&body).await;
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output.unwrap().stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head: HashMap<String, String> = String::from_utf8_lossy(&output[..end])
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let status = head.get("status").and_then(|status| status.get(..3)?.parse().ok()).unwrap_or(200_u16);
    let mut response = Response::builder().status(status);
    for (name, value) in head.iter().filter(|(name, _)| *name != "status") {
        response = response.header(name, value);
    }
    response.body(Body::from(output[end + 4..].to_vec())).unwrap()
}
