-- The whole ledger added up: in all, by model and by repository, dearest first.
select case when grouping(model) = 0 then 'model' when grouping(repo) = 0 then 'repository' else 'total' end as of,
       coalesce(model, repo, '') as name,
       count(distinct job_id) as jobs, count(*) as calls,
       coalesce(sum(cost_micros), 0)::bigint as cost_micros,
       coalesce(sum(uncached), 0)::bigint as uncached, coalesce(sum(cache_read), 0)::bigint as cache_read,
       coalesce(sum(cache_write_5m), 0)::bigint as cache_write_5m, coalesce(sum(cache_write_1h), 0)::bigint as cache_write_1h,
       coalesce(sum(output), 0)::bigint as output, coalesce(sum(reasoning), 0)::bigint as reasoning
from codeteam.calls
group by grouping sets ((), (model), (repo))
order by cost_micros desc, name
