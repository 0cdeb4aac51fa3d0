//! The list of what may be reached. Pure: names are resolved elsewhere, and their addresses asked about here.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::address::{is_forbidden, is_public, plain};

/// Ports of an entry that names none.
const PORTS: [u16; 2] = [80, 443];

/// The hosts that a connected command may reach. It is written as entries with commas between them:
///
/// - `*`: every host with a public address;
/// - `example.org`, `*.example.org` (the hosts below it): these, if they have a public address;
/// - `10.1.2.3`, `10.1.0.0/16`, `[fd12::1]`, `[fd12::]/64`: these addresses, although they are not public, for names that are
///   permitted, or given as they are.
///
/// `:PORT` after an entry permits that port and no other; without it, an entry permits 80 and 443. No entry: nothing. Names
/// are those of DNS: whoever has another script writes its `xn--` form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    whom: Whom,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    Anybody,
    Host(String),
    Below(String),
    Net(IpAddr, u8),
}

impl Hosts {
    /// Every host with a public address, on ports 80 and 443.
    pub fn public() -> Hosts {
        Hosts(vec![Entry { whom: Whom::Anybody, port: None }])
    }

    /// Whether a host may be asked for at all, before anything is resolved. `host` is a name or an address without brackets.
    pub(super) fn permit_host(&self, host: &str, port: u16) -> bool {
        let host = normal(host);
        let literal: Option<IpAddr> = host.parse().ok();
        self.with_port(port).any(|whom| match whom {
            Whom::Anybody => true,
            Whom::Host(name) => *name == host,
            Whom::Below(domain) => {
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            Whom::Net(net, bits) => literal.is_some_and(|ip| contains(*net, *bits, ip)),
        })
    }

    /// Whether a permitted host may be reached at this address. `is_own`: the address is one of this machine's.
    pub(super) fn permit_address(&self, ip: IpAddr, port: u16, is_own: bool) -> bool {
        let listed = || {
            self.with_port(port).any(|whom| matches!(whom, Whom::Net(net, bits) if contains(*net, *bits, ip)))
        };
        !is_forbidden(ip) && (is_public(ip) && !is_own || listed())
    }

    fn with_port(&self, port: u16) -> impl Iterator<Item = &Whom> {
        let fits = move |entry: &&Entry| entry.port.map_or(PORTS.contains(&port), |own| own == port);
        self.0.iter().filter(fits).map(|entry| &entry.whom)
    }
}

/// As names are compared: lower case, without the dot that ends a full name.
fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn contains(net: IpAddr, bits: u8, ip: IpAddr) -> bool {
    let wide = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, true),
        IpAddr::V6(ip) => (ip.to_bits(), false),
    };
    let ((net, four), (ip, other)) = (wide(net), wide(plain(ip)));
    four == other && (net ^ ip).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
}

/// Whether a text is a host name as DNS has them, with nothing in it that two readers could read differently.
pub(super) fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (1..=253).contains(&text.len()) && text.split('.').all(label)
}

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Hosts, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(entry).collect::<Result<_, _>>().map(Hosts)
    }
}

fn entry(text: &str) -> Result<Entry, String> {
    let wrong = || {
        format!(
            "{text:?} names no host: write *, a name such as example.org or *.example.org, or an address such as \
             10.1.2.3, 10.1.0.0/16 or [fd12::1], each perhaps with :PORT"
        )
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)).transpose()?;
    let (address, bits) = match host.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
        None => (host, None),
    };
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = match inner {
        Some(inner) => Some(IpAddr::from(inner.parse::<Ipv6Addr>().map_err(|_| wrong())?)),
        None => address.parse().ok().filter(IpAddr::is_ipv4),
    };
    let whom = match (ip, host) {
        (Some(ip), _) => net(plain(ip), bits).ok_or_else(wrong)?,
        (None, "*") => Whom::Anybody,
        (None, host) => match host.strip_prefix('*') {
            Some(domain) if domain.starts_with('.') && is_name(&domain[1..]) => {
                Whom::Below(normal(&domain[1..]))
            }
            None if is_name(host) && bits.is_none() => Whom::Host(normal(host)),
            _ => return Err(wrong()),
        },
    };
    match whom {
        Whom::Net(ip, _) if is_forbidden(ip) => {
            Err(format!("{text:?} is where machines are given credentials, or no host: it is never reached"))
        }
        whom => Ok(Entry { whom, port }),
    }
}

