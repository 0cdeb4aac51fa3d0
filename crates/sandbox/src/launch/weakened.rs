//! Launchers with a fence taken out, to see that the self-test notices. Nothing but tests contains them.

use super::trouble::Trouble;
use super::{confine, descendants, filter, probe, receive, take_control, tell};
use crate::wire::{Report, Spec, Task};

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// Everything but the end of what it started.
    Anything,
    /// Another user, and with it the protection of files.
    User,
    /// The filter on system calls.
    Filter,
    /// The end of what it started, while everything else holds.
    Killing,
}

/// Serves one specification. Of Landlock's level, whose rules for files this leaves out as well.
pub fn launch(without: Without) {
    let control = take_control().unwrap();
    let spec = receive(&control).unwrap();
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let report = match confined(&spec, without) {
        Ok(()) => match &spec.task {
            Task::Probe(attacks) => Report::Probed(probe::attack(&spec, attacks)),
            Task::Shell(_) => Report::Failed("nothing but probes is served".to_owned()),
        },
        Err(trouble) => Report::Failed(trouble.to_string()),
    };
    if without != Without::Killing {
        descendants::kill_all();
    }
    tell(&control, &report);
}

fn confined(spec: &Spec, without: Without) -> Result<(), Trouble> {
    if without == Without::Anything {
        return Ok(());
    }
    confine::limit(spec)?;
    let filters = filter::filters(spec, i32::MAX)?;
    if without != Without::User {
        confine::drop_privileges(spec)?;
    }
    nix::sys::prctl::set_no_new_privs().unwrap();
    if without != Without::Filter { filter::apply(&filters) } else { Ok(()) }
}
