"""What tests see and do, under /_stand_in/.

    GET    calls?after=N    the calls to AWS behind the N-th
    GET    tasks            tasks and desired counts
    GET    metrics          every datum that CloudWatch took
    POST   fault            {"operation", "kind", "times", "ms"}: see faults.py
    POST   agent-fault      {"kind", "times"}: see agent.py
    DELETE faults           both kinds
    POST   capacity         {"service", "desired"}: as a person does in the console

Calls and tasks come with a version; with newer_than=V&wait_ms=M the answer waits up to M for a newer one.
"""

import json
from urllib.parse import parse_qsl

from . import agent, faults
from .http_server import Answer
from .moto_app import CLUSTER


class Refused(Exception):
    """What a test asked for cannot be done, with a sentence that says why."""


class Control:
    def __init__(self, stand_in):
        self._routes = {
            ("GET", "calls"): lambda asked: stand_in.calls.told(asked.number("after"), *asked.patience()),
            ("GET", "tasks"): lambda asked: stand_in.fleet.told(*asked.patience()),
            ("GET", "metrics"): lambda _: {"metrics": stand_in.cloudwatch.metrics()},
            ("POST", "fault"): self._fault,
            ("POST", "agent-fault"): self._agent_fault,
            ("DELETE", "faults"): self._clear,
            ("POST", "capacity"): self._capacity,
        }
        self._stand_in = stand_in

    def answer(self, request):
        name = request.path.removeprefix("/_stand_in/")
        route = self._routes.get((request.method, name))
        try:
            if route is None:
                raise Refused(f"there is no {request.method} {name}; there are: {sorted(self._routes)}")
            status, content = 200, route(Asked(request)) or {}
        except Refused as refused:
            status, content = 400, {"error": str(refused)}
        return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _fault(self, asked):
        kind = asked.one_of("kind", faults.KINDS)
        operation = asked.field("operation", str)
        self._stand_in.faults.add(faults.Fault(operation, kind, asked.times(), asked.field("ms", int, 0)))

    def _agent_fault(self, asked):
        kind = asked.one_of("kind", agent.KINDS)
        self._stand_in.agent_faults.add(faults.Fault("task-protection", kind, asked.times()))

    def _clear(self, _):
        self._stand_in.faults.clear()
        self._stand_in.agent_faults.clear()

    def _capacity(self, asked):
        name, desired = asked.field("service", str), asked.field("desired", int)
        if desired < 0 or not self._stand_in.fleet.set_desired(CLUSTER, name, desired):
            raise Refused(f"cannot set {name} to {desired}: name a service of {CLUSTER} and a count from 0")


class Asked:
    """The query and the JSON body of a request, read with a word for what is wrong."""

    def __init__(self, request):
        self._query = dict(parse_qsl(request.query))
        try:
            self._body = json.loads(request.body or b"{}")
        except ValueError as error:
            raise Refused(f"the body is not JSON: {error}") from error
        if not isinstance(self._body, dict):
            raise Refused("the body must be a JSON object")

    def number(self, name, default=0):
        try:
            return int(self._query.get(name, default))
        except ValueError as error:
            raise Refused(f"{name} must be a whole number") from error

    def patience(self):
        """The version that is known already, and how long to wait for a newer one, in seconds."""
        return self.number("newer_than", -1), self.number("wait_ms") / 1000

    def field(self, name, kind, *default):
        value = self._body.get(name, *default)
        if type(value) is not kind:
            raise Refused(f"{name} must be given as {kind.__name__}, and is {value!r}")
        return value

    def one_of(self, name, allowed):
        value = self._body.get(name)
        if value not in allowed:
            raise Refused(f"{name} must be one of {', '.join(allowed)}, and is {value!r}")
        return value

    def times(self):
        """How often; None: until the faults are cleared."""
        times = None if self._body.get("times") is None else self.field("times", int)
        if times is not None and times < 1:
            raise Refused(f"times must be from 1, and is {times}; leave it out for all calls")
        return times