fn net(ip: IpAddr, bits: Option<u8>) -> Option<Whom> {
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(whole);
    (bits <= whole).then_some(Whom::Net(ip, bits))
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Entry { whom, port }) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            match whom {
                Whom::Anybody => f.write_str("*")?,
                Whom::Host(name) => f.write_str(name)?,
                Whom::Below(domain) => write!(f, "*.{domain}")?,
                Whom::Net(IpAddr::V4(ip), 32) => write!(f, "{ip}")?,
                Whom::Net(IpAddr::V6(ip), 128) => write!(f, "[{ip}]")?,
                Whom::Net(IpAddr::V4(ip), bits) => write!(f, "{ip}/{bits}")?,
                Whom::Net(IpAddr::V6(ip), bits) => write!(f, "[{ip}]/{bits}")?,
            }
            if let Some(port) = port {
                write!(f, ":{port}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Hosts {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_reads_as_it_is_written() {
        for text in ["*", "", "example.org,*.example.com:8443", "10.0.0.0/8,[fd12::1]:8081,[fd12::]/64"] {
            assert_eq!(hosts(text).to_string(), text);
        }
        assert_eq!(hosts("*"), Hosts::public());
        assert_eq!(hosts(" Example.ORG. , ").to_string(), "example.org");
    }

    #[test]
    fn names_are_whole_or_below_a_domain() {
        let hosts = hosts("example.org,*.example.com");
        for host in ["example.org", "EXAMPLE.org.", "a.example.com", "a.b.example.com"] {
            assert!(hosts.permit_host(host, 443), "{host}");
        }
        for host in [
            "a.example.org",
            "example.com",
            "notexample.com",
            "example.org.evil.net",
            ".example.com",
            "1.1.1.1",
        ] {
            assert!(!hosts.permit_host(host, 443), "{host}");
        }
    }

    #[test]
    fn ports_are_those_of_the_web_or_the_one_that_is_given() {
        let hosts = hosts("*,example.org:8443");
        assert!(hosts.permit_host("a.net", 80) && hosts.permit_host("a.net", 443));
        assert!(!hosts.permit_host("a.net", 25) && !hosts.permit_host("a.net", 8443));
        assert!(hosts.permit_host("example.org", 8443));
    }

    #[test]
    fn an_address_is_public_or_listed_with_its_port() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let hosts = hosts("*,10.1.0.0/16:8081,[fd12::1]");
        assert!(hosts.permit_address(ip("1.1.1.1"), 443, false));
        assert!(!hosts.permit_address(ip("1.1.1.1"), 443, true), "a service of this machine");
        assert!(
            hosts.permit_address(ip("10.1.2.3"), 8081, false)
                && hosts.permit_address(ip("::ffff:10.1.2.3"), 8081, false)
        );
        assert!(
            !hosts.permit_address(ip("10.1.2.3"), 443, false)
                && !hosts.permit_address(ip("10.2.0.1"), 8081, false)
        );
        assert!(
            hosts.permit_address(ip("fd12::1"), 443, true)
                && !hosts.permit_address(ip("fd12::2"), 443, false)
        );
        let everything = super::Hosts(vec![Entry { whom: Whom::Net(ip("0.0.0.0"), 0), port: None }]);
        assert!(!everything.permit_address(ip("169.254.170.2"), 80, false));
    }

    #[test]
    fn what_names_no_host_is_refused_with_examples() {
        for wrong in [
            "exa mple",
            "a..b",
            "*.",
            "*x.org",
            "10.0.0.0/33",
            "host:0",
            "host:x",
            "a/8",
            "[::g]",
            "é.fr",
            "-a.org",
        ] {
            let error = wrong.parse::<Hosts>().unwrap_err();
            assert!(error.contains("names no host: write *"), "{wrong}: {error}");
        }
        for wrong in ["169.254.170.2", "[fd00:ec2::254]", "169.254.0.0/16"] {
            let error = wrong.parse::<Hosts>().unwrap_err();
            assert!(error.contains("never reached"), "{wrong}: {error}");
        }
    }
}
