//! The few system calls that have no safe wrapper. All `unsafe` of this crate is here.

#![allow(unsafe_code)] // raw system calls; each block says why it is sound

use std::ffi::CString;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::libc;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};
use nix::unistd::{ForkResult, fork};

// From linux/mount.h.
const OPEN_TREE_CLONE: libc::c_uint = 1;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 4;
/// No writing through a mount.
pub const MOUNT_ATTR_RDONLY: u64 = 1;
/// No set-user-id programs from a mount.
pub const MOUNT_ATTR_NOSUID: u64 = 2;

/// struct mount_attr of linux/mount.h.
#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// struct __user_cap_header_struct of linux/capability.h.
#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// Forks. None: this is the child.
pub fn fork_once() -> nix::Result<Option<nix::unistd::Pid>> {
    // SAFETY: the launcher is single-threaded, so the child may do whatever the parent may.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// Closes every descriptor but the standard ones, now or at the next exec.
pub fn close_from_3(at_exec: bool) -> io::Result<()> {
    let flags = if at_exec { libc::CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: called before the launcher owns a descriptor above 2, or with a flag that closes none yet.
    checked(unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags) }).map(drop)
}

/// A detached copy of the mounts at `path`, to be put somewhere with [`attach`].
pub fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC as libc::c_uint | libc::AT_RECURSIVE as libc::c_uint;
    // SAFETY: the path is a C string that outlives the call; the result is a new descriptor that nobody else owns.
    unsafe {
        let fd = checked(libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags))?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Mounts a detached tree at `path`.
pub fn attach(tree: &OwnedFd, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: both paths are C strings that outlive the call.
    checked(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    })
    .map(drop)
}

/// Sets and clears attributes of the mount at `path`, and of all below it if `recursive`.
pub fn change_mount(path: &Path, set: u64, clear: u64, recursive: bool) -> io::Result<()> {
    let path = c_path(path)?;
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    let attributes = MountAttr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    // SAFETY: path and attributes outlive the call, and the size is that of the structure.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<MountAttr>(),
        )
    })
    .map(drop)
}

/// Gives up every capability of this process.
pub fn drop_capabilities() -> io::Result<()> {
    // _LINUX_CAPABILITY_VERSION_3, which has two blocks of three 32-bit sets.
    let header = CapHeader { version: 0x2008_0522, pid: 0 };
    let none = [[0u32; 3]; 2];
    // SAFETY: header and sets have the layout that this version asks for, and outlive the call.
    checked(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) }).map(drop)
}

/// Whether this process may read another's memory, or trace it.
pub fn can_read_memory(pid: i32) -> bool {
    let mut byte = 0_u8;
    let own = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // A place that nobody has: whoever may look learns that it is none.
    let theirs = libc::iovec { iov_base: std::ptr::dangling_mut::<u8>().cast(), iov_len: 1 };
    // SAFETY: at most one byte is written, into a byte that outlives the call; the other address is the other process's.
    let read = checked(unsafe {
        libc::syscall(libc::SYS_process_vm_readv, pid, &raw const own, 1, &raw const theirs, 1, 0)
    });
    read.map_or_else(|error| error.raw_os_error() == Some(libc::EFAULT), |_| true)
}

/// Switches the loopback interface of this network namespace on.
pub fn loopback_up() -> io::Result<()> {
    // SAFETY: the request is a zeroed C structure with a short, terminated name; the kernel reads and writes only it.
    unsafe {
        let fd = checked(libc::c_long::from(libc::socket(
            libc::AF_INET,
            libc::SOCK_DGRAM | libc::SOCK_CLOEXEC,
            0,
        )))?;
        let socket = OwnedFd::from_raw_fd(fd as RawFd);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        checked(libc::c_long::from(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)))
            .map(drop)
    }
}

