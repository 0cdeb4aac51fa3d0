-- What happened to the fleet beside decisions, newest first.
select at, kind, mode, subject, message from codeteam.fleet_events order by at desc, id desc limit $1
