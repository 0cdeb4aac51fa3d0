//! Commands that may fetch what they need: out through the proxy, and no other way.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use sandbox::{Command, Connected, End, Hosts};

use crate::common::{Bench, benches, settings};

/// A web server that stands for the outside; ends after so many requests, and gives their heads.
pub fn outside(requests: usize) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        let answer = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = vec![0; 4_096];
            let length = stream.read(&mut head).unwrap();
            let body = "from outside";
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).unwrap();
            String::from_utf8_lossy(&head[..length]).into_owned()
        };
        (0..requests).map(answer).collect()
    };
    (port, thread::spawn(serve))
}

pub async fn connected(bench: &Bench, shell: &str, hosts: &str) -> Connected {
    let hosts: Hosts = hosts.parse().unwrap();
    let command = Command { output_limit: 20_000, ..bench.command(shell) };
    bench.sandbox.run_connected(command, &hosts).await.unwrap()
}

/// Says something to the proxy with nothing but a shell, and prints what it answers.
pub fn ask(request: &str) -> String {
    format!("exec 3<>/dev/tcp/127.0.0.1/3128 && printf '{request}' >&3 && cat <&3")
}

#[tokio::test]
async fn a_permitted_host_is_reached_through_the_proxy() {
    for bench in benches(settings()).await {
        let (port, served) = outside(3);
        let hosts = format!("127.0.0.1:{port}");
        let level = bench.sandbox.level();
        for shell in [
            format!("curl -sS http://127.0.0.1:{port}/file --noproxy ''"),
            format!("curl -sS --proxytunnel http://127.0.0.1:{port}/file --noproxy ''"),
            ask(&format!("GET http://127.0.0.1:{port}/file HTTP/1.1\\r\\n\\r\\n")),
        ] {
            let Connected { finished, refused } = connected(&bench, &shell, &hosts).await;
            assert_eq!(finished.end, End::Exited(0), "{level}: {}", finished.output);
            assert!(finished.output.ends_with("from outside"), "{level}: {}", finished.output);
            assert_eq!(refused, [""; 0]);
        }
        let heads = served.join().unwrap();
        assert!(heads.iter().all(|head| head.starts_with("GET /file HTTP/1.1\r\n")), "{heads:?}");
    }
}

#[tokio::test]
async fn where_a_command_was_not_let_is_told() {
    for bench in benches(settings()).await {
        let shell = ask("CONNECT evil.net:443 HTTP/1.1\\r\\n\\r\\n");
        let Connected { finished, refused } = connected(&bench, &shell, "example.org").await;
        assert!(finished.output.contains("403 Forbidden"), "{}", finished.output);
        let why = "evil.net:443: neither this host nor this port is on the list of what may be reached";
        assert_eq!(refused, [why]);
    }
}

#[tokio::test]
async fn programs_are_told_of_the_proxy_and_nothing_else_changes() {
    for bench in benches(settings()).await {
        let said =
            connected(&bench, "echo $https_proxy $HTTP_PROXY $no_proxy; echo x > y; ls; wc -c", "*").await;
        let proxy = "http://127.0.0.1:3128";
        assert_eq!(said.finished.output, format!("{proxy} {proxy} localhost,127.0.0.1,::1\ny\n0\n"));
        let leaks =
            connected(&bench, "cat /proc/[0-9]*/environ 2>/dev/null; cat /proc/self/status", "*").await;
        let output = leaks.finished.output;
        assert!(!output.contains("CARGO_MANIFEST_DIR"), "{output}");
        assert!(
            output.contains("NoNewPrivs:\t1") && output.contains("CapEff:\t0000000000000000"),
            "{output}"
        );
    }
}

#[tokio::test]
async fn many_connections_go_side_by_side() {
    for bench in benches(settings()).await {
        let (port, served) = outside(20);
        let fetch = format!("curl -sS --noproxy '' http://127.0.0.1:{port}/$i");
        let shell = format!("for i in $(seq 20); do {fetch} > out$i & done; wait; cat out* | wc -c");
        let said = connected(&bench, &shell, &format!("127.0.0.1:{port}")).await;
        assert_eq!(said.finished.output, format!("{}\n", 20 * "from outside".len()));
        served.join().unwrap();
    }
}

#[tokio::test]
async fn a_tunnel_dies_with_its_command() {
    for bench in benches(settings()).await {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"hello").unwrap();
            // Ends when the other side does.
            stream.read_to_end(&mut Vec::new())
        });
        let open = format!(
            "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT 127.0.0.1:{port} HTTP/1.1\\r\\n\\r\\n' >&3"
        );
        let shell = format!("{open}; head -c 44 <&3 | tail -c 5; (setsid sleep 1000 &); exit 5");
        let said = connected(&bench, &shell, &format!("127.0.0.1:{port}")).await;
        assert_eq!((said.finished.end, said.finished.output.as_str()), (End::Exited(5), "hello"));
        peer.join().unwrap().unwrap();
    }
}
