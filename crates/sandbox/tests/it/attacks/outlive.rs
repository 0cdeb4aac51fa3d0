//! 17: a daemon that leaves the session and goes on when the job is over.

use super::unconfined;
use crate::common::{alive, benches, marker, settings, until};

#[tokio::test]
async fn a17_a_daemon_dies_with_its_command() {
    let daemon = |marker: &str| {
        format!(
            "(setsid bash -c 'trap \"\" HUP TERM; sleep 60; : {marker}' > /dev/null 2>&1 < /dev/null &); exit 0"
        )
    };
    let survivor = marker();
    unconfined(&daemon(&survivor));
    until("the daemon is up", || alive(&survivor) > 0).await;
    unconfined(&format!(
        "kill -9 $(grep -lsaF -- {survivor} /proc/[0-9]*/cmdline | cut -d/ -f3 | grep -vx $$)"
    ));
    for bench in benches(settings()).await {
        let marker = marker();
        bench.output(&daemon(&marker)).await;
        assert_eq!(alive(&marker), 0, "{}", bench.sandbox.level());
    }
}
