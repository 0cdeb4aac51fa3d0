select w from codeteam.silent_workers($1) as w
