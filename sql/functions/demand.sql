-- What clients give is looked at before it is used: a value that cannot be meant is refused in words that say what to do, and not
-- by what PostgreSQL thinks of it later. All internal; QJ007 invalid input.

-- Raises unless `holds`: names the field, what was given for it, and what to give instead.
create or replace function codeteam.demand(holds boolean, field text, given text, instead text) returns void
language plpgsql immutable as $$
begin
  if holds is not true then
    raise exception '% cannot be %: %', field, coalesce(left(given, 100), 'null'), instead using errcode = 'QJ007';
  end if;
end
$$;

create or replace function codeteam.check_mode(mode text) returns void
language plpgsql immutable as $$
begin
  perform demand(mode in ('mechanic', 'genius'), 'mode', mode, 'give mechanic or genius');
end
$$;

-- How many rows or jobs one call is to be about.
create or replace function codeteam.check_most(most bigint) returns void
language plpgsql immutable as $$
begin
  perform demand(most >= 1, 'most', most::text, 'give a number from 1');
end
$$;

-- What somebody sleeps on.
create or replace function codeteam.check_topic(topic text, sleeper uuid, job uuid, after_seq bigint) returns void
language plpgsql immutable as $$
begin
  perform demand(topic in ('mechanic', 'genius', 'scaler', 'events'), 'topic', topic, 'give mechanic, genius, scaler or events');
  perform demand(sleeper is not null, 'sleeper', null, 'give an id of your own');
  perform demand(topic <> 'events' or job is not null, 'job', null, 'name the job whose events are waited for');
  perform demand(after_seq >= 0, 'after_seq', after_seq::text, 'give the last seq that you have seen, or 0');
end
$$;

-- Events that are to be written.
create or replace function codeteam.check_events(after_seq bigint, kinds text[], data jsonb[]) returns void
language plpgsql immutable as $$
begin
  if after_seq is null or after_seq < 0 then
    perform demand(false, 'after_seq', after_seq::text, 'give the last seq that you know of, or 0');
  elsif kinds is null or array_ndims(kinds) > 1 or array_to_string(kinds, ' ', '?') !~ '^([a-z_]{1,40}( (?!$)|$))*$'
        or cardinality(string_to_array(array_to_string(kinds, ' ', '?'), ' ')) <> cardinality(kinds) then
    perform demand(false, 'kinds', kinds::text, 'give an array of words of a to z and _, each of at most 40 letters');
  elsif data is null or array_ndims(data) > 1 or cardinality(data) <> cardinality(kinds) or array_position(data, null) is not null then
    perform demand(false, 'data', cardinality(data) || ' values', 'give a JSON value for each of the kinds');
  end if;
end
$$;

-- How a job or an attempt ended.
create or replace function codeteam.check_exit_reason(exit_reason text) returns void
language plpgsql immutable as $$
begin
  if (exit_reason in ('finished', 'step_cap', 'token_cap', 'time_limit', 'cost_cap', 'cancelled', 'interrupted', 'model_error',
                      'sandbox_error', 'delivery_error', 'lost_worker')) is not true then
    perform demand(false, 'exit_reason', exit_reason, 'give finished, step_cap, token_cap, time_limit, cost_cap, cancelled, interrupted, '
      || 'model_error, sandbox_error, delivery_error or lost_worker');
  end if;
end
$$;

-- The results of finish_jobs().
create or replace function codeteam.check_results(results jsonb) returns void
language plpgsql immutable as $$
declare
  wrong jsonb;
begin
  if (jsonb_typeof(results) = 'array') is not true then
    perform demand(false, 'results', results::text, 'give an array of objects, one for each job');
  end if;
  select r into wrong from jsonb_array_elements(results) r
  where ((r ->> 'job') ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
         and (r ->> 'attempt') ~ '^\d{1,9}$' and (r ->> 'after_seq') ~ '^\d{1,18}$'
         and r ? 'state' and r ? 'outcome' and r ? 'exit_reason' and jsonb_typeof(r -> 'error') in ('string', 'null')
         and jsonb_typeof(r -> 'events') = 'array') is not true
     or exists (select from jsonb_array_elements(case when jsonb_typeof(r -> 'events') = 'array' then r -> 'events' else '[]' end) e
                where ((e ->> 'kind') ~ '^[a-z_]{1,40}$' and e ? 'data') is not true)
  limit 1;
  if found then
    perform demand(false, 'a result', wrong::text, 'give job, attempt, after_seq, state, outcome, exit_reason, error and events, '
      || 'an array of {"kind": ..., "data": ...}');
  elsif (select count(*) > count(distinct (r ->> 'job')::uuid) from jsonb_array_elements(results) r) then
    perform demand(false, 'results', 'two of the same job', 'give one for each job');
  end if;
end
$$;

-- How long a job may run before it is stuck.
create or replace function codeteam.check_sla(sla_ms bigint) returns void
language plpgsql immutable as $$
begin
  perform demand(sla_ms between 1000 and 604800000, 'sla_ms', sla_ms::text, 'give milliseconds from 1000 to 604800000');
end
$$;
