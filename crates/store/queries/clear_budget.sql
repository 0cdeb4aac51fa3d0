select codeteam.clear_budget($1, $2)
