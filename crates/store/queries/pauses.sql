select mode, since, reason from codeteam.pauses order by since
