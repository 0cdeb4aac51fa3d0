select changed, remaining, as_of from codeteam.acknowledge_jobs($1, $2, dry_run => $3)
