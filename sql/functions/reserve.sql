-- Sets aside the worst case of one model call before it is made. The key is (job, attempt, call): said again after a lost
-- answer, it changes nothing.
-- QJ004 cost_cap: the job's own cost cap has no room for it, or it is more than a whole budget; nothing was reserved.
-- QJ010 budget_spent: a budget has no room for it now: wait_for_budget() gives the job back; nothing was reserved.
create or replace function codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint)
returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held  jobs := hold(job, attempt, worker);
  spent bigint;
  asked timestamptz := clock_timestamp();
begin
  if (call >= 1 and model ~ '\S' and worst_case_micros between 0 and 1000000000000 and worst_tokens between 0 and 1000000000000) is not true then
    perform demand(false, 'a reservation', format('call %s of %s for %s micro-dollars and %s tokens', call, model, worst_case_micros, worst_tokens),
      'give a call from 1, a model, and amounts from 0 to 1000000000000');
  end if;
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (reserve.job, reserve.attempt, reserve.call, 'reservation')) then
    return;
  end if;
  if held.cost_cap_micros is not null then
    select coalesce(sum(c.cost_micros), 0) into spent from calls c
    where c.job_id = reserve.job and c.attempt > held.fresh_after;
    if spent + worst_case_micros > held.cost_cap_micros then
      raise exception 'the job has % left of its cost cap, and the next call could cost %: raise the cap, or ask for less',
        dollars(held.cost_cap_micros - spent), dollars(worst_case_micros) using errcode = 'QJ004';
    end if;
  end if;
  perform add_spending(held.repo, asked, worst_case_micros);
  if exists (select from budgets b where b.repo in ('', held.repo)) then
    perform check_budgets(held.repo, asked, worst_case_micros);
  end if;
  insert into ledger (at, job_id, attempt, call, kind, basis, repo, mode, model, cost_micros, worst_tokens)
  values (asked, reserve.job, reserve.attempt, reserve.call, 'reservation', 'worst_case', held.repo, held.mode, reserve.model, worst_case_micros, reserve.worst_tokens);
end
$$;
