//! What the scaler calls, and what people say about scaling.

use super::cases::{API, Call, OTHER, SCALER, call};

pub fn scaling() -> Vec<Call> {
    vec![
        call(
            SCALER,
            "silent_workers",
            &[("among", "array[gen_random_uuid()]")],
            &[],
            &[("among", "array[null]::uuid[]")],
        ),
        call(
            SCALER,
            "record_decision",
            &[
                ("service", "'mechanic-worker'"),
                ("previous", "0"),
                ("target", "1"),
                ("reason", "'r'"),
                ("observation", "'{}'"),
                ("ago_ms", "5"),
            ],
            &[],
            &[("previous", "-1"), ("target", "-1"), ("ago_ms", "-1"), ("ago_ms", "86400001")],
        ),
        call(SCALER, "decision_called", &[("decision", "1"), ("ago_ms", "5")], &[], &[("ago_ms", "-1")]),
        call(
            SCALER,
            "observe",
            &[("among", "array[gen_random_uuid()]"), ("sla_ms", "600000")],
            &[],
            &[("among", "array[null]::uuid[]"), ("sla_ms", "0"), ("sla_ms", "999999999999")],
        ),
        call(SCALER, "tend", &[("sla_ms", "600000"), ("most", "1")], &[], &[("sla_ms", "0"), ("most", "0")]),
        call(SCALER, "lead", &[("scaler", OTHER)], &[], &[]),
        call(SCALER, "resign", &[("scaler", OTHER)], &[], &[]),
        call(SCALER, "report_trouble", &[("scaler", OTHER), ("trouble", "'t'")], &["trouble"], &[]),
        call(
            SCALER,
            "capacity_drifted",
            &[("scaler", OTHER), ("mode", "'genius'"), ("message", "'m'")],
            &[],
            &[("mode", "'wizard'")],
        ),
        call(SCALER, "measure", &[("scaler", OTHER), ("epoch", "1")], &[], &[]),
        call(SCALER, "batch_tried", &[("scaler", OTHER), ("epoch", "1"), ("batch", "1")], &[], &[]),
        call(SCALER, "batch_published", &[("batch", "1")], &[], &[]),
        call(SCALER, "sweep_expired", &[("most", "1")], &[], &[("most", "0"), ("most", "-1")]),
        call(
            SCALER,
            "sweep_history",
            &[("keep", "interval '1 day'"), ("most", "1"), ("most_events", "1")],
            &[],
            &[
                ("keep", "interval '-1 day'"),
                ("keep", "interval '100000 years'"),
                ("most", "0"),
                ("most_events", "0"),
            ],
        ),
    ]
}

const LIMITS: [(&str, &str); 6] = [
    ("mode", "'genius'"),
    ("min", "1"),
    ("max", "3"),
    ("floor", "2"),
    ("cool_down_ms", "60000"),
    ("jobs_per_worker", "1"),
];

const BAD_LIMITS: [(&str, &str); 9] = [
    ("mode", "'wizard'"),
    ("min", "-1"),
    ("min", "4"),
    ("max", "0"),
    ("max", "1001"),
    ("floor", "4"),
    ("cool_down_ms", "-1"),
    ("cool_down_ms", "86400001"),
    ("jobs_per_worker", "0"),
];

pub fn limits() -> Vec<Call> {
    let mode = [LIMITS[0]];
    let why = [LIMITS[0], ("reason", "'maintenance'")];
    let bad_why = [BAD_LIMITS[0], ("reason", "repeat('x', 1001)")];
    vec![
        call(SCALER, "announce_limits", &LIMITS, &[], &BAD_LIMITS),
        call(
            API,
            "set_limits",
            &LIMITS,
            &["min", "max", "floor", "cool_down_ms", "jobs_per_worker"],
            &BAD_LIMITS,
        ),
        call(API, "clear_limits", &mode, &[], &BAD_LIMITS[..1]),
        call(API, "pause_scaling", &why, &[], &bad_why),
        call(API, "resume_scaling", &mode, &[], &BAD_LIMITS[..1]),
    ]
}
