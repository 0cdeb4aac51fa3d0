//! The server process that was named at login, for cancelling its statements.
//!
//! PostgreSQL names the process that serves the connection, which is what `pg_backend_pid()` says. A pooler cannot, because the
//! process changes with each transaction: it names a number of its own. That tells the two apart for certain, at no cost.
//!
//! What may surprise: the driver gives this number to nobody but the server, inside a request to cancel. So such a request
//! is written into memory, where it is read.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Client;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::StoreError;

/// A request to cancel: its length, its code, the process, and the key, each of four bytes.
const REQUEST: usize = 16;

/// The process that the other end named when `client` logged in.
pub(crate) async fn announced(client: &Client) -> Result<i32, StoreError> {
    let written = Arc::new(Mutex::new(Vec::new()));
    client.cancel_token().cancel_query_raw(Memory(written.clone()), Unencrypted).await?;
    let bytes = written.lock().unwrap_or_else(PoisonError::into_inner);
    // A request for encryption may come before it.
    match bytes.last_chunk::<REQUEST>() {
        Some([_, _, _, _, _, _, _, _, a, b, c, d, ..]) => Ok(i32::from_be_bytes([*a, *b, *c, *d])),
        None => Err(StoreError::Unreadable("the driver's request to cancel is no longer 16 bytes".into())),
    }
}

/// Keeps what is written, and agrees to encrypt when it is asked.
struct Memory(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Memory {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Memory {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        into.put_slice(b"S");
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Memory {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// Nothing leaves this process, so there is nothing to encrypt.
struct Unencrypted;

impl TlsConnect<Memory> for Unencrypted {
    type Stream = Memory;
    type Error = io::Error;
    type Future = Ready<io::Result<Memory>>;

    fn connect(self, stream: Memory) -> Self::Future {
        ready(Ok(stream))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio_postgres::config::SslMode;

    use super::*;

    /// A stream that passes for an encrypted one.
    struct Wire(DuplexStream);

    impl AsyncWrite for Wire {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
    impl AsyncRead for Wire {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, into)
        }
    }
    impl TlsStream for Wire {
        fn channel_binding(&self) -> ChannelBinding {
            ChannelBinding::none()
        }
    }
    struct OnTheWire;
    impl TlsConnect<DuplexStream> for OnTheWire {
        type Stream = Wire;
        type Error = io::Error;
        type Future = Ready<io::Result<Wire>>;
        fn connect(self, stream: DuplexStream) -> Self::Future {
            ready(Ok(Wire(stream)))
        }
    }

    async fn announced_after_a_login(mode: SslMode) -> i32 {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let server = async {
            if mode == SslMode::Require {
                theirs.read_exact(&mut [0; 8]).await.unwrap();
                theirs.write_all(b"S").await.unwrap();
            }
            let length = theirs.read_i32().await.unwrap();
            theirs.read_exact(&mut vec![0; usize::try_from(length).unwrap() - 4]).await.unwrap();
            theirs.write_all(b"R\0\0\0\x08\0\0\0\0").await.unwrap(); // authenticated
            theirs.write_all(b"K\0\0\0\x0c\0\0\x12\x67\xde\xad\xbe\xef").await.unwrap(); // process 4711 and its key
            theirs.write_all(b"Z\0\0\0\x05I").await.unwrap(); // ready
        };
        let mut config = tokio_postgres::Config::new();
        config.user("somebody").ssl_mode(mode);
        let (connected, ()) = tokio::join!(config.connect_raw(ours, OnTheWire), server);
        announced(&connected.unwrap().0).await.unwrap()
    }

    #[tokio::test]
    async fn the_announced_process_is_known_of_plain_and_of_encrypted_connections() {
        for mode in [SslMode::Disable, SslMode::Require] {
            assert_eq!(announced_after_a_login(mode).await, 4711, "{mode:?}");
        }
    }
}
