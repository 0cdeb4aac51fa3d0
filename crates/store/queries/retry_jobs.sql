select changed, remaining, held_back, as_of from codeteam.retry_jobs($1, $2, dry_run => $3)
