select codeteam.pause_mode($1, $2)