/// Lets a broken pipe end this process again; Rust programs start with that signal ignored, and shells inherit it.
pub fn default_sigpipe() {
    // SAFETY: the default action involves no handler.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Sends `text` and a descriptor. `now`: fails instead of waiting for room.
pub fn send_with_fd(socket: &UnixStream, text: &[u8], fd: BorrowedFd<'_>, now: bool) -> io::Result<()> {
    let flags = if now { MsgFlags::MSG_DONTWAIT } else { MsgFlags::empty() } | MsgFlags::MSG_NOSIGNAL;
    let fds = [fd.as_raw_fd()];
    let message = [ControlMessage::ScmRights(&fds)];
    sendmsg::<UnixAddr>(socket.as_raw_fd(), &[IoSlice::new(text)], &message, flags, None)?;
    Ok(())
}

/// Receives what is there: text, appended to `text`, and descriptors, which are closed at exec. No byte: the other end is
/// closed.
pub fn receive_with_fds(socket: BorrowedFd<'_>, text: &mut Vec<u8>) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut buffer = [0; 4_096];
    let mut space = nix::cmsg_space!([RawFd; 4]);
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let message =
        recvmsg::<UnixAddr>(socket.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut received = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = control {
            // SAFETY: the kernel made these descriptors for this call, and nobody else knows them.
            received.extend(fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    let bytes = message.bytes;
    text.extend_from_slice(&buffer[..bytes]);
    Ok((bytes, received))
}

/// Puts a filter on this process whose waiting calls can be answered through the result.
pub fn filter_with_listener(program: &[seccompiler::sock_filter]) -> io::Result<OwnedFd> {
    // The two have the same layout: it is the kernel's.
    let program = libc::sock_fprog {
        len: program.len() as libc::c_ushort,
        filter: program.as_ptr().cast_mut().cast::<libc::sock_filter>(),
    };
    // SAFETY: the kernel copies the program, which outlives the call; the result is a new descriptor.
    unsafe {
        let fd = checked(libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        ))?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// A call that waits at such a filter.
pub fn next_call(calls: &OwnedFd) -> io::Result<libc::seccomp_notif> {
    // SAFETY: all-zero is what the kernel asks for, and it writes no more than the structure.
    unsafe {
        let mut call: libc::seccomp_notif = std::mem::zeroed();
        let result = libc::ioctl(calls.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call);
        checked(libc::c_long::from(result))?;
        Ok(call)
    }
}

/// Has a call return a copy of `fd` in its process. A process that is gone needs no answer.
pub fn answer_with_fd(calls: &OwnedFd, id: u64, fd: &impl AsFd, close_on_exec: bool) {
    let mut copy = libc::seccomp_notif_addfd {
        id,
        flags: libc::SECCOMP_ADDFD_FLAG_SEND as u32,
        srcfd: fd.as_fd().as_raw_fd().cast_unsigned(),
        newfd: 0,
        newfd_flags: if close_on_exec { libc::O_CLOEXEC.cast_unsigned() } else { 0 },
    };
    let add = |copy: &libc::seccomp_notif_addfd| {
        // SAFETY: the kernel only reads the structure.
        let result = unsafe {
            libc::ioctl(calls.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, std::ptr::from_ref(copy))
        };
        checked(libc::c_long::from(result))
    };
    if let Err(error) = add(&copy)
        && error.raw_os_error() == Some(libc::EINVAL)
    {
        // Before Linux 5.14, in two steps.
        copy.flags = 0;
        match add(&copy) {
            Ok(number) => answer(calls, id, number, 0),
            Err(error) => answer(calls, id, 0, error.raw_os_error().unwrap_or(libc::EMFILE)),
        }
    }
}

/// Has a call fail.
pub fn answer_with_error(calls: &OwnedFd, id: u64, error: libc::c_int) {
    answer(calls, id, 0, error);
}

fn answer(calls: &OwnedFd, id: u64, val: i64, error: libc::c_int) {
    let response = libc::seccomp_notif_resp { id, val, error: -error, flags: 0 };
    // SAFETY: the kernel only reads the structure. It fails when the process is gone, which needs no answer.
    unsafe {
        libc::ioctl(calls.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const response);
    }
}
