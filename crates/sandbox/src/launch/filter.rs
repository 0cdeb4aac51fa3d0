//! The filter on system calls: a list of what is denied, since nobody knows all that a project's tests need.
//!
//! Denied is what reaches other processes, the kernel's rarely used (and often broken) corners, and networks. The same at
//! every level, so that a hole in one fence is covered by the next; more where there are no namespaces.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter, sock_filter,
};

use super::trouble::{During, Trouble};
use crate::Level;
use crate::wire::Spec;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Denied whatever the arguments.
const DENIED: &[i64] = &[
    // Other processes' memory, files and descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_open_by_handle_at,
    // Ways around a filter, or into the kernel.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Other namespaces and other views of the files.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    // The machine.
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_delete_module,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

/// The flags of clone that make namespaces.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The programs for a command whose launcher is `launcher`.
pub fn filters(spec: &Spec, launcher: i32) -> Result<[BpfProgram; 2], Trouble> {
    let step = "building the system-call filter";
    let mut rules: Rules = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    for flag in NAMESPACES {
        let flag = flag as u64;
        deny(&mut rules, libc::SYS_clone, &[(0, SeccompCmpOp::MaskedEq(flag), flag)])?;
    }
    // Typing into the terminal of another.
    for request in [libc::TIOCSTI, libc::TIOCLINUX] {
        deny(&mut rules, libc::SYS_ioctl, &[(1, SeccompCmpOp::Eq, request)])?;
    }
    if spec.connected && spec.level != Level::Namespaces {
        // `socket` waits for the launcher: see `outlet`. Sending may open a connection too.
        for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
            let fast_open = libc::MSG_FASTOPEN as u64;
            deny(&mut rules, call, &[(flags, SeccompCmpOp::MaskedEq(fast_open), fast_open)])?;
        }
        pairs(&mut rules)?;
    } else {
        sockets(&mut rules, spec)?;
    }
    if spec.level != Level::Namespaces {
        others(&mut rules, &[launcher, spec.caller])?;
    }
    let arch: TargetArch = std::env::consts::ARCH.try_into().during(step)?;
    let errno = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, arch).during(step)?;
    Ok([filter.try_into().during(step)?, unknown_calls()])
}

/// Makes the filters hold for this process and its descendants.
pub fn apply(filters: &[BpfProgram]) -> Result<(), Trouble> {
    filters.iter().try_for_each(|filter| apply_filter(filter).during("filtering system calls"))
}

/// In a network namespace, only sockets that it confines (a VM's host is reached by others). Elsewhere, none but Unix's;
/// and none that can name a peer when the command has the caller's id, whose session and container services listen there.
fn sockets(rules: &mut Rules, spec: &Spec) -> Result<(), Trouble> {
    use SeccompCmpOp::{Eq, Ne};
    let families: &[libc::c_int] = match (spec.level, spec.uid) {
        (Level::Namespaces, _) => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK],
        (_, Some(_)) => &[libc::AF_UNIX],
        (_, None) => &[],
    };
    let others: Vec<_> = families.iter().map(|family| (0, Ne, *family as u64)).collect();
    if others.is_empty() {
        rules.insert(libc::SYS_socket, Vec::new());
        return pairs(rules);
    }
    deny(rules, libc::SYS_socket, &others)?;
    let route = libc::NETLINK_ROUTE as u64;
    deny(rules, libc::SYS_socket, &[(0, Eq, libc::AF_NETLINK as u64), (2, Ne, route)])?;
    deny(rules, libc::SYS_socketpair, &[(0, Ne, libc::AF_UNIX as u64)])
}

/// Pairs of Unix sockets that can talk to each other alone.
fn pairs(rules: &mut Rules) -> Result<(), Trouble> {
    use SeccompCmpOp::{MaskedEq, Ne};
    // A datagram socket of a pair can send to a named peer.
    deny(rules, libc::SYS_socketpair, &[(1, MaskedEq(0xF), libc::SOCK_DGRAM as u64)])?;
    deny(rules, libc::SYS_socketpair, &[(1, MaskedEq(0xF), libc::SOCK_RAW as u64)])?;
    deny(rules, libc::SYS_socketpair, &[(0, Ne, libc::AF_UNIX as u64)])
}

/// Without a namespace for processes, the launcher and the caller can be named; neither they nor "everybody" may be hit.
fn others(rules: &mut Rules, protected: &[i32]) -> Result<(), Trouble> {
    use SeccompCmpOp::{Eq, Ne};
    // A process id fills the low half of its register; -1 is 0xFFFF_FFFF there.
    let id = |pid: i32| u64::from(pid.cast_unsigned());
    deny(rules, libc::SYS_kill, &[(0, Eq, id(-1))])?;
    for pid in protected {
        deny(rules, libc::SYS_kill, &[(0, Eq, id(*pid))])?;
        deny(rules, libc::SYS_kill, &[(0, Eq, id(-pid))])?;
        for call in
            [libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo]
        {
            deny(rules, call, &[(0, Eq, id(*pid))])?;
        }
    }
    rules.insert(libc::SYS_pidfd_send_signal, Vec::new());
    deny(rules, libc::SYS_prlimit64, &[(0, Ne, 0)])
}

/// Denies a call whose arguments fulfil all conditions. Only the low 32 bits count, as they do for the kernel here.
fn deny(rules: &mut Rules, call: i64, conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<(), Trouble> {
    let step = "building a system-call rule";
    let conditions = conditions
        .iter()
        .map(|(index, operator, value)| {
            SeccompCondition::new(*index, SeccompCmpArgLen::Dword, operator.clone(), *value)
        })
        .collect::<Result<Vec<_>, _>>()
        .during(step)?;
    rules.entry(call).or_default().push(SeccompRule::new(conditions).during(step)?);
    Ok(())
}

/// A second filter that answers "not implemented": to clone3, whose flags lie in memory that no filter can read (the C
/// library then falls back to clone), and to numbers above 2^30, a second entrance to the same calls on x86-64 (x32).
fn unknown_calls() -> BpfProgram {
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let jump = |test: u32| (libc::BPF_JMP | test | libc::BPF_K) as u16;
    let give = (libc::BPF_RET | libc::BPF_K) as u16;
    let not_implemented = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    vec![
        // The number is the first field of struct seccomp_data.
        sock_filter { code: load, jt: 0, jf: 0, k: 0 },
        sock_filter { code: jump(libc::BPF_JEQ), jt: 1, jf: 0, k: libc::SYS_clone3 as u32 },
        sock_filter { code: jump(libc::BPF_JGE), jt: 0, jf: 1, k: 0x4000_0000 },
        sock_filter { code: give, jt: 0, jf: 0, k: not_implemented },
        sock_filter { code: give, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ]
}
