//! Landlock: rules for files where nothing can be mounted.
//!
//! Landlock knows only permissions, and they hold for everything below a folder. So what encloses a hidden path is not
//! permitted itself; its other entries are, one by one, as they are at this moment. Such a folder cannot be listed.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::trouble::{During, Trouble};
use crate::wire::Spec;

/// The newest rules that this code has been written for; older kernels enforce what they know of them.
const RULES: ABI = ABI::V10;
/// Devices that may be written to.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Collects the rules. To be done before ids change: it needs to see every folder.
pub fn rules(spec: &Spec, home: &Path) -> Result<RulesetCreated, Trouble> {
    let all = AccessFs::from_all(RULES);
    let read = AccessFs::from_read(RULES);
    let mut rules = Ruleset::default()
        .handle_access(all)
        .and_then(|rules| rules.scope(Scope::from_all(RULES)))
        .and_then(Ruleset::create)
        .during("asking the kernel for Landlock")?;
    let hidden: Vec<PathBuf> = spec.hidden.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut permitted = Vec::new();
    permit_around(Path::new("/"), &hidden, &mut permitted);
    permitted.extend(spec.shown.iter().filter_map(|path| path.canonicalize().ok()));
    for path in &permitted {
        rules = permit(rules, path, read)?;
    }
    for path in DEVICES {
        rules =
            permit(rules, Path::new(path), AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev)?;
    }
    rules = permit(rules, &spec.dir, all)?;
    rules = permit(rules, home, all)?;
    if spec.uid.is_some() {
        // Shared memory and semaphores. With the caller's own id, this would be the caller's own memory.
        rules = permit(rules, Path::new("/dev/shm"), all)?;
    }
    Ok(rules)
}

/// Makes the rules hold for this process and its descendants.
pub fn enforce(rules: RulesetCreated) -> Result<(), Trouble> {
    let status = rules.restrict_self().during("enforcing Landlock's rules")?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(Trouble::new("this kernel has no Landlock"));
    }
    Ok(())
}

/// Everything under `path` but `hidden`, as few paths as possible.
fn permit_around(path: &Path, hidden: &[PathBuf], permitted: &mut Vec<PathBuf>) {
    if hidden.iter().any(|hidden| path.starts_with(hidden)) {
        return;
    }
    if !hidden.iter().any(|hidden| hidden.starts_with(path)) {
        permitted.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        // A link is permitted or not by what it leads to.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            permit_around(&entry.path(), hidden, permitted);
        }
    }
}

/// What cannot be opened (any more) needs no rule.
fn permit(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, Trouble> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(RULES) };
    rules
        .add_rule(PathBeneath::new(opened, access))
        .during(&format!("a Landlock rule for {}", path.display()))
}
