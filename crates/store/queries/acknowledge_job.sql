select codeteam.acknowledge_job($1, $2)
