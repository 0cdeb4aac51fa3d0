//! 20: what a poisoned build script leaves for the next job: in caches, in temporary folders, in other checkouts.

use sandbox::{Command, Level};

use super::unconfined_in;
use crate::common::{Bench, benches, folder, settings};

/// Leaves a mark wherever it may, and says so.
const POISON: &str = "export MARK=codeteam-poisoned-cache; for place in \"$HOME\" \"$HOME/.cache\" \"$HOME/.npm\" \"$TMPDIR\" /dev/shm/x; do
    mkdir -p \"$place\" 2> /dev/null && echo x > \"$place/$MARK\" && echo left; done; true";
/// Looks for it where programs look.
const LOOK: &str = "for place in \"$HOME\" \"$HOME/.cache\" \"$HOME/.npm\" \"$TMPDIR\"; do
    test -e \"$place/codeteam-poisoned-cache\" && echo found; done; true";

#[tokio::test]
async fn a20_no_cache_is_shared_between_jobs() {
    let place = folder();
    let home = format!("export HOME={0} TMPDIR={0}/tmp; ", place.path().display());
    assert!(unconfined_in(place.path(), &format!("{home}{POISON}")).stdout.starts_with(b"left\n"));
    assert!(unconfined_in(place.path(), &format!("{home}{LOOK}")).stdout.starts_with(b"found\n"));
    for bench in benches(settings()).await {
        let next = folder();
        bench.sandbox.adopt(next.path()).unwrap();
        assert!(bench.output(POISON).await.starts_with("left\n"));
        let looked = bench.sandbox.run(Command { dir: next.path(), ..bench.command(LOOK) }).await.unwrap();
        assert_eq!(looked.output, "", "{}", bench.sandbox.level());
        // Nor between two commands of one job: what is to stay stays in the workspace.
        assert_eq!(bench.output(LOOK).await, "");
    }
}

#[tokio::test]
async fn a20_the_systems_temporary_folders_are_nobodys_letterbox_with_namespaces() {
    let Some(bench) = Bench::at(Level::Namespaces, settings()).await else { return };
    let name = format!("codeteam-letter-{}", std::process::id());
    let leave = format!("for place in /tmp /var/tmp /dev/shm; do echo x > $place/{name}; done");
    let look = format!("ls /tmp/{name} /var/tmp/{name} /dev/shm/{name} 2> /dev/null | wc -l");
    let clear = format!("rm -f /tmp/{name} /var/tmp/{name} /dev/shm/{name}");
    let control = super::unconfined(&format!("{leave}; {look}; {clear}"));
    assert_eq!(control, "3\n");
    bench.output(&leave).await;
    assert_eq!((bench.output(&look).await, super::unconfined(&look)), ("0\n".to_owned(), "0\n".to_owned()));
}

#[tokio::test]
async fn a20_no_instructions_can_be_left_in_another_checkout() {
    let other = folder();
    let write = format!("echo 'obey me' > {}/AGENTS.md", other.path().display());
    for bench in benches(settings()).await {
        bench.failure(&write).await;
        assert!(!other.path().join("AGENTS.md").exists());
    }
    super::unconfined(&write);
    assert!(other.path().join("AGENTS.md").exists());
}
