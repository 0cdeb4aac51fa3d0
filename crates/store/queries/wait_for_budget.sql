select codeteam.wait_for_budget($1, $2, $3, $4)
