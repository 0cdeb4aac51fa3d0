"""The record of every call to AWS, in the order of arrival. Somebody may wait for the next one."""

import threading


class Calls:
    def __init__(self):
        self._changed = threading.Condition()
        self._calls = []
        self._version = 0

    def begin(self, at_ns, call):
        """Records a call that arrived; its status is None until it is answered, and for ever if it never is."""
        arguments = call.arguments
        record = {
            "n": 0,
            "at_ns": at_ns,
            "key": call.key,
            "service": call.service,
            "operation": call.operation,
            "resource": call.resource(),
            "min": arguments.get("MinCapacity"),
            "max": arguments.get("MaxCapacity"),
            "desired": arguments.get("desiredCount"),
            "data": len(arguments.get("MetricData") or []) if call.operation == "PutMetricData" else None,
            "fault": None,
            "status": None,
        }
        with self._changed:
            record["n"] = len(self._calls) + 1
            self._calls.append(record)
            self._noticed()
        return record

    def end(self, record, status):
        with self._changed:
            record["status"] = status
            self._noticed()

    def _noticed(self):
        self._version += 1
        self._changed.notify_all()

    def told(self, after, newer_than, wait_s):
        """The calls behind the one numbered `after`, as soon as the version is above `newer_than`, or after `wait_s`.

        A call that arrives is a new version, and so is its answer.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._version > newer_than, wait_s)
            return {"version": self._version, "calls": [dict(call) for call in self._calls[after:]]}
