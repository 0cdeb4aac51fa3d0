//! Repositories behind http: git's own server program, a server of plain files, one that wants a password, and one that says nothing.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use forge::{ForgeError, Mirror, probe};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::Instant;

use crate::support::{Repo, git, soon};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `git http-backend`.
    Smart,
    /// Plain files.
    Dumb,
    /// `git http-backend` for `bot:p@ss`.
    Guarded,
    /// Accepts, and never answers.
    Silent,
}

/// Serves the folder of `repo` until the test ends. The base URL's authority.
async fn serve(repo: &Repo, kind: Kind) -> String {
    git(repo.dir.path(), &["clone", "-q", "--bare", "repo", "app.git"]);
    git(&repo.beside("app.git"), &["update-server-info"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let root = repo.dir.path().to_path_buf();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, root.clone(), kind));
        }
    });
    authority
}

/// Answers one request and closes the connection.
async fn answer(stream: TcpStream, root: PathBuf, kind: Kind) {
    let mut stream = BufReader::new(stream);
    if kind == Kind::Silent {
        let _ = stream.read_to_end(&mut Vec::new()).await;
        return;
    }
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line).await {
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => lines.push(line.trim().to_owned()),
            Err(_) => return,
        }
    }
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let Some(request) = lines.first() else { return };
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut body = vec![0; header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    // bot:p@ss
    let may_enter = header("authorization").as_deref() == Some("Basic Ym90OnBAc3M=");
    let reply = if kind == Kind::Guarded && !may_enter {
        b"HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    } else if kind == Kind::Dumb {
        plain_file(&root, target)
    } else {
        let variables = [
            ("CONTENT_TYPE", header("content-type")),
            ("HTTP_CONTENT_ENCODING", header("content-encoding")),
            ("GIT_PROTOCOL", header("git-protocol")),
            ("CONTENT_LENGTH", header("content-length")),
        ];
        backend(&root, method, target, &variables, &body).await
    };
    let _ = stream.get_mut().write_all(&reply).await;
    let _ = stream.get_mut().shutdown().await;
}

fn plain_file(root: &Path, target: &str) -> Vec<u8> {
    let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
    match std::fs::read(root.join(path)) {
        Ok(content) => {
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
            [head.into_bytes(), content].concat()
        }
        Err(_) => b"HTTP/1.1 404 none\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    }
}

async fn backend(
    root: &Path,
    method: &str,
    target: &str,
    variables: &[(&str, Option<String>)],
    body: &[u8],
) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .kill_on_drop(true)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for (name, value) in variables {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (_, output) = tokio::join!(
        async {
            let _ = stdin.write_all(body).await;
            drop(stdin);
        },
        child.wait_with_output()
    );
    let output = output.unwrap().stdout;
    let text = String::from_utf8_lossy(&output);
    let status =
        text.lines().next().and_then(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    [format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes(), output].concat()
}

#[tokio::test]
async fn a_repository_behind_http_is_fetched_with_some_history() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.write("a", b"2\n");
    let second = repo.commit("second");
    let url = format!("http://{}/app.git", serve(&repo, Kind::Smart).await);
    assert_eq!(probe(&url, None, soon()).await.unwrap().id, second);
    assert_eq!(probe(&url, Some(&second[..9]), soon()).await.unwrap().id, second);
    for (number, (base, pinned, expected)) in [
        (None, None, &second),
        (Some("main"), None, &second),
        (Some(first.as_str()), None, &first),
        (None, Some(first.as_str()), &first),
    ]
    .into_iter()
    .enumerate()
    {
        let into = repo.beside(&format!("mirror{number}"));
        let mirror = Mirror::fetch(&url, base, pinned, &into, soon()).await.unwrap();
        assert_eq!(mirror.commit(), expected);
    }
    assert_eq!(probe(&url, Some(&first), soon()).await.unwrap().id, first);
    let gone = "0123456789012345678901234567890123456789";
    let error = probe(&url, Some(gone), soon()).await.unwrap_err();
    assert!(matches!(&error, ForgeError::BaseNotFound { known, .. } if known == &["main"]), "{error}");
    let error = probe(&url.replace("app", "other"), None, soon()).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_server_of_plain_files_will_do() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    let second = repo.commit("second");
    let url = format!("http://{}/app.git", serve(&repo, Kind::Dumb).await);
    let mirror = Mirror::fetch(&url, Some("main"), None, &repo.beside("m1"), soon()).await.unwrap();
    assert_eq!(mirror.commit(), second);
    let mirror = Mirror::fetch(&url, None, Some(&first), &repo.beside("m2"), soon()).await.unwrap();
    assert_eq!(mirror.commit(), first);
}

#[tokio::test]
async fn missing_and_wrong_credentials_are_an_error_and_no_prompt() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let authority = serve(&repo, Kind::Guarded).await;
    for user in ["", "bot:wr0ng-secret@", "bot@"] {
        let url = format!("http://{user}{authority}/app.git");
        let error = probe(&url, None, soon()).await.unwrap_err();
        assert!(matches!(error, ForgeError::NeedsCredentials { .. }) && error.is_permanent(), "{error}");
        assert!(!format!("{error} {error:?}").contains("wr0ng-secret"), "{error}");
        let fetched = Mirror::fetch(&url, None, None, &repo.beside("mirror"), soon()).await;
        assert!(matches!(fetched, Err(ForgeError::NeedsCredentials { .. })));
    }
}

#[tokio::test]
async fn right_credentials_open_the_door_and_stay_nowhere() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let url = format!("http://bot:p%40ss@{}/app.git", serve(&repo, Kind::Guarded).await);
    probe(&url, Some("main"), soon()).await.unwrap();
    let into = repo.beside("mirror");
    let mirror = Mirror::fetch(&url, None, None, &into, soon()).await.unwrap();
    let work = mirror.checkout(&repo.beside("work")).await.unwrap();
    for folder in [into.as_path(), &work.path().join(".git")] {
        let found = String::from_utf8_lossy(&everything(folder)).into_owned();
        assert!(!found.contains("p%40ss") && !found.contains("p@ss") && !found.contains("127.0.0.1"));
    }
}

fn everything(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { everything(&path) } else { std::fs::read(path).unwrap() });
    }
    bytes
}

#[tokio::test]
async fn a_silent_server_costs_the_time_that_was_given_and_may_be_tried_again() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let url = format!("http://{}/app.git", serve(&repo, Kind::Silent).await);
    let error = probe(&url, None, Instant::now() + Duration::from_millis(500)).await.unwrap_err();
    assert!(matches!(error, ForgeError::TimedOut { .. }) && !error.is_permanent(), "{error}");
    let into = repo.beside("mirror");
    let late = Instant::now() + Duration::from_millis(500);
    assert!(matches!(Mirror::fetch(&url, None, None, &into, late).await, Err(ForgeError::TimedOut { .. })));
    assert!(!into.exists());
}
