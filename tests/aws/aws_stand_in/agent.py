"""The ECS agent's task protection endpoint, which each task finds under its own ECS_AGENT_URI.

As with the real agent, a refusal by ECS comes with status 200 and `failure` in place of `protection`: whoever looks at the
status only believes himself protected. A task that is being stopped can no longer be protected.
"""

import datetime
import json
import re
import time
import uuid

from .http_server import Answer

PATH = re.compile(r"/agent/(?P<task>\w+)/task-protection/v1/state$")
DEFAULT_MINUTES = 120
KINDS = ("refused", "error", "hang")
"""What a test lets the endpoint do instead: refuse (status 200), answer with an error (400), never answer."""


class Agent:
    def __init__(self, fleet, faults, minute_ms):
        self._fleet = fleet
        self._faults = faults
        self._minute_s = minute_ms / 1000

    def answer(self, request):
        path = PATH.match(request.path)
        if not path or request.method not in ("GET", "PUT"):
            return _error(404, None, "ResourceNotFoundException", "the agent has GET and PUT of /task-protection/v1/state")
        fault = self._faults.take("task-protection")
        if fault and fault.kind == "hang":
            self._faults.wait()
            return None
        wish = None
        if request.method == "PUT":
            wish = _wish(request.body)
            if wish is None:
                return _error(400, None, "InvalidParameterException", "UpdateTaskProtection: failed to decode request")
        return self._fleet.with_task(path["task"], lambda task: self._change(task, wish, fault))

    def _change(self, task, wish, fault):
        """`wish` is None for a question."""
        if task is None:
            return _error(404, None, "ResourceNotFoundException", "Failed to find a task for the request")
        arn, now = task.arn(), time.monotonic()
        if fault and fault.kind == "error":
            return _error(400, arn, "AccessDeniedException", "User is not authorized to perform: ecs:UpdateTaskProtection")
        if fault:
            return _failure(arn, "DEPLOYMENT_BLOCKED")
        if task.state != "running":
            return _failure(arn, "TASK_NOT_VALID")
        if wish is not None:
            enabled, minutes = wish.get("ProtectionEnabled"), wish.get("ExpiresInMinutes", DEFAULT_MINUTES)
            if enabled is None:
                words = "Invalid request: does not contain 'ProtectionEnabled' field"
                return _error(400, arn, "InvalidParameterException", words)
            if not 1 <= minutes <= 2880:
                words = f"expiresInMinutes must be from 1 to 2880, and is {minutes}"
                return _error(400, arn, "InvalidParameterException", words)
            task.protected_until = now + minutes * self._minute_s if enabled else None
            task.protections.append({"at_ns": time.time_ns(), "enabled": enabled})
        return _protection(task, now)


def _wish(body):
    """The agent takes these two fields, of these types, and no others. None: it cannot be read."""
    try:
        wish = json.loads(body)
    except ValueError:
        return None
    if not isinstance(wish, dict) or set(wish) - {"ProtectionEnabled", "ExpiresInMinutes"}:
        return None
    wish = {name: value for name, value in wish.items() if value is not None}
    enabled, minutes = wish.get("ProtectionEnabled", True), wish.get("ExpiresInMinutes", 1)
    return wish if type(enabled) is bool and type(minutes) is int else None


def _protection(task, now):
    ends = None
    if task.is_protected(now):
        left = datetime.timedelta(seconds=task.protected_until - now)
        ends = (datetime.datetime.now(datetime.timezone.utc) + left).strftime("%Y-%m-%dT%H:%M:%SZ")
    protection = {"ExpirationDate": ends, "ProtectionEnabled": ends is not None, "TaskArn": task.arn()}
    return _json(200, {"protection": protection})


def _failure(arn, reason):
    return _json(200, {"failure": {"Arn": arn, "Detail": None, "Reason": reason}})


def _error(status, arn, code, message):
    error = ({"Arn": arn} if arn else {}) | {"Code": code, "Message": message}
    return _json(status, {"requestID": str(uuid.uuid4()), "error": error})


def _json(status, content):
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})
