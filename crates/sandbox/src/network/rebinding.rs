//! The proxy against a resolver that lies: what the name of a permitted host leads to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::hosts::Hosts;
use super::proxy::{Proxy, Resolve};

/// A resolver that gives the next of these answers each time it is asked, and counts.
fn resolver(answers: &[&[&str]]) -> (Resolve, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, answers) = (
        asked.clone(),
        answers
            .iter()
            .map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect())
            .collect::<Vec<Vec<std::net::IpAddr>>>(),
    );
    let resolve: Resolve = Arc::new(move |_, port| {
        let turn = count.fetch_add(1, Ordering::Relaxed);
        let ips = answers[turn.min(answers.len() - 1)].clone();
        Box::pin(async move { Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()) })
    });
    (resolve, asked)
}

/// What the proxy answers to this request.
async fn answer(proxy: Proxy, request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let talk = async {
        client.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _ = client.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    };
    tokio::join!(talk, proxy.serve(server)).0
}

/// A host that anybody reaches who reaches this machine's localhost.
async fn secret_service() -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe secret").await;
        }
    };
    (port, tokio::spawn(serve))
}

#[tokio::test]
async fn a_name_is_resolved_once_and_no_private_address_of_it_is_used() {
    let (port, service) = secret_service().await;
    for answers in [
        // A name that leads inside, directly or by a CNAME, which looks the same here.
        &[&["127.0.0.1"][..]][..],
        &[&["169.254.170.2", "10.0.0.1", "::1", "::ffff:127.0.0.1"]],
        // No address at all.
        &[&[]],
        // A name that led inside at first and would lead outside now.
        &[&["127.0.0.1"], &["1.1.1.1"]],
    ] {
        let hosts: Hosts = format!("rebind.example.org:{port}").parse().unwrap();
        let (resolve, asked) = resolver(answers);
        let request = format!("GET http://rebind.example.org:{port}/ HTTP/1.1\r\n\r\n");
        let said = answer(Proxy::with(hosts, resolve), &request).await;
        assert!(said.starts_with("HTTP/1.1 403 ") && said.contains("not public"), "{answers:?}: {said}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
    service.abort();
}

#[tokio::test]
async fn the_address_that_was_looked_at_is_the_one_that_is_connected_to() {
    let (port, service) = secret_service().await;
    // The control: with the address on the list, the same request gets through, and nothing is asked twice.
    let hosts: Hosts = format!("rebind.example.org:{port},127.0.0.1:{port}").parse().unwrap();
    let (resolve, asked) = resolver(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let request = format!("GET http://rebind.example.org:{port}/ HTTP/1.1\r\n\r\n");
    let said = answer(Proxy::with(hosts, resolve), &request).await;
    assert!(said.ends_with("the secret"), "{said}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    service.abort();
}

#[tokio::test]
async fn what_is_not_on_the_list_is_not_even_resolved() {
    for target in ["evil.net", "example.org.evil.net", "secret-in-a-label.evil.net", "xn--exmple-cua.org"] {
        let (resolve, asked) = resolver(&[&["1.1.1.1"]]);
        let proxy = Proxy::with("example.org".parse().unwrap(), resolve);
        let said = answer(proxy, &format!("CONNECT {target}:443 HTTP/1.1\r\n\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
        assert_eq!(asked.load(Ordering::Relaxed), 0, "{target}");
    }
}

#[tokio::test]
async fn numbers_that_only_some_read_as_addresses_are_looked_at_as_addresses() {
    let (port, service) = secret_service().await;
    // 127.0.0.1 as one number, in hexadecimal, in octal and short. The system's resolver reads them all.
    for host in ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"] {
        let hosts: Hosts = format!("*:{port}").parse().unwrap();
        let said = answer(Proxy::new(hosts), &format!("GET http://{host}:{port}/ HTTP/1.1\r\n\r\n")).await;
        assert!(!said.contains("the secret") && !said.contains(" 200 "), "{host}: {said}");
        // The control: they do lead there.
        assert!(TcpStream::connect((host, port)).await.is_ok(), "{host}");
    }
    service.abort();
}
