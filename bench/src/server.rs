//! The server that everything is measured on: durable, with PostgreSQL's own defaults, for this run alone.

use std::os::unix::fs::PermissionsExt;

use embedded::{Postgres, Settings};
use store::Config;
use tokio_postgres::{Client, NoTls};

pub struct Server {
    postgres: Postgres,
    dir: tempfile::TempDir,
}

impl Server {
    pub async fn start() -> anyhow::Result<Server> {
        let dir = tempfile::Builder::new().prefix("codeteam-bench-").tempdir()?;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711))?;
        let settings = Settings { max_connections: 200, ..Settings::durable(dir.path().join("postgres")) };
        let postgres = Postgres::start(settings).await?;
        let server = Server { postgres, dir };
        store::create_database(server.config("postgres", "postgres")?, "bench").await?;
        store::migrate(server.config("postgres", "bench")?).await?;
        Ok(server)
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.postgres.stop().await?;
        Ok(self.dir.close()?)
    }

    pub fn config(&self, role: &str, database: &str) -> anyhow::Result<Config> {
        Ok(Config::parse(&self.postgres.url(role, database), "bench")?)
    }

    /// A plain client, without any of this project's code in between.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let (client, connection) =
            tokio_postgres::connect(&self.postgres.url("postgres", "bench"), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    pub fn url(&self) -> String {
        self.postgres.url("postgres", "bench")
    }
}
