"""The reconciler of ECS services: one thread that starts and stops real processes until each service has what it desires.

It sleeps until something is due: a start, a kill, the end of a protection or of a back-off, a change that somebody made.
All processes are started by this thread, and the kernel kills them when it ends: nothing outlives the stand-in.
"""

import os
import random
import signal
import subprocess
import threading
import time

from .moto_app import CLUSTER
from .tasks import Task, choose

LIVED_S = 10
"""A task that ran so long and ended by itself is replaced at once, and ends a series of failures."""
END_S = 5
"""How long tasks have after SIGTERM when the stand-in itself ends."""


class Fleet:
    def __init__(self, moto, options):
        self.url = None  # known when the server listens
        self._moto = moto
        self._options = options
        self._random = random.Random(options.seed)
        self._lock = threading.RLock()
        self._kicked = threading.Condition(self._lock)
        self._changed = threading.Condition(self._lock)
        self._version = 0
        self._tasks = []
        self._failures = dict.fromkeys(options.services, 0)
        self._not_before = dict.fromkeys(options.services, 0.0)
        self._steady_ns = dict.fromkeys(options.services)
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, url):
        self.url = url
        self._thread.start()

    def kick(self):
        """Somebody may have changed what is desired."""
        with self._lock:
            self._noticed()

    def steady_since_ns(self, service):
        """Since when the service has exactly what it desires; None if it has not."""
        with self._lock:
            return self._steady_ns.get(service)

    def told(self, newer_than, wait_s):
        """All tasks and desired counts, as soon as their version is above `newer_than`, or after `wait_s`."""
        with self._lock:
            self._changed.wait_for(lambda: self._version > newer_than, wait_s)
            now = time.monotonic()
            desired = {name: self._desired(name) for name in self._options.services}
            return {"version": self._version, "desired": desired, "tasks": [task.told(now) for task in self._tasks]}

    def set_desired(self, cluster, name, desired):
        """As UpdateService does. Whether there is such a service."""
        with self._lock:
            service = self._moto.service(cluster, name)
            if service is None:
                return False
            service.desired_count = desired
            # Of a service that is not ours there are no tasks to wait for.
            self._steady_ns[name] = None if name in self._options.services else time.time_ns()
            self._noticed()
            return True

    def with_task(self, task_id, change):
        """Gives `change` the task with this id, or None, and wakes the reconciler. `change` runs under the fleet's lock."""
        with self._lock:
            task = next((task for task in self._tasks if task.id == task_id), None)
            result = change(task)
            self._noticed()
            return result

    def close(self):
        """Ends all tasks: SIGTERM, a few seconds, SIGKILL. Returns when none is left."""
        with self._lock:
            self._closing = True
            self._noticed()
        self._thread.join()

    def _desired(self, name):
        service = self._moto.service(CLUSTER, name)
        return service.desired_count if service else 0

    def _noticed(self):
        self._version += 1
        self._changed.notify_all()
        self._kicked.notify()

    def _run(self):
        with self._lock:
            while not self._closing:
                self._step(time.monotonic())
                due = self._next_due()
                self._kicked.wait(None if due is None else max(0.0, due - time.monotonic()))
            last = time.monotonic() + min(self._options.stop_timeout_s, END_S)
            for task in self._live():
                self._stop(task, "the stand-in ended", last)
                task.kill_at = min(task.kill_at or last, last)
            while self._live():
                self._kill_late(time.monotonic())
                self._kicked.wait(0.1)

    def _live(self):
        return [task for task in self._tasks if task.state != "stopped"]

    def _step(self, now):
        """Does what is due."""
        self._kill_late(now)
        for name in self._options.services:
            tasks = self._of(name)
            for task in tasks:
                if not task.is_protected(now):
                    task.protected_until = None
            missing, surplus = choose(tasks, self._desired(name), now, self._random)
            for task in surplus:
                self._stop(task, "scaled in", now + self._options.stop_timeout_s)
            if now >= self._not_before[name]:
                self._add(name, missing, now)
            for task in self._of(name):
                if task.state == "pending" and task.due <= now:
                    self._launch(task)
            self._count(name)

    def _next_due(self):
        """When there is something to do if nobody changes anything, on the monotonic clock; None: never."""
        due = [task.due for task in self._tasks if task.state == "pending"]
        due += [task.kill_at for task in self._tasks if task.state == "stopping" and not task.killed]
        due += [task.protected_until for task in self._tasks if task.protected_until is not None]
        for name in self._options.services:
            wanted = [task for task in self._of(name) if task.state in ("pending", "running")]
            due += [self._not_before[name]] if len(wanted) < self._desired(name) else []
        return min(due, default=None)

    def _of(self, name):
        return [task for task in self._tasks if task.service == name]

    def _add(self, name, count, now):
        for _ in range(count):
            spread = self._random.uniform(0, self._options.start_spread_ms)
            self._tasks.append(Task(name, now + (self._options.start_ms + spread) / 1000))
            self._noticed()

    def _launch(self, task):
        if self._options.worker:
            with self._options.open_log() as log:
                task.process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", "--", *self._options.worker],
                    env=self._options.environment(task, self.url),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            threading.Thread(target=self._watch, args=(task,), daemon=True).start()
        task.state, task.started_at_ns = "running", time.time_ns()
        self._noticed()

    def _watch(self, task):
        code = task.process.wait()
        with self._lock:
            _signal_group(task, signal.SIGKILL)  # a container ends with all that runs in it
            task.exit_code = code
            if task.state == "running":
                self._back_off(task)
            self._stopped(task, f"ended by itself, exit code {code}")

    def _back_off(self, task):
        """The first failure costs one back-off, each further one twice as much, at most 32."""
        name, lived_s = task.service, (time.time_ns() - task.started_at_ns) / 1e9
        if lived_s >= LIVED_S:
            self._failures[name] = 0
            return
        wait_ms = self._options.back_off_ms * 2 ** min(self._failures[name], 5)
        self._failures[name] += 1
        self._not_before[name] = time.monotonic() + wait_ms / 1000

    def _stop(self, task, why, kill_at):
        task.why_stopped = task.why_stopped or why
        if task.process is None:
            self._stopped(task, why)
        elif task.state == "running":
            task.protected_when_signalled = task.is_protected(time.monotonic())
            task.state, task.kill_at, task.signalled_at_ns = "stopping", kill_at, time.time_ns()
            task.process.send_signal(signal.SIGTERM)
            self._noticed()

    def _kill_late(self, now):
        """Kills what did not stop in time."""
        for task in self._tasks:
            if task.state == "stopping" and not task.killed and task.kill_at <= now:
                task.killed = True
                _signal_group(task, signal.SIGKILL)

    def _stopped(self, task, why):
        task.why_stopped = task.why_stopped or why
        task.state, task.stopped_at_ns, task.protected_until = "stopped", time.time_ns(), None
        self._noticed()

    def _count(self, name):
        states = [task.state for task in self._of(name)]
        running, pending = states.count("running"), states.count("pending")
        self._moto.set_counts(name, running, pending)
        if running != self._desired(name) or pending:
            self._steady_ns[name] = None
        elif self._steady_ns[name] is None:
            self._steady_ns[name] = time.time_ns()


def _signal_group(task, number):
    try:
        os.killpg(task.process.pid, number)
    except ProcessLookupError:
        pass
