select codeteam.resume_mode($1)
