select batch, at, tried_ms, fresh, data from codeteam.measure($1, $2)
