"""The parts put together, and the way of each request: control, the agent of a task, or AWS."""

import threading

from . import api
from .agent import Agent
from .api import UNREADABLE
from .calls import Calls
from .cloudwatch import CloudWatch
from .control import Control
from .faults import Faults, refuse
from .fleet import Fleet
from .moto_app import Moto
from .scaling import Scaling


class StandIn:
    def __init__(self, options):
        self.calls = Calls()
        self.faults = Faults()
        self.agent_faults = Faults()
        self.moto = Moto(options.services)
        self.fleet = Fleet(self.moto, options)
        self.cloudwatch = CloudWatch(self.moto)
        self.scaling = Scaling(self.moto, self.fleet, threading.Lock())
        self._agent = Agent(self.fleet, self.agent_faults, options.minute_ms)
        self._control = Control(self)
        self._own = {
            ("application-autoscaling", "RegisterScalableTarget"): self.scaling.register,
            ("application-autoscaling", "DescribeScalingActivities"): self.scaling.activities,
        }

    def answer(self, request):
        if request.path.startswith("/_stand_in/"):
            return self._control.answer(request)
        if request.path.startswith("/agent/"):
            return self._agent.answer(request)
        call = api.read(request)
        record = self.calls.begin(request.at_ns, call)
        status = 500
        try:
            answer = self._as_aws(call, request, record)
            status = answer.status if answer else None
        finally:
            self.calls.end(record, status)
        return answer

    def _as_aws(self, call, request, record):
        fault = self.faults.take(call.operation)
        if fault:
            record["fault"] = fault.kind
            if fault.kind == "hang":
                self.faults.wait()
                return None
            if fault.kind != "slow":
                return refuse(fault, call)
            self.faults.wait(fault.ms / 1000)
        if call.arguments is UNREADABLE:
            return api.error(call, 400, "SerializationException", "the body cannot be read")
        own = self._own.get((call.service, call.operation))
        if own:
            return own(call, request)
        if call.service == "monitoring" or call.protocol == "cbor":
            return self.cloudwatch.answer(call, request)
        answer = self.moto.ask(request)
        if call.service == "ecs":
            self.fleet.kick()
        return answer
