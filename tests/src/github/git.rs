//! The same repositories over git's own protocol, by git's own program.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Lets a bare repository refuse pushes as GitHub does that change workflows without being allowed to.
pub fn guard_workflows(repository: &Path) {
    const HOOK: &str = r#"#!/bin/sh
while read -r old new name; do
    test -n "$MAY_CHANGE_WORKFLOWS" && continue
    if git log --name-only --format= "$new" --not --all | grep -q '^"\?\.github/workflows/'; then
        echo "refusing to allow a GitHub App to create or update workflow without \`workflows\` permission" >&2
        exit 1
    fi
done
"#;
    let hooks = repository.join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    std::fs::write(hooks.join("pre-receive"), HOOK).unwrap();
    std::fs::set_permissions(hooks.join("pre-receive"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Answers one request of git's from whoever has shown a token. `workflows`: whether that one is good for changing workflows.
pub async fn serve(
    root: &Path,
    method: &str,
    (path, query): (&str, &str),
    headers: &HeaderMap,
    workflows: bool,
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
        .env("REMOTE_USER", "x-access-token")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if workflows {
        command.env("MAY_CHANGE_WORKFLOWS", "yes");
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
