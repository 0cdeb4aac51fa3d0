//! Attacks on the network, on other processes and on the kernel. Each has a control that succeeds outside.

use std::net::TcpListener;
use std::process::Command as StdCommand;

use sandbox::{Level, Limits, Settings};

use crate::common::{Bench, benches, is_root, settings};

/// The same script without a sandbox.
fn outside(script: &str) -> bool {
    StdCommand::new("bash").args(["-c", script]).output().unwrap().status.success()
}

#[tokio::test]
async fn the_hosts_localhost_is_out_of_reach() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    assert!(outside(&connect));
    for bench in benches(settings()).await {
        bench.failure(&connect).await;
    }
}

#[tokio::test]
async fn a_localhost_of_its_own_is_there_with_namespaces() {
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await else { return };
    // Refused by a host that is there, which is what a port without a listener answers.
    let said = bench.failure("exec 3<>/dev/tcp/127.0.0.1/9").await;
    assert!(said.contains("Connection refused"), "{said}");
}

#[tokio::test]
async fn there_is_no_way_to_metadata_or_the_internet() {
    // A datagram socket that connects asks for a route and sends nothing.
    for address in ["169.254.170.2", "169.254.169.254", "203.0.113.1", "8.8.8.8"] {
        let connect = format!("exec 3<>/dev/udp/{address}/53");
        for bench in benches(settings()).await {
            bench.failure(&connect).await;
        }
    }
}

#[tokio::test]
async fn no_environment_but_its_own_can_be_read() {
    let read = "cat /proc/[0-9]*/environ 2>/dev/null; true";
    for bench in benches(settings()).await {
        let output = bench.output(read).await;
        assert!(output.contains("TERM=dumb"), "{output}");
        // Cargo gives this to every test.
        assert!(!output.contains("CARGO_MANIFEST_DIR"), "{output}");
    }
}

#[tokio::test]
async fn neither_the_caller_nor_the_launcher_can_be_killed() {
    let caller = std::process::id();
    for bench in benches(settings()).await {
        let script = format!("kill -9 {caller} -{caller} $PPID -$PPID; kill -9 -1; echo still here");
        let finished = bench.run(&script).await;
        // With namespaces, -1 is all that the command itself has started.
        assert!(finished.output.contains("still here"), "{:?} {}", finished.end, finished.output);
    }
}

#[tokio::test]
async fn the_kernels_sharp_tools_are_out_of_reach() {
    for bench in benches(settings()).await {
        for tool in [
            "unshare -Ur true",
            "unshare -n true",
            "mount -t tmpfs none .",
            "nsenter -t 1 -m true",
            "chroot / true",
        ] {
            bench.failure(tool).await;
        }
        let status = bench.output("cat /proc/self/status").await;
        assert!(
            status.contains("CapEff:\t0000000000000000") && status.contains("CapPrm:\t0000000000000000"),
            "{status}"
        );
        assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
        let uid = if is_root() { settings().uid } else { nix::unistd::geteuid().as_raw() };
        assert!(status.contains(&format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n")), "{status}");
    }
}

#[tokio::test]
async fn only_plain_devices_are_there_with_namespaces() {
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await else { return };
    let list = "for file in /dev/*; do if [ -c $file ] && [ ! -L $file ]; then basename $file; fi; done";
    let devices = "full\nnull\nrandom\ntty\nurandom\nzero\n";
    assert_eq!(bench.output(list).await, devices);
    assert_eq!(
        bench.output("echo x > /dev/null; head -c 3 /dev/zero | wc -c; test -w /dev/shm && echo ok").await,
        "3\nok\n"
    );
}

#[tokio::test]
async fn services_sockets_are_gone_with_namespaces() {
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await else { return };
    assert_eq!(bench.output("ls -A /run/ /var/run/ | grep -v : | grep -v '^$' | wc -l").await, "0\n");
}

#[tokio::test]
async fn memory_is_bounded() {
    let limits = Limits { memory: 64 << 20, ..Limits::default() };
    let hungry = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}";
    for bench in benches(Settings { limits, ..settings() }).await {
        let finished = bench.run(hungry).await;
        assert_ne!(finished.output, "200000000\n");
    }
}

#[tokio::test]
async fn files_are_bounded() {
    let limits = Limits { file_size: 1 << 20, open_files: 32, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        bench.run("head -c 5000000 /dev/zero > big").await;
        assert_eq!(bench.workspace.path().join("big").metadata().unwrap().len(), 1 << 20);
        bench.failure("for i in $(seq 3 40); do eval \"exec $i</dev/null\" || exit 1; done").await;
    }
}

#[tokio::test]
async fn processes_are_bounded() {
    let limits = Limits { processes: 20, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        // The reading end forks nothing: it could not either.
        let script = "exec 3< <(for i in {1..100}; do sleep 1000 & done 2>&1)
            while read -ru 3 line; do case $line in *fork*) echo bounded; exit;; esac; done";
        assert_eq!(bench.output(script).await, "bounded\n");
    }
}
