//! Where the server lives and as whom it runs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

use embedded::{EmbeddedError, Postgres, Settings};

use crate::support::{am_root, ask, folder};

#[tokio::test]
async fn a_folder_too_deep_for_a_socket_gets_a_short_private_one() {
    let dir = folder();
    let url = {
        let deep = dir.path().join("d".repeat(60)).join("e".repeat(60));
        let postgres = Postgres::start(Settings::throwaway(&deep)).await.unwrap();
        let url = postgres.url("postgres", "postgres");
        assert_eq!(ask(&url, "select 'reached'").await, "reached");
        let socket = socket_of(&url);
        assert!(!socket.starts_with(dir.path()), "{url}");
        assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o700);
        postgres.stop().await.unwrap();
        url
    };
    assert!(!socket_of(&url).exists());
}

#[tokio::test]
async fn only_the_owner_may_enter_data_and_socket() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    for private in ["data", "socket"] {
        let mode = fs::metadata(dir.path().join(private)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{private}");
    }
    assert_eq!(fs::metadata(postgres.log()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn root_is_never_the_servers_user() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let server = fs::metadata(format!("/proc/{}", postgres.pid())).unwrap();
    assert_ne!(server.uid(), 0);
    assert_eq!(server.uid(), fs::metadata(dir.path().join("data")).unwrap().uid());
}

#[tokio::test]
async fn a_parent_that_the_stand_in_may_not_enter_is_named() {
    if !am_root() {
        return; // without root there is no stand-in
    }
    let closed = folder();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = Postgres::start(Settings::throwaway(closed.path().join("inside"))).await.unwrap_err();
    assert!(
        matches!(&error, EmbeddedError::OutOfReach { blocked, .. } if blocked == closed.path()),
        "{error}"
    );
    assert!(error.to_string().contains("name a data folder elsewhere"), "{error}");
}

#[test]
fn everything_works_without_root_as_well() {
    if !am_root() {
        return; // then it just did
    }
    // Where the sources lie, others than root may have no business: they get a copy of this program.
    let shared = folder();
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = shared.path().join("it");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(copy)
        .args(["--test-threads=2"])
        .current_dir("/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn socket_of(url: &str) -> PathBuf {
    let (_, host) = url.split_once("host=").unwrap();
    host.split('&').next().unwrap().replace("%2F", "/").into()
}
