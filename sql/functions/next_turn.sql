-- The turn of a job that gets into line now: fair queueing by rounds. A repository's first job stands in the round after the one that
-- is served, its next ones in a round each. So whoever queues a thousand jobs takes one place of each round, and a newcomer waits
-- for two jobs of each other repository at most. Within a round the number of arrival decides: age. Who inserts at the same moment for
-- the same repository may get the same round. Internal; at READ COMMITTED only (see advance_line.sql).
create or replace function codeteam.next_turn(mode text, priority smallint, repo text) returns bigint
language plpgsql volatile as $$
declare
  turn bigint;
begin
  perform pg_current_xact_id(); -- before it looks: advance_line() waits for those who have one
  -- The repository's last job stands behind the head of the line, so the head is asked for only when it has none.
  select greatest(l.next_start, coalesce(
      (select j.turn from jobs j
       where j.state = 'queued' and j.waits_for is null and j.mode = l.mode and j.priority = l.priority
         and hashtextextended(j.repo, 0) = hashtextextended(next_turn.repo, 0) and j.turn >= l.starts_at
       order by j.turn desc limit 1),
      (select j.turn from jobs j
       where j.state = 'queued' and j.waits_for is null and j.mode = l.mode and j.priority = l.priority and j.turn >= l.starts_at
       order by j.turn limit 1)))
  into turn
  from lines l where l.mode = next_turn.mode and l.priority = next_turn.priority;
  return (((turn >> 33) + 1) << 33) | nextval('arrivals');
end
$$;
