select codeteam.settle(
  job => $1, attempt => $2, worker => $3, after_seq => $4, call => $5, basis => $6, model => $7, cost_micros => $8,
  uncached => $9, cache_read => $10, cache_write_5m => $11, cache_write_1h => $12, output => $13, reasoning => $14,
  request_id => $15, raw_usage => $16, kinds => $17, data => $18)
