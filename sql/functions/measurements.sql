-- What is published as metrics. Counting what ends and what is spent is part of the transaction that ends or spends it; a batch takes
-- its measurements away in the transaction that makes it. So each counts once, whoever leads and whenever anybody dies.

-- The next batch for the leader: the one that was made before and is not known to have been published (fresh: false), or a new one. No
-- row: the caller does not lead. One that no metrics service would take any more is dropped. `data` is an array of {mode, what, values, counts}: values are means of neighbours (within 12 % of one
-- another), so that sums are exact and no array is long.
create or replace function codeteam.measure(scaler uuid, epoch bigint)
returns table (batch bigint, at timestamptz, tried_ms bigint, fresh boolean, data jsonb)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_column
begin
  perform demand(num_nulls(scaler, epoch) = 0, 'a leader', 'without scaler or epoch', 'say both');
  perform from leader l where l.scaler = measure.scaler and l.epoch = measure.epoch for share;
  if not found then
    return;
  end if;
  delete from metric_batches b where b.at < clock_timestamp() - interval '13 days';
  return query
  select b.id, b.at, greatest(extract(epoch from clock_timestamp() - b.tried_at) * 1000, 0)::bigint, false, b.data
  from metric_batches b order by b.id limit 1;
  if found then
    return;
  end if;
  return query
  with taken as (
    delete from measurements m where m.ctid = any (array(select o.ctid from measurements o limit 50000))
    returning m.mode, m.what, m.value
  ), near as (
    select t.mode, t.what, avg(t.value)::double precision as value, count(*) as count
    from taken t group by t.mode, t.what, floor(ln(greatest(t.value, 1)) / ln(1.12))
  ), made as (
    insert into metric_batches as b (data)
    select coalesce(jsonb_agg(s.series), '[]') from (
      select jsonb_build_object('mode', n.mode, 'what', n.what, 'values', jsonb_agg(n.value order by n.value),
                                'counts', jsonb_agg(n.count order by n.value)) as series
      from near n group by n.mode, n.what
    ) s
    returning b.id, b.at, b.data
  )
  select m.id, m.at, 0::bigint, true, m.data from made m;
end
$$;

-- A batch is about to be published once more. False: the caller does not lead any more, and must not.
create or replace function codeteam.batch_tried(scaler uuid, epoch bigint, batch bigint) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform demand(num_nulls(scaler, epoch, batch) = 0, 'a try', 'without scaler, epoch or batch', 'say all three');
  update metric_batches b set tried_at = clock_timestamp()
  where b.id = batch and exists (select from leader l where l.scaler = batch_tried.scaler and l.epoch = batch_tried.epoch);
  return found;
end
$$;

-- A batch is published.
create or replace function codeteam.batch_published(batch bigint) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select demand(batch is not null, 'batch', null, 'name the batch that measure() gave');
  delete from metric_batches b where b.id = batch
$$;
