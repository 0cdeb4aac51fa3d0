//! The providers' own clients play a rehearsal to its end: what it says is what their types take, and what they send back is
//! what it wants back.
//!
//! `script/setup` installs the clients.

use std::path::Path;
use std::process::Stdio;

use rehearsal::{Rehearsal, demo};
use tokio::process::Command;

#[tokio::test]
async fn each_providers_own_client_plays_it_to_its_end() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../../target/model-sdks-venv/bin/python");
    let rehearsal = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let turns = demo::script().unwrap().turns.len();
    let clients = ["messages", "responses", "chat", "gemini"].map(|protocol| {
        let mut client = Command::new(&python);
        client.arg(here.join("tests/sdk/converse.py")).args([&rehearsal.url(), protocol]);
        client.env("NO_PROXY", "*").env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
        client.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (protocol, client.spawn().expect("the SDKs are installed: run script/setup"))
    });
    for (protocol, client) in clients {
        let said = client.wait_with_output().await.unwrap();
        let (answers, complaint) =
            (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert_eq!(answers.trim(), turns.to_string(), "{protocol}: {complaint}");
    }
    let served = rehearsal.stop().await;
    assert_eq!((served.requests, served.refused), (4 * turns as u64, 0));
}
