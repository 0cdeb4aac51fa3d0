-- A job is a row. INSERT INTO codeteam.jobs (mode, task, repo, prompt) is enough to enqueue one.

create table codeteam.jobs (
  id               uuid        primary key default gen_random_uuid(),
  -- what is asked for
  mode             text        not null check (mode in ('mechanic', 'genius')),
  task             text        not null check (task in ('bug_fix', 'refactor', 'analysis', 'review', 'feature',
                                                        'complex_refactor', 'security_fix', 'architecture')),
  repo             text        not null check (repo ~ '\S' and octet_length(repo) <= 2000 and repo not like '-%'),
  base             text        check (base ~ '\S' and octet_length(base) <= 250 and base not like '-%'),
  prompt           text        not null check (prompt ~ '\S' and octet_length(prompt) <= 100000),
  test_command     text        check (test_command ~ '\S' and octet_length(test_command) <= 10000),
  model            text        check (model ~ '\S' and octet_length(model) <= 200),
  -- what it may use; null means what the worker's settings say
  step_cap         integer     check (step_cap between 1 and 10000),
  token_cap        bigint      check (token_cap between 1 and 100000000),
  time_limit_ms    bigint      check (time_limit_ms between 1000 and 86400000),
  cost_cap_micros  bigint      check (cost_cap_micros >= 1),
  -- when its turn comes
  priority         smallint    not null default 0,
  -- a time that every client can read: no infinity, no year beyond four digits
  run_at           timestamptz not null default now() check (run_at between '2000-01-01 00:00Z' and '9000-01-01 00:00Z'),
  max_attempts     smallint    not null default 3 check (max_attempts between 1 and 100),
  -- where it stands
  state            text        not null default 'queued'
                               check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead')),
  attempt          integer     not null default 0, -- the fencing token: grows at each claim, never shrinks
  fresh_after      integer     not null default 0, -- attempts up to this one were before a person's retry: no cap counts them
  failures         smallint    not null default 0, -- attempts that ended in an error
  deaths           smallint    not null default 0, -- attempts whose worker fell silent
  worker_id        uuid, -- who holds it, for as long as that worker's lease lasts (see workers)
  cancel_requested boolean     not null default false,
  outcome          text        check (outcome in ('verified', 'unverified', 'failed', 'none')),
  exit_reason      text        check (exit_reason in ('finished', 'step_cap', 'token_cap', 'time_limit', 'cost_cap',
                                                      'cancelled', 'interrupted', 'model_error', 'sandbox_error',
                                                      'delivery_error', 'lost_worker')),
  error            text,
  created_at       timestamptz not null default now(),
  started_at       timestamptz, -- of the latest attempt
  finished_at      timestamptz,

  constraint running_means_held check ((state = 'running') = (worker_id is not null)),
  constraint final_means_explained check
    ((state in ('succeeded', 'failed', 'cancelled', 'dead')) = (finished_at is not null)
     and (finished_at is null) = (exit_reason is null)
     and (finished_at is null) = (outcome is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, toast_tuple_target = 256);

-- The order in which jobs are claimed, and the order in which they become due.
create index jobs_queued on codeteam.jobs (mode, priority desc, run_at, id) where state = 'queued';
create index jobs_due on codeteam.jobs (mode, run_at) where state = 'queued';
-- Few rows at any time: the running jobs, by who holds them.
create index jobs_running on codeteam.jobs (worker_id) where state = 'running';
create index jobs_recent on codeteam.jobs (created_at desc, id);
