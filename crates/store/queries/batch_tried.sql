select codeteam.batch_tried($1, $2, $3)
