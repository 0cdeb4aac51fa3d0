select codeteam.wake($1, $2)
