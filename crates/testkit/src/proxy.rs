//! A TCP proxy in front of the server that breaks connections on demand, as networks do.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the proxy does with traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Hands everything on.
    Pass,
    /// Cuts what is open and refuses what comes.
    Refuse,
    /// Keeps connections open and hands nothing on, as a network that drops packets.
    Swallow,
    /// Hands on what the client says; cuts the connection instead of handing on the server's next answer, then passes.
    LoseNextReply,
}

pub struct Proxy {
    port: u16,
    traffic: Arc<watch::Sender<Traffic>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy for the server behind `url`, which names a unix socket.
    pub async fn start(url: &str) -> Proxy {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let [tokio_postgres::config::Host::Unix(folder)] = config.get_hosts() else {
            panic!("no unix socket in {url}")
        };
        let socket = folder.join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let traffic = Arc::new(watch::channel(Traffic::Pass).0);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, socket, traffic.clone()));
        Proxy { port, traffic, _tasks: tasks }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }

    /// The same database and role, through the proxy.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@127.0.0.1:{}/{database}", self.port)
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, traffic: Arc<watch::Sender<Traffic>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if *traffic.borrow() != Traffic::Refuse {
            connections.spawn(carry(client, socket.clone(), traffic.clone()));
        }
    }
}

async fn carry(mut client: TcpStream, socket: PathBuf, traffic: Arc<watch::Sender<Traffic>>) {
    let Ok(mut server) = UnixStream::connect(socket).await else { return };
    let mut changes = traffic.subscribe();
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let now = *changes.borrow_and_update();
        match now {
            Traffic::Refuse => return,
            Traffic::Swallow => {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Traffic::Pass | Traffic::LoseNextReply => {}
        }
        tokio::select! {
            _ = changes.changed() => {}
            read = client.read(&mut up) => match read {
                Ok(n) if n > 0 && server.write_all(&up[..n]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(n) if n > 0 => {
                    if now == Traffic::LoseNextReply {
                        traffic.send_replace(Traffic::Pass);
                        return;
                    }
                    if client.write_all(&down[..n]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
