//! Folders and settings that cannot work: each is answered with what to do.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use embedded::{EmbeddedError, Postgres, Settings, Shutdown};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{am_root, ask, folder};

#[tokio::test]
async fn a_second_start_on_a_folder_names_the_first_ones_server() {
    let dir = folder();
    let first = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let error = Postgres::start(Settings::throwaway(dir.path())).await.unwrap_err();
    assert!(
        matches!(error, EmbeddedError::InUse { pid, .. } if u32::try_from(pid) == Ok(first.pid())),
        "{error}"
    );
    assert!(error.to_string().contains("name another folder"), "{error}");
    assert_eq!(ask(&first.url("postgres", "postgres"), "select 'unharmed'").await, "unharmed");
}

#[tokio::test]
async fn of_two_starts_at_once_on_a_new_folder_one_wins() {
    let dir = folder();
    let (one, two) = tokio::join!(
        Postgres::start(Settings::throwaway(dir.path())),
        Postgres::start(Settings::throwaway(dir.path()))
    );
    let loser = match (one, two) {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
        (one, two) => panic!("{one:?} and {two:?}"),
    };
    assert!(matches!(loser, EmbeddedError::InUse { pid, .. } if pid > 0), "{loser}");
}

#[tokio::test]
async fn a_dead_servers_process_id_that_now_belongs_to_another_program_is_no_obstacle() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    kill(Pid::from_raw(postgres.pid().try_into().unwrap()), Signal::SIGKILL).unwrap();
    let path = dir.path().join("data/postmaster.pid");
    let owner = fs::metadata(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let mut sleep = Command::new("sleep");
    sleep.arg("1000");
    if am_root() {
        use std::os::unix::fs::MetadataExt;
        sleep.uid(owner.uid());
    }
    let mut other = sleep.spawn().unwrap();
    fs::write(&path, text.replacen(&postgres.pid().to_string(), &other.id().to_string(), 1)).unwrap();
    let restarted = postgres.restart(Shutdown::Fast).await;
    other.kill().unwrap();
    other.wait().unwrap();
    restarted.unwrap();
}

#[tokio::test]
async fn data_of_another_major_version_is_left_alone() {
    let dir = folder();
    Postgres::start(Settings::throwaway(dir.path())).await.unwrap().stop().await.unwrap();
    let version = dir.path().join("data/PG_VERSION");
    let installed = fs::read_to_string(&version).unwrap();
    fs::write(&version, "8.4\n").unwrap();
    let error = Postgres::start(Settings::throwaway(dir.path())).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::OtherMajor { written_by: 8, .. }), "{error}");
    assert!(
        error.to_string().contains(&format!("only PostgreSQL {} is installed", installed.trim())),
        "{error}"
    );
    assert!(error.to_string().contains("install version 8 beside it"), "{error}");
}

#[tokio::test]
async fn a_setting_that_postgresql_does_not_know_is_named_from_its_log() {
    let dir = folder();
    let extra = vec![("no_such_setting".into(), "1".into())];
    let error = Postgres::start(Settings { extra, ..Settings::throwaway(dir.path()) }).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
    assert!(!dir.path().join("socket").exists());
}

#[tokio::test]
async fn other_peoples_files_are_not_taken_for_data() {
    let dir = folder();
    fs::create_dir(dir.path().join("data")).unwrap();
    fs::write(dir.path().join("data/thesis.txt"), "years of work").unwrap();
    if am_root() {
        chown(dir.path().join("data"), Some(65534), None).unwrap();
    }
    let error = Postgres::start(Settings::throwaway(dir.path())).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotEmpty { .. }), "{error}");
    assert!(dir.path().join("data/thesis.txt").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let dir = folder();
    let path = if am_root() {
        "/proc/codeteam".into()
    } else {
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
        dir.path().to_owned()
    };
    let error = Postgres::start(Settings::throwaway(&path)).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Folder { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()) && message.contains("name a data folder"), "{message}");
}
