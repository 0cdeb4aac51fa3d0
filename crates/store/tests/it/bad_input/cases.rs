//! Every function that a service may call: a call that is right, and what its arguments must not be.

use super::scaling::{limits, scaling};
use super::submitting::submitting;
use super::working::{ending, working};

/// One function.
pub struct Call {
    pub role: &'static str,
    pub function: &'static str,
    /// Each parameter with a value that is right.
    pub arguments: Vec<(&'static str, &'static str)>,
    /// Those for which null means something.
    pub nullable: &'static [&'static str],
    /// What is wrong for a parameter.
    pub bad: Vec<(&'static str, &'static str)>,
}

pub const API: &str = "codeteam_api";
pub const WORKER: &str = "codeteam_worker";
pub const SCALER: &str = "codeteam_scaler";

pub const HELD: &str = "current_setting('test.held')::uuid";
pub const BY: &str = "current_setting('test.worker')::uuid";
pub const OTHER: &str = "'00000000-0000-0000-0000-000000000001'";
/// A job that failed.
pub const FAILED: &str = "'00000000-0000-0000-0000-000000000002'";

const SELECTIONS: [(&str, &str); 8] = [
    ("selection", "'[]'"),
    ("selection", "'{\"stat\": \"dead\"}'"),
    ("selection", "'{\"state\": \"queued\"}'"),
    ("selection", "'{\"ids\": \"x\"}'"),
    ("selection", "'{\"ids\": [\"x\"]}'"),
    ("selection", "'{\"finished_after\": \"yesterday or so\"}'"),
    ("most", "0"),
    ("most", "-1"),
];

const CHANGES: [(&str, &str); 7] = [
    ("changes", "'[]'"),
    ("changes", "'{\"repo\": \"x\"}'"),
    ("changes", "'{\"prompt\": null}'"),
    ("changes", "'{\"prompt\": {\"a\": 1}}'"),
    ("changes", "'{\"step_cap\": \"5\"}'"),
    ("changes", "'{\"step_cap\": 1.5}'"),
    ("changes", "'{\"priority\": [1]}'"),
];

/// One function's.
pub fn call(
    role: &'static str,
    function: &'static str,
    arguments: &[(&'static str, &'static str)],
    nullable: &'static [&'static str],
    bad: &[(&'static str, &'static str)],
) -> Call {
    Call { role, function, arguments: arguments.to_vec(), nullable, bad: bad.to_vec() }
}

/// All of them.
pub fn calls() -> Vec<Call> {
    [submitting(), leading(), working(), ending(), sleeping(), scaling(), limits()]
        .into_iter()
        .flatten()
        .collect()
}

fn leading() -> Vec<Call> {
    let selected: Vec<_> = SELECTIONS.to_vec();
    let most = ("most", "1");
    let failed: &[(&str, &str)] = &[("job", OTHER), ("job", HELD)]; // there is none; it is no failed one
    vec![
        call(API, "cancel_job", &[("job", HELD)], &[], &[("job", OTHER)]),
        call(API, "retry_job", &[("job", FAILED), ("changes", "'{}'")], &[], &[failed, &CHANGES].concat()),
        call(
            API,
            "retry_jobs",
            &[("selection", "'{}'"), ("changes", "'{}'"), most, ("dry_run", "true")],
            &[],
            &[&selected[..], &CHANGES].concat(),
        ),
        call(API, "list_dead", &[("selection", "'{}'"), most], &[], &selected),
        call(API, "group_dead", &[("selection", "'{}'"), most], &[], &selected),
        call(
            API,
            "acknowledge_jobs",
            &[("selection", "'{}'"), ("by_whom", "'ada'"), most, ("dry_run", "false")],
            &[],
            &[&selected[..], &[("by_whom", "' '"), ("by_whom", "repeat('x', 201)")]].concat(),
        ),
        call(API, "acknowledge_job", &[("job", FAILED), ("by_whom", "'ada'")], &[], failed),
        call(
            API,
            "pause_mode",
            &[("mode", "'genius'"), ("reason", "''")],
            &[],
            &[("mode", "'all'"), ("mode", "''"), ("reason", "repeat('x', 1001)")],
        ),
        call(API, "resume_mode", &[("mode", "'genius'")], &[], &[("mode", "'all'")]),
        call(
            API,
            "set_budget",
            &[("repo", "'r'"), ("period", "'day'"), ("limit_micros", "1")],
            &["repo"],
            &[
                ("repo", "' '"),
                ("repo", "repeat('x', 2001)"),
                ("period", "'week'"),
                ("limit_micros", "0"),
                ("limit_micros", "-1"),
                ("limit_micros", "9223372036854775807"),
            ],
        ),
        call(
            API,
            "clear_budget",
            &[("repo", "'r'"), ("period", "'day'")],
            &["repo", "period"],
            &[("repo", "''"), ("period", "'week'")],
        ),
        call(
            API,
            "read_events",
            &[("job", HELD), ("after_seq", "0"), most],
            &[],
            &[("after_seq", "-1"), ("most", "0"), ("most", "-1")],
        ),
        call(API, "counts", &[most], &[], &[("most", "0"), ("most", "-1")]),
    ]
}

fn sleeping() -> Vec<Call> {
    let about = [("topic", "'events'"), ("sleeper", OTHER), ("job", HELD), ("after_seq", "0")];
    let bad = [("topic", "'all'"), ("topic", "''"), ("after_seq", "-1")];
    vec![
        call(WORKER, "look", &[about[0], about[2], about[3]], &[], &bad),
        call(WORKER, "doze", &about, &[], &bad),
        call(WORKER, "wake", &about[..2], &[], &bad[..2]),
    ]
}
