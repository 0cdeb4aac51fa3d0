select codeteam.submit_job(
  task => $1, repo => $2, prompt => $3, mode => $4, base => $5, test_command => $6, model => $7,
  step_cap => $8, token_cap => $9, time_limit_ms => $10, cost_cap_micros => $11)
