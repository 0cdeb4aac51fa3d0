//! The server that everything is measured on: durable, with PostgreSQL's own defaults, for this run alone. Every measurement has
//! a database of its own in it, so that nobody meets what another left behind.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use embedded::{Postgres, Settings, Shutdown};
use store::Config;
use tokio_postgres::{Client, NoTls};

use crate::turns::Trouble;

/// The database that is copied for codeteam's own side: migrated, and empty.
pub const CODETEAM: &str = "codeteam";

pub struct Server {
    postgres: Postgres,
    dir: tempfile::TempDir,
    copies: AtomicU32,
}

impl Server {
    pub async fn start() -> anyhow::Result<Server> {
        let dir = tempfile::Builder::new().prefix("codeteam-bench-").tempdir()?;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711))?;
        let settings = Settings { max_connections: 200, ..Settings::durable(dir.path().join("postgres")) };
        let postgres = Postgres::start(settings).await?;
        let server = Server { postgres, dir, copies: AtomicU32::new(0) };
        store::create_database(server.config("postgres", "postgres")?, CODETEAM).await?;
        store::migrate(server.config("postgres", CODETEAM)?).await?;
        Ok(server)
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.postgres.stop().await?;
        Ok(self.dir.close()?)
    }

    pub async fn version(&self) -> anyhow::Result<String> {
        Ok(self.client("postgres").await?.query_one("show server_version", &[]).await?.get(0))
    }

    /// Loads pg_stat_statements, which counts nothing but in databases that ask for it (see `idle`).
    pub async fn load_statement_counts(&self) -> anyhow::Result<()> {
        let client = self.client("postgres").await?;
        let known = "select from pg_available_extensions where name = 'pg_stat_statements'";
        if client.query_opt(known, &[]).await?.is_none() {
            let why = "statements cannot be counted: install PostgreSQL's contrib modules";
            return Err(Trouble(why.into()).into());
        }
        client.batch_execute("alter system set shared_preload_libraries = 'pg_stat_statements'").await?;
        self.postgres.restart(Shutdown::Fast).await?;
        let client = self.client("postgres").await?;
        client.batch_execute("create extension if not exists pg_stat_statements").await?;
        client.batch_execute("alter system set \"pg_stat_statements.track\" = 'none'").await?;
        client.batch_execute("select pg_reload_conf()").await?;
        Ok(())
    }

    /// A database that is a copy of `template`, and gives its name. The disk is at rest when it comes back.
    pub async fn fresh(&self, template: &str) -> anyhow::Result<String> {
        let name = format!("run_{}", self.copies.fetch_add(1, Ordering::Relaxed));
        let client = self.client("postgres").await?;
        client.batch_execute(&format!("create database {name} template {template}")).await?;
        client.batch_execute("checkpoint").await?;
        Ok(name)
    }

    /// Takes a database away, whoever is still connected to it.
    pub async fn drop(&self, database: &str) -> anyhow::Result<()> {
        let client = self.client("postgres").await?;
        Ok(client.batch_execute(&format!("drop database if exists {database} with (force)")).await?)
    }

    pub fn config(&self, role: &str, database: &str) -> anyhow::Result<Config> {
        Ok(Config::parse(&self.url_as(role, database), "bench")?)
    }

    /// A plain client, without any of this project's code in between.
    pub async fn client(&self, database: &str) -> anyhow::Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// A client that comes when those who worked in the database are gone, and have told the server what they did. One that holds
    /// a transaction open is not waited for.
    pub async fn quiet(&self, database: &str) -> anyhow::Result<Client> {
        let client = self.client(database).await?;
        let others =
            "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
            and backend_type = 'client backend' and state <> 'idle in transaction'";
        while !client.query(others, &[]).await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(client)
    }

    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    pub fn url_as(&self, role: &str, database: &str) -> String {
        self.postgres.url(role, database)
    }
}
