//! A database per test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{NewJob, Task};
use store::{Config, Database};
use tokio_postgres::{Client, NoTls};

use crate::Server;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A migrated database that belongs to one test.
pub struct TestDatabase {
    urls: Box<dyn Fn(&str) -> String + Send + Sync>,
    name: String,
}

impl TestDatabase {
    /// On the test program's shared server.
    pub async fn new() -> TestDatabase {
        let server = Server::shared().await;
        let name = TestDatabase::create(server, "template codeteam_template").await;
        let database = name.clone();
        TestDatabase { urls: Box::new(move |role| server.url(role, &database)), name }
    }

    /// Without the schema.
    pub async fn empty() -> TestDatabase {
        let server = Server::shared().await;
        let name = TestDatabase::create(server, "").await;
        let database = name.clone();
        TestDatabase { urls: Box::new(move |role| server.url(role, &database)), name }
    }

    /// On a server of the test's own; gives the database's name.
    pub async fn create(server: &Server, options: &str) -> String {
        let name = format!("test_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        server.admin(&format!("create database {name} {options}")).await;
        name
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// `role`: postgres, codeteam_api, codeteam_worker or codeteam_scaler.
    pub fn url(&self, role: &str) -> String {
        (self.urls)(role)
    }

    /// The store as that role sees it.
    pub async fn store(&self, role: &str) -> Arc<Database> {
        let config = Config::parse(&self.url(role), "test").unwrap();
        Arc::new(Database::open(config).await.expect("a database that this program knows"))
    }

    /// A plain client as that role.
    pub async fn client(&self, role: &str) -> Client {
        connect(&self.url(role)).await
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// A job that passes every check.
pub fn job() -> NewJob {
    NewJob::new(Task::BugFix, "/srv/app", "make the failing test pass")
}
