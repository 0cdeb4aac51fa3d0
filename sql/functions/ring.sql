-- Rings the doorbell of each topic on which somebody sleeps. It costs a look at a tiny table when nobody does, which is
-- what keeps busy commits free of the cluster-wide lock that every NOTIFY takes.
--
-- Why no ring is lost: a sleeper commits its registration before it takes a new transaction id, and waits only after a look whose
-- xmin has passed that. If this function's own snapshot (a fresh one for each statement in READ COMMITTED) misses the registration,
-- then this transaction already had its id when the sleeper took its own, so the sleeper keeps looking until this transaction has
-- ended. (The xmax of the sleeper's snapshot would not do: it lies behind the latest id that has ended, and this one may be later.)
-- Above READ COMMITTED the snapshot is an old one and proves nothing: always notify.
create or replace function codeteam.ring(topics text[]) returns void
language plpgsql volatile as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform pg_notify('codeteam_' || topic, '') from unnest(topics) as topic;
  elsif exists (select from sleepers) then -- rarely, or the table would not be filling
    perform pg_notify('codeteam_' || s.topic, '')
    from (select distinct topic from sleepers where topic = any (topics)) s;
  end if;
end
$$;
