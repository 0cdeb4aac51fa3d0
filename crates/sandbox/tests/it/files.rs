//! What a command can see and change of the files.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use sandbox::{Level, Sandbox, SandboxError, Settings};

use crate::common::{Bench, benches, folder, is_root, settings};

#[tokio::test]
async fn hidden_files_folders_and_sockets_are_not_there() {
    // A sibling of the workspaces, which the commands could read otherwise.
    let place = folder();
    let (file, inner) = (place.path().join("file"), place.path().join("folder"));
    let (socket, link) = (place.path().join("socket"), place.path().join("link"));
    fs::write(&file, "the secret").unwrap();
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("file"), "the secret").unwrap();
    let _listener = UnixListener::bind(&socket).unwrap();
    symlink(&file, &link).unwrap();
    let modes = [(&file, 0o600), (&inner, 0o700), (&socket, 0o600)];
    for level in Level::ALL {
        let mut settings = settings();
        settings.hidden = vec![link.clone(), inner.clone(), socket.clone(), place.path().join("absent")];
        if level == Level::Seccomp {
            modes.iter().for_each(|(path, mode)| {
                fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap()
            });
        }
        let Some(bench) = Bench::at(level, settings).await else { continue };
        let read = format!(
            "cat {0}/file {0}/link {0}/folder/file; ls {0}/folder; cat /proc/*/root{0}/file",
            place.path().display()
        );
        let said = bench.run(&read).await.output;
        assert!(!said.contains("the secret"), "{level}: {said}");
    }
}

#[tokio::test]
async fn a_hidden_file_in_the_workspace_reads_as_empty() {
    let workspace = folder();
    let secret = workspace.path().join("secret");
    fs::write(&secret, "the secret").unwrap();
    let Some(bench) = Bench::at(Level::Namespaces, Settings { hidden: vec![secret], ..settings() }).await
    else {
        return;
    };
    let bench = Bench { workspace, ..bench };
    assert_eq!(bench.output("cat secret; ls").await, "secret\n");
    bench.failure("mv secret other").await;
}

#[tokio::test]
async fn of_a_hidden_folder_around_it_a_command_sees_its_workspace_alone() {
    let place = folder();
    let jobs = place.path().join("jobs");
    let (own, other) = (jobs.join("own/workspace"), jobs.join("other"));
    fs::create_dir_all(&own).unwrap();
    fs::create_dir(&other).unwrap();
    fs::write(other.join("file"), "of another job").unwrap();
    // Not to be listed by others, as levels without mounts need it; what lies deeper could be read.
    fs::set_permissions(&jobs, PermissionsExt::from_mode(0o711)).unwrap();
    let visible = Settings { shown: vec![place.path().to_owned()], ..settings() };
    for level in Level::ALL {
        // The folder is hidden in both, and in the second it lies in one that is shown.
        for shown in [Vec::new(), vec![place.path().to_owned()]] {
            let hiding = Settings { hidden: vec![jobs.clone()], shown, ..settings() };
            let within_shown = !hiding.shown.is_empty();
            if within_shown && level != Level::Namespaces {
                continue;
            }
            let Some(bench) = Bench::at(level, hiding).await else { continue };
            bench.sandbox.adopt(&own).unwrap();
            let run = async |shell: &str| {
                let finished =
                    bench.sandbox.run(sandbox::Command { dir: &own, ..bench.command(shell) }).await;
                finished.unwrap().output
            };
            assert_eq!(run("echo mine > mine && cat mine").await, "mine\n", "{level}");
            let said = run("ls ../..").await;
            assert!(!said.lines().any(|line| line == "other"), "{level}: {said}");
            let said = run("cat ../../other/file").await;
            assert_eq!(said.contains("of another job"), level == Level::Seccomp, "{level}: {said}");
        }
    }
    let Some(control) = Bench::at(Level::Namespaces, visible).await else { return };
    let read = format!("cat {}", other.join("file").display());
    assert_eq!(control.output(&read).await, "of another job");
}

#[tokio::test]
async fn a_temporary_folder_may_be_hidden_and_stays_a_temporary_folder() {
    let hidden = vec!["/tmp".into(), "/var/tmp".into()];
    let Some(bench) = Bench::at(Level::Namespaces, Settings { hidden, ..settings() }).await else { return };
    assert_eq!(bench.output("echo x > /tmp/x && cat /tmp/x").await, "x\n");
}

