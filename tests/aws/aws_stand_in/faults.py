"""What a test lets go wrong: the next calls of an operation are refused, delayed, garbled or never answered.

A call that meets a fault takes no effect, except a slow one, which is carried out when its time is over.
"""

import threading
from dataclasses import dataclass

from . import api
from .http_server import Answer

REFUSALS = {
    "throttle": (400, "ThrottlingException", "Rate exceeded"),
    "concurrent_update": (
        400,
        "ConcurrentUpdateException",
        "You already have a pending update to an Auto Scaling resource.",
    ),
    "error_500": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
    "access_denied": (400, "AccessDeniedException", "User is not authorized to perform: {service}:{operation}"),
}
INTERNAL = {
    "application-autoscaling": "InternalServiceException",
    "ecs": "ServerException",
    "monitoring": "InternalServiceError",
    "secretsmanager": "InternalServiceError",
}
"""How each service names an error of its own."""
GARBLED = {
    "json": Answer(200, b'{"unfinished": ', {"Content-Type": "application/x-amz-json-1.1"}),
    "cbor": Answer(200, b"\xbf\x6a", {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}),
}
KINDS = (*REFUSALS, "hang", "malformed", "slow")


@dataclass
class Fault:
    operation: str
    """An operation's name, or * for all."""
    kind: str
    times: int | None
    """How many calls meet it; None: all, until the faults are cleared."""
    ms: int = 0
    """How long a slow call waits."""


class Faults:
    def __init__(self):
        self._cleared = threading.Condition()
        self._faults = []
        self._clearings = 0

    def add(self, fault):
        with self._cleared:
            self._faults.append(fault)

    def clear(self):
        """No faults any more; the connections that hang are closed."""
        with self._cleared:
            self._faults.clear()
            self._clearings += 1
            self._cleared.notify_all()

    def take(self, operation):
        """The fault that a call of `operation` meets, or None."""
        with self._cleared:
            for fault in self._faults:
                if fault.operation in ("*", operation):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
            return None

    def wait(self, seconds=None):
        """Waits so long, or until the faults are cleared."""
        with self._cleared:
            then = self._clearings
            self._cleared.wait_for(lambda: self._clearings != then, seconds)


def refuse(fault, call):
    """The answer to a call that is refused or garbled."""
    if fault.kind == "malformed":
        return GARBLED.get(call.protocol, GARBLED["json"])
    status, code, message = REFUSALS[fault.kind]
    if fault.kind == "error_500":
        code = INTERNAL.get(call.service, code)
    return api.error(call, status, code, message.format(service=call.service, operation=call.operation))
