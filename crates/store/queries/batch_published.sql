select codeteam.batch_published($1)
