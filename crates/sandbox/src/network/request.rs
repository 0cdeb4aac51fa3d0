//! What a command asks the proxy for: the head of an HTTP request, read strictly. Pure.
//!
//! Two readers that understand one host name differently are how lists of permitted hosts are got around. So what is not
//! plainly a DNS name or an address, with a port, is refused: no NUL, no user names, no escapes, no other scripts.

use std::net::Ipv6Addr;

use super::hosts::is_name;

/// The most bytes of a head.
pub const HEAD_BYTES: usize = 16 << 10;

/// Where to, and what is said there first.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    /// None: a tunnel is asked for. Some: the head that the host gets instead of the one that the proxy got.
    pub head: Option<Vec<u8>>,
}

/// The length of the head with the empty line that ends it, once it is there.
pub fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// Understands a head. Errors say what is wrong with it.
pub fn parse(head: &[u8]) -> Result<Request, &'static str> {
    let text = std::str::from_utf8(head).map_err(|_| "the request is no text")?;
    if text.bytes().any(|byte| byte.is_ascii_control() && !b"\r\n\t".contains(&byte)) {
        return Err("the request holds control characters");
    }
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("the request's first line is not METHOD TARGET VERSION");
    };
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if method.is_empty() || !method.bytes().all(token) || !version.starts_with("HTTP/1.") {
        return Err("the request is not HTTP/1");
    }
    if method == "CONNECT" {
        let (host, port) = authority(target)?;
        let port = port.ok_or("CONNECT needs HOST:PORT")?;
        return Ok(Request { host, port, head: None });
    }
    let rest = target.strip_prefix("http://").ok_or("this is a proxy: ask for http://HOST/ or CONNECT")?;
    let (place, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority(place)?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {place}\r\n");
    for line in lines {
        let (name, _) = line.split_once(':').ok_or("a header without a colon")?;
        if name.is_empty() || !name.bytes().all(token) {
            return Err("a header's name is none");
        }
        let name = name.to_ascii_lowercase();
        // One request, one connection: what follows would go to the same host, whatever it asks for.
        if !["host", "connection", "keep-alive"].contains(&name.as_str()) && !name.starts_with("proxy-") {
            head.push_str(line);
            head.push_str("\r\n");
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    Ok(Request { host, port: port.unwrap_or(80), head: Some(head.into_bytes()) })
}

fn authority(text: &str) -> Result<(String, Option<u16>), &'static str> {
    const WRONG: &str = "the host is neither a DNS name nor an address";
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = match port {
        Some(port) => Some(
            Some(port).filter(digits).and_then(|port| port.parse().ok()).ok_or("the port is no number")?,
        ),
        None => None,
    };
    let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(six) => six.parse::<Ipv6Addr>().map_err(|_| WRONG)?.to_string(),
        None if is_name(host) => host.to_owned(),
        None => return Err(WRONG),
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(head: &str) -> Result<(String, u16), &'static str> {
        parse(head.as_bytes()).map(|request| (request.host, request.port))
    }

    #[test]
    fn tunnels_are_asked_for_by_host_and_port() {
        let to = |host: &str, port| Ok((host.to_owned(), port));
        assert_eq!(host("CONNECT example.org:443 HTTP/1.1\r\nHost: other\r\n\r\n"), to("example.org", 443));
        assert_eq!(host("CONNECT [2606:4700::1111]:443 HTTP/1.1\r\n\r\n"), to("2606:4700::1111", 443));
        assert!(host("CONNECT example.org HTTP/1.1\r\n\r\n").is_err());
    }

    #[test]
    fn plain_requests_are_passed_on_for_their_host_alone() {
        let head = "GET http://example.org:8080/a?b HTTP/1.1\r\nHost: evil.net\r\nAccept: */*\r\n\
            Proxy-Authorization: x\r\nConnection: keep-alive\r\n\r\n";
        let request = parse(head.as_bytes()).unwrap();
        assert_eq!((request.host.as_str(), request.port), ("example.org", 8080));
        let passed =
            "GET /a?b HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        assert_eq!(String::from_utf8(request.head.unwrap()).unwrap(), passed);
        assert_eq!(host("GET http://example.org HTTP/1.0\r\n\r\n"), Ok(("example.org".to_owned(), 80)));
    }

    #[test]
    fn a_host_that_could_be_read_in_two_ways_is_refused() {
        for target in [
            "example.org\0.evil.net:443",
            "evil.net\0.example.org:443",
            "ex\u{e4}mple.org:443",
            "example.org%00.evil.net:443",
            "user@evil.net:443",
            "example.org#@evil.net:443",
            "example.org\\.evil.net:443",
            "example.org\t.evil.net:443",
            "[::1%lo]:443",
            "::1:443",
            "example.org:0x1bb",
            "example.org:+443",
            "example.org:",
            ":443",
            "..:443",
        ] {
            assert!(parse(format!("CONNECT {target} HTTP/1.1\r\n\r\n").as_bytes()).is_err(), "{target:?}");
            let plain = format!("GET http://{target}/ HTTP/1.1\r\n\r\n");
            assert!(parse(plain.as_bytes()).is_err() || target == "example.org#@evil.net:443", "{target:?}");
        }
        // Everything behind # belongs to the path, for every reader.
        assert_eq!(
            host("GET http://example.org#@evil.net/ HTTP/1.1\r\n\r\n"),
            Ok(("example.org".into(), 80))
        );
    }

    #[test]
    fn what_is_no_request_to_a_proxy_is_refused() {
        for head in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET  http://a/ HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/2\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nno header\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nA : b\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert!(parse(head.as_bytes()).is_err(), "{head:?}");
        }
        assert!(parse(b"GET http://a/ HTTP/1.1\r\nX: \xff\r\n\r\n").is_err());
    }
}
