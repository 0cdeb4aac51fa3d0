//! Output that is too much, or not text.

use sandbox::{Command, End, Limits, Settings};

use crate::common::{benches, settings};

#[tokio::test]
async fn both_streams_come_in_the_order_of_printing() {
    for bench in benches(settings()).await {
        assert_eq!(bench.output("echo a; echo b >&2; echo c; echo d >&2").await, "a\nb\nc\nd\n");
    }
}

#[tokio::test]
async fn a_flood_is_counted_and_its_ends_are_kept() {
    for bench in benches(settings()).await {
        let shell = "echo start; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo end";
        let finished =
            bench.sandbox.run(Command { output_limit: 1_000, ..bench.command(shell) }).await.unwrap();
        assert_eq!(finished.end, End::Exited(0));
        assert_eq!(finished.output_bytes, 200_000_011);
        assert!(finished.output.len() < 1_100, "{} bytes", finished.output.len());
        assert!(finished.output.starts_with("start\n") && finished.output.ends_with("x\nend\n"));
        assert!(finished.output.contains("[... 199999011 bytes left out ...]"), "{}", finished.output);
    }
}

#[tokio::test]
async fn an_endless_flood_is_cut_off() {
    let limits = Limits { output: 1_000_000, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        let finished = bench.run("yes").await;
        assert_eq!(finished.end, End::Flooded);
        assert!(finished.output_bytes > 1_000_000);
    }
}

#[tokio::test]
async fn what_is_not_text_is_replaced() {
    for bench in benches(settings()).await {
        let output = bench.output(r"printf 'a\0b\377c\033[31md\r\ne\n'").await;
        assert_eq!(output, "a\u{FFFD}b\u{FFFD}c\u{FFFD}[31md\ne\n");
    }
}
