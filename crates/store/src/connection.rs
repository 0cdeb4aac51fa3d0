//! One live connection: it answers statements and hears notifications, until it breaks.

use std::collections::HashSet;
use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, broadcast};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, NoTls, Row};
use tokio_util::sync::CancellationToken;

use crate::config::Transport;
use crate::database::Param;
use crate::statements::Statements;
use crate::{Config, StoreError, tls};

/// The whole hand-shake, name resolution and authentication included: the driver's own bound covers the TCP connect only.
const CONNECT: Duration = Duration::from_secs(10);

pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The channels that rang. A receiver that lags has missed rings, which is a ring.
    rings: broadcast::Sender<String>,
    listening: Mutex<HashSet<String>>,
    closed: CancellationToken,
    /// A pooler is at the other end, or may be: no notification arrives, and nothing that is prepared stays.
    pub(crate) pooled: bool,
    statements: Statements,
}

impl Connection {
    pub(crate) async fn open(config: &Config) -> Result<Connection, StoreError> {
        let connecting = async {
            match &config.transport {
                Transport::Plain => {
                    let (client, connection) = config.postgres.connect(NoTls).await?;
                    Ok(Self::drive(client, connection))
                }
                Transport::Tls { roots } => {
                    let tls = tls::connector(roots.as_deref())?;
                    let (client, connection) = config.postgres.connect(tls).await?;
                    Ok(Self::drive(client, connection))
                }
            }
        };
        timeout(CONNECT, connecting).await.unwrap_or(Err(StoreError::TimedOut(CONNECT)))
    }

    fn drive<S, T>(client: Client, mut connection: tokio_postgres::Connection<S, T>) -> Connection
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (rings, _) = broadcast::channel(64);
        let closed = CancellationToken::new();
        let (sender, close) = (rings.clone(), closed.clone());
        tokio::spawn(async move {
            let _guard = close.clone().drop_guard();
            loop {
                let message = tokio::select! {
                    message = poll_fn(|cx| connection.poll_message(cx)) => message,
                    () = close.cancelled() => return,
                };
                match message {
                    Some(Ok(AsyncMessage::Notification(ring))) => {
                        drop(sender.send(ring.channel().to_owned()))
                    }
                    Some(Ok(AsyncMessage::Notice(notice))) => tracing::debug!(%notice, "the database says"),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return tracing::debug!(%error, "the database connection broke"),
                    None => return,
                }
            }
        });
        Connection {
            client,
            rings,
            listening: Mutex::default(),
            closed,
            pooled: true,
            statements: Statements::default(),
        }
    }

    pub(crate) async fn query(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        if self.pooled {
            self.client.query_typed(sql, params).await
        } else {
            self.statements.run(&self.client, sql, params).await
        }
    }

    /// Ends the connection now: a statement that timed out would block those behind it.
    pub(crate) fn give_up(&self) {
        self.closed.cancel();
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.closed.is_cancelled() && !self.client.is_closed()
    }

    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    pub(crate) fn rings(&self) -> broadcast::Receiver<String> {
        self.rings.subscribe()
    }

    /// LISTENs on `channel`, once per connection. The names are the program's own, never a stranger's.
    /// Refused through a pooler: the LISTEN would succeed there, on a server connection that the next transaction does not have.
    pub(crate) async fn listen(&self, channel: &str, within: Duration) -> Result<(), StoreError> {
        if self.pooled {
            return Err(StoreError::Pooled);
        }
        let mut listening = self.listening.lock().await;
        if !listening.contains(channel) {
            let statement = format!("listen \"{channel}\"");
            match timeout(within, self.client.batch_execute(&statement)).await {
                Ok(done) => done?,
                Err(_) => {
                    self.give_up();
                    return Err(StoreError::TimedOut(within));
                }
            }
            listening.insert(channel.to_owned());
        }
        Ok(())
    }
}
