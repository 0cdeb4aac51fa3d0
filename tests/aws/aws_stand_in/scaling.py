"""Application Auto Scaling as it treats ECS services: registering a target clamps the desired count into its limits, at once.

moto keeps the targets and does no more. A scaling activity is successful when the service has what it desires, and
overridden when a newer one came before that.
"""

import time
import uuid

from . import api

DIMENSION = "ecs:service:DesiredCount"


class Scaling:
    def __init__(self, moto, fleet, lock):
        self._moto = moto
        self._fleet = fleet
        self._lock = lock
        self._activities = []

    def register(self, call, request):
        """RegisterScalableTarget."""
        if call.arguments.get("ScalableDimension") != DIMENSION:
            return self._moto.ask(request)
        with self._lock:
            return self._register(call, request)

    def _register(self, call, request):
        resource = call.arguments.get("ResourceId")
        known = self._moto.target(DIMENSION, resource)
        least = call.arguments.get("MinCapacity", known.min_capacity if known else None)
        most = call.arguments.get("MaxCapacity", known.max_capacity if known else None)
        wrong = self._what_is_wrong(resource, least, most)
        if wrong:
            return api.error(call, 400, "ValidationException", wrong)
        answer = self._moto.ask(request)
        if answer.status == 200:
            self._clamp(resource, least, most)
        return answer

    def _what_is_wrong(self, resource, least, most):
        parts = str(resource).split("/")
        if len(parts) != 3 or parts[0] != "service":
            return "Unsupported service namespace, resource type or scalable dimension"
        if least is None or most is None:
            return "Both minimum capacity and maximum capacity must be specified for a new scalable target"
        if least < 0:
            return "Minimum capacity cannot be less than 0"
        if least > most:
            return "Maximum capacity cannot be less than minimum capacity"
        if self._moto.service(parts[1], parts[2]) is None:
            return f"ECS service doesn't exist: {resource}"
        return None

    def _clamp(self, resource, least, most):
        _, cluster, name = resource.split("/")
        was = self._moto.service(cluster, name).desired_count
        desired = min(max(was, least), most)
        if desired == was:
            return
        cause = f"{'minimum' if desired > was else 'maximum'} capacity was set to {desired}"
        self._settle()
        for activity in self._activities:
            if activity["ResourceId"] == resource and activity["StatusCode"] == "InProgress":
                activity["StatusCode"] = "Overridden"
                activity["EndTime"] = time.time()
        self._activities.append(_activity(resource, desired, cause))
        self._fleet.set_desired(cluster, name, desired)

    def activities(self, call, _request):
        """DescribeScalingActivities: the newest first, one page."""
        wanted = {name: call.arguments.get(name) for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        with self._lock:
            self._settle()
            found = [
                dict(activity)
                for activity in reversed(self._activities)
                if all(value in (None, activity[name]) for name, value in wanted.items())
            ]
        return api.answer_json({"ScalingActivities": found[: call.arguments.get("MaxResults", 50)]})

    def _settle(self):
        for activity in self._activities:
            name = activity["ResourceId"].rpartition("/")[2]
            steady_ns = self._fleet.steady_since_ns(name)
            if activity["StatusCode"] == "InProgress" and steady_ns and steady_ns / 1e9 >= activity["StartTime"]:
                activity["StatusCode"] = "Successful"
                activity["EndTime"] = steady_ns / 1e9
                waiting, fulfilled = "Waiting for change to be", "Change successfully"
                activity["StatusMessage"] = activity["StatusMessage"].replace(waiting, fulfilled)


def _activity(resource, desired, cause):
    return {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
        "Description": f"Setting desired count to {desired}.",
        "Cause": cause,
        "StartTime": time.time(),
        "StatusCode": "InProgress",
        "StatusMessage": f"Successfully set desired count to {desired}. Waiting for change to be fulfilled by ecs.",
    }
