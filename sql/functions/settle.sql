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
declare
  reserved ledger;
  due      bigint; -- what it did cost
begin
  perform check_events(after_seq, kinds, data);
  if (basis in ('reported', 'unbilled', 'worst_case') and model ~ '\S'
      and (basis <> 'reported' or cost_micros between 0 and 1000000000000)
      and num_nulls(uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning) = 0
      and least(uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning) >= 0
      and greatest(uncached, cache_read, cache_write_5m, cache_write_1h, output) <= 1000000000000
      and reasoning <= output) is not true then
    perform demand(false, 'a settlement', format('%s of %s for %s micro-dollars and %s tokens', basis, model, cost_micros,
      array[uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning]),
      'give reported, unbilled or worst_case, a model, counts from 0 to 1000000000000, and no more reasoning than output');
  end if;
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  perform from jobs j where j.id = settle.job for no key update;
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (settle.job, settle.attempt, settle.call, 'settlement')) then
    return (select max(e.seq) from events e where e.job_id = settle.job);
  end if;
  perform hold(job, attempt, worker);
  select r.* into reserved from ledger r
  where r.job_id = settle.job and r.attempt = settle.attempt and r.call = settle.call and r.kind = 'reservation';
  if not found then
    raise exception 'call % of attempt % of job % was never reserved', call, attempt, job using errcode = 'QJ005';
  end if;
  due := case basis when 'worst_case' then reserved.cost_micros when 'unbilled' then 0 else cost_micros end;
  insert into ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros,
                      uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage)
  values (reserved.job_id, reserved.attempt, reserved.call, 'settlement', basis, reserved.repo, reserved.mode, model, due,
          uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage);
  if basis <> 'unbilled' then
    insert into measurements (mode, what, value) values (reserved.mode, 'call', case basis
      when 'worst_case' then reserved.worst_tokens
      else uncached + cache_write_5m + cache_write_1h + output end);
  end if;
  if due <> reserved.cost_micros then
    perform add_spending(reserved.repo, reserved.at, due - reserved.cost_micros);
    if exists (select from budget_stops) then -- perhaps there is room now for the call that was refused
      perform lock_budget(s.repo), weigh_stop(s.repo, clock_timestamp())
      from unnest(array['', reserved.repo]) as s (repo);
    end if;
  end if;
  return append_events(job, attempt, worker, after_seq, kinds, data);
end
$$;
