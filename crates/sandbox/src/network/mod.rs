//! A network for the one phase of a job that may have one: the set-up that fetches dependencies.
//!
//! The command's own sockets reach nothing but a proxy, which runs in the calling process and carries connections to
//! permitted hosts: see [`crate::Sandbox::run_connected`]. How a command's connection gets to it depends on the level:
//!
//! - with a network namespace, a socket that was made in there listens on [`PROXY`] of the namespace's own localhost;
//! - elsewhere no socket can be confined by its address, since a system-call filter does not see addresses. So a command
//!   gets no socket that it could connect: when it asks for one, the launcher makes one end of a connection to the proxy
//!   and puts it in its hands, and `connect` does nothing. Wherever the command believes to be connected, it talks to the
//!   proxy.

mod address;
mod hosts;
mod outlet;
mod proxy;
#[cfg(test)]
mod rebinding;
mod request;

use std::net::Ipv4Addr;

pub use hosts::Hosts;
pub use outlet::Outlet;

/// Where commands find the proxy.
pub const PROXY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 3128);

/// The variables that tell programs of it, and that localhost is not behind it.
pub fn variables() -> Vec<(String, String)> {
    let (ip, port) = PROXY;
    let url = format!("http://{ip}:{port}");
    let local = "localhost,127.0.0.1,::1".to_owned();
    let mut variables: Vec<(String, String)> = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]
        .map(|name| (name.to_owned(), url.clone()))
        .to_vec();
    variables.extend(["no_proxy", "NO_PROXY"].map(|name| (name.to_owned(), local.clone())));
    // Node's own client looks at the variables only then.
    variables.push(("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned()));
    variables
}
