//! Attacks on the network: this machine's services, the places where clouds serve credentials, the internet.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::network::PROXY;
use crate::wire::{Probe, Spec};

/// Where ECS and EC2 serve credentials, and an address that belongs to nobody (RFC 5737).
const ADDRESSES: [&str; 4] = ["169.254.170.2", "169.254.169.254", "fd00:ec2::254", "203.0.113.1"];
/// What nobody answers within is out of reach, but was on its way.
const WAIT: Duration = Duration::from_millis(200);

/// Names what can be reached.
pub fn attack(spec: &Spec, probe: &Probe) -> Vec<String> {
    let mut leaks = Vec::new();
    if reaches(SocketAddr::from((Ipv4Addr::LOCALHOST, probe.port))) {
        leaks.push("the host's localhost can be reached".to_owned());
    }
    for address in ADDRESSES.iter().filter_map(|text| text.parse::<IpAddr>().ok()) {
        // Connecting a datagram socket sends nothing: it only asks for a route.
        let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
        let routed = |socket: UdpSocket| socket.connect((address, 53)).and_then(|()| socket.peer_addr());
        if UdpSocket::bind(any).and_then(routed).is_ok_and(|peer| peer.ip() == address) {
            leaks.push(format!("there is a route to {address}"));
        }
        if reaches(SocketAddr::from((address, 80))) {
            leaks.push(format!("{address} can be connected to"));
        }
    }
    if spec.connected {
        let port = probe.port;
        // The host's localhost plainly, as one number and mapped, and credentials.
        for host in
            ["127.0.0.1", "2130706433", "localhost", "[::ffff:127.0.0.1]", "169.254.170.2", "[fd00:ec2::254]"]
        {
            match ask_proxy(host, port) {
                Ok(answer) if answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 502") => {}
                Ok(answer) if answer.is_empty() => {
                    leaks.push("(nothing leaks, but) the proxy is silent".to_owned())
                }
                Ok(_) => leaks.push(format!("the proxy leads to {host}")),
                Err(error) => {
                    leaks.push(format!("(nothing leaks, but) the proxy cannot be reached: {error}"))
                }
            }
        }
    }
    leaks
}

/// Whether a connection gets there, or is on its way. One that leads elsewhere, as a connected command's do, is none.
fn reaches(address: SocketAddr) -> bool {
    match TcpStream::connect_timeout(&address, WAIT) {
        Ok(stream) => stream.peer_addr().is_ok_and(|peer| peer == address),
        Err(error) => error.kind() == ErrorKind::TimedOut,
    }
}

fn ask_proxy(host: &str, port: u16) -> std::io::Result<String> {
    let mut proxy = TcpStream::connect(PROXY)?;
    proxy.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(proxy, "CONNECT {host}:{port} HTTP/1.1\r\n\r\n")?;
    let mut answer = [0; 64];
    let length = proxy.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
