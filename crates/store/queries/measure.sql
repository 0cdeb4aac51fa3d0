select batch, at, fresh, data from codeteam.measure($1, $2)
