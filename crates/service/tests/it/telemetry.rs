//! The log of a process of its own.

use std::process::Command;

use service::telemetry::{self, Format, TelemetryError};

use crate::rerun::rerun;

const FORMAT: &str = "SERVICE_TEST_FORMAT";
const SECRET: &str = "sk-do-not-show-this";

fn program(format: &str) -> Command {
    let mut command = rerun("telemetry::a_program_that_logs");
    command.env(FORMAT, format);
    command
}

fn log(format: &str) -> String {
    let output = program(format).output().unwrap();
    assert!(output.status.success());
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(!log.contains("do-not-show"), "{log}");
    log
}

#[test]
fn without_a_terminal_the_log_is_json_with_the_programs_name_and_no_secret() {
    let log = log("auto");
    let events: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(events.len(), 2, "{log}");
    let first = &events[0];
    assert_eq!(first["program"], "testling");
    assert_eq!(first["level"], "WARN");
    assert_eq!(first["message"], "it is [redacted]");
    assert_eq!(first["key"], "[redacted]");
    assert_eq!(first["count"], 3);
    assert_eq!(first["span"]["job"], 7);
    let panic = &events[1];
    assert_eq!(panic["level"], "ERROR");
    assert_eq!(panic["message"], "panic: over [redacted]");
    assert!(panic["location"].as_str().unwrap().contains("telemetry.rs:"), "{panic}");
}

#[test]
fn people_get_short_lines_without_colours_where_there_is_no_terminal() {
    let log = log("human");
    let first = log.lines().next().unwrap();
    assert!(
        first.starts_with("testling ") && first.contains("WARN") && first.contains("it is [redacted]"),
        "{first}"
    );
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[test]
fn a_log_that_nobody_reads_does_not_stop_the_program() {
    let mut program =
        program("json").env("SERVICE_TEST_WAIT", "1").stdin(std::process::Stdio::piped()).spawn().unwrap();
    drop(program.stderr.take());
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}

#[test]
#[ignore = "started by the tests above, as a process with a log of its own"]
fn a_program_that_logs() {
    if std::env::var_os("SERVICE_TEST_WAIT").is_some() {
        // Until nobody reads standard error any more.
        std::io::read_to_string(std::io::stdin()).unwrap();
    }
    let format = match std::env::var(FORMAT).expect("the format is given").as_str() {
        "json" => Format::Json,
        "human" => Format::Human,
        _ => Format::Auto,
    };
    let redaction = telemetry::init("testling", format, Some("warn")).unwrap();
    redaction.hide(&SECRET.into());
    tracing::info!("not at this level");
    tracing::error_span!("work", job = 7)
        .in_scope(|| tracing::warn!(key = SECRET, count = 3, "it is {SECRET}"));
    let panicked = std::thread::spawn(|| panic!("over {SECRET}")).join();
    assert!(panicked.is_err());
    assert!(matches!(telemetry::init("testling", format, None), Err(TelemetryError::Twice(_))));
}

#[test]
fn a_filter_that_cannot_be_read_is_answered_with_an_example() {
    let error = telemetry::init("testling", Format::Json, Some("worker=loud")).unwrap_err().to_string();
    assert!(error.contains("worker=loud") && error.contains("LOG=info"), "{error}");
}
