-- The scaler's latest changes of mind, newest first.
select at, service, previous, target, reason from codeteam.scale_decisions order by at desc, id desc limit $1
