//! The way to the proxy for a connected command, where no network namespace has a localhost of its own.
//!
//! The command's calls of `socket` wait for the launcher, which answers each with one end of a connection of its own and
//! sends the other end to the caller. `connect` is answered with success and not carried out. Nothing of the command's
//! memory is read, so nothing can be swapped between look and use.

use std::io;
use std::mem;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::libc;
use seccompiler::{BpfProgram, sock_filter};

use super::sys;

/// The most connections of one command: each takes one of the machine's ports for a minute after its end.
const CONNECTIONS: u32 = 10_000;

/// Answers the calls that wait.
pub struct Outlet {
    calls: OwnedFd,
    made: u32,
}

impl Outlet {
    /// `calls` is what the filter of [`filter`] gave when it was put on.
    pub fn new(calls: OwnedFd) -> Outlet {
        Outlet { calls, made: 0 }
    }

    /// Readable when a call waits.
    pub fn calls(&self) -> BorrowedFd<'_> {
        self.calls.as_fd()
    }

    /// Answers one call that waits; none, if its process is gone.
    pub fn answer(&mut self, control: &UnixStream) {
        let Ok(call) = sys::next_call(&self.calls) else { return };
        let kind = call.data.args[1] as libc::c_int;
        let refused = match self.connect(kind) {
            Err(error) => error.raw_os_error().unwrap_or(libc::ENETUNREACH),
            // The caller first: a command whose connection leads nowhere would wait for nothing.
            Ok((theirs, ours)) => match sys::send_with_fd(control, b"\n", ours.as_fd(), true) {
                Err(_) => libc::ENOBUFS,
                Ok(()) => {
                    return sys::answer_with_fd(
                        &self.calls,
                        call.id,
                        &theirs,
                        kind & libc::SOCK_CLOEXEC != 0,
                    );
                }
            },
        };
        sys::answer_with_error(&self.calls, call.id, refused);
    }

    /// Two ends of one connection.
    fn connect(&mut self, kind: libc::c_int) -> io::Result<(TcpStream, TcpStream)> {
        if self.made >= CONNECTIONS {
            return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
        }
        self.made += 1;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let theirs = TcpStream::connect(listener.local_addr()?)?;
        let ours = loop {
            let (stream, from) = listener.accept()?;
            // A stranger may have been faster.
            if from == theirs.local_addr()? {
                break stream;
            }
        };
        theirs.set_nonblocking(kind & libc::SOCK_NONBLOCK != 0)?;
        Ok((theirs, ours))
    }
}

/// The filter that has `socket` wait, for connections of IPv4, and denies it for anything else; that lets `connect`
/// succeed without doing anything.
pub fn filter() -> BpfProgram {
    const NUMBER: u32 = mem::offset_of!(libc::seccomp_data, nr) as u32;
    // The low halves of the arguments, which are all that the kernel looks at here.
    const FAMILY: u32 = mem::offset_of!(libc::seccomp_data, args) as u32;
    const KIND: u32 = FAMILY + 8;
    let load = |k| sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k };
    let and = |k| sock_filter { code: (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16, jt: 0, jf: 0, k };
    // Goes on when equal, else skips so many steps.
    let equal =
        |k, jf| sock_filter { code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, jt: 0, jf, k };
    let give = |k| sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k };
    let error = |code: libc::c_int| give(libc::SECCOMP_RET_ERRNO | code as u32);
    vec![
        load(NUMBER),
        equal(libc::SYS_connect as u32, 1),
        error(0),
        equal(libc::SYS_socket as u32, 8),
        load(FAMILY),
        equal(libc::AF_INET as u32, 4),
        load(KIND),
        and(0xF),
        equal(libc::SOCK_STREAM as u32, 2),
        give(libc::SECCOMP_RET_USER_NOTIF),
        error(libc::EAFNOSUPPORT),
        error(libc::EPERM),
        give(libc::SECCOMP_RET_ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel would.
    fn verdict(number: i64, args: [u64; 2]) -> u32 {
        let program = filter();
        let (mut at, mut value) = (0, 0);
        loop {
            let step = &program[at];
            at += 1;
            match u32::from(step.code) {
                code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => {
                    value = match step.k {
                        0 => number as u32,
                        16 => args[0] as u32,
                        24 => args[1] as u32,
                        other => panic!("loads {other}"),
                    }
                }
                code if code == libc::BPF_ALU | libc::BPF_AND | libc::BPF_K => value &= step.k,
                code if code == libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K => {
                    at += usize::from(if value == step.k { step.jt } else { step.jf });
                }
                _ => return step.k,
            }
        }
    }

    #[test]
    fn only_plain_connections_of_ipv4_wait_for_the_launcher() {
        let socket = |family: i32, kind: i32| verdict(libc::SYS_socket, [family as u64, kind as u64]);
        let error = |code: i32| libc::SECCOMP_RET_ERRNO | code as u32;
        let plain = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        assert_eq!(socket(libc::AF_INET, plain), libc::SECCOMP_RET_USER_NOTIF);
        for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_SEQPACKET, 0] {
            assert_eq!(socket(libc::AF_INET, kind), error(libc::EPERM));
        }
        for family in [libc::AF_UNIX, libc::AF_INET6, libc::AF_NETLINK, libc::AF_VSOCK, libc::AF_PACKET] {
            assert_eq!(socket(family, libc::SOCK_STREAM), error(libc::EAFNOSUPPORT));
        }
        assert_eq!(verdict(libc::SYS_connect, [3, 0]), error(0));
        assert_eq!(verdict(libc::SYS_read, [3, 0]), libc::SECCOMP_RET_ALLOW);
    }
}
