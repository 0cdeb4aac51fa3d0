select requeued, dead, lost, open_wakes from codeteam.tend($1)
