select codeteam.clear_limits($1)
