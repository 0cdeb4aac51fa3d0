select codeteam.resign($1)
