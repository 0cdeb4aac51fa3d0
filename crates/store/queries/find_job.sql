-- The jobs whose id starts with $1, at most two: enough to see that it is ambiguous.
select id from codeteam.jobs where id::text like $1 || '%' order by id limit 2
