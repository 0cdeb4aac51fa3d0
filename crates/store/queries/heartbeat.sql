select job_id, verdict from codeteam.heartbeat($1, $2, $3)
