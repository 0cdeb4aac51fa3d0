//! 19: the kernel's sharp tools: user namespaces and mounts, io_uring, bpf, keyctl, and the launcher's own program.

use nix::libc;

use super::unconfined;
use crate::common::{benches, is_root, settings};

/// A script that prints the error number of a system call with arguments that no kernel takes, or "none".
fn errno(number: i64, arguments: &str) -> String {
    format!("perl -e 'print syscall({number}, {arguments}) == -1 ? $! + 0 : \"none\"'")
}

#[tokio::test]
async fn a19_sharp_system_calls_are_denied_before_they_look_at_their_arguments() {
    let calls = [
        ("io_uring_setup", libc::SYS_io_uring_setup, "0, 0", false),
        ("bpf", libc::SYS_bpf, "9999, 0, 0", true),
        ("keyctl", libc::SYS_keyctl, "9999, 0, 0, 0, 0", false),
        ("add_key", libc::SYS_add_key, "0, 0, 0, 0, 0", false),
        ("userfaultfd", libc::SYS_userfaultfd, "9999", true),
        ("perf_event_open", libc::SYS_perf_event_open, "0, 0, 0, 0, 0", false),
        ("unshare", libc::SYS_unshare, &libc::CLONE_NEWUSER.to_string(), false),
        ("setns", libc::SYS_setns, "-1, 0", false),
        ("mount", libc::SYS_mount, "0, 0, 0, 0, 0", true),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, "-1, 0, 0", true),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, "-1, 0, 0", false),
        ("kexec_load", libc::SYS_kexec_load, "0, 9999, 0, 0", true),
    ];
    let denied = libc::EPERM.to_string();
    for bench in benches(settings()).await {
        for (name, number, arguments, root) in calls {
            let script = errno(number, arguments);
            assert_eq!(bench.output(&script).await, denied, "{name}");
            // The control: the kernel has something else to say, to those whom it lets ask.
            if is_root() || !root {
                assert_ne!(unconfined(&script), denied, "{name}");
            }
        }
        // Where it is told how many bytes its arguments have: refused as if the kernel did not know it.
        assert_eq!(bench.output(&errno(libc::SYS_clone3, "0, 0")).await, libc::ENOSYS.to_string());
    }
}

#[tokio::test]
async fn a19_namespaces_and_mounts_are_out_of_reach() {
    let attacks = ["unshare -n true", "unshare -m true", "unshare -Ur true", "chroot / true"];
    for bench in benches(settings()).await {
        for attack in attacks {
            if is_root() {
                unconfined(attack);
            }
            bench.failure(attack).await;
        }
    }
}

#[tokio::test]
async fn a19_the_launchers_program_can_be_neither_seen_nor_overwritten() {
    let look = "head -c 4 /proc/$PPID/exe | grep -aq ELF";
    unconfined(&format!("bash -c '{look}'; exit $?"));
    for bench in benches(settings()).await {
        bench.failure(look).await;
        bench.failure("exec 3>/proc/$PPID/exe").await;
        bench.failure("exec 3>>/proc/self/exe").await;
    }
}
