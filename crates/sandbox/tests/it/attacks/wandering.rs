//! 7 and 18: taking what is there to another repository, or to another program's socket.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use sandbox::Level;

use super::{unconfined, unconfined_in};
use crate::common::{benches, folder, marker, settings};

#[tokio::test]
async fn a7_nothing_is_pushed_to_another_repository() {
    let place = folder();
    let other = place.path().join("other.git");
    unconfined(&format!("git init -q --bare {0} && chmod -R a+rwX {0}", other.display()));
    let push = |branch: &str| {
        format!(
            "export HOME=$PWD GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
             git init -q . && echo secret > leak && git add leak && git -c user.name=x -c user.email=x@x commit -qm leak \
             && git push -q {} HEAD:refs/heads/{branch}",
            other.display()
        )
    };
    let control = folder();
    let pushed = unconfined_in(control.path(), &push("control"));
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    for bench in benches(settings()).await {
        if bench.sandbox.level() == Level::Seccomp {
            // Owners and modes are what protects there: a repository that everybody may write to is not protected.
            unconfined(&format!("chmod -R go-w {}", other.display()));
        }
        bench.failure(&push("stolen")).await;
    }
    let refs = unconfined(&format!("git -C {} for-each-ref --format='%(refname)'", other.display()));
    assert_eq!(refs, "refs/heads/control\n");
}

/// A script that succeeds when an abstract socket answers.
fn connect(name: &str) -> String {
    format!(
        "perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) and connect(S, pack(\"S a*\", AF_UNIX, \"\\0{name}\")) or die $!'"
    )
}

#[tokio::test]
async fn a18_abstract_sockets_do_not_answer_where_the_network_is_ones_own() {
    let name = marker();
    let _listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    unconfined(&connect(&name));
    for bench in benches(settings()).await {
        // Without a namespace or Landlock's scopes, nothing tells abstract sockets apart: the level says so.
        if bench.sandbox.level() != Level::Seccomp {
            bench.failure(&connect(&name)).await;
        }
    }
}

#[tokio::test]
async fn a18_sockets_that_are_files_answer_to_nobody_whom_they_are_not_for() {
    let place = folder();
    let socket = place.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    // As Docker's, PostgreSQL's and agents' are: for their owner, or a group.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o660)).unwrap();
    let connect = format!(
        "perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) and connect(S, sockaddr_un($ARGV[0])) or die $!' {}",
        socket.display()
    );
    unconfined(&connect);
    for bench in benches(settings()).await {
        bench.failure(&connect).await;
    }
}
