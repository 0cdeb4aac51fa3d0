select codeteam.pause_scaling($1, $2)
