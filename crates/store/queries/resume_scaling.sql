select codeteam.resume_scaling($1)
