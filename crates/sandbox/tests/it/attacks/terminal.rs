//! 16: output without end, sequences that a terminal obeys, and lines that look like a log's.

use sandbox::{Command, End, Limits, Settings};

use super::unconfined;
use crate::common::{benches, settings};

#[tokio::test]
async fn a16_output_without_end_is_cut_off_and_takes_no_memory() {
    // What stands for ten gigabytes here is ten times the limit.
    let flood = "head -c 20000000 /dev/zero | tr '\\0' x";
    assert_eq!(unconfined(flood).len(), 20_000_000);
    let limits = Limits { output: 2_000_000, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        let finished =
            bench.sandbox.run(Command { output_limit: 1_000, ..bench.command(flood) }).await.unwrap();
        assert_eq!(finished.end, End::Flooded);
        assert!(finished.output.len() < 1_100, "{} bytes", finished.output.len());
    }
}

#[tokio::test]
async fn a16_nothing_that_a_terminal_obeys_comes_through() {
    // Clear the screen, set the title, overwrite the line, go back, a link, and C1's one-byte form of the same.
    let print =
        r"printf '\033[2J\033]0;title\007safe\rforged\b\033]8;;http://evil.net\033\\ \302\233 31m\177'";
    assert!(unconfined(print).contains("\x1b[2J"));
    for bench in benches(settings()).await {
        let output = bench.output(print).await;
        let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!output.contains(obeyed), "{output:?}");
        assert!(output.contains("safe\nforged"), "{output:?}");
    }
}

#[tokio::test]
async fn a16_forged_log_lines_stay_output() {
    let forged = r#"{"timestamp":"2026-01-01T00:00:00Z","level":"ERROR","message":"forged"}"#;
    let print = format!("echo '{forged}' > /dev/stderr; echo '{forged}' >> /proc/self/fd/2");
    unconfined(&print);
    for bench in benches(settings()).await {
        // There is no way to the caller's own standard error but through what is captured.
        let finished = bench.run(&print).await;
        assert!(finished.output.contains(forged), "{}", finished.output);
        bench.failure(&format!("echo '{forged}' >> /proc/{}/fd/2", std::process::id())).await;
        bench.failure(&format!("echo '{forged}' >> /proc/$PPID/fd/2")).await;
    }
}
