select w from codeteam.busy_workers() as w
