-- Who may do what, in one place. Nobody else may do anything: functions are revoked from PUBLIC first.
-- What is granted here is SECURITY DEFINER with a pinned search_path. Internal functions, which nobody is granted, run within
-- those, with their rights and their path.

revoke all on all functions in schema codeteam from public;
revoke all on all tables in schema codeteam from public;

grant execute on function codeteam.schema_version, codeteam.works_since to codeteam_api, codeteam_worker, codeteam_scaler;

grant execute on function
  codeteam.register_worker, codeteam.retire_worker, codeteam.claim_jobs, codeteam.heartbeat, codeteam.append_events,
  codeteam.reserve, codeteam.settle, codeteam.finish_job, codeteam.finish_jobs, codeteam.release_job, codeteam.wait_for_budget,
  codeteam.fail_attempt,
  codeteam.look, codeteam.doze, codeteam.wake, codeteam.read_events
to codeteam_worker;

grant execute on function
  codeteam.observe, codeteam.busy_workers, codeteam.silent_workers, codeteam.record_decision, codeteam.decision_called,
  codeteam.tend, codeteam.sweep_expired, codeteam.lead, codeteam.resign, codeteam.report_trouble, codeteam.capacity_drifted, codeteam.announce_limits,
  codeteam.measure, codeteam.batch_tried, codeteam.batch_published,
  codeteam.sweep_history,
  codeteam.look, codeteam.doze, codeteam.wake
to codeteam_scaler;

grant execute on function
  codeteam.submit_jobs, codeteam.submit_job, codeteam.cancel_job, codeteam.retry_job, codeteam.pause_mode, codeteam.resume_mode,
  codeteam.list_dead, codeteam.group_dead, codeteam.acknowledge_job, codeteam.acknowledge_jobs, codeteam.retry_jobs,
  codeteam.read_events, codeteam.counts, codeteam.observe,
  codeteam.set_budget, codeteam.clear_budget, codeteam.list_budgets,
  codeteam.set_limits, codeteam.clear_limits, codeteam.pause_scaling, codeteam.resume_scaling,
  codeteam.look, codeteam.doze, codeteam.wake
to codeteam_api;
grant select on codeteam.jobs, codeteam.events, codeteam.ledger, codeteam.calls, codeteam.workers, codeteam.scale_decisions,
  codeteam.pauses, codeteam.job_dependencies, codeteam.stops_in_force, codeteam.limits_in_force, codeteam.leader, codeteam.fleet_events
to codeteam_api;
-- What a client may say of a job; where it stands is not among it.
grant insert (id, mode, task, repo, base, head, prompt, setup_command, test_command, delivery, model, step_cap, token_cap, time_limit_ms, cost_cap_micros,
              priority, run_at, max_attempts, dedupe_key, group_key, group_limit, after)
on codeteam.jobs to codeteam_api;
