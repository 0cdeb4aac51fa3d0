select codeteam.decision_called($1, $2)
