//! 13: archives that write beside the folder that they are unpacked in, or without end. Nothing but commands unpacks
//! archives here, so the sandbox is where they are met.

use sandbox::{End, Limits, Settings};

use super::unconfined_in;
use crate::common::{benches, folder, settings};

/// An archive whose only file wants to be ../outside/slipped, and a script that unpacks it with the names as they are.
const SLIP: &str = "mkdir -p in ../outside && echo x > ../outside/slipped && cd in && tar -Pcf ../slip.tar ../../outside/slipped \
    && rm ../../outside/slipped && cd .. ";
const UNPACK: &str = "cd in && tar -Pxf ../slip.tar; test -e ../../outside/slipped";

#[tokio::test]
async fn a13_an_archive_writes_nothing_beside_the_workspace() {
    let control = folder();
    let work = control.path().join("work");
    std::fs::create_dir(&work).unwrap();
    assert!(unconfined_in(&work, &format!("{SLIP} && {UNPACK}")).status.success());
    for bench in benches(settings()).await {
        let place = folder();
        let work = place.path().join("work");
        std::fs::create_dir(&work).unwrap();
        assert!(unconfined_in(&work, SLIP).status.success());
        bench.sandbox.adopt(&work).unwrap();
        let command = sandbox::Command { dir: &work, ..bench.command(UNPACK) };
        // Whatever it sees around its workspace: what is really there stays as it was.
        bench.sandbox.run(command).await.unwrap();
        assert!(!place.path().join("outside/slipped").exists());
    }
}

#[tokio::test]
async fn a13_a_bomb_is_stopped_at_the_bound_of_the_disk() {
    // 40 MB from 40 kB, where 8 MiB are allowed.
    let bomb = "head -c 40000000 /dev/zero | gzip > bomb.gz";
    let unpack = "gunzip -c bomb.gz > unpacked; stat -c %s unpacked";
    let control = folder();
    assert_eq!(unconfined_in(control.path(), &format!("{bomb}; {unpack}")).stdout, b"40000000\n");
    let limits = Limits { disk: 8 << 20, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        bench.output(bomb).await;
        assert_eq!(bench.run(&format!("{unpack}; sleep 1000")).await.end, End::Overfull);
    }
}
