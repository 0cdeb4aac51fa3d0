//! The caller's end of a command's way out: takes the sockets that the launcher hands over, and serves them.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::sys::socket::{getsockopt, sockopt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::hosts::Hosts;
use super::proxy::Proxy;

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
        let proxy = self.proxy.clone();
        self.served.spawn(async move { proxy.serve(stream).await });
    }

    /// Serves for as long as it is waited for; may be cancelled at any point.
    pub async fn tend(&mut self) {
        loop {
            let Outlet { listener, served, .. } = self;
            let arrival = async {
                match listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
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
