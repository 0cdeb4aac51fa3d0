select job, state from codeteam.finish_jobs($1, $2)
