-- Closes a reservation with what the call did cost. `basis` says how that is known: 'reported' by the provider, 'unbilled' (it
-- answered with an error before it worked), or 'worst_case' (the answer was lost: the reserved amount is taken).
-- The events that tell of the answer are written in the same transaction: were it two, a crash between them would pay for an
-- answer that nobody has. Gives the last seq. Said again after a lost acknowledgement, it changes nothing.
-- QJ005 unreserved: the call has no reservation.
create or replace function codeteam.settle(
  job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint,
  uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint,
  request_id text, raw_usage jsonb, kinds text[], data jsonb[]
) returns bigint
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_variable
begin
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  perform from jobs j where j.id = settle.job for no key update;
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (settle.job, settle.attempt, settle.call, 'settlement')) then
    return (select max(e.seq) from events e where e.job_id = settle.job);
  end if;
  perform hold(job, attempt, worker);
  insert into ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros,
                      uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage)
  select r.job_id, r.attempt, r.call, 'settlement', basis, r.repo, r.mode, model,
         case basis when 'worst_case' then r.cost_micros when 'unbilled' then 0 else cost_micros end,
         uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage
  from ledger r
  where r.job_id = settle.job and r.attempt = settle.attempt and r.call = settle.call and r.kind = 'reservation';
  if not found then
    raise exception 'call % of attempt % of job % was never reserved', call, attempt, job using errcode = 'QJ005';
  end if;
  return append_events(job, attempt, worker, after_seq, kinds, data);
end
$$;
