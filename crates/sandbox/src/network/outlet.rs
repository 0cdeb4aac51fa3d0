//! The caller's end of a command's way out: takes the sockets that the launcher hands over, and serves them.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::sys::socket::{getsockopt, sockopt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::hosts::Hosts;
use super::proxy::{AT_ONCE, Proxy};

/// Connections that are open at the same time: those that are served and those that wait for it. More are closed at once.
const OPEN: usize = 4 * AT_ONCE;

/// One command's way out. Dropped, it closes every connection.
pub struct Outlet {
    proxy: Arc<Proxy>,
    listener: Option<TcpListener>,
    served: JoinSet<()>,
}

impl Outlet {
    /// To those hosts.
    pub fn new(hosts: Hosts) -> Outlet {
        Outlet { proxy: Arc::new(Proxy::new(hosts)), listener: None, served: JoinSet::new() }
    }

    /// Takes a socket over: one that listens, or one end of a connection. What is neither is closed.
    pub fn take(&mut self, socket: OwnedFd) {
        if getsockopt(&socket, sockopt::AcceptConn) == Ok(true) {
            let listener = std::net::TcpListener::from(socket);
            let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            self.listener = ready.ok();
            return;
        }
        let stream = std::net::TcpStream::from(socket);
        if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
            self.serve(stream);
        }
    }

    fn serve(&mut self, stream: TcpStream) {
        while self.served.try_join_next().is_some() {}
        if self.served.len() >= OPEN {
            return;
        }
        let proxy = self.proxy.clone();
        self.served.spawn(async move { proxy.serve(stream).await });
    }

    /// Serves for as long as it is waited for; may be cancelled at any point.
    pub async fn tend(&mut self) {
        loop {
            let Outlet { listener, served, .. } = self;
            // What cannot be served yet waits where it costs this process nothing.
            let has_room = served.len() < AT_ONCE;
            let arrival = async {
                match listener {
                    Some(listener) if has_room => listener.accept().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                arrived = arrival => match arrived {
                    Ok((stream, _)) => self.serve(stream),
                    // Too many files are open: some will be closed.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                },
                Some(_) = served.join_next() => {}
            }
        }
    }

    /// Closes every connection. Gives what was refused and why, at most twenty.
    pub async fn close(mut self) -> Vec<String> {
        self.served.shutdown().await;
        self.proxy.refused()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    async fn connections(count: usize, listener: &std::net::TcpListener) -> Vec<TcpStream> {
        let mut streams = Vec::new();
        for _ in 0..count {
            streams.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        }
        streams
    }

    #[tokio::test]
    async fn more_connections_than_are_served_wait_to_be_accepted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut clients = connections(AT_ONCE + 10, &listener).await;
        let mut outlet = Outlet::new("example.org".parse().unwrap());
        outlet.take(listener.into());
        while outlet.served.len() < AT_ONCE {
            let _ = timeout(Duration::from_millis(20), outlet.tend()).await;
        }
        let _ = timeout(Duration::from_millis(50), outlet.tend()).await;
        assert_eq!(outlet.served.len(), AT_ONCE);
        // The last one has its turn once others have gone.
        let mut last = clients.pop().unwrap();
        clients.truncate(AT_ONCE);
        clients.drain(..20);
        last.write_all(b"GET http://elsewhere.test/ HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tokio::select! {
            read = last.read_to_string(&mut answer) => { read.unwrap(); }
            () = outlet.tend() => {}
        }
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }

    #[tokio::test]
    async fn connections_that_are_handed_over_are_closed_above_the_bound() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut outlet = Outlet::new("example.org".parse().unwrap());
        let mut clients = Vec::new();
        for _ in 0..=OPEN {
            clients.extend(connections(1, &listener).await);
            outlet.take(listener.accept().unwrap().0.into());
        }
        assert_eq!(outlet.served.len(), OPEN);
        assert_eq!(clients.pop().unwrap().read(&mut [0; 8]).await.unwrap(), 0, "it is closed at once");
    }
}
