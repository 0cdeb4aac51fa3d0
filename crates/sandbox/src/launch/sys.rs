//! The few system calls that have no safe wrapper. All `unsafe` of this crate is here.

#![allow(unsafe_code)] // raw system calls; each block says why it is sound

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::libc;
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
