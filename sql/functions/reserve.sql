-- Sets aside the worst case of one model call before it is made. The key is (job, attempt, call): said again after a lost
-- answer, it changes nothing.
-- QJ004 cost_cap: the job's own cost cap has no room for it; nothing was reserved.
create or replace function codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint)
returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held  jobs := hold(job, attempt, worker);
  spent bigint;
begin
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (reserve.job, reserve.attempt, reserve.call, 'reservation')) then
    return;
  end if;
  if held.cost_cap_micros is not null then
    select coalesce(sum(c.cost_micros), 0) into spent from calls c
    where c.job_id = reserve.job and c.attempt > held.fresh_after;
    if spent + worst_case_micros > held.cost_cap_micros then
      raise exception 'job % has % micro-dollars left of its cap; call % could cost %',
        job, held.cost_cap_micros - spent, call, worst_case_micros using errcode = 'QJ004';
    end if;
  end if;
  insert into ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros, worst_tokens)
  values (reserve.job, reserve.attempt, reserve.call, 'reservation', 'worst_case', held.repo, held.mode, reserve.model, worst_case_micros, reserve.worst_tokens);
end
$$;
