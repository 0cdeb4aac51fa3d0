select codeteam.capacity_drifted($1, $2, $3)
