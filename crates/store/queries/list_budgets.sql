select repo, period, limit_micros, spent_micros, stopped_since, opens_at from codeteam.list_budgets()
