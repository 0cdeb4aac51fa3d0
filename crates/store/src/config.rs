//! DATABASE_URL, read strictly: what libpq would silently weaken is refused here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};
use url::Url;

use crate::StoreError;
use crate::error::innermost;

/// Where the database is and how to speak to it.
#[derive(Clone)]
pub struct Config {
    pub(crate) postgres: tokio_postgres::Config,
    pub(crate) transport: Transport,
    /// How long a statement may take before its connection is given up.
    pub(crate) statement_timeout: Duration,
    /// Where another one is to be had, when this one's login is refused.
    pub(crate) renewal: Option<Renewal>,
}

/// Reads the URL anew; may block. An error says why it cannot.
type Renewal = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A unix socket, the loopback interface, or `sslmode=disable` written out.
    Plain,
    /// Verified against the system's roots and, when given, this file's (RDS has roots of its own).
    Tls { roots: Option<PathBuf> },
}

impl Config {
    /// Reads a `postgres://` URL. `program` becomes the application_name, so that pg_stat_activity tells who is who.
    ///
    /// Over a network the connection is encrypted and the server's name verified, unless the URL says `sslmode=disable`.
    /// `sslmode=verify-full` and `sslrootcert=PATH` are understood; the weaker modes are refused, because they only look safe.
    pub fn parse(database_url: &str, program: &str) -> Result<Config, StoreError> {
        let (stripped, mode, roots) = split_tls_settings(database_url)?;
        // The innermost message: the outer one only says that the string is invalid. Neither quotes the string.
        let mut postgres: tokio_postgres::Config =
            stripped.parse().map_err(|error: tokio_postgres::Error| invalid(&innermost(&error)))?;
        let transport = match mode.as_deref() {
            Some("disable") => Transport::Plain,
            Some("verify-full") => Transport::Tls { roots },
            None if is_local(&postgres) => Transport::Plain,
            None => Transport::Tls { roots },
            Some(weak) => {
                return Err(invalid(&format!(
                    "sslmode={weak} does not verify the server: write sslmode=verify-full"
                )));
            }
        };
        postgres
            .application_name(program)
            .ssl_mode(if transport == Transport::Plain { SslMode::Disable } else { SslMode::Require })
            .connect_timeout(Duration::from_secs(5))
            // A connection that died silently is noticed in about 11 s when idle, and as fast with a statement under way.
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(11));
        Ok(Config { postgres, transport, statement_timeout: Duration::from_secs(10), renewal: None })
    }

    /// The same; when its login is refused, `renewal` is asked for another URL, once for each connect: passwords change while
    /// programs run. It may block; its error says why there is none.
    pub fn renewed_by(self, renewal: impl Fn() -> Result<String, String> + Send + Sync + 'static) -> Config {
        Config { renewal: Some(Arc::new(renewal)), ..self }
    }

    /// Another one by `renewal`, if there is one. Blocks as that does.
    pub(crate) fn renewed(&self) -> Option<Result<Config, String>> {
        let renewal = self.renewal.clone()?;
        let program = self.postgres.get_application_name().unwrap_or_default();
        let read = || Config::parse(&renewal()?, program).map_err(|error| error.to_string());
        Some(read().map(|fresh| Config {
            renewal: Some(renewal.clone()),
            statement_timeout: self.statement_timeout,
            ..fresh
        }))
    }

    /// The same with another bound on how long a statement may take.
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Config {
        Config { statement_timeout, ..self }
    }
}

fn invalid(why: &str) -> StoreError {
    StoreError::Config(format!("{why} (expected postgres://USER:PASSWORD@HOST:PORT/NAME)"))
}

fn is_local(postgres: &tokio_postgres::Config) -> bool {
    postgres.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    })
}

/// Takes out the settings that tokio-postgres does not understand.
fn split_tls_settings(database_url: &str) -> Result<(String, Option<String>, Option<PathBuf>), StoreError> {
    if !database_url.starts_with("postgres://") && !database_url.starts_with("postgresql://") {
        return Err(invalid("it is not a postgres:// URL"));
    }
    let Some((address, query)) = database_url.split_once('?') else {
        return Ok((database_url.to_owned(), None, None));
    };
    // Only the query is parsed as a URL: PostgreSQL's host lists and socket paths are no valid URL hosts.
    let parsed =
        Url::parse(&format!("postgres://x/?{query}")).map_err(|error| invalid(&error.to_string()))?;
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for (key, value) in parsed.query_pairs() {
        match key.as_ref() {
            "sslmode" => mode = Some(value.into_owned()),
            "sslrootcert" => roots = Some(PathBuf::from(value.into_owned())),
            _ => rest.push((key.into_owned(), value.into_owned())),
        }
    }
    let mut url = address.to_owned();
    for (n, (key, value)) in rest.iter().enumerate() {
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // PostgreSQL's URLs know %20, not the form encoding's plus sign.
        url.push_str(&format!("{}{key}={}", if n == 0 { '?' } else { '&' }, value.replace('+', "%20")));
    }
    Ok((url, mode, roots))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(url: &str) -> Transport {
        Config::parse(url, "test").map(|config| config.transport).unwrap()
    }

    #[test]
    fn only_local_connections_are_plain_unless_it_is_written_out() {
        assert_eq!(transport("postgres://u@localhost/db"), Transport::Plain);
        assert_eq!(transport("postgres://u@%2Ftmp%2Fsock/db"), Transport::Plain);
        assert_eq!(transport("postgres://u@/db?host=/tmp/sock"), Transport::Plain);
        assert_eq!(transport("postgres://u@db.example/db"), Transport::Tls { roots: None });
        assert_eq!(transport("postgres://u@db.example/db?sslmode=disable"), Transport::Plain);
        let rds = "postgres://u:p@db.example:5432/db?sslmode=verify-full&sslrootcert=/etc/rds.pem";
        assert_eq!(transport(rds), Transport::Tls { roots: Some("/etc/rds.pem".into()) });
    }

    #[test]
    fn what_only_looks_safe_is_refused_and_nothing_secret_is_quoted() {
        for url in [
            "postgres://u:hunter2@db.example/db?sslmode=require",
            "mysql://u:hunter2@h/db",
            "postgres://u:hunter2@h:port/db",
        ] {
            let message = Config::parse(url, "test").err().unwrap().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
