select leads, epoch, act_after_ms, act_until_ms from codeteam.lead($1)
