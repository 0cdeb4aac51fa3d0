//! Services that listen on sockets which are files: their clients are whoever may write to them.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sandbox::{Level, Settings};
use tempfile::TempDir;

use crate::common::{Bench, folder, settings};

/// A script that succeeds when the socket answers.
fn connect(socket: &Path) -> String {
    format!(
        "perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) and connect(S, sockaddr_un($ARGV[0])) or die $!' {}",
        socket.display()
    )
}

fn answers_outside(socket: &Path) -> bool {
    Command::new("bash").args(["-c", &connect(socket)]).output().unwrap().status.success()
}

/// A socket that anybody may connect to.
fn listen(socket: &Path) -> UnixListener {
    let listener = UnixListener::bind(socket).unwrap();
    fs::set_permissions(socket, PermissionsExt::from_mode(0o777)).unwrap();
    listener
}

/// A process of its own that binds a name in the folder where it is, and is ended with the value.
struct Service(Child);

impl Service {
    /// `with`: the program and arguments that start it, or nothing.
    fn start(folder: &Path, name: &str, with: &[&str]) -> Service {
        let script = "umask 0; socket(S, PF_UNIX, SOCK_STREAM, 0) and bind(S, sockaddr_un($ARGV[0])) and listen(S, 9) or die $!;
            $| = 1; print 'ready'; sleep 600";
        let words = [with, &["perl", "-MSocket", "-e", script, name]].concat();
        let mut command = Command::new(words[0]);
        let mut child = command.args(&words[1..]).current_dir(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        Service(child)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether this machine lets the tests' user make a network namespace, and with which command.
fn own_network() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "-n"], &["unshare", "-rn"]];
    ways.into_iter().find(|way| {
        Command::new(way[0]).args(&way[1..]).arg("true").output().is_ok_and(|o| o.status.success())
    })
}

#[tokio::test]
async fn a_services_socket_does_not_answer_and_one_in_the_workspace_does() {
    let place = folder();
    let shown = Settings { shown: vec![place.path().to_owned()], ..settings() };
    let Some(bench) = Bench::at(Level::Namespaces, shown).await else { return };
    fs::write(place.path().join("file"), "in sight").unwrap();
    let service = place.path().join("service");
    let own = bench.workspace.path().join("own");
    let _listeners = [listen(&service), listen(&own)];
    assert!(answers_outside(&service));
    bench.output(&connect(&own)).await;
    // The folder is in sight, and may be entered: it is the socket that is hidden.
    assert_eq!(bench.output(&format!("cat {}/file", place.path().display())).await, "in sight");
    bench.failure(&connect(&service)).await;
}

#[tokio::test]
async fn a_socket_with_a_relative_name_or_from_another_network_does_not_answer() {
    let place = folder();
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let shown = Settings { shown: vec![place.path().to_owned()], ..settings() };
    let Some(bench) = Bench::at(Level::Namespaces, shown).await else { return };
    let mut services = vec![("relative", Service::start(place.path(), "./relative", &[]))];
    if let Some(way) = own_network() {
        services.push(("elsewhere", Service::start(place.path(), "elsewhere", way)));
    }
    for (name, _) in &services {
        let socket = place.path().join(name);
        assert!(answers_outside(&socket), "{name}");
        bench.failure(&connect(&socket)).await;
    }
}

#[tokio::test]
async fn a_socket_outside_of_the_private_folders_does_not_answer() {
    // Where builds are is rarely below a temporary folder: there, nothing but its being a socket hides it.
    let Ok(place) = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")) else { return };
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let socket = place.path().join("socket");
    let _listener = listen(&socket);
    assert!(answers_outside(&socket));
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await else { return };
    bench.failure(&connect(&socket)).await;
    bench.failure(&format!("test -S {}", socket.display())).await;
}
