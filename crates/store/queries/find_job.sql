-- The jobs whose ids are from $1 to $2, at most two: enough to see that it is ambiguous.
select id from codeteam.jobs where id between $1 and $2 order by id limit 2
