//! The command's view of the files: everything read-only but the workspace and private temporary folders, hidden paths
//! covered, `/proc` and `/dev` its own.
//!
//! Covering a folder would also cover what lies in it and must stay: the workspace, and what is shown. So copies of
//! those mounts are taken first and put back, at the same paths, onto the cover. It is done from the outside in, so that
//! any of them may lie in any other.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use super::sys::{self, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY};
use super::trouble::{During, Trouble};
use crate::wire::Spec;

/// Devices that a command may use; anything else in `/dev` (kvm, fuse, disks, sound) is not there.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];
/// Private and writable.
const SCRATCH: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
/// Where services keep the sockets that they can be talked to by. A network namespace does not cut those off.
const SOCKETS: [&str; 2] = ["/run", "/var/run"];

/// Builds the view in this process's mount namespace and returns the private home folder in it.
pub fn put_in_place(spec: &Spec) -> Result<PathBuf, Trouble> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .during("separating the mounts")?;
    let hidden = existing(&spec.hidden);
    let mut kept = vec![spec.dir.clone()];
    kept.extend(existing(&spec.shown));
    let trees = kept.iter().map(|path| copy(path)).collect::<Result<Vec<_>, _>>()?;
    let devices = DEVICES.map(|path| (path, sys::clone_tree(Path::new(path))));

    cover(Path::new("/dev"), "mode=755,size=64k")?;
    for (path, device) in devices {
        // Not every container has every device.
        let Ok(device) = device else { continue };
        fs::write(path, "").during(path)?;
        sys::attach(&device, Path::new(path)).during(path)?;
    }
    fill_dev()?;
    if let Some(uid) = spec.uid {
        name_user("/etc/passwd", &format!("sandbox:x:{uid}:{uid}::/tmp/home:/bin/sh"))?;
        name_user("/etc/group", &format!("sandbox:x:{uid}:"))?;
    }
    for path in SOCKETS.map(Path::new).into_iter().filter(|path| is_folder(path)) {
        cover(path, "mode=755,size=1m")?;
    }
    let scratch =
        format!("mode=1777,size={},nr_inodes={}", spec.limits.scratch, spec.limits.scratch / 4_096 + 16);
    for path in SCRATCH.map(Path::new).into_iter().filter(|path| is_folder(path)) {
        cover(path, &scratch)?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>).during("mounting /proc")?;

    let mut covers = hidden;
    covers.retain(|path| !is_scratch(path));
    covers.extend(spec.uid.into_iter().flat_map(|uid| kept.iter().filter_map(move |path| closed(path, uid))));
    let mut steps: Vec<(&PathBuf, Option<&OwnedFd>)> = covers.iter().map(|path| (path, None)).collect();
    steps.extend(kept.iter().zip(trees.iter().map(Some)));
    steps.sort_by_key(|(path, tree)| (path.components().count(), tree.is_some()));
    for (path, tree) in steps {
        match tree {
            None => hide(path)?,
            Some(tree) => {
                put_back(path, tree).during(&format!("putting {} in place", path.display()))?;
            }
        }
    }

    sys::change_mount(Path::new("/"), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, true)
        .during("making the files read-only")?;
    let writable =
        SCRATCH.map(Path::new).into_iter().filter(|path| is_folder(path)).chain([spec.dir.as_path()]);
    for path in writable {
        sys::change_mount(path, 0, MOUNT_ATTR_RDONLY, false)
            .during(&format!("making {} writable", path.display()))?;
    }
    Ok(PathBuf::from("/tmp/home"))
}

fn existing(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().filter_map(|path| path.canonicalize().ok()).collect()
}

fn copy(path: &Path) -> Result<OwnedFd, Trouble> {
    sys::clone_tree(path).during(&format!("taking hold of {}", path.display()))
}

/// A real folder: `/var/run` is usually a link to `/run`.
fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

/// Whether the view has its own, empty folder in the place of one that encloses `path`, which must be canonical.
pub fn is_private(path: &Path) -> bool {
    ["/dev"].iter().chain(&SOCKETS).chain(&SCRATCH).any(|place| path.starts_with(place))
}

/// Whether the view has its own, writable folder at exactly this place: hidden is what was there, not the folder.
pub fn is_scratch(path: &Path) -> bool {
    SCRATCH.iter().any(|place| path == Path::new(place))
}

fn cover(path: &Path, options: &str) -> Result<(), Trouble> {
    mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(options))
        .during(&format!("covering {}", path.display()))
}

/// Covers a folder with an empty one, anything else with `/dev/null`. What an earlier cover took away needs none.
fn hide(path: &Path) -> Result<(), Trouble> {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => cover(path, "mode=755,size=1m"),
        Ok(_) => sys::clone_tree(Path::new("/dev/null"))
            .and_then(|null| sys::attach(&null, path))
            // A socket goes when its service does, also at this very moment.
            .or_else(|error| if path.symlink_metadata().is_err() { Ok(()) } else { Err(error) })
            .during(&format!("hiding {}", path.display())),
        Err(_) => Ok(()),
    }
}

/// The topmost folder on the way to `path` that `uid` cannot pass. Covering it takes nothing from that user.
fn closed(path: &Path, uid: u32) -> Option<PathBuf> {
    let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
    folders.reverse();
    let passable = |folder: &Path| {
        folder.metadata().is_ok_and(|meta| {
            let bits = if meta.uid() == uid {
                0o100
            } else if meta.gid() == uid {
                0o010
            } else {
                0o001
            };
            meta.mode() & bits != 0
        })
    };
    folders.into_iter().find(|folder| folder.exists() && !passable(folder)).map(Path::to_owned)
}

fn put_back(path: &Path, tree: &OwnedFd) -> std::io::Result<()> {
    if path.symlink_metadata().is_err() {
        // What lies on the cover was a folder, or is made into a file to mount a file on.
        let folder =
            fs::metadata(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(tree)))?.is_dir();
        fs::create_dir_all(if folder { path } else { path.parent().unwrap_or(path) })?;
        if !folder {
            fs::write(path, "")?;
        }
    }
    sys::attach(tree, path)
}

/// What programs expect in `/dev` beside the devices.
fn fill_dev() -> Result<(), Trouble> {
    fs::create_dir("/dev/shm").during("making /dev/shm")?;
    fs::create_dir("/dev/pts").during("making /dev/pts")?;
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ];
    for (name, target) in links {
        symlink(target, Path::new("/dev").join(name)).during(name)?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(Some("devpts"), "/dev/pts", Some("devpts"), flags, Some("newinstance,ptmxmode=0666,mode=0620"))
        .during("mounting /dev/pts")
}

/// Adds a line for the commands' user, without which `whoami`, Node's `os.userInfo` and `initdb` fail.
fn name_user(file: &str, line: &str) -> Result<(), Trouble> {
    // A system without the file has programs that do without.
    let Ok(known) = fs::read_to_string(file) else { return Ok(()) };
    let source = Path::new("/dev/names");
    fs::write(source, format!("{}\n{line}\n", known.trim_end()))
        .and_then(|()| sys::attach(&sys::clone_tree(source)?, Path::new(file)))
        .and_then(|()| fs::remove_file(source))
        .during(&format!("naming the user in {file}"))
}
