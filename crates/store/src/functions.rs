//! The text of the queue's SQL functions, as `sql/functions/` has it.

/// Every file, in the order in which they are put in place: what others are declared with first, rights last.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("schema_version", include_str!("../../../sql/functions/schema_version.sql")),
    ("ring", include_str!("../../../sql/functions/ring.sql")),
    ("demand", include_str!("../../../sql/functions/demand.sql")),
    ("budget_stops", include_str!("../../../sql/functions/budget_stops.sql")),
    ("lines", include_str!("../../../sql/functions/lines.sql")),
    ("next_turn", include_str!("../../../sql/functions/next_turn.sql")),
    ("check_job", include_str!("../../../sql/functions/check_job.sql")),
    ("jobs_arrive", include_str!("../../../sql/functions/jobs_arrive.sql")),
    ("line_up", include_str!("../../../sql/functions/line_up.sql")),
    ("advance_line", include_str!("../../../sql/functions/advance_line.sql")),
    ("groups", include_str!("../../../sql/functions/groups.sql")),
    ("lease_ends", include_str!("../../../sql/functions/lease_ends.sql")),
    ("look", include_str!("../../../sql/functions/look.sql")),
    ("lead", include_str!("../../../sql/functions/lead.sql")),
    ("doze", include_str!("../../../sql/functions/doze.sql")),
    ("wake", include_str!("../../../sql/functions/wake.sql")),
    ("append_event", include_str!("../../../sql/functions/append_event.sql")),
    ("spending", include_str!("../../../sql/functions/spending.sql")),
    ("hold", include_str!("../../../sql/functions/hold.sql")),
    ("lock_job", include_str!("../../../sql/functions/lock_job.sql")),
    ("check_keys", include_str!("../../../sql/functions/check_keys.sql")),
    ("error_fingerprint", include_str!("../../../sql/functions/error_fingerprint.sql")),
    ("after_arrive", include_str!("../../../sql/functions/after_arrive.sql")),
    ("after_rank", include_str!("../../../sql/functions/after_rank.sql")),
    ("after_ended", include_str!("../../../sql/functions/after_ended.sql")),
    ("after_confirm", include_str!("../../../sql/functions/after_confirm.sql")),
    ("end_job", include_str!("../../../sql/functions/end_job.sql")),
    ("requeue", include_str!("../../../sql/functions/requeue.sql")),
    ("end_attempt", include_str!("../../../sql/functions/end_attempt.sql")),
    ("sweep_expired", include_str!("../../../sql/functions/sweep_expired.sql")),
    ("refuse_job", include_str!("../../../sql/functions/refuse_job.sql")),
    ("check_jobs", include_str!("../../../sql/functions/check_jobs.sql")),
    ("submit_jobs", include_str!("../../../sql/functions/submit_jobs.sql")),
    ("submit_job", include_str!("../../../sql/functions/submit_job.sql")),
    ("take_jobs", include_str!("../../../sql/functions/take_jobs.sql")),
    ("claim_jobs", include_str!("../../../sql/functions/claim_jobs.sql")),
    ("heartbeat", include_str!("../../../sql/functions/heartbeat.sql")),
    ("append_events", include_str!("../../../sql/functions/append_events.sql")),
    ("read_events", include_str!("../../../sql/functions/read_events.sql")),
    ("reserve", include_str!("../../../sql/functions/reserve.sql")),
    ("settle", include_str!("../../../sql/functions/settle.sql")),
    ("finish_job", include_str!("../../../sql/functions/finish_job.sql")),
    ("wait_for_budget", include_str!("../../../sql/functions/wait_for_budget.sql")),
    ("finish_jobs", include_str!("../../../sql/functions/finish_jobs.sql")),
    ("release_job", include_str!("../../../sql/functions/release_job.sql")),
    ("fail_attempt", include_str!("../../../sql/functions/fail_attempt.sql")),
    ("cancel_job", include_str!("../../../sql/functions/cancel_job.sql")),
    ("dead_letters", include_str!("../../../sql/functions/dead_letters.sql")),
    ("lock_dead", include_str!("../../../sql/functions/lock_dead.sql")),
    ("list_dead", include_str!("../../../sql/functions/list_dead.sql")),
    ("acknowledge", include_str!("../../../sql/functions/acknowledge.sql")),
    ("revive", include_str!("../../../sql/functions/revive.sql")),
    ("retry_job", include_str!("../../../sql/functions/retry_job.sql")),
    ("retry_jobs", include_str!("../../../sql/functions/retry_jobs.sql")),
    ("budgets", include_str!("../../../sql/functions/budgets.sql")),
    ("pause", include_str!("../../../sql/functions/pause.sql")),
    ("workers", include_str!("../../../sql/functions/workers.sql")),
    ("silent_workers", include_str!("../../../sql/functions/silent_workers.sql")),
    ("tend", include_str!("../../../sql/functions/tend.sql")),
    ("scale_limits", include_str!("../../../sql/functions/scale_limits.sql")),
    ("observe", include_str!("../../../sql/functions/observe.sql")),
    ("fleet_events", include_str!("../../../sql/functions/fleet_events.sql")),
    ("decisions", include_str!("../../../sql/functions/decisions.sql")),
    ("measurements", include_str!("../../../sql/functions/measurements.sql")),
    ("jobs_leave", include_str!("../../../sql/functions/jobs_leave.sql")),
    ("sweep_history", include_str!("../../../sql/functions/sweep_history.sql")),
    ("counts", include_str!("../../../sql/functions/counts.sql")),
    ("grants", include_str!("../../../sql/functions/grants.sql")),
];

/// All of them as one script.
pub(crate) fn script() -> String {
    FILES.iter().map(|(_, sql)| *sql).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/functions");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".sql", ""))
            .collect();
        let mut listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
    }
}
