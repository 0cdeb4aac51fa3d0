select codeteam.cancel_job($1)
