//! The only way out of a connected command: an HTTP proxy in the caller's process, which has the network that the command
//! lacks.
//!
//! A name is resolved here and once, every address of the answer is looked at, and the connection goes to one that was
//! looked at: what a name leads to a moment later (rebinding), or by which detours (CNAME, redirect, numbers in odd bases),
//! makes no difference.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::hosts::Hosts;
use super::request::{self, HEAD_BYTES, Request};

/// Connections that are served at the same time; more wait.
pub const AT_ONCE: usize = 64;
/// How long a command may take to say where it wants to go.
const HEAD: Duration = Duration::from_secs(60);
/// How long a name may take to resolve, and an address to answer.
const REACH: Duration = Duration::from_secs(10);
/// Addresses of a name that are tried.
const TRIED: usize = 4;
/// Refusals that are remembered.
const REMEMBERED: usize = 20;

type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// Resolves a host and a port.
pub type Resolve = Arc<dyn Fn(String, u16) -> Addresses + Send + Sync>;

/// Carries connections to those hosts that are permitted.
pub struct Proxy {
    hosts: Hosts,
    resolve: Resolve,
    free: Semaphore,
    refused: Mutex<BTreeSet<String>>,
}

impl Proxy {
    /// With the system's resolver.
    pub fn new(hosts: Hosts) -> Proxy {
        let resolve: Resolve = Arc::new(|host, port| {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
        });
        Proxy::with(hosts, resolve)
    }

    pub fn with(hosts: Hosts, resolve: Resolve) -> Proxy {
        Proxy { hosts, resolve, free: Semaphore::new(AT_ONCE), refused: Mutex::default() }
    }

    /// What was refused and why, the first twenty by the alphabet.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Serves one connection of a command to its end.
    pub async fn serve(&self, mut client: TcpStream) {
        let Ok(_turn) = self.free.acquire().await else { return };
        let Ok(Ok((head, rest))) = timeout(HEAD, read_head(&mut client)).await else { return };
        let asked = match request::parse(&head) {
            Ok(asked) => asked,
            Err(why) => return answer(&mut client, "400 Bad Request", why).await,
        };
        let mut server = match self.reach(&asked).await {
            Ok(server) => server,
            Err(Unreached::Refused(why)) => {
                self.remember(format!("{}:{}: {why}", asked.host, asked.port));
                return answer(&mut client, "403 Forbidden", why).await;
            }
            Err(Unreached::Failed(why)) => return answer(&mut client, "502 Bad Gateway", &why).await,
        };
        let opened = match asked.head {
            None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await,
            Some(head) => server.write_all(&head).await,
        };
        if opened.is_ok() && server.write_all(&rest).await.is_ok() {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    }

    fn remember(&self, refusal: String) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REMEMBERED {
            refused.insert(refusal);
        }
    }

    async fn reach(&self, asked: &Request) -> Result<TcpStream, Unreached> {
        let Request { host, port, .. } = asked;
        if !self.hosts.permit_host(host, *port) {
            return Err(Unreached::Refused(
                "neither this host nor this port is on the list of what may be reached",
            ));
        }
        let found = timeout(REACH, (self.resolve)(host.clone(), *port)).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let found =
            found.map_err(|error| Unreached::Failed(format!("{host} cannot be resolved: {error}")))?;
        let own = own_addresses();
        let may = |address: &SocketAddr| {
            // What is connected to is built here: an IPv6 address brings no zone along.
            self.hosts.permit_address(address.ip(), *port, own.contains(&super::address::plain(address.ip())))
        };
        let permitted: Vec<IpAddr> = found.iter().filter(|found| may(found)).map(SocketAddr::ip).collect();
        if permitted.is_empty() {
            return Err(Unreached::Refused("its address is not public: list the address to permit it"));
        }
        let mut last = io::Error::from(io::ErrorKind::TimedOut);
        for ip in permitted.into_iter().take(TRIED) {
            match timeout(REACH, TcpStream::connect((ip, *port))).await {
                Ok(Ok(server)) => return Ok(server),
                Ok(Err(error)) => last = error,
                Err(_) => {}
            }
        }
        Err(Unreached::Failed(format!("{host}:{port} cannot be reached: {last}")))
    }
}

enum Unreached {
    Refused(&'static str),
    Failed(String),
}

/// The head, and what came behind it.
async fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if client.read_buf(&mut bytes).await? == 0 || bytes.len() > HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if let Some(length) = request::head_length(&bytes) {
            let rest = bytes.split_off(length);
            return Ok((bytes, rest));
        }
    }
}

async fn answer(client: &mut TcpStream, status: &str, why: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{why}\n",
        why.len() + 1
    );
    let _ = client.write_all(text.as_bytes()).await;
    let _ = client.shutdown().await;
}

/// The addresses of this machine, public ones among them: its services are nobody else's business.
fn own_addresses() -> BTreeSet<IpAddr> {
    let interfaces = nix::ifaddrs::getifaddrs().into_iter().flatten();
    interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let four = address.as_sockaddr_in().map(|four| IpAddr::from(four.ip()));
            four.or_else(|| address.as_sockaddr_in6().map(|six| IpAddr::from(six.ip())))
        })
        .collect()
}
