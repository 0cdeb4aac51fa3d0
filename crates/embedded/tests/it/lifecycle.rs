//! Starting, restarting, stopping, dropping.

use std::future::Future;
use std::task::{Context, Waker};

use embedded::{Postgres, Settings, Shutdown};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid, getpgrp};

use crate::support::{am_root, ask, connect, folder, is_alive};

#[tokio::test]
async fn a_new_folder_becomes_a_private_server_and_stopping_leaves_nothing() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let url = postgres.url("postgres", "postgres");
    assert_eq!(ask(&url, "show listen_addresses").await, "");
    assert_eq!(ask(&url, "show fsync").await, "off");
    assert_eq!(ask(&url, "show server_encoding").await, "UTF8");
    assert_eq!(ask(&url, "select current_setting('lc_collate')").await, "C");
    let pid = postgres.pid();
    assert!(is_alive(pid));
    postgres.stop().await.unwrap();
    assert!(!is_alive(pid));
    assert!(!dir.path().join("socket").exists());
    assert!(!dir.path().join("data/postmaster.pid").exists());
}

#[tokio::test]
async fn settings_of_ones_own_win() {
    let dir = folder();
    let extra = vec![("work_mem".into(), "9MB".into()), ("shared_buffers".into(), "16MB".into())];
    let settings = Settings { max_connections: 7, extra, ..Settings::throwaway(dir.path()) };
    let postgres = Postgres::start(settings).await.unwrap();
    let url = postgres.url("postgres", "postgres");
    for (name, value) in [("work_mem", "9MB"), ("shared_buffers", "16MB"), ("max_connections", "7")] {
        assert_eq!(ask(&url, &format!("show {name}")).await, value);
    }
}

#[tokio::test]
async fn committed_data_survives_every_kind_of_restart() {
    let dir = folder();
    let postgres = Postgres::start(Settings::durable(dir.path())).await.unwrap();
    let url = postgres.url("postgres", "postgres");
    let before = postgres.pid();
    connect(&url).await.batch_execute("create table t as select 'kept' as word").await.unwrap();
    postgres.restart(Shutdown::Fast).await.unwrap();
    assert_eq!(ask(&url, "select word from t").await, "kept");
    postgres.restart(Shutdown::Immediate).await.unwrap();
    assert_eq!(ask(&url, "select word from t").await, "kept");
    assert_ne!(postgres.pid(), before);
    postgres.stop().await.unwrap();
    let postgres = Postgres::start(Settings::durable(dir.path())).await.unwrap();
    assert_eq!(ask(&postgres.url("postgres", "postgres"), "select word from t").await, "kept");
}

#[tokio::test]
async fn a_server_that_was_killed_with_clients_at_work_is_restarted() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let url = postgres.url("postgres", "postgres");
    let client = connect(&url).await;
    client.batch_execute("create table t as select 'kept' as word").await.unwrap();
    let at_work = tokio::spawn(async move { client.batch_execute("select pg_sleep(1000)").await });
    kill(Pid::from_raw(postgres.pid().try_into().unwrap()), Signal::SIGKILL).unwrap();
    postgres.restart(Shutdown::Fast).await.unwrap();
    assert!(at_work.await.unwrap().is_err());
    assert_eq!(ask(&url, "select word from t").await, "kept");
}

#[tokio::test]
async fn dropping_stops_the_server_and_frees_the_folder() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let pid = postgres.pid();
    drop(postgres);
    assert!(!is_alive(pid));
    assert!(!dir.path().join("socket").exists());
    Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_is_brought_down_by_force() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let pid = postgres.pid();
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGSTOP).unwrap();
    drop(postgres);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_leaves_nothing() {
    let dir = folder();
    let mut start = Box::pin(Postgres::start(Settings::throwaway(dir.path())));
    assert!(start.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(start);
    assert!(!dir.path().join("socket").exists());
    assert!(!dir.path().join("data/postmaster.pid").exists());
    Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
}

#[test]
fn the_server_outlives_the_runtime_that_started_it() {
    let dir = folder();
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let start = Postgres::start(Settings::throwaway(dir.path()));
    let first = runtime();
    let postgres = first.block_on(first.spawn(start)).unwrap().unwrap();
    drop(first);
    assert_eq!(runtime().block_on(ask(&postgres.url("postgres", "postgres"), "select 'here'")), "here");
}

#[tokio::test]
async fn a_terminals_interrupt_does_not_reach_the_server() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let group = getpgid(Some(Pid::from_raw(postgres.pid().try_into().unwrap()))).unwrap();
    assert_ne!(group, getpgrp());
}

#[tokio::test]
async fn any_role_and_database_name_fits_the_url() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let admin = connect(&postgres.url("postgres", "postgres")).await;
    let (role, database) = ("röle/@:?&=% x", "d#b/1 &host=nowhere");
    admin.batch_execute(&format!(r#"create role "{role}" login"#)).await.unwrap();
    admin.batch_execute(&format!(r#"create database "{database}" owner "{role}""#)).await.unwrap();
    let url = postgres.url(role, database);
    assert_eq!(
        ask(&url, "select current_user || ' in ' || current_database()").await,
        format!("{role} in {database}")
    );
}

#[tokio::test]
async fn the_environment_does_not_change_the_server_and_does_not_reach_it() {
    let dir = folder();
    let postgres = Postgres::start(Settings::throwaway(dir.path())).await.unwrap();
    let environment = std::fs::read_to_string(format!("/proc/{}/environ", postgres.pid()));
    // Another user's process, and that of one's own which PostgreSQL made undumpable, cannot be looked into.
    let Ok(environment) = environment else { return assert!(!am_root()) };
    let names: Vec<&str> =
        environment.split('\0').filter_map(|pair| pair.split_once('=').map(|(name, _)| name)).collect();
    for name in names {
        // PostgreSQL sets the PG names itself, for its children.
        assert!(
            ["LC_ALL", "TZ", "PATH"].contains(&name)
                || name.contains("LIBRARY_PATH")
                || name.starts_with("PG"),
            "{name}"
        );
    }
}
