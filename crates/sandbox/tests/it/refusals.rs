//! What cannot be done is said in a sentence that helps.

use std::path::Path;

use sandbox::{Command, Launcher, Level, Sandbox, SandboxError, Settings};

use crate::common::{Bench, folder, is_root, settings};

fn with_launcher(program: &str, args: &[&str]) -> Settings {
    let args = args.iter().map(Into::into).collect();
    Settings { launcher: Launcher { program: program.into(), args }, ..settings() }
}

#[tokio::test]
async fn a_missing_launcher_is_named() {
    let error = Sandbox::start(with_launcher("/no/such/launcher", &[])).await.unwrap_err();
    let expected = "the sandbox's launcher /no/such/launcher cannot be started: check that the file exists";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_launcher_that_is_none_is_found_out() {
    for (program, args) in [("/bin/true", &[][..]), ("/bin/sh", &["-c", "echo hello"])] {
        let error = Sandbox::start(with_launcher(program, args)).await.unwrap_err();
        assert!(matches!(error, SandboxError::Silent { .. }), "{error}");
        assert!(error.to_string().contains("calls sandbox::launch"), "{error}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_launch_when_asked_to_is_found_out() {
    // The default is this very program, which takes the argument for the name of a test.
    let error = Sandbox::start(Settings::default()).await.unwrap_err();
    assert!(matches!(error, SandboxError::Silent { .. }), "{error}");
}

#[tokio::test]
async fn the_strongest_level_is_taken() {
    let strongest = match Bench::at(Level::Namespaces, settings()).await {
        Some(_) => Level::Namespaces,
        None => Level::Landlock,
    };
    assert_eq!(Sandbox::start(settings()).await.unwrap().level(), strongest);
}

#[tokio::test]
async fn owners_protect_nothing_from_the_same_user() {
    if is_root() {
        return;
    }
    let error = Sandbox::start(Settings { level: Some(Level::Seccomp), ..settings() }).await.unwrap_err();
    assert!(error.to_string().contains("takes root"), "{error}");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let error = Sandbox::start(Settings { uid: 0, ..settings() }).await.unwrap_err();
    assert!(error.to_string().contains("give another uid"), "{error}");
    let error = Sandbox::start(Settings { hidden: vec!["secrets".into()], ..settings() }).await.unwrap_err();
    assert!(error.to_string().contains("must be absolute"), "{error}");
}

#[tokio::test]
async fn commands_that_no_shell_takes_are_refused() {
    let Ok(sandbox) = Sandbox::start(settings()).await else { panic!("no level holds") };
    let workspace = folder();
    let bench = Bench { sandbox, workspace };
    let long = "x".repeat(120_001);
    let env = [("A=B".to_owned(), "c".to_owned())];
    let cases = [
        (bench.command("echo \0"), "NUL byte"),
        (bench.command(&long), "put it into a file"),
        (Command { env: &env, ..bench.command("true") }, "\"A=B\" is no variable"),
        (Command { dir: Path::new("/"), ..bench.command("true") }, "give a folder made for the job"),
        (
            Command { dir: Path::new("/tmp/../tmp"), ..bench.command("true") },
            "give a folder made for the job",
        ),
        (Command { dir: Path::new("/no/such/folder"), ..bench.command("true") }, "No such file"),
        (Command { dir: Path::new("/etc/passwd"), ..bench.command("true") }, "it is no folder"),
    ];
    for (command, expected) in cases {
        let message = bench.sandbox.run(command).await.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_person_who_starts_the_launcher_is_told_what_it_is() {
    let output = std::process::Command::new(settings().launcher.program)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not for people"));
}
