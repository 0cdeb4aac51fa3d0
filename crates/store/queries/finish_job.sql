select codeteam.finish_job(
  job => $1, attempt => $2, worker => $3, after_seq => $4, state => $5, outcome => $6, exit_reason => $7, error => $8,
  kinds => $9, data => $10)
