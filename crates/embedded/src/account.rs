//! The user that the server runs as. PostgreSQL refuses root, so root needs a stand-in, and what root makes for
//! the server must be handed to that user.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::unistd::{Gid, Uid, User};

use crate::EmbeddedError;

/// Who owns the data and runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub uid: u32,
    pub gid: u32,
    /// Whether we are root and the server is not.
    pub stand_in: bool,
}

impl Account {
    /// The user to run the server of `data` as: ourselves, or, for root, the owner of existing data, `postgres` or `nobody`.
    pub fn choose(data: &Path) -> Result<Account, EmbeddedError> {
        let (uid, gid) = (Uid::effective(), Gid::effective());
        if !uid.is_root() {
            return Ok(Account { uid: uid.as_raw(), gid: gid.as_raw(), stand_in: false });
        }
        if let Ok(owned) = fs::symlink_metadata(data)
            && owned.uid() != 0
        {
            return Ok(Account { uid: owned.uid(), gid: owned.gid(), stand_in: true });
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root()))
            .map(|user| Account { uid: user.uid.as_raw(), gid: user.gid.as_raw(), stand_in: true })
            .ok_or(EmbeddedError::NoUser)
    }

    /// The user's name, or its number where it has none.
    pub fn name(&self) -> String {
        name_of(self.uid)
    }

    /// Hands a file or folder that root has just made to the server's user. A symlink is not followed.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        if self.stand_in { std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Lets the server's user pass through a folder of root's that is closed to others. What lies in it stays
    /// closed: data and socket are folders of that user's own.
    pub fn let_in(&self, dir: &Path) -> io::Result<()> {
        let found = dir.metadata()?;
        if !self.stand_in || found.uid() != 0 || self.may_enter(dir) {
            return Ok(());
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(found.permissions().mode() | 0o011))
    }

    /// Finds the folder among `dir` and its parents that keeps the server's user out.
    pub fn check_reach(&self, dir: &Path) -> Result<(), EmbeddedError> {
        if !self.stand_in {
            return Ok(());
        }
        match dir.ancestors().find(|folder| !self.may_enter(folder)) {
            Some(blocked) => {
                Err(EmbeddedError::OutOfReach { user: self.name(), blocked: blocked.to_owned() })
            }
            None => Ok(()),
        }
    }

    /// By the mode bits alone; access control lists are not read.
    fn may_enter(&self, folder: &Path) -> bool {
        folder.metadata().is_ok_and(|folder| {
            let bit = match (folder.uid() == self.uid, folder.gid() == self.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            folder.permissions().mode() & bit != 0
        })
    }
}

/// The name of a user id, or the number where it has none.
pub(crate) fn name_of(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
