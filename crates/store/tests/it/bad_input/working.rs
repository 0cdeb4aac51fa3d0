//! What a worker cannot write.

use super::cases::{BY, Call, HELD, OTHER, WORKER, call};

/// What each fenced write names, stale in each part.
const FENCE: [(&str, &str); 3] = [("job", HELD), ("attempt", "1"), ("worker", BY)];
const STALE: [(&str, &str); 4] = [("job", OTHER), ("attempt", "0"), ("attempt", "2"), ("worker", OTHER)];

/// Arrays of events that cannot be written.
const EVENTS: [(&str, &str); 10] = [
    ("after_seq", "-1"),
    ("kinds", "array['noted', 'noted']"),
    ("kinds", "array['Noted!']"),
    ("kinds", "array['two words']"),
    ("kinds", "array[null]::text[]"),
    ("kinds", "array[array['noted']]"),
    ("kinds", "array[repeat('x', 41)]"),
    ("data", "array[null]::jsonb[]"),
    ("data", "array[]::jsonb[]"),
    ("data", "array[array['1', '2']]::jsonb[]"),
];

pub fn working() -> Vec<Call> {
    let fenced = |more: &[(&'static str, &'static str)]| [&FENCE[..], more].concat();
    let stale = |more: &[(&'static str, &'static str)]| [&STALE[..], more].concat();
    let events = [("kinds", "array['noted']"), ("data", "array['{}']::jsonb[]")];
    let amounts = ["worst_case_micros", "worst_tokens"];
    let beyond = amounts.iter().flat_map(|name| [(*name, "-1"), (*name, "1000000000001")]);
    let counts = ["uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];
    let beyond_counts = counts.iter().flat_map(|name| [(*name, "-1"), (*name, "9223372036854775807")]);
    vec![
        call(
            WORKER,
            "register_worker",
            &[
                ("worker", OTHER),
                ("mode", "'genius'"),
                ("host", "'h'"),
                ("pid", "1"),
                ("version", "'1'"),
                ("sandbox", "'none'"),
                ("lease_ms", "1"),
            ],
            &[],
            &[("mode", "'all'"), ("lease_ms", "0"), ("lease_ms", "3600001")],
        ),
        call(WORKER, "retire_worker", &[("worker", OTHER)], &[], &[]),
        call(
            WORKER,
            "claim_jobs",
            &[("worker", BY), ("mode", "'mechanic'"), ("most", "1")],
            &[],
            &[("worker", OTHER), ("mode", "'all'"), ("most", "0"), ("most", "-1"), ("most", "1001")],
        ),
        call(
            WORKER,
            "heartbeat",
            &[("worker", BY), ("job_ids", "array[gen_random_uuid()]"), ("attempts", "array[1]")],
            &[],
            &[
                ("job_ids", "array[gen_random_uuid(), gen_random_uuid()]"),
                ("job_ids", "'{}'"),
                ("job_ids", "array[null]::uuid[]"),
                ("job_ids", "array[array[gen_random_uuid()]]"),
                ("attempts", "'{}'"),
                ("attempts", "array[null]::integer[]"),
                ("attempts", "array[1, 2]"),
            ],
        ),
        call(
            WORKER,
            "append_events",
            &fenced(&[("after_seq", "1"), events[0], events[1]]),
            &[],
            &stale(&EVENTS),
        ),
        call(
            WORKER,
            "reserve",
            &fenced(&[("call", "1"), ("model", "'m'"), ("worst_case_micros", "1"), ("worst_tokens", "1")]),
            &[],
            &stale(&[("call", "0"), ("model", "' '")].into_iter().chain(beyond).collect::<Vec<_>>()),
        ),
        call(
            WORKER,
            "wait_for_budget",
            &fenced(&[("worst_case_micros", "1")]),
            &[],
            &stale(&[("worst_case_micros", "-1"), ("worst_case_micros", "1000000000001")]),
        ),
        call(
            WORKER,
            "settle",
            &fenced(&[
                ("after_seq", "1"),
                ("call", "1"),
                ("basis", "'reported'"),
                ("model", "'m'"),
                ("cost_micros", "1"),
                ("uncached", "1"),
                ("cache_read", "1"),
                ("cache_write_5m", "1"),
                ("cache_write_1h", "1"),
                ("output", "1"),
                ("reasoning", "1"),
                ("request_id", "'r'"),
                ("raw_usage", "'{}'"),
                events[0],
                events[1],
            ]),
            &["request_id", "raw_usage"],
            &stale(
                &[
                    ("call", "0"),
                    ("basis", "'free'"),
                    ("model", "''"),
                    ("cost_micros", "-1"),
                    ("output", "0"),
                ]
                .into_iter()
                .chain(beyond_counts)
                .chain(EVENTS)
                .collect::<Vec<_>>(),
            ),
        ),
    ]
}

pub fn ending() -> Vec<Call> {
    let fenced = |more: &[(&'static str, &'static str)]| [&FENCE[..], more].concat();
    let stale = |more: &[(&'static str, &'static str)]| [&STALE[..], more].concat();
    let results: Vec<(&str, &str)> = RESULTS.iter().map(|bad| ("results", *bad)).collect();
    vec![
        call(
            WORKER,
            "finish_job",
            &fenced(&[
                ("after_seq", "1"),
                ("state", "'succeeded'"),
                ("outcome", "'verified'"),
                ("exit_reason", "'finished'"),
                ("error", "'e'"),
                ("kinds", "array['noted']"),
                ("data", "array['{}']::jsonb[]"),
            ]),
            &["error"],
            &stale(
                &[
                    ("state", "'queued'"),
                    ("state", "'done'"),
                    ("outcome", "'good'"),
                    ("exit_reason", "'bored'"),
                ]
                .into_iter()
                .chain(EVENTS)
                .collect::<Vec<_>>(),
            ),
        ),
        call(WORKER, "finish_jobs", &[("worker", BY), ("results", "'[]'")], &[], &results),
        call(WORKER, "release_job", &fenced(&[("reason", "'r'")]), &[], &STALE),
        call(
            WORKER,
            "fail_attempt",
            &fenced(&[("exit_reason", "'model_error'"), ("error", "'e'"), ("retry_in_ms", "1")]),
            &["retry_in_ms"],
            &stale(&[("exit_reason", "'bored'"), ("exit_reason", "''")]),
        ),
    ]
}

/// What is no array of results.
const RESULTS: [&str; 7] = [
    "'{}'",
    "'[1]'",
    "'[{}]'",
    "'[{\"job\": \"x\", \"attempt\": 1, \"after_seq\": 1, \"state\": \"failed\", \"outcome\": \"none\", \"exit_reason\": \"finished\", \"error\": null, \"events\": []}]'",
    "'[{\"job\": \"00000000-0000-0000-0000-000000000001\", \"attempt\": \"one\", \"after_seq\": 1, \"state\": \"failed\", \"outcome\": \"none\", \"exit_reason\": \"finished\", \"error\": null, \"events\": []}]'",
    "'[{\"job\": \"00000000-0000-0000-0000-000000000001\", \"attempt\": 1, \"after_seq\": 1, \"state\": \"failed\", \"outcome\": \"none\", \"exit_reason\": \"finished\", \"error\": null, \"events\": {}}]'",
    "'[{\"job\": \"00000000-0000-0000-0000-000000000001\", \"attempt\": 1, \"after_seq\": 1, \"state\": \"failed\", \"outcome\": \"none\", \"exit_reason\": \"finished\", \"error\": null, \"events\": [{\"kind\": \"A\", \"data\": 1}]}]'",
];
