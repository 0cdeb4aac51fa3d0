"""procrastinate, as its documentation sets it up.

Best: a connection pool as large as the concurrency and more, and finished jobs deleted, which spares their later removal
(https://procrastinate.readthedocs.io, "Set the concurrency" and "Delete finished jobs"). It fetches and finishes one by one.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import time

import procrastinate
import psycopg

URL = os.environ.get("DATABASE_URL")
logging.disable(logging.WARNING)


class Tally:
    """Counts handlers, and knows when the first one started."""

    def __init__(self):
        self.first = None
        self.done = 0
        self.changed = asyncio.Event()

    def handled(self):
        if self.first is None:
            self.first = time.perf_counter()
        self.done += 1
        self.changed.set()

    async def reached(self, count):
        while self.done < count:
            self.changed.clear()
            await self.changed.wait()


def application(tally, best=False, workers=1):
    pool = {"max_size": workers + 4} if best else {}
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL, **pool))

    @app.task(name="nothing")
    async def nothing():
        tally.handled()

    return app, nothing


def start(app, best, workers):
    options = {"concurrency": workers, "install_signal_handlers": False}
    if best:
        options["delete_jobs"] = "successful"
    return asyncio.create_task(app.run_worker_async(**options))


async def setup(_):
    app, _ = application(Tally())
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
    return {}


async def wake(args):
    tally, samples = Tally(), []
    app, _ = application(tally, args.best)
    # The library's function that its own client calls, so that the insert can be part of a transaction of ours.
    job = "array[row('default', 'nothing', 0, null, null, '{}', null)::procrastinate_job_to_defer_v1]"
    async with app.open_async(), await psycopg.AsyncConnection.connect(URL) as client:
        start(app, args.best, 1)
        for count in range(1, args.rounds + 1):
            await asyncio.sleep(0.05 + random.random() * 0.05)
            await client.execute(f"select procrastinate_defer_jobs_v1({job})")
            tally.first = None
            sent = time.perf_counter()
            committed = asyncio.create_task(client.commit())
            await tally.reached(count)
            samples.append((tally.first - sent) * 1000)
            await committed
    return {"wake_ms": samples}


async def drain(args):
    if args.batch == "yes":
        return {"unsupported": "each job is fetched and finished by a statement of its own"}
    tally = Tally()
    app, nothing = application(tally, args.best, args.workers)
    async with app.open_async(), await psycopg.AsyncConnection.connect(URL, autocommit=True) as client:
        for done in range(0, args.jobs, 1000):
            await nothing.batch_defer_async(*[{}] * min(1000, args.jobs - done))
        start(app, args.best, args.workers)
        await tally.reached(args.jobs)
        left = "select exists (select from procrastinate_jobs where status in ('todo', 'doing'))"
        while (await (await client.execute(left)).fetchone())[0]:
            await asyncio.sleep(0.001)
        elapsed = time.perf_counter() - tally.first
    return {"jobs_per_s": args.jobs / elapsed, "jobs": args.jobs}


async def idle(args):
    app, _ = application(Tally(), args.best)
    async with app.open_async():
        start(app, args.best, 1)
        await asyncio.sleep(args.seconds)
    return {"idle_s": args.seconds}


async def steady(args):
    tally, buckets, asked, before = Tally(), [], 0, 0
    app, nothing = application(tally, True, args.workers)
    async with app.open_async():
        start(app, True, args.workers)
        edge = time.perf_counter() + args.bucket
        while len(buckets) < int(args.seconds / args.bucket):
            missing = 1000 - (asked - tally.done)
            if missing >= 50:
                asked += missing
                await nothing.batch_defer_async(*[{}] * missing)
            if time.perf_counter() >= edge:
                buckets.append(tally.done - before)
                edge, before = edge + args.bucket, tally.done
            await asyncio.sleep(0.01)
    return {"buckets": buckets}


def arguments():
    parser = argparse.ArgumentParser(description="What each command means is told in ../README.md")
    parser.add_argument("command", choices=["setup", "wake", "drain", "idle", "steady"])
    for name in ["rounds", "jobs", "workers"]:
        parser.add_argument(f"--{name}", type=int)
    for name in ["seconds", "bucket"]:
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--batch", choices=["no", "yes"], default="no")
    parser.add_argument("--setting", choices=["default", "best"], default="default")
    args = parser.parse_args()
    args.best = args.setting == "best"
    if not URL:
        parser.error("DATABASE_URL is missing from the environment")
    return args


async def answer():
    args = arguments()
    print(json.dumps(await globals()[args.command](args)), flush=True)
    # A worker is at work to the very end: its shutdown is not measured.
    sys.stderr.flush()
    os._exit(0)


asyncio.run(answer())
