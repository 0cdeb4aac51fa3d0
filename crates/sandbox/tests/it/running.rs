//! Commands that mean no harm.

use sandbox::{Command, End, Level};

use crate::common::{Bench, benches, is_root, settings};

#[tokio::test]
async fn a_command_works_in_its_workspace() {
    for bench in benches(settings()).await {
        let output = bench
            .output("mkdir -p a/b && echo hello > a/b/c && mv a/b/c d && chmod +x d && cat d && pwd")
            .await;
        let dir = bench.workspace.path().canonicalize().unwrap();
        assert_eq!(output, format!("hello\n{}\n", dir.display()));
        assert_eq!(std::fs::read_to_string(bench.workspace.path().join("d")).unwrap(), "hello\n");
    }
}

#[tokio::test]
async fn exit_codes_and_signals_come_through() {
    for bench in benches(settings()).await {
        assert_eq!(bench.run("exit 0").await.end, End::Exited(0));
        assert_eq!(bench.run("exit 42").await.end, End::Exited(42));
        assert_eq!(bench.run("kill -TERM $$").await.end, End::Signalled(15));
        assert_eq!(bench.run("no-such-program").await.end, End::Exited(127));
    }
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_no_more() {
    for bench in benches(settings()).await {
        let env = [("GREETING".to_owned(), "hi there".to_owned()), ("TERM".to_owned(), "vt100".to_owned())];
        let finished = bench.sandbox.run(Command { env: &env, ..bench.command("env") }).await.unwrap();
        let mut names: Vec<&str> =
            finished.output.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        // Where this machine's tools are; `environment.rs` says which are told.
        const TOOLS: [&str; 7] =
            ["RUSTUP_HOME", "PYENV_ROOT", "ASDF_DATA_DIR", "NVM_DIR", "VOLTA_HOME", "GOROOT", "JAVA_HOME"];
        names.retain(|name| !TOOLS.contains(name));
        // The last three are the shell's own.
        let mut expected =
            vec!["PATH", "LANG", "TERM", "CI", "HOME", "TMPDIR", "GREETING", "_", "PWD", "SHLVL"];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert!(finished.output.contains("GREETING=hi there\n"), "{}", finished.output);
        assert!(finished.output.contains("TERM=vt100\n"), "{}", finished.output);
    }
}

#[tokio::test]
async fn home_and_the_temporary_folder_are_writable_and_empty_each_time() {
    for bench in benches(settings()).await {
        let script = "ls -A $HOME | grep -v '^tmp$'; touch $HOME/x $TMPDIR/y && mktemp > /dev/null && umask && echo ok";
        assert_eq!(bench.output(script).await, "0022\nok\n");
        assert_eq!(bench.output(script).await, "0022\nok\n");
    }
}

#[tokio::test]
async fn standard_input_is_empty_and_no_descriptor_is_inherited() {
    for bench in benches(settings()).await {
        // 3 is the folder that ls reads.
        assert_eq!(bench.output("wc -c; ls /proc/self/fd | tr '\\n' ' '").await, "0\n0 1 2 3 ");
    }
}

#[tokio::test]
async fn pipes_break_as_they_do_in_any_shell() {
    for bench in benches(settings()).await {
        assert_eq!(bench.output("yes | head -n 1; echo ${PIPESTATUS[0]}").await, "y\n141\n");
    }
}

#[tokio::test]
async fn commands_may_run_at_the_same_time() {
    for bench in benches(settings()).await {
        let (one, two) = tokio::join!(bench.output("echo one"), bench.output("echo two"));
        assert_eq!((one.as_str(), two.as_str()), ("one\n", "two\n"));
    }
}

#[tokio::test]
async fn the_user_has_a_name_with_namespaces() {
    // Who is not root has a name already.
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await.filter(|_| is_root()) else { return };
    assert_eq!(bench.output("id -un; id -gn").await, "sandbox\nsandbox\n");
}
