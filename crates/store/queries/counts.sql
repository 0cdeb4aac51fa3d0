select mode, state, jobs, more, swept from codeteam.counts($1)
