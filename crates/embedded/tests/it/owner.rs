//! The server's life hangs on its owner's, whatever happens to that.

use std::io::{BufRead, BufReader, Read};

use embedded::{Postgres, Settings};

use crate::support::{ask, connect, folder, is_alive, rerun};

const FOLDER: &str = "EMBEDDED_TEST_FOLDER";

#[tokio::test]
async fn a_killed_owner_takes_its_server_along() {
    let dir = folder();
    let mut owner = rerun("owner::owns_a_server_until_killed").env(FOLDER, dir.path()).spawn().unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The test harness writes its own "test name ... " before the first line.
    let pid = lines.find_map(|line| line.split_once("server ")?.1.parse::<u32>().ok()).unwrap();
    assert!(is_alive(pid));
    owner.kill().unwrap();
    owner.wait().unwrap();
    // The next start waits for what is left of the killed one's server.
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    assert!(!is_alive(pid));
    assert_eq!(ask(&postgres.url("postgres", "postgres"), "select word from t").await, "kept");
}

#[tokio::test]
#[ignore = "started by the test above, as a process that is killed"]
async fn owns_a_server_until_killed() {
    let dir = std::env::var_os(FOLDER).expect("the folder is given");
    let postgres = Postgres::start(Settings::durable(dir)).await.unwrap();
    let client = connect(&postgres.url("postgres", "postgres")).await;
    client.batch_execute("create table t as select 'kept' as word").await.unwrap();
    println!("\nserver {}", postgres.pid());
    // Ends at the latest when the starting test does.
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).unwrap();
}