#[tokio::test]
async fn a_level_that_cannot_hide_says_so() {
    if !is_root() {
        return;
    }
    let place = folder();
    let secret = place.path().join("secret");
    fs::write(&secret, "the secret").unwrap();
    let settings = Settings { hidden: vec![secret], level: Some(Level::Seccomp), ..settings() };
    let error = Sandbox::start(settings).await.unwrap_err();
    assert!(matches!(error, SandboxError::Leaks { level: Level::Seccomp, .. }), "{error}");
    assert!(error.to_string().contains("secret can be read (take the permissions"), "{error}");
}

#[tokio::test]
async fn nothing_outside_of_the_workspace_can_be_changed() {
    let place = folder();
    let file = place.path().join("file");
    fs::write(&file, "as it was").unwrap();
    for bench in benches(settings()).await {
        let path = file.display();
        for attack in [
            format!("echo no > {path}"),
            format!("echo no >> {path}"),
            format!("truncate -s 0 {path}"),
            format!("mv {path} {path}2"),
            format!("rm {path}"),
            format!("ln {path} link && echo no > link"),
            format!("touch {}/new", place.path().display()),
            "touch /etc/new".to_owned(),
            "touch /new".to_owned(),
            "mkdir /usr/new".to_owned(),
            format!("ln -s {path} soft && echo no > soft"),
        ] {
            bench.failure(&attack).await;
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "as it was");
    }
}

#[tokio::test]
async fn a_private_tmp_hides_that_of_the_host_with_namespaces() {
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await else { return };
    let other = folder();
    let name = other.path().display().to_string();
    assert_eq!(
        bench.output(&format!("ls {name} 2>/dev/null; echo x > /tmp/x; cat /tmp/x")).await.trim(),
        "x"
    );
}

#[tokio::test]
async fn a_workspace_in_a_closed_folder_works_and_what_is_shown_can_be_read() {
    if !is_root() {
        return;
    }
    let closed = folder();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let (work, tools, file) =
        (closed.path().join("work"), closed.path().join("tools"), closed.path().join("one-file"));
    fs::create_dir(&work).unwrap();
    fs::create_dir(&tools).unwrap();
    fs::write(tools.join("tool"), "a tool").unwrap();
    fs::write(&file, "a file").unwrap();
    fs::write(closed.path().join("other"), "not for you").unwrap();
    let settings = Settings { shown: vec![tools, file], ..settings() };
    let Some(bench) = Bench::at(Level::Namespaces, settings).await else { return };
    bench.sandbox.adopt(&work).unwrap();
    let script = "echo x > y && cat ../tools/tool ../one-file && ls .. && ! touch ../tools/new ../new ../one-file 2>/dev/null";
    let finished = bench.sandbox.run(sandbox::Command { dir: &work, ..bench.command(script) }).await.unwrap();
    assert_eq!(finished.output, "a toola fileone-file\ntools\nwork\n");
    assert_eq!(finished.end, sandbox::End::Exited(0));
}

#[tokio::test]
async fn an_adopted_folder_belongs_to_the_command_and_nothing_else_does() {
    if !is_root() {
        return;
    }
    let place = folder();
    let (work, original) = (place.path().join("work"), place.path().join("original"));
    fs::create_dir(&work).unwrap();
    fs::write(&original, "shared").unwrap();
    fs::set_permissions(&original, fs::Permissions::from_mode(0o755)).unwrap();
    fs::hard_link(&original, work.join("hard")).unwrap();
    symlink(&original, work.join("soft")).unwrap();
    let Some(bench) = Bench::at(Level::Seccomp, settings()).await else { return };
    bench.sandbox.adopt(&work).unwrap();
    assert_eq!(original.metadata().unwrap().uid(), 0);
    let hard = work.join("hard").metadata().unwrap();
    assert_eq!((hard.uid(), hard.nlink(), hard.mode() & 0o777), (settings().uid, 1, 0o755));
    assert_eq!(work.join("soft").symlink_metadata().unwrap().uid(), settings().uid);
    assert_eq!(fs::read_to_string(work.join("hard")).unwrap(), "shared");
}
