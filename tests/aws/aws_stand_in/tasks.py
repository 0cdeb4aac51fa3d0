"""Tasks of ECS services: what is known of each, and the choice of what to start and what to stop. Nothing here acts.

As on AWS, a protected task is never chosen by a scale-in: the service stays above its desired count until the protection ends.
A task that is being stopped no longer counts, so that a replacement may start beside it.
"""

import subprocess
import time
import uuid
from dataclasses import dataclass, field

from .moto_app import ACCOUNT, CLUSTER, REGION


@dataclass
class Task:
    service: str
    due: float
    """When it is to start, on the monotonic clock."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: str = "pending"
    """pending, running, stopping or stopped."""
    process: subprocess.Popen | None = None
    requested_at_ns: int = field(default_factory=time.time_ns)
    started_at_ns: int | None = None
    signalled_at_ns: int | None = None
    stopped_at_ns: int | None = None
    exit_code: int | None = None
    why_stopped: str | None = None
    protected_until: float | None = None
    """On the monotonic clock; None: not protected."""
    protected_when_signalled: bool | None = None
    protections: list = field(default_factory=list)
    """Every change of the protection: {"at_ns", "enabled"}."""
    kill_at: float | None = None
    """When a task that is being stopped is killed, on the monotonic clock."""
    killed: bool = False

    def arn(self):
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{self.id}"

    def is_protected(self, now):
        return self.protected_until is not None and now < self.protected_until

    def told(self, now):
        """What tests are told of it."""
        return {
            "id": self.id,
            "service": self.service,
            "state": self.state,
            "pid": self.process.pid if self.process else None,
            "protected": self.is_protected(now),
            "protections": list(self.protections),
            "requested_at_ns": self.requested_at_ns,
            "started_at_ns": self.started_at_ns,
            "signalled_at_ns": self.signalled_at_ns,
            "stopped_at_ns": self.stopped_at_ns,
            "exit_code": self.exit_code,
            "why_stopped": self.why_stopped,
            "protected_when_signalled": self.protected_when_signalled,
            "killed": self.killed,
        }


def choose(tasks, desired, now, random):
    """How many tasks a service must start, and which it must stop, to have `desired`.

    Those that have not started yet go first, then any unprotected one: `random` says which, as nobody may rely on an order.
    """
    pending = [task for task in tasks if task.state == "pending"]
    running = [task for task in tasks if task.state == "running"]
    surplus = len(pending) + len(running) - desired
    if surplus <= 0:
        return -surplus, []
    free = [task for task in running if not task.is_protected(now)]
    random.shuffle(free)
    return 0, (pending[::-1] + free)[:surplus]
