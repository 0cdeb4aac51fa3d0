select codeteam.set_budget($1, $2, $3)
