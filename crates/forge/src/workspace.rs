//! A working copy in the hands of somebody whom the worker does not trust.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::checkout::Tree;
use crate::commit::does_not_apply;
use crate::memory::Memory;
use crate::read::blocking;
use crate::{ForgeError, Mirror};

/// A checkout of a mirror's commit. Dropping it leaves the folder where it is.
#[derive(Clone)]
pub struct Workspace {
    mirror: Mirror,
    path: PathBuf,
    tree: Arc<Tree>,
    memory: Arc<Mutex<Memory>>,
}

impl Workspace {
    pub(crate) fn new(mirror: Mirror, path: PathBuf, tree: Tree) -> Workspace {
        Workspace { mirror, path, tree: Arc::new(tree), memory: Arc::default() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The full id of the commit that was checked out.
    pub fn commit(&self) -> &str {
        self.mirror.commit()
    }

    /// Everything that differs from the commit, as one patch for `git apply`; empty when nothing does.
    ///
    /// New and binary files are in it, whatever the workspace's `.gitignore` files leave out is not (tracked files always are), nor is
    /// anything inside a folder named `.git`. The patch is UTF-8 without NUL: what is not, goes in as a binary patch. Links are never
    /// followed; pipes, sockets and devices do not count; what cannot be read counts as unchanged and is logged. Nothing in the
    /// workspace is written or run, and commits made in its `.git` make no difference. May be dropped at any time.
    ///
    /// Cheap where little changed: a file whose inode is as the checkout, or an earlier diff that found it unchanged, left it is not
    /// read again; and changes that are the last diff's make its patch again.
    ///
    /// # Errors
    /// `DiffTooLarge` beyond [`DIFF_BYTES`], 20,000 files or 64 MiB of changed files; `Git`, `Disk` or `TimedOut`.
    pub async fn diff(&self) -> Result<String, ForgeError> {
        let (root, tree, format) = (self.path.clone(), self.tree.clone(), self.mirror.format());
        let memory = self.memory.clone();
        let (changes, known) = blocking(move || {
            let memory = &mut *lock(&memory);
            let changes = crate::walk::changes(&root, &tree, format, memory)?;
            let known = memory.patch(&changes, format);
            Ok((changes, known))
        })
        .await?;
        if changes.is_empty() {
            return Ok(String::new());
        }
        if let Some(patch) = known {
            return Ok(patch);
        }
        let keys = Memory::keys(&changes, format);
        let patch = crate::render::patch(&self.mirror, changes).await?;
        lock(&self.memory).keep(keys, &patch);
        Ok(patch)
    }

    /// Applies a patch to the files: the whole of it, or nothing. Meant for a checkout that nobody has worked in yet.
    /// The workspace's own index and history stay as they are, so its `git status` shows the patch as changes.
    ///
    /// # Errors
    /// `PatchDoesNotApply`, for a patch that is none, too; `GitMissing`, `Disk` or `TimedOut`.
    pub async fn apply(&self, patch: &str) -> Result<(), ForgeError> {
        self.patch(patch, &[]).await
    }

    /// Takes a patch out of the files again: the whole of it, or nothing. While nobody works in them.
    ///
    /// # Errors
    /// As [`Workspace::apply`].
    pub async fn revert(&self, patch: &str) -> Result<(), ForgeError> {
        self.patch(patch, &["--reverse"]).await
    }

    async fn patch(&self, patch: &str, how: &[&str]) -> Result<(), ForgeError> {
        if patch.trim().is_empty() {
            return Ok(());
        }
        let scratch = self.mirror.scratch(None)?;
        let output = self
            .mirror
            .call("apply the patch")
            .env("GIT_WORK_TREE", &self.path)
            .env("GIT_INDEX_FILE", scratch.path().join("no-index"))
            .in_dir(&self.path)
            .args(["apply", "--whitespace=nowarn"])
            .args(how)
            .args(["-"])
            .input(vec![patch.as_bytes().to_vec()])
            .run()
            .await?;
        if output.success {
            return Ok(());
        }
        Err(does_not_apply(self.commit(), &output.stderr))
    }
}

/// What a diff that panicked left is true as far as it goes.
fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
