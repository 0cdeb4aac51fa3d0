//! Folders that only the worker sees: git's configuration, and repositories made file by file.
//!
//! The settings stand in a file named by `GIT_CONFIG_GLOBAL` and not in `-c` options, because git drops those
//! on the way to the `git-upload-pack` that it starts in somebody's repository, `safe.directory` among them.

use std::fs::{DirBuilder, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::ForgeError;
use crate::object::Format;

/// The same for every call. Nothing of the system's, the user's or a repository's settings that could run a program counts.
const SETTINGS: &str = "\
[core]
\thooksPath = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tautocrlf = false
\taskPass =
\tquotePath = true
\tfsync = none
[protocol]
\tallow = never
[protocol \"file\"]
\tallow = always
[protocol \"http\"]
\tallow = always
[protocol \"https\"]
\tallow = always
[protocol \"ssh\"]
\tallow = always
[protocol \"git\"]
\tallow = always
[protocol \"ext\"]
\tallow = never
[safe]
\tdirectory = *
\tbareRepository = all
[transfer]
\tfsckObjects = true
[fetch]
\tunpackLimit = 1
\trecurseSubmodules = false
[fetch \"fsck\"]
\tbadTimezone = ignore
\tmissingSpaceBeforeDate = ignore
\tmissingSpaceBeforeEmail = ignore
\tmissingNameBeforeEmail = ignore
\tzeroPaddedDate = ignore
\tzeroPaddedFilemode = ignore
[fastimport]
\tunpackLimit = 1
[http]
\tlowSpeedLimit = 100
\tlowSpeedTime = 60
[submodule]
\trecurse = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[diff]
\trenameLimit = 1000
[apply]
\twhitespace = nowarn
[credential]
\thelper =
";
// The fsck names above are old slips in dates, names and modes that many well-known histories carry and that harm nobody.

/// What no file of the repository may ask for: a filter, a conversion, a diff driver. The repository's own
/// `info/attributes` outranks every `.gitattributes`, so a workspace holds the very bytes that git stores.
pub(crate) const NO_ATTRIBUTES: &str =
    "* !diff !text !eol !crlf !filter !ident !working-tree-encoding !merge\n";

/// A temporary folder with git's configuration in it, gone when dropped.
pub(crate) struct Private {
    dir: tempfile::TempDir,
}

impl Private {
    /// Makes one below `parent` (None: the system's folder for temporary files), with `credential` for its host if given.
    pub fn new(parent: Option<&Path>, credential: Option<&str>) -> Result<Private, ForgeError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let dir = tempfile::Builder::new()
            .prefix("codeteam-git-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(ForgeError::disk("making a folder in", &parent))?;
        let private = Private { dir };
        let mut settings = SETTINGS.to_owned();
        if let Some(credential) = credential {
            let store = private.path().join("credentials");
            write(&store, format!("{credential}\n").as_bytes())?;
            // The value passes through git's own quoting and then through a shell's.
            let quoted = store.display().to_string().replace('\'', "'\\''");
            let value = format!("store --file='{quoted}'").replace('\\', "\\\\").replace('"', "\\\"");
            settings.push_str(&format!("\thelper = \"{value}\"\n"));
        }
        write(&private.config(), settings.as_bytes())?;
        Ok(private)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The file for `GIT_CONFIG_GLOBAL`.
    pub fn config(&self) -> PathBuf {
        self.path().join("config")
    }
}

/// Makes an empty bare repository at `dir`, which must not exist, without git and its templates.
/// `borrow`: a repository whose objects it may read too.
pub(crate) fn bare(dir: &Path, format: Format, borrow: Option<&Path>) -> Result<(), ForgeError> {
    make_dir(dir)?;
    for sub in ["refs", "objects", "objects/info", "objects/pack", "info"] {
        make_dir(&dir.join(sub))?;
    }
    write(&dir.join("HEAD"), b"ref: refs/heads/nothing\n")?;
    write(&dir.join("config"), format.repository_config(true).as_bytes())?;
    write(&dir.join("info/attributes"), NO_ATTRIBUTES.as_bytes())?;
    if let Some(lender) = borrow {
        let line = format!("{}\n", lender.join("objects").display());
        write(&dir.join("objects/info/alternates"), line.as_bytes())?;
    }
    Ok(())
}

/// Makes one folder, for the worker alone.
pub(crate) fn make_dir(dir: &Path) -> Result<(), ForgeError> {
    DirBuilder::new().mode(0o700).create(dir).map_err(ForgeError::disk("making the folder", dir))
}

/// Writes one file, which must not exist.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), ForgeError> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(ForgeError::disk("writing", path))
}
