-- The turn of a job that gets into line now: fair queueing by rounds. A repository's first job stands in the round after the one that
-- is served, its next ones in a round each. So whoever queues a thousand jobs takes one place of each round, and a newcomer waits
-- for two jobs of each other repository at most. Within a round the number of arrival decides: age. Who inserts at the same moment for
-- the same repository may get the same round. All internal; at READ COMMITTED only, and by a transaction that has its id (see
-- advance_line.sql).

-- The turn that it comes a round after: that of its repository's last job; null: it has none in line. (Becomes part of the query that asks.)
create or replace function codeteam.last_turn(mode text, priority smallint, repo text) returns table (turn bigint)
language sql stable as $$
  select (select greatest(j.turn, l.next_start) from jobs j
          where j.state = 'queued' and j.waits_for is null
            and lane_of(j.mode, j.priority, j.repo) = lane_of(l.mode, l.priority, last_turn.repo) and j.turn >= l.starts_at
          order by j.turn desc limit 1)
  from line_beginnings l where l.mode = last_turn.mode and l.priority = last_turn.priority
$$;

-- The turn after that; for who has none in line, after the head of the line.
drop function if exists codeteam.next_turn(text, smallint, text);
create or replace function codeteam.next_turn(last bigint, mode text, priority smallint) returns bigint
language plpgsql volatile as $$
begin
  if last is null then
    select greatest(l.next_start, (
      select j.turn from jobs j
      where j.state = 'queued' and j.waits_for is null and line_of(j.mode, j.priority) = line_of(l.mode, l.priority) and j.turn >= l.starts_at
      order by j.turn limit 1))
    into last
    from line_beginnings l where l.mode = next_turn.mode and l.priority = next_turn.priority;
  end if;
  return (((last >> 33) + 1) << 33) | nextval('arrivals');
end
$$;
