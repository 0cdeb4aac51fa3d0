//! The last steps of the process that becomes the command: confine itself, then execute the shell.

use std::env::set_current_dir;
use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{execve, getppid, setsid};

use super::trouble::{During, Trouble};
use super::{confine, files, filter, outlet, probe, sys, tell};
use crate::Level;
use crate::network;
use crate::wire::{Report, Spec, Task};

/// Returns only when it failed, or when the task was a probe.
/// `calls`: where the supervisor waits for the descriptor through which it answers calls, if it is to answer any.
pub fn become_command(
    spec: &Spec,
    control: &UnixStream,
    home: &Path,
    calls: Option<&UnixStream>,
) -> Result<(), Trouble> {
    let parent = getppid();
    setsid().during("leaving the session")?;
    SigSet::empty().thread_set_mask().during("unblocking signals")?;
    sys::default_sigpipe();
    confine::limit(spec)?;
    let rules = match spec.level {
        Level::Landlock => Some(files::rules(spec, home)?),
        Level::Namespaces | Level::Seccomp => None,
    };
    let filters = filter::filters(spec, parent.as_raw())?;
    confine::drop_privileges(spec)?;
    // After the ids: their change takes the tie away.
    prctl::set_pdeathsig(Signal::SIGKILL).during("tying the command to the launcher")?;
    if getppid() != parent {
        return Err(Trouble::new("the launcher is gone"));
    }
    std::fs::DirBuilder::new().recursive(true).create(home).during("making the home folder")?;
    set_current_dir(&spec.dir).during(&format!(
        "entering {} as user {} (every folder above it must let that user through)",
        spec.dir.display(),
        nix::unistd::geteuid()
    ))?;
    prctl::set_no_new_privs().during("giving up new privileges")?;
    if let Some(rules) = rules {
        files::enforce(rules)?;
    }
    sys::close_from_3(true).during("closing files")?;
    filter::apply(&filters)?;
    if let Some(calls) = calls {
        let listener =
            sys::filter_with_listener(&outlet::filter()).during("having calls wait for the launcher")?;
        sys::send_with_fd(calls, b"\n", listener.as_fd(), false).during("handing the waiting calls over")?;
    }
    match &spec.task {
        Task::Shell(script) => execute(script, spec, home),
        Task::Probe(attacks) => {
            let leaks = probe::attack(spec, attacks);
            tell(control, &Report::Probed(leaks));
            Ok(())
        }
    }
}

fn execute(script: &str, spec: &Spec, home: &Path) -> Result<(), Trouble> {
    let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
    let tmp = if spec.level == Level::Namespaces { Path::new("/tmp").to_owned() } else { home.join("tmp") };
    let mut own = vec![
        ("HOME".to_owned(), home.display().to_string()),
        ("TMPDIR".to_owned(), tmp.display().to_string()),
    ];
    if spec.connected {
        own.extend(network::variables());
    }
    let given = |name: &str| spec.env.iter().any(|(given, _)| given == name);
    let mut variables: Vec<String> = Vec::new();
    for (index, (name, value)) in spec.env.iter().enumerate() {
        // Of two with the same name the later one counts.
        if !spec.env[index + 1..].iter().any(|(later, _)| later == name) {
            variables.push(format!("{name}={value}"));
        }
    }
    variables
        .extend(own.iter().filter(|(name, _)| !given(name)).map(|(name, value)| format!("{name}={value}")));
    let text = |text: &str| CString::new(text).during("passing text that holds a NUL byte");
    let variables = variables.iter().map(|variable| text(variable)).collect::<Result<Vec<_>, _>>()?;
    let arguments = [text(shell)?, text("-c")?, text(script)?];
    let Err(error) = execve(&arguments[0], &arguments, &variables);
    Err(error).during(&format!("executing {shell}"))
}
