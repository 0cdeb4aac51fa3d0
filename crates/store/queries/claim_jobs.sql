select id, attempt, seq, failures, task, repo, base, prompt, test_command, model,
       step_cap, token_cap, time_limit_ms, cost_cap_micros, lost_calls, lost_tokens, lost_micros
from codeteam.claim_jobs($1, $2, $3)
