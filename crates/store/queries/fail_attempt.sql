select codeteam.fail_attempt($1, $2, $3, $4, $5, $6)
