select codeteam.report_trouble($1, $2)
