select codeteam.reserve(
  job => $1, attempt => $2, worker => $3, call => $4, model => $5, worst_case_micros => $6, worst_tokens => $7)
