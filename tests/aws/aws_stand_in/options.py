"""What the stand-in is started with, and what its tasks are started with."""

import argparse
import json
import os
import shutil
import sys

from .moto_app import REGION

SERVICES = ("mechanic-worker", "genius-worker")


class Options:
    """The command line, checked."""

    def __init__(self, arguments=None):
        parser = argparse.ArgumentParser(prog="python3 -m aws_stand_in", description="AWS for tests, on 127.0.0.1.")
        parser.add_argument("--port", type=int, default=0, help="0: a free one")
        parser.add_argument("--start-ms", type=_from_zero, default=200, help="from the wish for a task to its process")
        parser.add_argument("--start-spread-ms", type=_from_zero, default=0, help="up to so much more, at random")
        parser.add_argument("--stop-timeout-s", type=_from_zero, default=120, help="from SIGTERM to SIGKILL")
        parser.add_argument("--back-off-ms", type=_from_zero, default=500, help="after a task ended by itself; it doubles")
        parser.add_argument("--minute-ms", type=_from_zero, default=60_000, help="how long a minute of protection is")
        parser.add_argument("--seed", type=int, default=0, help="of spread, and of the choice which task is stopped")
        parser.add_argument("--worker", type=json.loads, help="a task's command, a JSON list; without: tasks are only counted")
        parser.add_argument("--worker-env", type=json.loads, default={}, help="its environment, a JSON object")
        parser.add_argument("--log", help="the file that tasks write to; without: standard error")
        given = parser.parse_args(arguments)
        self.services = SERVICES
        self.port, self.seed = given.port, given.seed
        self.start_ms, self.start_spread_ms = given.start_ms, given.start_spread_ms
        self.stop_timeout_s, self.back_off_ms, self.minute_ms = given.stop_timeout_s, given.back_off_ms, given.minute_ms
        self.worker, self.worker_env, self.log = given.worker, given.worker_env, given.log
        if self.worker is not None:
            if not isinstance(self.worker, list) or not self.worker or shutil.which(self.worker[0]) is None:
                parser.error(f"--worker must be a JSON list that begins with a program, and is {given.worker!r}")
            if shutil.which("setpriv") is None:
                parser.error("setpriv is missing, with which tasks are tied to this program: install util-linux")
        if not isinstance(self.worker_env, dict):
            parser.error("--worker-env must be a JSON object of names and texts")

    def open_log(self):
        """Where a task writes: a file object of its own."""
        return open(self.log, "ab") if self.log else os.fdopen(os.dup(sys.stderr.fileno()), "wb")

    def environment(self, task, url):
        """A task's environment, and nothing else of this program's but where to find programs and to put files."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        aws = {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        own = {"MODE": task.service.removesuffix("-worker"), "ECS_AGENT_URI": f"{url}/agent/{task.id}"}
        return kept | aws | own | {name: str(value) for name, value in self.worker_env.items()}


def _from_zero(text):
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number
