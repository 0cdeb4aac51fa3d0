select id, attempt, seq, failures, task, repo, base, head, prompt, setup_command, test_command, delivery, model,
       step_cap, token_cap, time_limit_ms, cost_cap_micros, lost_calls, lost_tokens, lost_micros
from codeteam.claim_jobs($1, $2, $3)
