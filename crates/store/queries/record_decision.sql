select codeteam.record_decision($1, $2, $3, $4, $5, $6)
