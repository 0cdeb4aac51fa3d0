//! 1 and 2: another process's environment and memory.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::libc;

use super::unconfined;
use crate::common::{benches, settings};

/// A process with a secret in its environment and in its memory, which lets everybody trace it whom the kernel lets.
struct Victim(Child);

impl Victim {
    /// The process, and where the secret lies in its memory.
    fn start() -> (Victim, String) {
        let script = format!(
            "$| = 1; my $s = 'in memory'; syscall({}, 0x59616d61, -1, 0, 0, 0);
             print unpack('J', pack('P', $s)), \"\\n\"; sleep 600; print $s",
            libc::SYS_prctl
        );
        let mut command = Command::new("perl");
        command.args(["-e", &script]).env("CANARY", "in-the-environment").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        (Victim(child), address.trim().to_owned())
    }

    fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a1_no_environment_but_its_own_can_be_read() {
    let (victim, _) = Victim::start();
    let read = format!("tr '\\0' '\\n' < /proc/{}/environ | grep CANARY", victim.id());
    assert_eq!(unconfined(&read), "CANARY=in-the-environment\n");
    for bench in benches(settings()).await {
        bench.failure(&read).await;
        bench.failure(&format!("cat /proc/{}/environ", std::process::id())).await;
        for own in ["1", "self", "$PPID", "$$", "thread-self"] {
            let said = bench.run(&format!("tr '\\0' '\\n' < /proc/{own}/environ")).await.output;
            // Cargo gives this to every test; the command's own environment has none of it.
            assert!(!said.contains("CARGO_MANIFEST_DIR") && !said.contains("CANARY"), "{own}: {said}");
        }
    }
}

#[tokio::test]
async fn a2_no_memory_but_its_own_can_be_read() {
    let (victim, address) = Victim::start();
    let read = format!(
        "perl -e '$b = \"\\0\" x 9; $own = pack(\"PJ\", $b, 9); $theirs = pack(\"JJ\", {address}, 9);
            syscall({}, {}, $own, 1, $theirs, 1, 0) == 9 or die $!; print $b'",
        libc::SYS_process_vm_readv,
        victim.id(),
    );
    assert_eq!(unconfined(&read), "in memory");
    let trace = format!("perl -e 'syscall({}, 0, 0, 0, 0) == 0 or die $!'", libc::SYS_ptrace);
    unconfined(&trace);
    for bench in benches(settings()).await {
        bench.failure(&read).await;
        bench.failure(&trace).await;
        let caller = std::process::id();
        bench.failure(&format!("exec 3</proc/{caller}/mem")).await;
        bench.failure(&format!("exec 3</proc/{caller}/maps && head -c 1 <&3 | grep -q .")).await;
        bench.failure(&format!("ls /proc/{caller}/fd/")).await;
        bench.failure("exec 3</proc/$PPID/mem").await;
    }
}
